/** A HostPool as the inventory reads it: its VLANs as ranges, its hosts by rack, what its machines bring. Pure. */
import type { HostPool } from '../../api/kinds.ts';
import { expand } from '../../api/nodeset.ts';
import { toNumber } from '../../api/quantity.ts';
import { toNumber as addressNumber, addressRange, cidrRange, type Range } from '../../api/range.ts';

export interface VlanFacts {
  readonly id: number;
  readonly range: Range;
  /** Inside the range and yet nobody's: the router, the network and its broadcast address. */
  readonly reserved: readonly number[];
  /** Undefined: all of the pool. */
  readonly racks: ReadonlySet<string> | undefined;
  /** Undefined: all. */
  readonly namespaces: ReadonlySet<string> | undefined;
}

export interface PoolFacts {
  readonly name: string;
  /** Whether its pods get their addresses from Gala. */
  readonly wiredByGala: boolean;
  /** Undefined on EC2. */
  readonly vlans: readonly VlanFacts[] | undefined;
  readonly macsPerPort: number;
  readonly rackOf: ReadonlyMap<string, string>;
  readonly datacenter: string | undefined;
  readonly region: string | undefined;
  /** Bits a second, each direction; undefined where the pool doesn't say. */
  readonly bandwidth: number | undefined;
}

export function poolFacts({ metadata, spec }: HostPool): PoolFacts {
  const { intranet, ec2, machine, cni } = spec;
  return {
    name: metadata.name,
    wiredByGala: cni === undefined,
    vlans: intranet?.vlans.flatMap((vlan) => vlanFacts(vlan) ?? []),
    macsPerPort: intranet?.macsPerPort ?? 0,
    rackOf: new Map((intranet?.racks ?? []).flatMap(({ name, hosts }) => hostsOf(hosts).map((host) => [host, name] as const))),
    datacenter: intranet?.datacenter,
    region: ec2?.region,
    bandwidth: machine?.bandwidth === undefined ? undefined : readable(() => toNumber(machine.bandwidth!)),
  };
}

type Vlan = NonNullable<HostPool['spec']['intranet']>['vlans'][number];

/** The API server's rules keep ranges in order; one that gets past them has no address. */
function vlanFacts({ id, subnet, gateway, addresses, racks, namespaces }: Vlan): VlanFacts | undefined {
  const range = readable(() => addressRange(addresses));
  if (range === undefined || range.first > range.last) return undefined;
  const network = readable(() => cidrRange(subnet));
  const router = readable(() => addressNumber(gateway));
  const reserved = [router, network?.first, network?.last].filter((it) => it !== undefined && it >= range.first && it <= range.last);
  return {
    id,
    range,
    reserved: [...new Set(reserved as number[])],
    racks: racks === undefined ? undefined : new Set(racks),
    namespaces: namespaces === undefined ? undefined : new Set(namespaces),
  };
}

const hostsOf = (nodeset: string): readonly string[] => readable(() => expand(nodeset)) ?? [];

/** Undefined where it is not written as it should be: what synth refuses may still be put into the API by hand. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
