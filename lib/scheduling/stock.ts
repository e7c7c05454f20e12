/**
 * Stock: how many pods of a demand fit now, where, and what limits it. Pure. The lock writer, the stock API, `gala stock` and
 * the offline planner all call these functions, so the number a person is told and the number the scheduler acts on cannot
 * differ.
 */
import { addressGuard } from './placing/addresses.ts';
import type { Caps } from './placing/caps.ts';
import { cellsOf } from './placing/cells.ts';
import { type Ground, groundOf, onlyOn, openCount } from './placing/ground.ts';
import { foremost, limitOf, tally } from './placing/limits.ts';
import { fill, type Most, mostOf } from './placing/most.ts';
import { emptiest } from './placing/neighbours.ts';
import { largest, netOf } from './placing/net.ts';
import { walk } from './placing/walk.ts';
import type { Ask, NodeFit, PoolFit, Stock, Terrain } from './types.ts';

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
  const limits = ground.rows.map(limitOf(ground, most));
  const still = settled(most);
  const fits = fitsOf(most, still);
  const { names } = terrain;
  const { list } = ground.words;
  const nodes: NodeFit[] = new Array(limits.length);
  for (let at = 0; at < limits.length; at++) {
    const row = ground.rows[at]!;
    nodes[at] = { node: names[row]!, fit: fits[row]!, limit: list[limits[at]!]! };
  }
  const all = tally(ground.words, limits);
  return { count: most.count, limit: foremost(all), nodes, pools: poolsOf(ground, most, still, limits), limits: all };
}

/** The caps under which the whole count is placed, none of them moving any more. */
interface Settled {
  readonly caps: Caps;
  /** What rows take that are domains themselves, by row. */
  readonly rows: readonly Float64Array[];
}

function settled({ ground, caps, by }: Most): Settled {
  const families = [...caps.families];
  const rows: Float64Array[] = [];
  ground.moving.forEach(({ level, counts, maxSkew, byRow, of }, at) => {
    const least = by.exact ? by.least : emptiest(by.walk.levels[at]!, counts, 1).least;
    const top = new Float64Array(level.length);
    for (let domain = 0; domain < level.length; domain++) top[domain] = Math.max(0, least + maxSkew - level[domain]!);
    if (byRow) rows.push(top);
    else families.push({ limit: 'spread', of, left: top });
  });
  return { caps: { node: caps.node, families }, rows };
}

/** By row: the most that it can have of the count. */
function fitsOf({ ground, count }: Most, { caps, rows: tops }: Settled): Float64Array {
  const fits = new Float64Array(ground.room.length);
  for (let at = 0; at < ground.rows.length; at++) {
    const row = ground.rows[at]!;
    fits[row] = Math.min(ground.room[row]!, caps.node, count);
  }
  for (const { of, left } of caps.families)
    for (let at = 0; at < ground.rows.length; at++) {
      const row = ground.rows[at]!;
      const domain = of[row]!;
      if (domain >= 0 && left[domain]! < fits[row]!) fits[row] = left[domain]!;
    }
  for (const top of tops)
    for (let at = 0; at < ground.rows.length; at++) {
      const row = ground.rows[at]!;
      if (top[row]! < fits[row]!) fits[row] = top[row]!;
    }
  return fits;
}

function poolsOf(ground: Ground, most: Most, still: Settled, limits: Int32Array): readonly PoolFit[] {
  const { terrain, rows, words } = ground;
  const { pool, poolNames } = terrain;
  const { pools: asked, demand } = ground.ask;
  const locked = terrain.lockedByOthers(demand);
  // Nodes of no pool come last.
  const hosts = new Int32Array(poolNames.length + 1);
  const numberOf = (row: number) => (pool[row]! < 0 ? poolNames.length : pool[row]!);
  for (let at = 0; at < rows.length; at++) hosts[numberOf(rows[at]!)]! += 1;
  const parts = Array.from(hosts, (size) => ({ rows: new Int32Array(size), limits: new Int32Array(size), lockedByOthers: 0 }));
  hosts.fill(0);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const number = numberOf(row);
    const part = parts[number]!;
    part.rows[hosts[number]!] = row;
    part.limits[hosts[number]!++] = limits[at]!;
    part.lockedByOthers += locked[row]!;
  }
  return parts
    .flatMap((part, number): PoolFit[] => {
      const name = poolNames[number] ?? '';
      const isAsked = name === '' ? part.rows.length > 0 : (asked?.includes(name) ?? true);
      if (!isAsked) return [];
      const { lockedByOthers } = part;
      return [
        { pool: name, hosts: part.rows.length, fit: fitOn(most, still, part.rows), lockedByOthers, limits: tally(words, part.limits) },
      ];
    })
    .sort((a, b) => (a.pool < b.pool ? -1 : 1));
}

/** The most that some rows can have of the count. */
function fitOn({ ground, count }: Most, { caps, rows: tops }: Settled, rows: Int32Array): number {
  const part: Ground = { ...onlyOn(ground, rows), rows, moving: [] };
  const own = openCount(part);
  if (own === 0) return 0;
  // All nodes that have room at all are these.
  if (own === openCount(ground)) return count;
  for (const row of rows) for (const top of tops) part.room[row] = Math.min(part.room[row]!, top[row]!);
  const cells = cellsOf(part, caps);
  const net = netOf(part, caps, cells);
  const fit = net === undefined ? fill(walk(part, caps, cells, addressGuard(part, cells)), count).length : largest(net, caps).count;
  return Math.min(count, fit);
}
