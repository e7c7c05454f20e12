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
  const members = new Int32Array(addresses.sources.length);
  for (const row of rows) {
    const group = addresses.group[row]!;
    if (group < 0 || room[row] === 0) continue;
    narrow(row, addresses.macs[row]!, 'macsPerPort');
    members[group]! += 1;
  }
  const drinkers = new Int32Array(addresses.free.length);
  const reach = addresses.sources.map((sources, group) => {
    let free = 0;
    for (const source of sources) {
      drinkers[source]! += members[group]!;
      free += addresses.free[source]!;
    }
    return free;
  });
  const shares = addresses.sources.map((sources, group) => members[group]! > 0 && sources.some((source) => drinkers[source]! > 1));
  const group = new Int32Array(room.length).fill(-1);
  const groups: number[] = [];
  const index = new Int32Array(addresses.sources.length).fill(-1);
  for (const row of rows) {
    const own = addresses.group[row]!;
    if (own < 0 || room[row] === 0) continue;
    // More than its sources hold no node takes, shared or not.
    narrow(row, reach[own]!, 'addresses');
    if (!shares[own] || room[row] === 0) continue;
    if (index[own] === -1) index[own] = groups.push(own) - 1;
    group[row] = index[own]!;
  }
  return groups.length === 0 ? undefined : { addresses, group, groups };
}
