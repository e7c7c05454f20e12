/**
 * Percentages of `maxPer` that are less than all on the places that there are: 30 % a rack takes four racks, or all but a few pods find
 * no place, whatever is free. Pure.
 */
import type { Problem } from '../api/problem.ts';
import { LASTING } from './never.ts';
import { capAt } from './placing/caps.ts';
import { askedRows } from './placing/ground.ts';
import { type Ask, LEVELS, type Level, type Terrain } from './types.ts';

export interface TightCap {
  readonly level: Level;
  /** `30%` */
  readonly cap: string;
  /** Places of that level that could ever take such a pod. */
  readonly places: number;
  /** The most pods that can ever lie so. */
  readonly most: number;
  /** The least percentage that would do. */
  readonly enough: string;
}

/** @example tightCaps(terrain, { demand, maxPer: { rack: '30%' } }) // [{ level: 'rack', cap: '30%', places: 2, most: 4, enough: '50%' }] */
export function tightCaps(terrain: Terrain, { demand, maxPer = {}, pools }: Pick<Ask, 'demand' | 'maxPer' | 'pools'>): TightCap[] {
  const percentages = LEVELS.flatMap((level) => {
    const cap = maxPer[level];
    return typeof cap === 'string' ? [{ level, cap }] : [];
  });
  if (percentages.length === 0) return [];
  return percentages.flatMap(({ level, cap }) => {
    const enough = Math.ceil(100 / capAt(cap, 100));
    const places = placesUpTo(enough, level, terrain, { demand, pools });
    // None at all is told by itself.
    return places === 0 || places >= enough
      ? []
      : [{ level, cap, places, most: mostOn(places, cap), enough: `${Math.ceil(100 / places)}%` }];
  });
}

/** Places of a level that could ever take the demand; no more are counted than are wanted, and that many are mostly found at once. */
function placesUpTo(enough: number, level: Level, terrain: Terrain, { demand, pools }: Pick<Ask, 'demand' | 'pools'>): number {
  const { why, limits } = terrain.eligible(demand, { pools });
  // What passes by itself, a node that isn't Ready or a cordon, is no place less.
  const never = [false, ...limits.map((limit) => LASTING.includes(limit))];
  const placeOf = placesBy(level, terrain);
  const places = new Set<number>();
  for (const row of askedRows(terrain, pools)) {
    if (never[why[row]!]) continue;
    places.add(placeOf(row));
    if (places.size >= enough) break;
  }
  return places.size;
}

/** By row, a number of the place that it is in: as placing/caps.ts has them, a rack of its zone, a zone of its datacenter. */
function placesBy(level: Level, terrain: Terrain): (row: number) => number {
  if (level === 'node') return (row) => row;
  const outwards = ['datacenter', 'zone', 'rack'] as const;
  const groupings = outwards.slice(0, outwards.indexOf(level) + 1).map((one) => terrain.level(one));
  return (row) => groupings.reduce((place, { of, names }) => place * (names.length + 1) + of[row]! + 1, 0);
}

/** Of these the ones that so many pods can't keep to. A percentage is rounded up, so that a few may. */
export const tooTightFor = (tight: readonly TightCap[], count: number): TightCap[] =>
  tight.filter(({ cap, places }) => places * capAt(cap, count) < count);

/** The same as problems of a question. @param path of the cap of a level, in the question's own words */
export function tooTightProblems(tight: readonly TightCap[], count: number, path: (level: Level) => string): Problem[] {
  return tooTightFor(tight, count).map(({ level, cap, places, enough }) => {
    const each = capAt(cap, count);
    return {
      path: path(level),
      what: `${level} is '${cap}', which is ${each} of ${count}; ${places} ${level}${places === 1 ? '' : 's'} could ever take these pods: ${places * each} in all`,
      allowed: `on ${places} ${level}${places === 1 ? '' : 's'} a percentage is ${enough} or more`,
      remedy: `Ask for ${enough}, or add ${level}s.`,
      severity: 'error',
    };
  });
}

/** The largest number of which a percentage, rounded up, is enough on so many places. */
function mostOn(places: number, cap: string): number {
  const share = (places * capAt(cap, 10_000)) / 10_000;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  // Rounding up gives each place less than one more: n ≤ places × (n × percent + 1).
  for (let most = Math.floor(places / (1 - share)); ; most--) if (places * capAt(cap, most) >= most) return most;
}
