/** What each rule between fields refuses: an object to create, or a change of one that is there, and the answer. */
import { HostPool, IPLock, Lock, NodeNetwork } from '../../lib/api/kinds.ts';
import type { Resource } from '../../lib/api/resource.ts';

export interface Refusal {
  readonly kind: Resource;
  /** The rule's message in the kind. */
  readonly rule: string;
  /** The answer, where the rule words it by what it found. @default the rule's message */
  readonly says?: string;
  /** Create this… */
  readonly spec?: unknown;
  readonly name?: string;
  /** …or have this, with this status, and merge `change` into it. */
  readonly live?: unknown;
  readonly status?: unknown;
  readonly change?: object;
}

const racked = HostPool.example;
const launched = HostPool.moreExamples!['an EC2 pool']!;
const bound = IPLock.example;
const [vlan110, vlan130] = racked.intranet!.vlans;
const { podUID: _, ...held } = { ...bound, phase: 'Held' as const };
const withVlan = (parts: object) => ({ ...racked, intranet: { ...racked.intranet, vlans: [{ ...vlan110, ...parts }] } });
const withEc2 = (parts: object) => ({ ...launched, ec2: { ...launched.ec2, ...parts } });
/** Addresses of VLAN 130 are taken: those of `taken`, on hosts of rack r13. */
const seen = (taken: object) => ({
  vlans: [
    {
      id: 130,
      subnet: '10.130.0.0/24',
      total: 120,
      quarantined: 0,
      taken: { locked: 0, bound: 0, held: 0, lowest: '10.130.0.70', highest: '10.130.0.163', racks: ['r13'], ...taken },
    },
  ],
});
const vlans130 = (parts: object) => ({ spec: { intranet: { vlans: [vlan110, { ...vlan130, ...parts }] } } });
const another = '11111111-d9cb-469f-a165-70867728950e';

const TRUNK =
  'trunk is immutable while addresses are taken: pods are wired on it. Make a pool of another name for the hosts with the other trunk';
const SUBNET = 'a VLAN keeps its subnet and gateway while addresses are taken. Add another VLAN, move the pods to it, then drop this one';
const ADDRESSES = 'addresses may grow and shrink around those that are taken. Keep them in, or move their pods first';
const RACKS = 'a VLAN stays trunked to the racks where its addresses are taken, and these racks stay. Drain the rack first';

const pools: readonly Omit<Refusal, 'kind'>[] = [
  {
    rule: 'metadata.name must be lower-case letters, digits and -, starting and ending with a letter or digit',
    says: 'metadata.name is web.1; it must be lower-case letters, digits and -, starting and ending with a letter or digit',
    spec: racked,
    name: 'web.1',
  },
  {
    rule: 'shape must name the one block that is given. Give `intranet` or `ec2`, the one that shape says, and not the other',
    spec: { ...racked, shape: 'ec2' },
  },
  { rule: 'shape is immutable. Make a pool of another name', live: racked, change: { spec: { ...launched, intranet: null } } },
  {
    rule: 'replicas is for ec2 pools: an intranet pool has the hosts that stand in its racks. Add hosts to racks',
    spec: { ...racked, replicas: 3 },
  },
  {
    rule: 'replicas must lie between ec2.size.min and ec2.size.max. Change ec2.size in the definition first',
    says: 'replicas is 61; size allows 3 to 60. Change ec2.size in the definition first',
    spec: { ...launched, replicas: 61 },
  },
  {
    rule: 'vlans[].racks must name racks of this pool. Add the rack to racks, or take it out of the VLAN',
    spec: withVlan({ racks: ['r12', 'r99'] }),
  },
  {
    rule: 'gateway must lie inside subnet',
    says: 'gateway 10.111.0.1 lies outside subnet 10.110.0.0/22. Give the address of the router in this VLAN',
    spec: withVlan({ gateway: '10.111.0.1' }),
  },
  {
    rule: 'addresses must lie inside subnet',
    says: 'addresses 10.110.1.0-10.110.4.0 lie outside subnet 10.110.0.0/22. Give a range or CIDR inside it',
    spec: withVlan({ addresses: '10.110.1.0-10.110.4.0' }),
  },
  {
    rule: 'addresses must lie inside subnet',
    says: 'addresses 10.110.0.0/21 lie outside subnet 10.110.0.0/22. Give a range or CIDR inside it',
    spec: withVlan({ addresses: '10.110.0.0/21' }),
  },
  {
    rule: 'region is immutable: instances and addresses stay where they are. Make a pool of another name for another region',
    live: launched,
    change: { spec: { ec2: { region: 'eu-west-1' } } },
  },
  { rule: 'join is either {eks: <cluster>} or {bootstrap: true}', spec: withEc2({ join: { eks: 'cloud-a', bootstrap: true } }) },
  { rule: 'no item may stand here twice', spec: withEc2({ instanceTypes: ['c5.4xlarge', 'c5.4xlarge'] }) },
  { rule: 'size.min is at most size.max', spec: withEc2({ size: { min: 4, max: 3 } }) },
  {
    rule: 'addresses must not end before they begin. Swap the two ends of the range',
    spec: withVlan({ addresses: '10.110.2.9-10.110.1.200' }),
  },
  ...['fd2c:7a41:d0e8:110::7/96', '::ffff:a06:0/96', 'fd2c::110::/96'].map((ipv6Prefix) => ({
    rule: 'ipv6Prefix must be an IPv6 network of 96 bits: the 32 below are for the IPv4 address, and zero here',
    spec: withVlan({ ipv6Prefix }),
  })),
  {
    rule: 'mtu must be 1280 or more where there is an ipv6Prefix: no link with less carries IPv6',
    spec: withVlan({ ipv6Prefix: 'fd2c:7a41:d0e8:110::/96', mtu: 1279 }),
  },
  {
    rule: 'routes[].via must lie inside subnet. Give the address of a router there, or leave via out for the gateway',
    spec: withVlan({ routes: [{ to: '10.20.0.0/16' }, { to: '10.30.0.0/16', via: '10.111.0.1' }] }),
  },
  {
    rule: 'routes[].via must lie inside podSubnetCidr. Give the address of a router there, or leave via out for the gateway',
    spec: withEc2({
      zones: [
        {
          ...{ name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' },
          ...{ podSubnetCidr: '10.16.4.0/24', routes: [{ to: '10.30.0.0/16', via: '10.16.5.9' }] },
        },
      ],
    }),
  },
  {
    rule: TRUNK,
    live: racked,
    status: seen({ held: 1 }),
    change: { spec: { intranet: { trunk: 'bond1' } } },
  },
  {
    rule: SUBNET,
    says: `vlans[130] keeps its subnet and gateway while 94 addresses are taken. Add another VLAN, move the pods to it, then drop this one`,
    live: racked,
    status: seen({ bound: 90, locked: 3, held: 1 }),
    change: vlans130({ subnet: '10.130.0.0/23' }),
  },
  {
    rule: SUBNET,
    says: 'vlans[130] keeps its subnet and gateway while 1 addresses are taken',
    live: racked,
    status: seen({ held: 1 }),
    change: vlans130({ gateway: '10.130.0.2' }),
  },
  {
    rule: SUBNET,
    says: 'vlans[130] keeps its subnet and gateway while 2 addresses are taken',
    live: racked,
    status: seen({ locked: 2 }),
    change: { spec: { intranet: { vlans: [vlan110] } } },
  },
  ...['10.130.0.64-10.130.0.162', '10.130.0.71-10.130.0.183', '10.130.0.128/25', '10.130.0.200-10.130.0.220'].map((addresses) => ({
    rule: ADDRESSES,
    says: 'vlans[130].addresses must keep the 5 addresses that are taken, from 10.130.0.70 to 10.130.0.163. Keep them in',
    live: racked,
    status: seen({ bound: 5 }),
    change: vlans130({ addresses }),
  })),
  {
    rule: RACKS,
    says: 'vlans[130] stays trunked to the racks where its 5 taken addresses are, and these racks stay. Drain the rack first',
    live: racked,
    status: seen({ bound: 5 }),
    change: vlans130({ racks: ['r12'] }),
  },
  {
    rule: RACKS,
    live: { ...racked, intranet: { ...racked.intranet, vlans: [vlan110, { ...vlan130, racks: undefined }] } },
    says: 'vlans[130] stays trunked',
    status: seen({ bound: 5, racks: ['r12', 'r13'] }),
    change: vlans130({ racks: ['r12'] }),
  },
  {
    rule: RACKS,
    live: { ...racked, intranet: { ...racked.intranet, vlans: [vlan110, { ...vlan130, racks: undefined }] } },
    says: 'vlans[130] stays trunked',
    status: seen({ bound: 5 }),
    change: { spec: { intranet: { racks: racked.intranet!.racks.slice(0, 1) } } },
  },
];

const host = NodeNetwork.example;
const instance = NodeNetwork.moreExamples!['an EC2 instance with one pod ENI']!;
const newOwner = 'is immutable: a new machine under an old name is a new owner. Delete this object; `gala controller` makes the new one';

const networks: readonly Omit<Refusal, 'kind'>[] = [
  {
    rule: 'either machineID (intranet) or providerID (EC2) must be given, and not both',
    spec: { ...host, providerID: instance.providerID },
  },
  { rule: 'either machineID (intranet) or providerID (EC2) must be given, and not both', spec: { pool: 'web' } },
  { rule: `machineID ${newOwner}`, live: host, change: { spec: { machineID: '00ff' } } },
  { rule: `providerID ${newOwner}`, live: instance, change: { spec: { providerID: 'aws:///ap-northeast-1a/i-0ff' } } },
  {
    rule: "device 0 of network card 0 is the instance's own interface and no slot. Give the indexes that EC2 attached the ENI at",
    spec: { ...instance, eniSlots: [{ ...instance.eniSlots![0]!, deviceIndex: 0 }] },
  },
  { rule: 'eniSlots are for EC2 instances: give providerID', spec: { ...host, eniSlots: instance.eniSlots } },
];

const question = Lock.example;
const ownSpec = { template: { spec: { containers: [{ name: 'feed' }] } }, count: 1, owner: 'feed-api' };
const once = (field: string) =>
  `${field} is immutable: the name of a lock is its idempotency key, and one name asks one question. Make a lock of another name`;

const locks: readonly Omit<Refusal, 'kind'>[] = [
  {
    rule: 'metadata.name must be lower-case letters, digits and -, starting and ending with a letter or digit',
    says: 'metadata.name is feed.1188; it must be lower-case letters',
    spec: question,
    name: 'feed.1188',
  },
  { rule: 'either template or podFrom must be given, and not both', spec: { ...question, ...ownSpec } },
  { rule: 'either template or podFrom must be given, and not both', spec: { count: 1, owner: 'feed-api' } },
  { rule: once('template'), live: ownSpec, change: { spec: { template: { spec: { containers: [{ name: 'other' }] } } } } },
  { rule: once('podFrom'), live: question, change: { spec: { podFrom: { name: 'other' } } } },
  { rule: once('count'), live: question, change: { spec: { count: 201 } } },
  { rule: once('strategy'), live: question, change: { spec: { strategy: 'concentrate' } } },
  { rule: once('maxPer'), live: question, change: { spec: { maxPer: { rack: 7 } } } },
  { rule: once('near'), live: question, change: { spec: { near: 'bj-b' } } },
  { rule: once('moveOnDrain'), live: question, change: { spec: { moveOnDrain: 'wait' } } },
  { rule: once('owner'), live: question, change: { spec: { owner: 'other' } } },
  { rule: once('ttlSeconds'), live: question, change: { spec: { ttlSeconds: 301 } } },
  { rule: once('allowPartial'), live: question, change: { spec: { allowPartial: true } } },
  { rule: once('holdSeconds'), live: question, change: { spec: { holdSeconds: 0 } } },
];

const goes = 'phase goes Locked → Bound → Held → Locked; from each to Quarantined, which is left by deletion only';
const becomes = (from: string, to: string) => `phase ${from} does not become ${to}: it goes Locked → Bound → Held → Locked`;

const addresses: readonly Omit<Refusal, 'kind'>[] = [
  {
    rule: 'metadata.name must be an IPv4 address, dotted',
    says: 'metadata.name is 10.110.2.256; it must be an IPv4 address, dotted',
    spec: bound,
    name: '10.110.2.256',
  },
  { rule: 'a new IPLock is Locked, Quarantined, or Bound (rebuilt from the journal of an agent)', spec: held },
  { rule: goes, says: becomes('Bound', 'Locked'), live: bound, change: { spec: { phase: 'Locked' } } },
  { rule: goes, says: becomes('Quarantined', 'Locked'), live: { ...bound, phase: 'Quarantined' }, change: { spec: { phase: 'Locked' } } },
  {
    rule: goes,
    says: becomes('Quarantined', 'Held'),
    live: { ...bound, phase: 'Quarantined' },
    change: { spec: { phase: 'Held', podUID: null } },
  },
  { rule: 'a Bound address names its pod: give podUID', spec: { ...held, phase: 'Bound' } },
  { rule: "a Held address waits for its owner's next pod: leave podUID out", live: bound, change: { spec: { phase: 'Held' } } },
  {
    rule: 'podUID is given once while Locked and stays until Held: the pod may be wired already. First Held, then Locked for the next pod',
    live: bound,
    change: { spec: { podUID: another } },
  },
  {
    rule: 'node changes while Held, and from Held to Locked: else a pod may be wired there. First Held, then the other node',
    live: bound,
    change: { spec: { node: 'bj-a-r12-02' } },
  },
  {
    rule: 'lock changes from Held to Locked only, and may be left out while Held. First Held, then Locked for the next Lock',
    live: bound,
    change: { spec: { lock: null } },
  },
  {
    rule: "owner must lie in the namespace of lock: a Lock's owner is a name in its own namespace",
    says: 'owner ads/feed-api must lie in the namespace of lock, feed: the owner of a Lock is a name in its own namespace',
    spec: { ...bound, owner: 'ads/feed-api' },
  },
  {
    rule: 'owner is immutable: another owner takes the address by deleting this object and creating its own',
    live: bound,
    change: { spec: { owner: 'ads/other' } },
  },
  { rule: "mac is immutable: the neighbours' ARP entries say it", live: bound, change: { spec: { mac: '02:67:0a:6e:02:26' } } },
];

export const REFUSALS: readonly Refusal[] = [
  ...pools.map((one) => ({ kind: HostPool, ...one })),
  ...networks.map((one) => ({ kind: NodeNetwork, ...one })),
  ...locks.map((one) => ({ kind: Lock, ...one })),
  ...addresses.map((one) => ({ kind: IPLock, ...one })),
];
