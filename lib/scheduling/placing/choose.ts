/** Choose: on which nodes a number of pods that fits is placed, by the strategy of the question. Pure. */
import { addressGuard } from './addresses.ts';
import { placesOf } from './caps.ts';
import { cellsOf } from './cells.ts';
import { concentrate } from './concentrate.ts';
import { evenly } from './evenly.ts';
import type { Ground } from './ground.ts';
import { loadOf } from './load.ts';
import { fill, type Most, nearRows } from './most.ts';
import { type Guard, largest, netOf, reserve } from './net.ts';
import { type Walk, walk } from './walk.ts';

/**
 * The row of each pod, in an order in which they can come one by one.
 * @param found with caps for this count, which is at least `count`
 */
export function choose({ ground, caps, by }: Most, count: number): number[] {
  const places = ground.ask.strategy === 'spread' ? placesOf(ground.terrain, ground.rows) : undefined;
  const cells = cellsOf(ground, caps, places === undefined ? [] : [places.datacenter, places.zone, places.rack]);
  const rowsBy = (guard: Guard | undefined) => {
    const steps = walk(ground, caps, cells, guard);
    return taken(strategyOf(ground, steps, count, places), count);
  };
  // Mostly nothing stands in the way of the strategy. Where it gets all pods placed, no guard would have kept it from any of them.
  const free = rowsBy(addressGuard(ground, cells));
  if (free.length === count) return free;
  if (by.exact) {
    const net = netOf(ground, caps, cells)!;
    const rows = rowsBy(reserve(net, caps, count, largest(net, caps).least));
    if (rows.length === count) return rows;
    throw new Error(`${count} pods fit, and ${ground.ask.strategy} found places for ${rows.length}`);
  }
  // Domains overlap, and the strategy's own order came to fewer than the one by which they were counted.
  const counted = cellsOf(ground, caps);
  return fill(walk(ground, caps, counted, addressGuard(ground, counted)), count);
}

function taken(next: () => number, count: number): number[] {
  const rows: number[] = [];
  while (rows.length < count) {
    const row = next();
    if (row === -1) break;
    rows.push(row);
  }
  return rows;
}

function strategyOf(ground: Ground, steps: Walk, count: number, places: ReturnType<typeof placesOf> | undefined): () => number {
  const { ask } = ground;
  const first = ask.near === undefined ? undefined : nearRows(ground);
  if (places === undefined) return concentrate(steps, { count, first, busy: ask.byUse === true ? loadOf(ground) : undefined });
  const tiers = [places.datacenter, places.zone, places.rack];
  return evenly(steps, { tiers, load: loadOf(ground), first });
}
