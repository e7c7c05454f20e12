/**
 * One: the node of a single pod, in one pass over the columns. With nothing placed yet all places have as many of this lock's
 * pods, and nobody comes after it whose place it could take: what is left of either strategy is a comparison of nodes. Pods that
 * come by themselves are all placed so.
 */
import type { Ask, Terrain } from '../types.ts';
import { capAt } from './caps.ts';
import { askedRows, type Ground, groundOf } from './ground.ts';
import { loadOf } from './load.ts';
import { nearRows } from './most.ts';
import { emptiest } from './neighbours.ts';

/**
 * The row of a single pod; -1: no node, or it can't be told by looking at each alone.
 *
 * Of the strategy `spread` it is the least loaded that may have it: mostly one of a few that are found by their load alone, so
 * that the other columns are read of these only.
 * @param rows those it may have. @default all that are asked about
 */
export function rowForOne(terrain: Terrain, ask: Ask, rows?: Int32Array): number {
  if (rows !== undefined) return bestRow(groundOf(terrain, ask, rows));
  // Where the first of its kind may go depends on all nodes.
  if (ask.strategy === 'spread' && ask.demand.affinity.length === 0) {
    const row = bestRow(groundOf(terrain, ask, leastLoaded(terrain, ask)));
    if (row !== -1) return row;
  }
  return bestRow(groundOf(terrain, ask));
}

/** How many are looked at first: when none of these may have it, all are. */
const FEW = 32;

/** Of the rows that the demand may be on at all, those that come first: near ones, then the least loaded, then by name. */
function leastLoaded(terrain: Terrain, ask: Ask): Int32Array {
  const rows = askedRows(terrain, ask.pools);
  const { why } = terrain.eligible(ask.demand, ask);
  const load = loadOf({ terrain, rows, ask });
  const near = nearRows({ terrain, ask });
  // Near ones are less loaded than any other.
  const score = (row: number) => (ask.near !== undefined && near(row) ? load[row]! - NEAR : load[row]!);
  /** Their places in `rows`. */
  const few: number[] = [];
  const scores: number[] = [];
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    if (why[row] !== 0) continue;
    const own = score(row);
    if (few.length === FEW && own >= scores[FEW - 1]!) continue;
    let place = few.length === FEW ? FEW - 1 : few.length;
    for (; place > 0 && own < scores[place - 1]!; place--) {
      few[place] = few[place - 1]!;
      scores[place] = scores[place - 1]!;
    }
    few[place] = at;
    scores[place] = own;
  }
  // In the order of their names again, as all rows of a ground are.
  return Int32Array.from(few)
    .sort()
    .map((at) => rows[at]!);
}

/** More than a node can be loaded, overcommitted or not. */
const NEAR = 2 ** 20;

function bestRow(ground: Ground): number {
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
