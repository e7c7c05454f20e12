/**
 * Sharing: addresses that several nodes drink from. A VLAN's free addresses are there for every host it is trunked to; hosts
 * may have several VLANs, and share some of them with some hosts: how many pods that makes is a matter of matching. A source
 * that one node alone drinks from (its ENI slots) is that node's own, and becomes part of its room.
 */

import type { AddressSources } from '../types.ts';
import { narrow, type Rooms } from './rooms.ts';

export interface Sharing {
  readonly addresses: AddressSources;
  /** By row: its group, as an index into `groups`; -1: it shares nothing, or needs no address. */
  readonly group: Int32Array;
  /** Numbers that the groups have in `addresses`, in the order of their first rows by name. */
  readonly groups: readonly number[];
}

/** Undefined: nobody shares. Narrows rows by what is theirs alone. */
export function sharingOf(addresses: AddressSources, rooms: Rooms): Sharing | undefined {
  const { rows, room, words } = rooms;
  const [noMacs, noAddresses] = [words.numberOf('macsPerPort'), words.numberOf('addresses')];
  const { group: groupOf, macs } = addresses;
  const members = new Int32Array(addresses.sources.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const group = groupOf[row]!;
    if (group < 0 || room[row] === 0) continue;
    narrow(rooms, row, macs[row]!, noMacs);
    members[group]! += 1;
  }
  const { free, sources } = addresses;
  const drinkers = new Int32Array(free.length);
  for (let own = 0; own < members.length; own++) {
    if (members[own] === 0) continue;
    const list = sources[own]!;
    for (let at = 0; at < list.length; at++) drinkers[list[at]!]! += members[own]!;
  }
  const reach = new Int32Array(members.length);
  const shares = new Uint8Array(members.length);
  for (let own = 0; own < members.length; own++) {
    if (members[own] === 0) continue;
    const list = sources[own]!;
    for (let at = 0; at < list.length; at++) {
      reach[own]! += free[list[at]!]!;
      if (drinkers[list[at]!]! > 1) shares[own] = 1;
    }
  }
  const group = new Int32Array(room.length).fill(-1);
  const groups: number[] = [];
  const index = new Int32Array(sources.length).fill(-1);
  /** Racks have groups of their own, and mostly the same VLANs. */
  const alike = new Map<string, number>();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const own = groupOf[row]!;
    if (own < 0 || room[row] === 0) continue;
    // More than its sources hold no node takes, shared or not.
    narrow(rooms, row, reach[own]!, noAddresses);
    if (shares[own] === 0 || room[row] === 0) continue;
    if (index[own] === -1) {
      const key = spelling(sources[own]!);
      index[own] = alike.get(key) ?? groups.push(own) - 1;
      alike.set(key, index[own]!);
    }
    group[row] = index[own]!;
  }
  return groups.length === 0 ? undefined : { addresses, group, groups };
}

const spellings = new WeakMap<Int32Array, string>();

/** Lists of sources are kept between questions, and so is how they are spelt. */
export function spelling(sources: Int32Array): string {
  const known = spellings.get(sources) ?? sources.join();
  spellings.set(sources, known);
  return known;
}
