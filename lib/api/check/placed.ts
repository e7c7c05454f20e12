/** Each VLAN of a definition with its path and its networks as numbers. What can't be read is left out; vlans.ts says why. */
import { addressRange, cidrRange, type Range, toNumber } from '../range.ts';
import type { Draft, DraftRacked } from './draft.ts';
import { rackedPools } from './draft.ts';

type DraftVlan = NonNullable<NonNullable<DraftRacked['vlans']>[string]>;

export interface PlacedVlan {
  /** `pools.web.vlans.110` */
  readonly path: string;
  readonly id: string;
  readonly pool: DraftRacked;
  readonly datacenter?: string;
  /** As it was typed. */
  readonly vlan: DraftVlan;
  readonly subnet?: Range;
  /** Not there when they run backwards or are a CIDR with host bits: what is meant isn't known then. */
  readonly addresses?: Range;
  readonly gateway?: number;
  /** Other routers of the VLAN: those of its routes. */
  readonly routers: readonly number[];
}

export function vlansOf(draft: Draft): PlacedVlan[] {
  return rackedPools(draft).flatMap(({ path, pool }) =>
    Object.entries(pool.vlans ?? {}).flatMap(([id, vlan]) =>
      vlan === undefined ? [] : [{ path: `${path}.vlans.${id}`, id, pool, datacenter: pool.datacenter, vlan, ...numbers(vlan) }],
    ),
  );
}

function numbers({ subnet, addresses, gateway, routes }: DraftVlan): Pick<PlacedVlan, 'subnet' | 'addresses' | 'gateway' | 'routers'> {
  const range = addresses === undefined ? undefined : addressRange(addresses);
  return {
    subnet: subnet === undefined ? undefined : cidrRange(subnet),
    addresses: range === undefined || range.first > range.last || hasHostBits(addresses!) ? undefined : range,
    gateway: gateway === undefined ? undefined : toNumber(gateway),
    routers: (routes ?? []).flatMap((route) => (route?.via === undefined ? [] : [toNumber(route.via)])),
  };
}

/** Whether a CIDR is written with another address than its network's: `10.110.0.5/24`. */
export function hasHostBits(text: string): boolean {
  const [address, prefix] = text.split('/');
  return prefix !== undefined && toNumber(address!) !== cidrRange(text).first;
}
