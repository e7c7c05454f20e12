/**
 * One: the node of a single pod, in one pass over the columns. With nothing placed yet all places have as many of this lock's
 * pods, and nobody comes after it whose place it could take: what is left of either strategy is a comparison of nodes. Pods that
 * come by themselves are all placed so.
 */
import { capAt } from './caps.ts';
import type { Ground } from './ground.ts';
import { loadOf } from './load.ts';
import { nearRows } from './most.ts';
import { emptiest } from './neighbours.ts';

/** -1: no node, or it can't be told by looking at each alone. */
export function bestRow(ground: Ground): number {
  const { ask, rows, room, families } = ground;
  if (ground.starts !== undefined || Object.values(ask.maxPer ?? {}).some((cap) => capAt(cap, 1) < 1)) return -1;
  const moving = ground.moving.map((it) => ({ ...it, most: emptiest(it.level, it.counts, 1).least + it.maxSkew }));
  const fits = (row: number): boolean => {
    for (const { of, left } of families) if (of[row]! >= 0 && left[of[row]!]! < 1) return false;
    for (const { of, level, most } of moving) if (level[of[row]!]! >= most) return false;
    return true;
  };
  const near = nearRows(ground);
  const hasNear = ask.near !== undefined;
  const concentrates = ask.strategy === 'concentrate';
  const load = concentrates && ask.byUse !== true ? undefined : loadOf(ground);
  let best = -1;
  let [bestNear, bestLoad, bestRoom] = [false, 0, 0];
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const roomHere = room[row]!;
    if (roomHere === 0) continue;
    const loadHere = load === undefined ? 0 : load[row]!;
    const isNear = hasNear && near(row);
    if (best !== -1) {
      if (isNear !== bestNear) {
        if (bestNear) continue;
      } else if (concentrates) {
        // The busiest, then the one with the least room left: concentrate.ts.
        if (loadHere < bestLoad || (loadHere === bestLoad && roomHere >= bestRoom)) continue;
      } else if (loadHere >= bestLoad) continue;
    }
    if (!fits(row)) continue;
    [best, bestNear, bestLoad, bestRoom] = [row, isNear, loadHere, roomHere];
  }
  return best;
}
