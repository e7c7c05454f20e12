/**
 * Stock: how many pods of a demand fit now, where, and what limits it. Pure. The lock writer, the stock API, `gala stock` and
 * the offline planner all call these functions, so the number a person is told and the number the scheduler acts on cannot
 * differ.
 */
import type { Caps } from './placing/caps.ts';
import { cellsOf } from './placing/cells.ts';
import { type Ground, groundOf, onlyOn } from './placing/ground.ts';
import { foremost, limitOf, tally } from './placing/limits.ts';
import { addressGuard, fill, type Most, mostOf } from './placing/most.ts';
import { largest, netOf } from './placing/net.ts';
import { walk } from './placing/walk.ts';
import type { Ask, Limit, NodeFit, PoolFit, Stock, Terrain } from './types.ts';

/**
 * `count` is what a lock with this question would get now, if it took what there is: `place` for as many succeeds, for one more
 * it doesn't. Percentages of `maxPer` are of that count.
 *
 * `fit` of a node or a pool is the most that it can have of the count. These add up to the count only where nodes share nothing:
 * no addresses, no cap, no constraint.
 * @example stock(terrain, { demand, strategy: 'spread' }).count // 212
 */
export function stock(terrain: Terrain, ask: Ask): Stock {
  const ground = groundOf(terrain, ask);
  const most = mostOf(ground);
  const limit = limitOf(ground, most);
  const limits: Limit[] = [];
  const fits = fitOf(most);
  const nodes = Array.from(ground.rows, (row): NodeFit => {
    const own = limit(row);
    limits.push(own);
    return { node: terrain.names[row]!, fit: fits(row), limit: own };
  });
  const all = tally(limits);
  return { count: most.count, limit: foremost(all), nodes, pools: poolsOf(ground, most, limits), limits: all };
}

/** What a domain of each moving constraint takes when the whole count is placed, as caps that no longer move. */
function settled({ ground, by }: Most): { readonly caps: Caps['families']; readonly rows: readonly ((row: number) => number)[] } {
  const tops = ground.moving.map(({ level, counts, maxSkew }, at) => {
    if (by.exact) return Float64Array.from(level, (before) => Math.max(0, by.least + maxSkew - before));
    const now = by.walk.levels[at]!;
    const least = now.reduce((least, here, domain) => (counts[domain] === 1 ? Math.min(least, here) : least), Number.POSITIVE_INFINITY);
    return Float64Array.from(level, (before) => Math.max(0, least + maxSkew - before));
  });
  return {
    caps: ground.moving.flatMap(({ byRow, of }, at) => (byRow ? [] : [{ limit: 'spread', of, left: tops[at]! }])),
    rows: ground.moving.flatMap(({ byRow }, at) => (byRow ? [(row: number) => tops[at]![row]!] : [])),
  };
}

function fitOf(most: Most): (row: number) => number {
  const { ground, caps, count } = most;
  const { caps: moved, rows } = settled(most);
  const families = [...caps.families, ...moved];
  return (row) => {
    let fit = Math.min(ground.room[row]!, caps.node, count);
    for (const { of, left } of families) if (of[row]! >= 0) fit = Math.min(fit, left[of[row]!]!);
    for (const top of rows) fit = Math.min(fit, top(row));
    return fit;
  };
}

function poolsOf(ground: Ground, most: Most, limits: readonly Limit[]): readonly PoolFit[] {
  const { terrain, rows } = ground;
  const locked = terrain.lockedByOthers(ground.ask.demand);
  const { pools: asked } = ground.ask;
  const members = new Map<number, number[]>();
  terrain.poolNames.forEach((name, pool) => {
    if (asked === undefined || asked.includes(name)) members.set(pool, []);
  });
  rows.forEach((row, at) => {
    const pool = terrain.pool[row]!;
    const list = members.get(pool);
    if (list === undefined) members.set(pool, [at]);
    else list.push(at);
  });
  return [...members]
    .map(([pool, list]): PoolFit => {
      const own = Int32Array.from(list, (at) => rows[at]!);
      return {
        pool: terrain.poolNames[pool] ?? '',
        hosts: own.length,
        fit: fitOn(most, own),
        lockedByOthers: own.reduce((sum, row) => sum + locked[row]!, 0),
        limits: tally(list.map((at) => limits[at]!)),
      };
    })
    .sort((a, b) => (a.pool < b.pool ? -1 : 1));
}

/** The most that some rows can have of the count. */
function fitOn(most: Most, rows: Int32Array): number {
  const { ground, caps, count } = most;
  const part = onlyOn(ground, rows);
  const open = rows.filter((row) => part.room[row]! > 0);
  if (open.length === 0) return 0;
  // All nodes that have room at all are these.
  if (ground.rows.every((row) => ground.room[row] === 0 || part.room[row]! > 0)) return count;
  const { caps: moved, rows: tops } = settled(most);
  for (const row of open) for (const top of tops) part.room[row] = Math.min(part.room[row]!, top(row));
  const still: Ground = { ...part, moving: [] };
  const fixed: Caps = { node: caps.node, families: [...caps.families, ...moved] };
  const cells = cellsOf(still, fixed);
  const net = netOf(still, fixed, cells);
  const fit =
    net === undefined ? fill(walk(still, fixed, cells, addressGuard(still, fixed, cells)), count).length : largest(net, fixed).count;
  return Math.min(count, fit);
}
