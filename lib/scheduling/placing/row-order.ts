/**
 * Row order: a Terrain numbers its rows as nodes came; whoever counts or chooses goes by names, so that the same nodes give the
 * same answer in whatever order they came. Sorting thousands of names takes longer than everything else, so the order is kept
 * for as long as the names stay what they are.
 */

interface Kept {
  readonly names: readonly (string | undefined)[];
  readonly order: Int32Array;
}

const kept = new WeakMap<readonly (string | undefined)[], Kept>();

/** Rows in the order of their names (by code unit, as Kubernetes sorts), holes left out. */
export function rowOrder(names: readonly (string | undefined)[]): Int32Array {
  const known = kept.get(names);
  if (known !== undefined && isSame(known.names, names)) return known.order;
  const rows: number[] = [];
  names.forEach((name, row) => {
    if (name !== undefined) rows.push(row);
  });
  const order = Int32Array.from(rows.sort((a, b) => (names[a]! < names[b]! ? -1 : 1)));
  kept.set(names, { names: [...names], order });
  return order;
}

/** The list may have changed in place; a string that is the same object compares at once. */
function isSame(before: readonly (string | undefined)[], now: readonly (string | undefined)[]): boolean {
  if (before.length !== now.length) return false;
  for (let row = 0; row < now.length; row++) if (before[row] !== now[row]) return false;
  return true;
}
