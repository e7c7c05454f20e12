/** Dice: chance from a seed, the same on every machine. */

export interface Dice {
  /** A whole number from 0, below `below`. */
  upTo(below: number): number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  /** True so often out of 1. */
  chance(share: number): boolean;
  pick<T>(of: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
}

/** xorshift32 (G. Marsaglia, Xorshift RNGs, 2003), its seed stirred so that neighbours differ at once. */
export function dice(seed: number): Dice {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 8; warm++) next();
  const upTo = (below: number) => Math.floor(next() * below);
  return {
    upTo,
    between: (from, to) => from + upTo(to - from + 1),
    chance: (share) => next() < share,
    pick: (of) => of[upTo(of.length)]!,
    shuffled(list) {
      const shuffled = [...list];
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = upTo(at + 1);
        [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
      }
      return shuffled;
    },
  };
}
