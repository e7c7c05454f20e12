/**
 * Most: the largest number of pods that a ground takes. Pure.
 *
 * Where the question's domains are nested and at most one topology spread constraint moves, the number is exact: no placement
 * has more (net.ts). Elsewhere (domains that overlap, several moving constraints) the largest number is as hard to find as the
 * best packing; there it is what one placement gets that goes pod by pod to where it is emptiest, until no node takes another.
 */
import { addressGuard } from './addresses.ts';
import { type Caps, capsAt, hasPercentage, type Places, placesOf } from './caps.ts';
import { type Cells, cellsOf } from './cells.ts';
import { evenly } from './evenly.ts';
import { type Ground, onlyOn } from './ground.ts';
import { largest, type Net, netOf } from './net.ts';
import { type Walk, walk } from './walk.ts';

/** No placement goes further than this many pods, one by one: what is left of "as many as you like". */
const MOST_STEPS = 250_000;

export interface Most {
  /** The ground it was found on: that of one start, where the question has several. */
  readonly ground: Ground;
  readonly count: number;
  /** Those that percentages came to. */
  readonly caps: Caps;
  /** How it was found. */
  readonly by:
    | { readonly exact: true; readonly net: Net /** Of the moving constraint. */; readonly least: number }
    | { readonly exact: false; readonly walk: Walk };
}

/** The most pods that fit when percentages are of `slots`, whether these are as many or not. */
export function mostFor(ground: Ground, slots: number): Most {
  return bestStart(ground, slots, (start) => counter(start)(slots));
}

/**
 * The largest number of slots, up to `ceiling`, that fit under caps whose percentages are of that same number.
 *
 * What fits grows with the caps, and caps with the number. So, beginning with no percentage at all, what fits under the caps of
 * one number is never less than the answer, and taking it as the next number ends at the answer (Knaster and Tarski).
 */
export function mostOf(ground: Ground, ceiling = Number.POSITIVE_INFINITY): Most {
  return bestStart(ground, ceiling, (start) => {
    const count = counter(start);
    const under = (found: Most): Most => (found.count > ceiling ? { ...found, count: ceiling } : found);
    let found = under(count(ceiling));
    if (!hasPercentage(ground.ask.maxPer)) return found;
    for (let slots = ceiling; found.count < slots; ) {
      slots = found.count;
      found = under(count(slots));
      if (found.count >= slots) found = { ...found, count: slots };
    }
    if (found.by.exact) return found;
    // A placement that isn't the best may take more under smaller caps.
    for (let next = count(found.count + 1); found.count < ceiling && next.count > found.count; next = count(found.count + 1))
      found = { ...next, count: found.count + 1 };
    return found;
  });
}

/** Where pods of one kind must be together and there is none yet: the group of nodes that takes the most of them. */
function bestStart(ground: Ground, slots: number, find: (start: Ground) => Most): Most {
  if (ground.starts === undefined) return find(ground);
  const roomOf = (rows: Int32Array) => rows.reduce((sum, row) => sum + ground.room[row]!, 0);
  const near = nearRows(ground);
  const starts = ground.starts
    .map((rows, at) => ({ rows, at, room: roomOf(rows), near: rows.some((row) => near(row)) }))
    .sort((a, b) => b.room - a.room || Number(b.near) - Number(a.near) || a.at - b.at);
  let best: (Most & { readonly near: boolean; readonly at: number }) | undefined;
  for (const { rows, at, room, near } of starts) {
    // No more than it has room for.
    if (best !== undefined && !isBetter({ count: room, near, at }, best, slots)) continue;
    const found = { ...find({ ...onlyOn(ground, rows), starts: undefined }), near, at };
    if (best === undefined || isBetter(found, best, slots)) best = found;
  }
  return best!;
}

type Started = { readonly count: number; readonly near: boolean; readonly at: number };

/** Enough is enough: of groups that take all that is asked, the near one; else the one that takes more. */
function isBetter(a: Started, b: Started, slots: number): boolean {
  return (Math.min(a.count, slots) - Math.min(b.count, slots) || Number(a.near) - Number(b.near) || a.count - b.count || b.at - a.at) > 0;
}

export function nearRows({ terrain, ask }: Pick<Ground, 'terrain' | 'ask'>): (row: number) => boolean {
  if (ask.near === undefined) return () => false;
  const { of, names } = terrain.level('datacenter');
  const wanted = names.indexOf(ask.near);
  return (row) => wanted !== -1 && of[row] === wanted;
}

/** Counts on one ground, again and again under other percentages. */
function counter(ground: Ground): (slots: number) => Most {
  let places: Places | undefined;
  const placesOnce = () => (places ??= placesOf(ground.terrain, ground.rows));
  let cells: Cells | undefined;
  let net: Net | undefined;
  /** Percentages of neighbouring numbers are mostly the same caps. */
  const walked = new Map<string, Most>();
  return (slots) => {
    const caps = capsAt(ground, placesOnce, slots);
    if (cells === undefined) {
      cells = cellsOf(ground, caps);
      net = netOf(ground, caps, cells);
    }
    if (net !== undefined) {
      const { count, least } = largest(net, caps);
      return { ground, count, caps, by: { exact: true, net, least } };
    }
    const key = JSON.stringify([caps.node, caps.families.map(({ left }) => left[0])]);
    let found = walked.get(key);
    if (found === undefined) {
      const steps = walk(ground, caps, cells, addressGuard(ground, cells));
      found = { ground, count: fill(steps, MOST_STEPS).length, caps, by: { exact: false, walk: steps } };
      walked.set(key, found);
    }
    return found;
  };
}

/**
 * The rows of up to `count` pods: each goes to the lowest domain of the constraint that has the most of them, there to the lowest
 * node, then by name.
 */
export function fill(steps: Walk, count: number): number[] {
  const { ground } = steps;
  const tiers = ground.moving
    .map(({ of, level, byRow }, at) => ({ of, height: level, byRow, may: (domain: number) => steps.takes(at, domain) }))
    .filter(({ byRow }) => !byRow)
    .sort((a, b) => b.height.length - a.height.length)
    .slice(0, 1);
  const byRow = ground.moving.findIndex(({ byRow }) => byRow);
  const next = evenly(steps, { tiers, load: new Float64Array(ground.room.length), height: steps.levels[byRow] });
  const rows: number[] = [];
  while (rows.length < count) {
    const row = next();
    if (row === -1) break;
    rows.push(row);
  }
  return rows;
}
