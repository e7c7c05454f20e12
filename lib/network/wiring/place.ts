/** Place: where a pod's address belongs on this node, a VLAN of the trunk or an ENI, or why it can't be wired here. Pure. */
import type { HostPool, IPLock, NodeNetwork } from '../../api/kinds.ts';
import { cidrRange, spell as spellRange, toAddress, toNumber, within } from '../../api/range.ts';
import { GATE } from '../../api/scheduling.ts';
import { layoutOf, type Vlan } from '../layout.ts';
import { type Refusal, refuse } from './refusal.ts';

/** An IPLock, with the address it is named after. */
export type AddressLock = Pick<IPLock, 'spec'> & { readonly metadata: { readonly name: string } };

/** What is known of this node and of who asks. */
export interface Here {
  readonly node: string;
  /** Label `gala.internal/rack`, or by the pool's nodesets. */
  readonly rack?: string;
  readonly pod: { readonly uid: string; readonly namespace: string; readonly name: string };
  /** The IPLock that names the pod's UID. */
  readonly lock: AddressLock | undefined;
  readonly network: Pick<NodeNetwork['spec'], 'pool' | 'trunk' | 'eniSlots'>;
  readonly pool: Pick<HostPool['spec'], 'shape' | 'intranet'>;
  /** Networks of the EC2 subnets, `10.16.4.0/24`, by their ids: from the instance metadata service, per MAC. */
  readonly subnets: Readonly<Record<string, string>>;
}

/** Where the address lives. */
export interface Place {
  readonly ip: string;
  readonly mac: string;
  /** Length of its network's prefix. */
  readonly prefix: number;
  readonly gateway: string;
  /** Undefined: an ENI. */
  readonly vlan?: { readonly id: number; readonly trunk: string };
}

export function placeOf(here: Here): Place | Refusal {
  const { lock, node, pod } = here;
  const name = `${pod.namespace}/${pod.name}`;
  if (lock === undefined)
    return refuse(
      'NoLock',
      `no IPLock names pod ${name}, UID ${pod.uid}; a pod gets its address before it is bound, behind the scheduling gate ${GATE}. Delete the pod: the one that takes its place waits there.`,
    );
  const { spec } = lock;
  const ip = lock.metadata.name;
  if (spec.podUID !== pod.uid)
    return refuse('NotYours', `IPLock ${ip} is that of pod UID ${spec.podUID ?? '(none)'}, not of ${pod.uid} (${name}). Delete the pod.`);
  if (spec.node !== node)
    return refuse(
      'ForeignNode',
      `IPLock ${ip} of pod ${name} is on node ${spec.node}; this is ${node}. Delete the pod: the next one gets an address here.`,
    );
  if (spec.phase === 'Quarantined' || spec.phase === 'Held')
    return refuse(
      'Quarantined',
      `IPLock ${ip} of pod ${name} is ${spec.phase}; Locked or Bound is wired. See: gala who ${ip}. Then delete the pod.`,
    );
  return here.pool.shape === 'intranet' ? onVlan(here, ip, spec.mac) : onEni(here, ip, spec.mac);
}

/** An address of an intranet pool, whoever it is for. */
export function onVlan(
  { pool, network, rack, node }: Pick<Here, 'pool' | 'network' | 'rack' | 'node'>,
  ip: string,
  mac: string,
): Place | Refusal {
  const { intranet } = pool;
  const layout = intranet === undefined ? undefined : layoutOf(intranet);
  const vlan = layout?.vlans.find(({ range }) => within(range, toNumber(ip)));
  if (intranet === undefined || layout === undefined || vlan === undefined) return outside(network.pool, ip, layout?.vlans ?? []);
  const stands = rack ?? layout.rackOf.get(node);
  if (stands === undefined || !vlan.racks.has(stands))
    return refuse(
      'NotTrunked',
      `${ip} is of VLAN ${vlan.id}, trunked to ${[...vlan.racks].join(', ')}; node ${node} stands in ${stands ?? 'no rack of the pool'}. Let its switch trunk the VLAN and add the rack to vlans.${vlan.id}.racks, or delete the pod.`,
    );
  const { gateway } = intranet.vlans.find(({ id }) => id === vlan.id)!;
  return { ip, mac, prefix: prefixOf(vlan.subnet), gateway, vlan: { id: vlan.id, trunk: network.trunk ?? intranet.trunk } };
}

function outside(pool: string, ip: string, vlans: readonly Vlan[]): Refusal {
  const ranges = vlans.map(({ id, range }) => `${id}: ${spellRange(range)}`).join(', ');
  return refuse(
    'OutsideVlans',
    `${ip} lies in none of the VLANs of pool ${pool} (${ranges || 'it has none'}). Delete the pod: the next one gets an address of them.`,
  );
}

function onEni({ network, subnets, node }: Here, ip: string, mac: string): Place | Refusal {
  const slots = network.eniSlots ?? [];
  const slot = slots.find((one) => one.ip === ip);
  if (slot === undefined || slot.mac !== mac)
    return refuse(
      'NoEni',
      `${ip} with MAC ${mac} is on none of the ENIs of ${node} (${slots.map((one) => `${one.ip} ${one.mac}`).join(', ') || 'it has none'}). See: gala cloud status.`,
    );
  const cidr = subnets[slot.subnetId];
  if (cidr === undefined)
    return refuse(
      'NoSubnet',
      `${slot.eniId} lies in ${slot.subnetId}, of which the instance metadata service has not said the network yet. It is asked again.`,
    );
  // "The first four IP addresses … 10.0.0.1: Reserved by AWS for the VPC router" (VPC User Guide, "Subnet CIDR blocks").
  return { ip, mac, prefix: prefixOf(cidr), gateway: toAddress(cidrRange(cidr).first + 1) };
}

const prefixOf = (cidr: string): number => Number(cidr.split('/')[1]);
