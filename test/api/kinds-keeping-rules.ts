/**
 * Right values made to keep the rules between fields as well (CEL, which zod does not know), so that the API server must
 * accept every one of them.
 */
import fc from 'fast-check';
import { annotated } from '../../lib/api/json-schema.ts';
import { HostPool, IPLock, Lock, NodeNetwork } from '../../lib/api/kinds.ts';
import type { Resource } from '../../lib/api/resource.ts';
import { valuesOf } from './kinds-values.ts';

type Spec = Record<string, unknown>;

/** Specs of a kind that the API server accepts on create. */
export function specsOf(resource: Resource): fc.Arbitrary<Spec> {
  const make = MAKERS[resource.kind];
  if (make === undefined) throw new Error(`say in kinds-keeping-rules.ts how specs of ${resource.kind} keep its rules`);
  return make;
}

const specs = (resource: Resource, always: string[], never: string[]) =>
  valuesOf(annotated(resource.spec), { always, never }) as fc.Arbitrary<Spec>;

interface Intranet {
  racks: { name: string }[];
  vlans: { id: number; racks?: string[]; mtu?: number; routes?: Route[]; ipv6Prefix?: string }[];
}
interface Route {
  to: string;
  via?: string;
}
interface Ec2 {
  size: { min: number; max: number };
  zones: { podSubnetCidr?: string; routes?: Route[] }[];
}

/** Every router in the first /24 of its network. */
const routed = (routes: Route[] | undefined, net: string) =>
  routes === undefined
    ? {}
    : { routes: routes.map((route, index) => (route.via === undefined ? route : { ...route, via: `${net}.${240 + index}` })) };

/** Every VLAN gets a /24 of its own with a gateway and addresses in it, and racks that are there. */
const consistent = (spec: Spec): Spec => {
  const intranet = spec.intranet as Intranet;
  const names = intranet.racks.map(({ name }) => name);
  const vlans = intranet.vlans.map(({ racks, routes, mtu, ipv6Prefix, ...vlan }, index) => ({
    ...vlan,
    ...routed(routes, `10.${index}.7`),
    ...(mtu === undefined ? {} : { mtu: ipv6Prefix === undefined ? mtu : Math.max(1280, mtu) }),
    ...(ipv6Prefix === undefined ? {} : { ipv6Prefix: `fd2c:7a41::${index + 1}:0:0/96` }),
    subnet: `10.${index}.7.0/24`,
    gateway: `10.${index}.7.1`,
    addresses: vlan.id % 2 === 0 ? `10.${index}.7.64/26` : `10.${index}.7.9-10.${index}.7.200`,
    ...(racks === undefined ? {} : { racks: names.slice(0, racks.length) }),
  }));
  return { ...spec, shape: 'intranet', intranet: { ...intranet, vlans } };
};

const sized = (spec: Spec): Spec => {
  const ec2 = spec.ec2 as Ec2;
  const [min, max] = [Math.min(ec2.size.min, ec2.size.max), Math.max(ec2.size.min, ec2.size.max)];
  const replicas = spec.replicas === undefined ? {} : { replicas: Math.min(max, Math.max(min, spec.replicas as number)) };
  const zones = ec2.zones.map(({ routes, podSubnetCidr, ...zone }, index) => ({
    ...zone,
    ...routed(routes, `10.${index}.7`),
    ...(podSubnetCidr === undefined ? {} : { podSubnetCidr: `10.${index}.7.0/24` }),
  }));
  return { ...spec, shape: 'ec2', ec2: { ...ec2, zones, size: { min, max } }, ...replicas };
};

const phased = (spec: Spec): Spec => (spec.phase === 'Held' ? { ...spec, phase: 'Quarantined' } : spec);

/** The owner of a Lock lies in the Lock's namespace. */
const owned = (spec: Spec): Spec => {
  const lock = spec.lock as { namespace: string } | undefined;
  return lock === undefined ? spec : { ...spec, owner: `${lock.namespace}/${String(spec.owner).split('/')[1]}` };
};

interface EniSlot {
  networkCardIndex?: number;
  deviceIndex: number;
}

/** Device 0 of card 0 is no slot. */
const slotted = (spec: Spec): Spec => {
  if (spec.eniSlots === undefined) return spec;
  const slots = (spec.eniSlots as EniSlot[]).filter((slot) => (slot.networkCardIndex ?? 0) > 0 || slot.deviceIndex > 0);
  return { ...spec, eniSlots: slots };
};

const MAKERS: Readonly<Record<string, fc.Arbitrary<Spec>>> = {
  HostPool: fc.oneof(
    specs(HostPool, ['.intranet'], ['.ec2', '.replicas']).map(consistent),
    specs(HostPool, ['.ec2', '.ec2.join.eks'], ['.intranet', '.ec2.join.bootstrap']).map(sized),
    specs(HostPool, ['.ec2', '.ec2.join.bootstrap'], ['.intranet', '.ec2.join.eks']).map(sized),
  ),
  NodeNetwork: fc.oneof(
    specs(NodeNetwork, ['.machineID'], ['.providerID', '.eniSlots']),
    specs(NodeNetwork, ['.providerID'], ['.machineID']).map(slotted),
  ),
  Lock: fc.oneof(specs(Lock, ['.template'], ['.podFrom']), specs(Lock, ['.podFrom'], ['.template'])),
  IPLock: specs(IPLock, ['.podUID'], []).map(phased).map(owned),
};
