/**
 * What the status of an intranet HostPool should say: hosts, what is taken of each VLAN, and what is amiss. Pure: the same
 * objects give the same status, in whatever order they came.
 *
 * The API server refuses to pull a VLAN from under what `taken` counts (host-pool-rules.ts), so whatever is doubtful counts:
 * an address on a host that says two racks counts for both, one outside the range that pods may have is still in its VLAN.
 */
import type { HostPool } from '../api/kinds.ts';
import { size, toAddress } from '../api/range.ts';
import type { Address } from './address.ts';
import type { Hosts } from './host.ts';
import { type Layout, layoutOf, racksOf, type Vlan } from './layout.ts';
import { amiss, settled } from './pool-conditions.ts';

export type PoolStatus = NonNullable<HostPool['status']>;
type VlanStatus = NonNullable<PoolStatus['vlans']>[number];

/** What a pool's status is made of. */
export interface PoolSeen {
  readonly pool: Pick<HostPool, 'metadata' | 'spec' | 'status'>;
  readonly intranet: NonNullable<HostPool['spec']['intranet']>;
  /** All of the cluster. */
  readonly hosts: Hosts;
  /** All of the cluster. */
  readonly addresses: readonly Address[];
}

/** @param now for conditions that turn; RFC 3339 */
export function poolStatus(seen: PoolSeen, now: string): PoolStatus {
  const { pool, intranet, hosts } = seen;
  const layout = layoutOf(intranet);
  const counted = count(seen, layout);
  const vlans = layout.vlans
    .map((vlan) => statusOf(vlan, counted.get(vlan)))
    // Where another CNI has the addresses only those are told that Gala gave out before.
    .filter(({ taken, quarantined }) => pool.spec.cni === undefined || taken !== undefined || quarantined > 0);
  return {
    ...(pool.metadata.generation === undefined ? {} : { observedGeneration: pool.metadata.generation }),
    hosts: { known: layout.rackOf.size, ready: readyHosts(pool.metadata.name, layout, hosts) },
    vlans,
    conditions: settled(amiss(seen, layout), pool.status?.conditions, now),
  };
}

function readyHosts(pool: string, { rackOf }: Layout, hosts: Hosts): number {
  let ready = 0;
  for (const name of rackOf.keys()) {
    const host = hosts.get(name);
    if (host?.ready && host.pool === pool) ready += 1;
  }
  return ready;
}

interface Count {
  Locked: number;
  Bound: number;
  Held: number;
  Quarantined: number;
  lowest: number;
  highest: number;
  readonly racks: Set<string>;
}

function count({ hosts, addresses }: PoolSeen, layout: Layout): ReadonlyMap<Vlan, Count> {
  const counts = new Map<Vlan, Count>();
  for (const { number, node, phase } of addresses) {
    const vlan = layout.vlanOf(number);
    if (vlan === undefined) continue;
    const of = counts.get(vlan) ?? nothingYet();
    counts.set(vlan, of);
    of[phase] += 1;
    if (phase === 'Quarantined') continue;
    of.lowest = Math.min(of.lowest, number);
    of.highest = Math.max(of.highest, number);
    for (const rack of racksOf(node, layout, hosts)) of.racks.add(rack);
  }
  return counts;
}

const nothingYet = (): Count => ({ Locked: 0, Bound: 0, Held: 0, Quarantined: 0, lowest: Infinity, highest: 0, racks: new Set() });

function statusOf({ id, subnet, range }: Vlan, counted: Count | undefined): VlanStatus {
  const bare = { id, subnet, total: Math.max(0, size(range)), quarantined: counted?.Quarantined ?? 0 };
  if (counted === undefined || counted.Locked + counted.Bound + counted.Held === 0) return bare;
  const { Locked: locked, Bound: bound, Held: held, lowest, highest, racks } = counted;
  return {
    ...bare,
    taken: { locked, bound, held, lowest: toAddress(lowest), highest: toAddress(highest), racks: [...racks].sort() },
  };
}
