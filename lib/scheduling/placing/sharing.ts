/**
 * Sharing: addresses that several nodes drink from. A VLAN's free addresses are there for every host it is trunked to; hosts
 * may have several VLANs, and share some of them with some hosts: how many pods that makes is a matter of matching. A source
 * that one node alone drinks from (its ENI slots) is that node's own, and becomes part of its room.
 */

import type { AddressSources } from '../types.ts';
import type { Narrow } from './ground.ts';

export interface Sharing {
  readonly addresses: AddressSources;
  /** By row: its group, as an index into `groups`; -1: it shares nothing, or needs no address. */
  readonly group: Int32Array;
  /** Numbers that the groups have in `addresses`, in the order of their first rows by name. */
  readonly groups: readonly number[];
}

/** Undefined: nobody shares. Narrows rows by what is theirs alone. */
export function sharingOf(addresses: AddressSources, rows: Int32Array, room: Int32Array, narrow: Narrow): Sharing | undefined {
  const { group: groupOf, macs } = addresses;
  const members = new Int32Array(addresses.sources.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const group = groupOf[row]!;
    if (group < 0 || room[row] === 0) continue;
    if (macs[row]! < room[row]!) narrow(row, macs[row]!, 'macsPerPort');
    members[group]! += 1;
  }
  const drinkers = new Int32Array(addresses.free.length);
  const { free } = addresses;
  const reach = addresses.sources.map((sources, group) => {
    let all = 0;
    for (const source of sources) {
      drinkers[source]! += members[group]!;
      all += free[source]!;
    }
    return all;
  });
  const shares = addresses.sources.map((sources, group) => members[group]! > 0 && sources.some((source) => drinkers[source]! > 1));
  const group = new Int32Array(room.length).fill(-1);
  const groups: number[] = [];
  const index = new Int32Array(addresses.sources.length).fill(-1);
  /** Racks have groups of their own, and mostly the same VLANs. */
  const alike = new Map<string, number>();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const own = groupOf[row]!;
    if (own < 0 || room[row] === 0) continue;
    // More than its sources hold no node takes, shared or not.
    if (reach[own]! < room[row]!) narrow(row, reach[own]!, 'addresses');
    if (!shares[own] || room[row] === 0) continue;
    if (index[own] === -1) {
      const key = spelling(addresses.sources[own]!);
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
