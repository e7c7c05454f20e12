/** Where an address belongs: a VLAN of a pool, an ENI of an instance, or nowhere of ours. Pure. */
import type { HostPool, NodeNetwork } from '../api/kinds.ts';
import { addressRange, cidrRange, toNumber, within } from '../api/range.ts';
import { ipv4In } from './ip-text.ts';
import { BadInput } from './output.ts';

export type Place =
  | {
      readonly is: 'vlan';
      readonly pool: string;
      readonly vlan: number;
      readonly racks?: readonly string[];
      /** Left out: all. */
      readonly namespaces?: readonly string[];
      /** Pods there have an IPv6 address too. */
      readonly ipv6Prefix?: string;
      /** Pods may have it; else it lies in the subnet and is the network team's. */
      readonly listed: boolean;
    }
  | { readonly is: 'eni'; readonly pool: string; readonly node: string; readonly eniId: string; readonly mac: string };

interface Named<T> {
  readonly metadata: { readonly name: string };
  readonly spec: T;
}
export type Pools = Iterable<Named<HostPool['spec']>>;
export type Networks = Iterable<Named<NodeNetwork['spec']>>;

/** @param address IPv4, dotted */
export function placeOf(address: string, pools: Pools, networks: Networks): Place | undefined {
  const number = toNumber(address);
  let outside: Place | undefined;
  for (const { metadata, spec } of pools)
    for (const { id, subnet, addresses, racks, namespaces, ipv6Prefix } of spec.intranet?.vlans ?? []) {
      if (!within(cidrRange(subnet), number)) continue;
      const listed = within(addressRange(addresses), number);
      const place: Place = {
        is: 'vlan',
        pool: metadata.name,
        vlan: id,
        ...(racks && { racks }),
        ...(namespaces && { namespaces }),
        ...(ipv6Prefix && { ipv6Prefix }),
        listed,
      };
      if (listed) return place;
      outside ??= place;
    }
  for (const { metadata, spec } of networks)
    for (const { ip, eniId, mac } of spec.eniSlots ?? [])
      if (ip === address) return { is: 'eni', pool: spec.pool, node: metadata.name, eniId, mac };
  return outside;
}

/** `VLAN 110 of web, trunked to r14, r15` */
export function placeText(place: Place): string {
  if (place.is === 'eni') return `${place.eniId} of ${place.node} (${place.pool})`;
  const racks = place.racks === undefined ? '' : `, trunked to ${place.racks.join(', ')}`;
  const namespaces = place.namespaces === undefined ? '' : `, for ${place.namespaces.join(', ')}`;
  return `VLAN ${place.vlan} of ${place.pool}${racks}${namespaces}`;
}

/**
 * The address that an IPv6 one goes with, by the prefixes of VLANs.
 * @throws {BadInput} where it is none of theirs
 */
export function addressOfTwin(ipv6: string, pools: Pools): string {
  const prefixes: string[] = [];
  for (const { metadata, spec } of pools)
    for (const { id, ipv6Prefix } of spec.intranet?.vlans ?? []) {
      if (ipv6Prefix === undefined) continue;
      const address = ipv4In(ipv6Prefix, ipv6);
      if (address !== undefined) return address;
      prefixes.push(`${ipv6Prefix} (VLAN ${id} of ${metadata.name})`);
    }
  const there = prefixes.length === 0 ? 'no VLAN has an ipv6Prefix' : `those of pods are in ${prefixes.join(', ')}`;
  throw new BadInput(`${ipv6}: it is no IPv6 address of a pod: ${there}. Name the IPv4 address, or the pod.`);
}
