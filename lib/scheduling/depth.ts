/** Depth: JSON that is nested on purpose takes down the stack of whoever walks or writes it. Pure, and without recursion itself. */

/** No pod template comes near. */
export const DEEPEST = 100;

export function deeperThan(most: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
