/** Choose: on which nodes a number of pods that fits is placed, by the strategy of the question. Pure. */
import type { Ask } from '../types.ts';
import { placesOf } from './caps.ts';
import { cellsOf } from './cells.ts';
import { concentrate } from './concentrate.ts';
import { evenly } from './evenly.ts';
import type { Ground } from './ground.ts';
import { addressGuard, fill, type Most, nearRows } from './most.ts';
import { type Guard, largest, netOf, reserve } from './net.ts';
import { type Walk, walk } from './walk.ts';

/**
 * The row of each pod, in an order in which they can come one by one.
 * @param found with caps for this count, which is at least `count`
 */
export function choose(found: Most, count: number): number[] {
  const { ground, caps } = found;
  const places = ground.ask.strategy === 'spread' ? placesOf(ground.terrain, ground.rows) : undefined;
  const cells = cellsOf(ground, caps, places === undefined ? [] : [places.datacenter, places.zone, places.rack]);
  const steps = walk(ground, caps, cells, guardFor(found, count, cells));
  const next = strategyOf(ground, steps, count, places);
  const rows: number[] = [];
  while (rows.length < count) {
    const row = next();
    if (row === -1) break;
    rows.push(row);
  }
  if (rows.length === count) return rows;
  if (found.by.exact) throw new Error(`${count} pods fit, and ${ground.ask.strategy} found places for ${rows.length}`);
  // Domains overlap, and the strategy's own order came to fewer than the one by which they were counted.
  const counted = cellsOf(ground, caps);
  return fill(walk(ground, caps, counted, addressGuard(ground, caps, counted)), count);
}

/** Undefined: any pod that may be placed leaves the others their places. */
function guardFor({ ground, caps, by }: Most, count: number, cells: ReturnType<typeof cellsOf>): Guard | undefined {
  if (count === 1) return undefined;
  if (!by.exact) return addressGuard(ground, caps, cells);
  // Caps that are nested, and a spread constraint above all of them, are counted right whatever is picked first.
  if (ground.sharing === undefined && !by.net.above) return undefined;
  const net = netOf(ground, caps, cells)!;
  const { least } = largest(net, caps);
  return reserve(net, caps, count, least);
}

/** The first pod alone: nobody comes after it whose place it could take. -1: no node may have it. */
export function chooseOne(ground: Ground, caps: Most['caps']): number {
  const places = ground.ask.strategy === 'spread' ? placesOf(ground.terrain, ground.rows) : undefined;
  const cells = cellsOf(ground, caps, places === undefined ? [] : [places.datacenter, places.zone, places.rack]);
  return strategyOf(ground, walk(ground, caps, cells), 1, places)();
}

function strategyOf(ground: Ground, steps: Walk, count: number, places: ReturnType<typeof placesOf> | undefined): () => number {
  const { ask } = ground;
  const first = ask.near === undefined ? undefined : nearRows(ground);
  if (places === undefined) return concentrate(steps, { count, first, busy: ask.byUse === true ? loadOf(ground) : undefined });
  const tiers = [places.datacenter, places.zone, places.rack].map(({ of, size }) => ({ of, count: new Int32Array(size) }));
  return evenly(steps, { tiers, load: loadOf(ground), first });
}

/** By row, 0 to 1: the larger share of cpu and memory that is promised; in real use, where that is asked for and was sampled. */
function loadOf({ terrain, rows, ask }: Pick<Ground, 'terrain' | 'rows'> & { readonly ask: Ask }): Float64Array {
  const load = new Float64Array(terrain.rows);
  for (const name of ['cpu', 'memory']) {
    const supply = terrain.supply(name);
    if (supply === undefined) continue;
    for (const row of rows) {
      const capacity = supply.capacity[row]!;
      if (capacity > 0) load[row] = Math.max(load[row]!, supply.used[row]! / capacity);
    }
  }
  if (ask.byUse === true) for (const row of rows) if (!Number.isNaN(terrain.realUse[row]!)) load[row] = terrain.realUse[row]!;
  return load;
}
