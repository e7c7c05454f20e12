/**
 * Ground: a Terrain as one question sees it. By row, how many more pods of the demand the node has room for by what is its own,
 * and what bounds that; and what several nodes have in common: domains that take so many pods, topology spread, addresses.
 * Pure; made anew for each question, from columns, in one pass each.
 */

import type { Ask, Limit, Supply, Terrain } from '../types.ts';
import { applyNeighbours } from './neighbours.ts';
import { narrow, PLENTY, type Rooms, wordList } from './rooms.ts';
import { rowOrder } from './row-order.ts';
import { type Sharing, sharingOf } from './sharing.ts';

/** Domains that take so many more pods each, whatever happens elsewhere. */
export interface Family {
  readonly limit: Limit;
  /** By row; -1: not in any of them, and not limited. */
  readonly of: Int32Array;
  /** By domain. */
  readonly left: Float64Array;
}

/** A topology spread constraint that the asked pods count in: what a domain takes moves with the emptiest one. */
export interface Moving {
  /** By row; every row with room has one. */
  readonly of: Int32Array;
  /** By domain: matching pods that are there. */
  readonly level: Int32Array;
  /** By domain, 1: it counts for the emptiest. */
  readonly counts: Uint8Array;
  readonly maxSkew: number;
  /** Each row is a domain of its own (`kubernetes.io/hostname`). */
  readonly byRow: boolean;
}

export interface Ground extends Rooms {
  readonly terrain: Terrain;
  readonly ask: Ask;
  /** Rows that were asked about, in the order of their names; those that may not have the demand have no room. */
  readonly rows: Int32Array;
  readonly families: readonly Family[];
  readonly moving: readonly Moving[];
  /** Addresses that several nodes drink from. */
  readonly sharing: Sharing | undefined;
  /** Required affinity to pods of the same kind, of which there is none yet: all go where the first goes, one of these groups of rows. */
  readonly starts: readonly Int32Array[] | undefined;
}

/** @param rows in the order of their names. @default all that were asked about */
export function groundOf(terrain: Terrain, ask: Ask, rows: Int32Array = askedRows(terrain, ask.pools)): Ground {
  const { demand } = ask;
  const room = new Int32Array(terrain.rows);
  const bound = new Uint16Array(terrain.rows);
  const words = wordList();
  const { why, limits } = terrain.eligible(demand, ask);
  const free = words.numberOf('pods');
  const refusals = limits.map(words.numberOf);
  /** Those that may have the demand at all: the rest is over others no more. */
  const open = new Int32Array(rows.length);
  let size = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const refusal = why[row]!;
    if (refusal === 0) open[size++] = row;
    room[row] = refusal === 0 ? PLENTY : 0;
    bound[row] = refusal === 0 ? free : refusals[refusal - 1]!;
  }
  const rooms: Rooms = { rows: open.subarray(0, size), room, bound, words };
  for (const [name, amount] of demand.requests) fitSupply(terrain.supply(name), name, amount, rooms);
  if (demand.hostPorts.length > 0) for (const row of rooms.rows) narrow(rooms, row, 1, words.numberOf('hostPorts'));
  const { families, moving, starts } = applyNeighbours(terrain, demand, rooms);
  const sharing = demand.address ? sharingOf(terrain.addresses(demand), rooms) : undefined;
  return { terrain, ask, rows, room, bound, words, families, moving, sharing, starts };
}

/** Columns are read once: whoever holds them may answer anew each time they are asked for. */
function fitSupply(supply: Supply | undefined, name: string, amount: number, rooms: Rooms): void {
  const { rows, room, bound, words } = rooms;
  const limit = words.numberOf(name);
  if (supply === undefined) {
    for (const row of rows) narrow(rooms, row, 0, limit);
    return;
  }
  const { capacity, used } = supply;
  const scale = scaleOf(name);
  const asked = Math.round(amount * scale);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const now = room[row]!;
    const free = (capacity[row]! - used[row]!) * scale + 0.5;
    // Room enough for what else allows; or the node does not say (NaN), and there is nothing to count by.
    if (now === 0 || !(free < now * asked)) continue;
    const most = Math.floor(Math.floor(free) / asked);
    room[row] = most < 0 ? 0 : most;
    bound[row] = limit;
  }
}

/** CPUs are counted in thousandths, as kube-scheduler does: sums of 0.1 are never 1. */
const scaleOf = (supply: string): number => (supply === 'cpu' ? 1000 : 1);

/** In the order of their names. */
export function askedRows(terrain: Terrain, pools: Ask['pools']): Int32Array {
  const all = rowOrder(terrain.names);
  if (pools === undefined) return all;
  const asked = new Set(pools.map((pool) => terrain.poolNames.indexOf(pool)));
  asked.delete(-1);
  const { pool } = terrain;
  return all.filter((row) => asked.has(pool[row]!));
}

/** Rows with room, in the order of their names. */
export function openRows({ rows, room }: Ground): Int32Array {
  const open = new Int32Array(rows.length);
  let size = 0;
  for (let at = 0; at < rows.length; at++) if (room[rows[at]!]! > 0) open[size++] = rows[at]!;
  return open.subarray(0, size);
}

/** How many those are. */
export function openCount({ rows, room }: Ground): number {
  let count = 0;
  for (let at = 0; at < rows.length; at++) if (room[rows[at]!]! > 0) count++;
  return count;
}

/** The same ground with room on these rows alone. */
export function onlyOn(ground: Ground, rows: Int32Array): Ground {
  const room = new Int32Array(ground.room.length);
  for (let at = 0; at < rows.length; at++) room[rows[at]!] = ground.room[rows[at]!]!;
  return { ...ground, room };
}
