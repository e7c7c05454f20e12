/** Layout: the racks and VLANs of an intranet pool, written out for counting. Pure; remembered by the spec it was made of. */
import type { HostPool } from '../api/kinds.ts';
import { expand } from '../api/nodeset.ts';
import { addressRange, cidrRange, type Range, within } from '../api/range.ts';
import type { Hosts } from './host.ts';

type Intranet = NonNullable<HostPool['spec']['intranet']>;

export interface Vlan {
  readonly id: number;
  /** As the spec has it. */
  readonly subnet: string;
  readonly net: Range;
  /** What pods may have. */
  readonly range: Range;
  readonly racks: ReadonlySet<string>;
}

export interface Layout {
  /** Rack by host name. */
  readonly rackOf: ReadonlyMap<string, string>;
  readonly racks: ReadonlySet<string>;
  /** In the order of their ids. */
  readonly vlans: readonly Vlan[];
  /** Racks whose hosts can't be read, with why; their hosts count as of no rack. */
  readonly unreadable: readonly string[];
  /** The VLAN in whose subnet the address lies. */
  vlanOf(address: number): Vlan | undefined;
}

const known = new WeakMap<Intranet, Layout>();

export function layoutOf(intranet: Intranet): Layout {
  const layout = known.get(intranet) ?? writtenOut(intranet);
  known.set(intranet, layout);
  return layout;
}

function writtenOut(intranet: Intranet): Layout {
  const rackOf = new Map<string, string>();
  const unreadable: string[] = [];
  for (const { name, hosts } of intranet.racks)
    try {
      for (const host of expand(hosts)) if (!rackOf.has(host)) rackOf.set(host, name);
    } catch (error) {
      // Synth refuses such a rack; the API server knows only which characters a nodeset has.
      unreadable.push(`rack ${name}: '${hosts}': ${(error as Error).message}`);
    }
  const racks = new Set(intranet.racks.map(({ name }) => name));
  const vlans = intranet.vlans
    .map(
      (vlan): Vlan => ({
        ...{ id: vlan.id, subnet: vlan.subnet, net: cidrRange(vlan.subnet), range: addressRange(vlan.addresses) },
        racks: vlan.racks === undefined ? racks : new Set(vlan.racks),
      }),
    )
    .sort((a, b) => a.id - b.id);
  // Subnets don't overlap in what synth lets through; where somebody's do, the VLAN that gives the address away counts it.
  const vlanOf: Layout['vlanOf'] = (address) =>
    vlans.find(({ range }) => within(range, address)) ?? vlans.find(({ net }) => within(net, address));
  return { rackOf, racks, vlans, unreadable, vlanOf };
}

/** The rack that a host stands in by name, and the one that its label says; racks of this pool only. */
export function racksOf(node: string, { rackOf, racks }: Layout, hosts: Hosts): string[] {
  const listed = rackOf.get(node);
  const labelled = hosts.get(node)?.rack;
  const ours = (rack: string | undefined): rack is string => rack !== undefined && racks.has(rack);
  // Asked for each of 50,000 addresses: the usual case makes one small list and no more.
  if (labelled === undefined || labelled === listed) return ours(listed) ? [listed] : [];
  return [listed, labelled].filter(ours);
}
