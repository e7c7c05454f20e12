/**
 * Stock: how many pods of a demand fit now, where, and what limits it. Pure. The lock writer, the stock API, `gala stock` and
 * the offline planner all call these functions, so the number a person is told and the number the scheduler acts on cannot
 * differ.
 */
import { addressGuard } from './placing/addresses.ts';
import type { Caps } from './placing/caps.ts';
import { cellsOf } from './placing/cells.ts';
import { type Ground, groundOf, onlyOn } from './placing/ground.ts';
import { foremost, limitOf, tally } from './placing/limits.ts';
import { fill, type Most, mostOf } from './placing/most.ts';
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
  const fits = fitsOf(most);
  const { names } = terrain;
  const { list } = ground.words;
  const nodes: NodeFit[] = new Array(limits.length);
  for (let at = 0; at < limits.length; at++) {
    const row = ground.rows[at]!;
    nodes[at] = { node: names[row]!, fit: fits[row]!, limit: list[limits[at]!]! };
  }
  const all = tally(ground.words, limits);
  return { count: most.count, limit: foremost(all), nodes, pools: poolsOf(ground, most, limits), limits: all };
}

/** What a domain of each moving constraint takes when the whole count is placed, as caps that no longer move. */
function settled({ ground, by }: Most): { readonly caps: Caps['families']; readonly rows: readonly Float64Array[] } {
  const tops = ground.moving.map(({ level, counts, maxSkew }, at) => {
    if (by.exact) return Float64Array.from(level, (before) => Math.max(0, by.least + maxSkew - before));
    const now = by.walk.levels[at]!;
    const least = now.reduce((least, here, domain) => (counts[domain] === 1 ? Math.min(least, here) : least), Number.POSITIVE_INFINITY);
    return Float64Array.from(level, (before) => Math.max(0, least + maxSkew - before));
  });
  return {
    caps: ground.moving.flatMap(({ byRow, of }, at) => (byRow ? [] : [{ limit: 'spread', of, left: tops[at]! }])),
    rows: ground.moving.flatMap(({ byRow }, at) => (byRow ? [tops[at]!] : [])),
  };
}

/** By row: the most that it can have of the count. */
function fitsOf(most: Most): Float64Array {
  const { ground, caps, count } = most;
  const { caps: moved, rows: tops } = settled(most);
  const fits = new Float64Array(ground.room.length);
  for (let at = 0; at < ground.rows.length; at++) {
    const row = ground.rows[at]!;
    fits[row] = Math.min(ground.room[row]!, caps.node, count);
  }
  for (const { of, left } of [...caps.families, ...moved])
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

function poolsOf(ground: Ground, most: Most, limits: Int32Array): readonly PoolFit[] {
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
      return [{ pool: name, hosts: part.rows.length, fit: fitOn(most, part.rows), lockedByOthers, limits: tally(words, part.limits) }];
    })
    .sort((a, b) => (a.pool < b.pool ? -1 : 1));
}

/** The most that some rows can have of the count. */
function fitOn(most: Most, rows: Int32Array): number {
  const { ground, caps, count } = most;
  const part = onlyOn(ground, rows);
  let own = 0;
  let all = 0;
  for (let at = 0; at < rows.length; at++) if (part.room[rows[at]!]! > 0) own++;
  for (let at = 0; at < ground.rows.length; at++) if (ground.room[ground.rows[at]!]! > 0) all++;
  if (own === 0) return 0;
  if (own === all) return count;
  const { caps: moved, rows: tops } = settled(most);
  for (const row of rows) for (const top of tops) part.room[row] = Math.min(part.room[row]!, top[row]!);
  const still: Ground = { ...part, moving: [] };
  const fixed: Caps = { node: caps.node, families: [...caps.families, ...moved] };
  const cells = cellsOf(still, fixed);
  const net = netOf(still, fixed, cells);
  const fit = net === undefined ? fill(walk(still, fixed, cells, addressGuard(still, cells)), count).length : largest(net, fixed).count;
  return Math.min(count, fit);
}
