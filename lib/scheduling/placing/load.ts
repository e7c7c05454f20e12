/** Load: how busy nodes are, for strategies to choose by among equals. Pure. */
import type { Ground } from './ground.ts';

/** By row, 0 to 1: the larger share of cpu and memory that is promised; in real use, where that is asked for and was sampled. */
export function loadOf({ terrain, rows, ask }: Pick<Ground, 'terrain' | 'rows' | 'ask'>): Float64Array {
  const load = new Float64Array(terrain.rows);
  for (const name of ['cpu', 'memory']) {
    const supply = terrain.supply(name);
    if (supply === undefined) continue;
    const { capacity, used } = supply;
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at]!;
      if (!(capacity[row]! > 0)) continue;
      const share = used[row]! / capacity[row]!;
      if (share > load[row]!) load[row] = share;
    }
  }
  if (ask.byUse !== true) return load;
  const { realUse } = terrain;
  for (let at = 0; at < rows.length; at++) {
    const use = realUse[rows[at]!]!;
    if (!Number.isNaN(use)) load[rows[at]!] = use;
  }
  return load;
}
