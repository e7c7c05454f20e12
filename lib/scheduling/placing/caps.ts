/**
 * Caps: the most slots of one lock on one node, in one rack, zone or datacenter (`maxPer`), and what those places are.
 *
 * A percentage is of the slots that the lock gets, rounded up: all of `count`, or what was found where `allowPartial` takes
 * less. So 30 % of 10 is 3, and of 1 is 1.
 */

import type { Ask, Level, Terrain } from '../types.ts';
import type { Family, Ground } from './ground.ts';

/** All caps of a question, in slots. */
export interface Caps {
  /** The most on one node. */
  readonly node: number;
  /** Those of `maxPer`, and those that the ground has whatever is asked. */
  readonly families: readonly Family[];
}

/** The same families in the same order for any number. @param slots what percentages are of */
export function capsAt(ground: Ground, places: () => Places, slots: number): Caps {
  const { maxPer = {} } = ground.ask;
  const families = [...ground.families];
  for (const level of ['rack', 'zone', 'datacenter'] as const) {
    if (maxPer[level] === undefined) continue;
    const { of, size } = places()[level];
    families.push({ limit: `maxPer.${level}`, of, left: new Float64Array(size).fill(capAt(maxPer[level], slots)) });
  }
  return { node: capAt(maxPer.node, slots), families };
}

/** A cap in slots. @param slots what a percentage is of. Infinity: there is no cap. */
export function capAt(cap: number | string | undefined, slots: number): number {
  if (cap === undefined) return Number.POSITIVE_INFINITY;
  if (typeof cap === 'number') return cap;
  const percent = /^(\d{1,3})%$/.exec(cap)?.[1];
  if (percent === undefined) throw new RangeError(`maxPer is '${cap}'; a cap is a number of slots, or a percentage such as '30%'`);
  return Math.ceil((slots * Number(percent)) / 100);
}

export const hasPercentage = (maxPer: Ask['maxPer']): boolean => Object.values(maxPer ?? {}).some((cap) => typeof cap === 'string');

/** Where rows are, by a number of their own for each place; -1 for rows that were not asked about. */
export interface Grouping {
  readonly of: Int32Array;
  /** Groups are numbered from 0 to this. */
  readonly size: number;
}

export type Places = Readonly<Record<Exclude<Level, 'node'>, Grouping>>;

/**
 * A rack is a rack of its zone, and a zone one of its datacenter: r12 in two halls are two racks. Nodes that don't say where
 * they are count together, as the unnamed rack of their zone, the unnamed zone of their datacenter: they may be one place.
 */
export function placesOf(terrain: Terrain, rows: Int32Array): Places {
  const datacenter = within(rows, asOne(rows, terrain.rows), terrain.level('datacenter'));
  const zone = within(rows, datacenter, terrain.level('zone'));
  return { datacenter, zone, rack: within(rows, zone, terrain.level('rack')) };
}

/** Each place by what lies in it. Rows of none (-1) are one more place. */
function within(rows: Int32Array, place: Grouping, { of: by, names }: ReturnType<Terrain['level']>): Grouping {
  const of = place.of.slice();
  return { of, size: split(rows, of, place.size, { of: by, size: names.length }) };
}

/**
 * Rows that are together in every grouping, numbered in the order of their first rows. A row that some grouping does not know
 * (-1) is alone with others that it does not know.
 */
export function together(rows: Int32Array, length: number, groupings: readonly Grouping[]): Grouping {
  const { of, size: one } = asOne(rows, length);
  let size = one;
  for (const grouping of groupings) size = split(rows, of, size, grouping);
  return { of, size };
}

/** All in one group. */
function asOne(rows: Int32Array, length: number): Grouping {
  const of = new Int32Array(length).fill(-1);
  for (let at = 0; at < rows.length; at++) of[rows[at]!] = 0;
  return { of, size: rows.length === 0 ? 0 : 1 };
}

/** @param of by row, changed in place */
function split(rows: Int32Array, of: Int32Array, size: number, { of: by, size: groups }: Grouping): number {
  const width = groups + 1;
  // A dense table is faster than a Map, up to a size.
  if (size * width > DENSE) return splitByMap(rows, of, width, by);
  /** Numbers from 1; 0: none yet. */
  const table = new Int32Array(size * width);
  let found = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const key = of[row]! * width + by[row]! + 1;
    let number = table[key]!;
    if (number === 0) {
      number = ++found;
      table[key] = number;
    }
    of[row] = number - 1;
  }
  return found;
}

function splitByMap(rows: Int32Array, of: Int32Array, width: number, by: Int32Array): number {
  const numbers = new Map<number, number>();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const key = of[row]! * width + by[row]! + 1;
    const number = numbers.get(key) ?? numbers.size;
    if (number === numbers.size) numbers.set(key, number);
    of[row] = number;
  }
  return numbers.size;
}

const DENSE = 1 << 17;
