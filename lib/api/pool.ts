/**
 * What a pool of hosts is made of: the parts that the HostPool kind and the cluster definition share, each bound once.
 * The definition keeps names as record keys, the kind as list-map keys; everything inside is the same schema.
 */
import * as z from 'zod';
import { facts, flag, integer, list, number, object, oneOf, text } from './field.ts';
import {
  addressRange,
  bitsPerSecond,
  bytes,
  cidr,
  cpus,
  dnsLabel,
  ec2Id,
  intOrString,
  ipv4,
  ipv6Prefix,
  nodeset,
  percent,
  vlanId,
} from './fields.ts';

export const MINORS = ['1.35', '1.36', '1.37'] as const;
/** A Kubernetes minor that Gala is tested against. */
export type Minor = (typeof MINORS)[number];

export const poolName = dnsLabel('Name of the pool; hosts carry it as the label `gala.internal/pool`.', 'web', 40);
export const rackName = dnsLabel('Name of the rack; hosts carry it as the label `gala.internal/rack`, locks spread over it.', 'r12', 40);
export const volumeName = dnsLabel('Name of the volume; part of its StorageClass.', 'log', 40);
export const zoneName = text({
  doc: 'An EC2 availability zone of the region.',
  max: 63,
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  noun: 'an availability zone such as ap-northeast-1a',
  example: 'ap-northeast-1a',
});
export const datacenter = dnsLabel('Where the racks stand; rendered as `topology.kubernetes.io/zone`.', 'bj-a');
export const namespace = dnsLabel('A namespace.', 'ads');

/** 15 is IFNAMSIZ - 1; the VLAN sub-interface is named after the trunk, so five of them stay free: `bond0.4094`. */
export const trunk = text({
  doc: "Host's end of the switch's trunk port: the link that VLAN sub-interfaces are made on.",
  min: 1,
  max: 10,
  pattern: /^[a-zA-Z0-9_-]+$/,
  noun: 'a link name of at most 10 letters, digits, _ and - (the sub-interface `bond0.4094` must fit in 15)',
  example: 'bond0',
});

export const macsPerPort = integer({
  doc: "How many pods' MAC addresses the switch lets one port show: its port-security maximum without the host's own. MacVlan shows one a pod.",
  noun: 'port security',
  min: 1,
  max: 4096,
  default: 128,
  example: 64,
});

/** 576: what every IPv4 host must take in (RFC 791). */
const mtu = (doc: string, max: number) =>
  integer({ doc, label: 'MTU', noun: 'an MTU', min: 576, max, example: max === EC2_MTU ? 1500 : 9000 });
/** The largest that switches are commonly set to. */
const SWITCH_MTU = 9216;
/** EC2's jumbo frames (EC2 User Guide, "Network MTU"). */
const EC2_MTU = 9001;

/** No link that carries IPv6 may have less (RFC 8200, 5). */
export const IPV6_LEAST_MTU = 1280;

const routes = (doc: string) =>
  list(
    { doc, max: 32, min: 1, key: 'to' },
    object(
      { doc: 'A route.' },
      {
        to: cidr('Where it leads: a network.', '10.20.0.0/16'),
        via: ipv4('The router on the way, an address of the same subnet; the gateway when left out.', '10.110.0.2').optional(),
      },
    ),
  );

/** Everything of a VLAN but its id. */
export const vlanFields = {
  subnet: cidr('The network of the VLAN.', '10.110.0.0/22'),
  gateway: ipv4("The VLAN's router, inside the subnet.", '10.110.0.1'),
  addresses: addressRange(
    "The addresses pods may have: `a-b` or a CIDR, inside the subnet. What isn't listed stays the network team's.",
    '10.110.1.0-10.110.2.223',
  ),
  mtu: mtu("MTU of the pods' links, at most the trunk's; the trunk's when left out.", SWITCH_MTU).optional(),
  routes: routes('Static routes of the pods, beside the one to the gateway.').optional(),
  ipv6Prefix: ipv6Prefix(
    'Gives each pod an IPv6 address beside its IPv4 one: these 96 bits and the IPv4 address. The router has its own so. IPv4 only when left out.',
    'fd2c:7a41:d0e8:110::/96',
  ).optional(),
  racks: list(
    { doc: 'The racks whose switches trunk this VLAN; everywhere when left out.', max: 256, min: 1, set: true },
    rackName,
  ).optional(),
  namespaces: list(
    { doc: 'The namespaces whose pods may use this VLAN; all when left out.', max: 256, min: 1, set: true },
    namespace,
  ).optional(),
};

export const rackHosts = nodeset('The hosts of the rack, in nodeset notation.');

export const machine = object(
  { doc: 'What one host will report: stock, kubelet files and checks work before the hosts are racked.' },
  {
    cpu: cpus('Logical CPUs.', 64),
    memory: bytes('Memory.', '256Gi'),
    bandwidth: bitsPerSecond('Network bandwidth in bits a second, each direction.', '25G').optional(),
    swap: bytes('Swap space; without it containers have none.', '64Gi').optional(),
    reserved: object(
      { doc: "What is kept for the system and the kubelet; pods don't get it." },
      { cpu: cpus('Logical CPUs kept.', 2), memory: bytes('Memory kept.', '8Gi') },
    ).optional(),
  },
);

export const volumeFields = {
  path: text({
    doc: 'Mount point of the filesystem on the host.',
    max: 255,
    pattern: /^(\/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$/,
    noun: 'an absolute path whose parts do not begin with a dot',
    example: '/data1',
  }),
  size: bytes('Size of the filesystem.', '2Ti'),
  overcommit: number({
    doc: 'How many times its size may be promised in quotas.',
    noun: 'overcommit',
    min: 1,
    max: 10,
    default: 1,
    example: 1.3,
  }),
  maxQuota: bytes('The largest quota one claim may have; at most the size.', '200Gi').optional(),
};

export const lends = object(
  { doc: 'What this pool lends to others, as Kueue says: lending, and reclaim.' },
  {
    upTo: percent("The share of the pool's hosts that may be lent."),
    reclaimMinutes: integer({
      doc: 'How long a borrower has to give back after the lender asks.',
      noun: 'reclaimMinutes',
      min: 0,
      max: 1440,
      example: 15,
    }),
    windows: list(
      { doc: 'When it lends; always when left out.', max: 16, min: 1, set: true },
      text({
        doc: 'A daily window in a time zone.',
        max: 64,
        pattern: /^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9] [A-Za-z]+(\/[A-Za-z0-9_+-]+)*$/,
        noun: 'a window such as 18:00-02:00 Asia/Shanghai',
        example: '18:00-02:00 Asia/Shanghai',
      }),
    ).optional(),
  },
);

export const locks = oneOf(['hard', 'advisory'], {
  doc: '`hard`: the pool is tainted and only locked pods run on it. `advisory`: other pods may come, locks say what they can no longer promise.',
  default: 'hard',
  example: 'hard',
});

export const cni = dnsLabel(
  'Another CNI that wires the pods here, and owns their addresses: a lock holds slots on nodes only. Left out: Gala gives each pod its address.',
  'calico',
);

/** Everything of a zone but its name. */
export const zoneFields = {
  nodeSubnetId: ec2Id('subnet', "Subnet of the instances' own interface."),
  podSubnetId: ec2Id('subnet', "Subnet of the pods' interfaces; in the same zone."),
  podSubnetCidr: cidr(
    "Network of the pods' subnet. When left out, nodes ask the instance metadata service for it.",
    '10.16.4.0/22',
  ).optional(),
  routes: routes("Static routes of the pods, beside the one to the subnet's router.").optional(),
};

/** EC2 takes at most 16 groups an interface (5 by default quota). */
const securityGroups = (doc: string) => list({ doc, min: 1, max: 16, set: true }, ec2Id('sg', 'A security group.'));

const warmEnisWords = intOrString(
  {
    doc: 'Pod ENIs attached ahead, so that a release makes no EC2 call: a number, or `all` the type carries.',
    noun: "a number of ENIs, or 'all'",
    example: 'all',
  },
  { min: 1, max: 127, pattern: /^all$/, maxLength: 3 },
);

export const ec2Fields = {
  region: text({
    doc: 'The EC2 region.',
    max: 32,
    pattern: /^[a-z]{2}(-[a-z]+)+-[0-9]$/,
    noun: 'an EC2 region such as ap-northeast-1',
    example: 'ap-northeast-1',
  }),
  instanceTypes: list(
    {
      doc: 'Instance types in order of preference: the next one when EC2 has no capacity. All carry the same ENI plan.',
      min: 1,
      max: 16,
      set: 'ordered',
    },
    text({
      doc: 'An instance type.',
      max: 32,
      pattern: /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
      noun: 'an instance type such as c5.4xlarge',
      example: 'c5.4xlarge',
    }),
  ),
  securityGroupIds: object(
    { doc: 'Security groups of the two kinds of interface.' },
    { node: securityGroups("Of the instances' own interface."), pod: securityGroups("Of the pods' interfaces.") },
  ),
  imageId: ec2Id('ami', 'The machine image.'),
  instanceProfile: text({
    doc: 'The IAM instance profile of the nodes.',
    min: 1,
    max: 128,
    pattern: /^[a-zA-Z0-9+=,.@_-]+$/,
    noun: 'an instance profile name',
    example: 'gala-node',
  }),
  join: object(
    {
      doc: 'How an instance becomes a node.',
      rules: [{ rule: 'has(self.eks) != has(self.bootstrap)', message: 'join is either {eks: <cluster>} or {bootstrap: true}' }],
    },
    {
      eks: text({
        doc: 'The EKS cluster it joins by EKS’ own means.',
        min: 1,
        max: 100,
        pattern: /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/,
        noun: 'an EKS cluster name',
        example: 'cloud-a',
      }).optional(),
      bootstrap: flag({
        doc: 'It joins by a bootstrap token made for its launch and deleted when it has joined.',
        example: true,
      }).optional(),
    },
  ),
  size: object(
    {
      doc: 'Bounds of the number of instances; the desired number is the scale subresource.',
      rules: [{ rule: 'self.min <= self.max', message: 'size.min is at most size.max' }],
    },
    {
      min: integer({ doc: 'At least so many.', noun: 'size.min', min: 0, max: 5000, example: 3 }),
      max: integer({ doc: 'At most so many.', noun: 'size.max', min: 0, max: 5000, example: 60 }),
    },
  ),
  mtu: mtu("MTU of the pods' interfaces; as they come when left out.", EC2_MTU).optional(),
  warmEnis: warmEnisWords.optional(),
  capacityReservationIds: list(
    { doc: 'On-demand capacity reservations, used first.', max: 16, set: true },
    ec2Id('cr', 'A capacity reservation.'),
  ).optional(),
};

export { vlanId };

/** The key of `vlans` in a definition: a VLAN id as JavaScript makes record keys, text. */
export const vlanKey = z.string().check((ctx) => {
  if (/^[0-9]+$/.test(ctx.value) && vlanId.safeParse(Number(ctx.value)).success && String(Number(ctx.value)) === ctx.value) return;
  ctx.issues.push({ code: 'custom', message: 'no VLAN id', input: ctx.value, path: [] });
});
facts.add(vlanKey, facts.get(vlanId)!);
