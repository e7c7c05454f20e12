/**
 * HostPool: machines of one shape, and what their pods can have. Written by synth (spec) and by `gala controller`
 * (intranet) or `gala cloud` (ec2) (status). Names that are record keys in a definition are list-map keys here.
 */
import type { Rule } from './field.ts';
import { integer, list, object, oneOf } from './field.ts';
import { cidr, ipv4, vlanId } from './fields.ts';
import { number, WHILE_TAKEN } from './host-pool-rules.ts';
import * as pool from './pool.ts';
import type { TypeOf } from './resource.ts';
import { conditions, observedGeneration, resource } from './resource.ts';

/** More than a /8 of addresses is no VLAN. */
const addresses = (doc: string) => integer({ doc, noun: 'a count of addresses', min: 0, max: 16_777_216, example: 94 });
const hosts = (doc: string) => integer({ doc, noun: 'a count of hosts', min: 0, max: 100_000, example: 40 });

const vlan = object(
  {
    doc: 'A VLAN.',
    rules: [
      {
        rule: 'cidr(self.subnet).containsIP(self.gateway)',
        message: 'gateway must lie inside subnet',
        messageExpression:
          "'gateway %s lies outside subnet %s. Give the address of the router in this VLAN'.format([self.gateway, self.subnet])",
        fieldPath: '.gateway',
      },
      {
        rule: "self.addresses.contains('/') ? cidr(self.subnet).containsCIDR(self.addresses) : self.addresses.split('-').all(ip, cidr(self.subnet).containsIP(ip))",
        message: 'addresses must lie inside subnet',
        messageExpression: "'addresses %s lie outside subnet %s. Give a range or CIDR inside it'.format([self.addresses, self.subnet])",
        fieldPath: '.addresses',
      },
      {
        rule: `self.addresses.contains('/') || ${number("self.addresses.split('-')[0]")} <= ${number("self.addresses.split('-')[1]")}`,
        message: 'addresses must not end before they begin. Swap the two ends of the range',
        fieldPath: '.addresses',
      },
      {
        rule: '!has(self.ipv6Prefix) || (isCIDR(self.ipv6Prefix) && cidr(self.ipv6Prefix) == cidr(self.ipv6Prefix).masked())',
        message: 'ipv6Prefix must be an IPv6 network of 96 bits: the 32 below are for the IPv4 address, and zero here',
        fieldPath: '.ipv6Prefix',
      },
      {
        rule: `!has(self.ipv6Prefix) || !has(self.mtu) || self.mtu >= ${pool.IPV6_LEAST_MTU}`,
        message: `mtu must be ${pool.IPV6_LEAST_MTU} or more where there is an ipv6Prefix: no link with less carries IPv6`,
        fieldPath: '.mtu',
      },
      viaInside('subnet'),
    ],
  },
  { id: vlanId, ...pool.vlanFields },
);

/** A router that is no neighbour is never reached. */
function viaInside(subnet: string): Rule {
  return {
    rule: `!has(self.${subnet}) || !has(self.routes) || self.routes.all(route, !has(route.via) || cidr(self.${subnet}).containsIP(route.via))`,
    message: `routes[].via must lie inside ${subnet}. Give the address of a router there, or leave via out for the gateway`,
    fieldPath: '.routes',
  };
}

const intranet = object(
  {
    doc: 'Racked hosts behind VLAN trunks.',
    rules: [
      {
        // The one-item list gives the set of names a name of its own: CEL in CRDs has no `bind`. A map, because looking up in a
        // list costs its length each time, and 256 × 256 × 256 is over what one rule may cost (apiextensions-apiserver,
        // StaticEstimatedCostLimit: 10 million). Two-variable macros: since Kubernetes 1.33 (kubernetes/kubernetes#128593).
        rule: '[self.racks.transformMapEntry(i, rack, {rack.name: true})].all(known, self.vlans.all(vlan, !has(vlan.racks) || vlan.racks.all(rack, rack in known)))',
        message: 'vlans[].racks must name racks of this pool. Add the rack to racks, or take it out of the VLAN',
        fieldPath: '.vlans',
      },
    ],
  },
  {
    datacenter: pool.datacenter.optional(),
    trunk: pool.trunk,
    racks: list(
      { doc: 'The racks, each with its hosts.', min: 1, max: 256, key: 'name' },
      object({ doc: 'A rack.' }, { name: pool.rackName, hosts: pool.rackHosts }),
    ),
    vlans: list({ doc: 'The VLANs that are trunked to the hosts.', min: 1, max: 256, key: 'id' }, vlan),
    macsPerPort: pool.macsPerPort,
  },
);

const ec2 = object(
  {
    doc: 'EC2 instances with one ENI a pod.',
    rules: [
      {
        rule: 'self.region == oldSelf.region',
        message: 'region is immutable: instances and addresses stay where they are. Make a pool of another name for another region',
        fieldPath: '.region',
      },
    ],
  },
  {
    ...pool.ec2Fields,
    zones: list(
      { doc: 'The availability zones, each with its subnets.', min: 1, max: 16, key: 'name' },
      object({ doc: 'A zone.', rules: [viaInside('podSubnetCidr')] }, { name: pool.zoneName, ...pool.zoneFields }),
    ),
  },
);

const spec = object(
  {
    doc: 'What the pool is made of.',
    rules: [
      {
        rule: "has(self.intranet) == (self.shape == 'intranet') && has(self.ec2) == (self.shape == 'ec2')",
        message: 'shape must name the one block that is given. Give `intranet` or `ec2`, the one that shape says, and not the other',
        fieldPath: '.shape',
      },
      {
        rule: 'self.shape == oldSelf.shape',
        message: 'shape is immutable. Make a pool of another name',
        fieldPath: '.shape',
      },
      {
        rule: "!has(self.replicas) || self.shape == 'ec2'",
        message: 'replicas is for ec2 pools: an intranet pool has the hosts that stand in its racks. Add hosts to racks',
        fieldPath: '.replicas',
      },
      {
        // Only when replicas is written: narrowing size must not be refused because of a number somebody else owns.
        // `gala cloud` keeps to size whatever replicas says.
        rule: '!has(self.replicas) || !has(self.ec2) || (self.ec2.size.min <= self.replicas && self.replicas <= self.ec2.size.max) || (oldSelf.hasValue() && has(oldSelf.value().replicas) && oldSelf.value().replicas == self.replicas)',
        message: 'replicas must lie between ec2.size.min and ec2.size.max. Change ec2.size in the definition first',
        messageExpression:
          "'replicas is %d; size allows %d to %d. Change ec2.size in the definition first'.format([self.replicas, self.ec2.size.min, self.ec2.size.max])",
        optionalOldSelf: true,
        fieldPath: '.replicas',
      },
    ],
  },
  {
    shape: oneOf(['intranet', 'ec2'], { doc: 'Which of the two blocks describes the pool.', example: 'intranet' }),
    intranet: intranet.optional(),
    ec2: ec2.optional(),
    machine: pool.machine.optional(),
    volumes: list(
      { doc: 'Local filesystems that quota volumes are cut from.', max: 16, key: 'name' },
      object({ doc: 'A filesystem.' }, { name: pool.volumeName, ...pool.volumeFields }),
    ).optional(),
    lends: pool.lends.optional(),
    locks: pool.locks,
    cni: pool.cni.optional(),
    replicas: integer({
      doc: 'Desired number of instances of an ec2 pool, kept within `ec2.size`. Written through the scale subresource, never rendered.',
      noun: 'replicas',
      min: 0,
      max: 5000,
      example: 12,
    }).optional(),
  },
);

const status = object(
  { doc: 'What was seen.' },
  {
    observedGeneration,
    hosts: object(
      { doc: 'Hosts of the pool.' },
      { known: hosts('Hosts that racks or EC2 name.'), ready: hosts('Of these, Ready Nodes.') },
    ).optional(),
    replicas: hosts('Instances that exist; for the scale subresource.').optional(),
    vlans: list(
      { doc: 'Addresses of each VLAN.', max: 256, key: 'id' },
      object(
        { doc: 'Addresses of a VLAN.' },
        {
          id: vlanId,
          subnet: cidr('The subnet that was counted.', '10.110.0.0/22'),
          total: addresses('Addresses that pods may have.'),
          quarantined: addresses('Found in use by somebody else.'),
          taken: object(
            { doc: 'What is taken: as long as it says so, the spec may not pull the VLAN from under it. Left out when nothing is.' },
            {
              locked: addresses('Locked for a pod to come.'),
              bound: addresses('Bound by a running pod.'),
              held: addresses("Held for their owner's next pod."),
              lowest: ipv4('The lowest of them.', '10.110.1.7'),
              highest: ipv4('The highest of them.', '10.110.2.37'),
              // Atomic, not a set: one writer replaces it whole, and managedFields would say every rack once more.
              racks: list({ doc: 'The racks of the nodes they are on.', max: 256 }, pool.rackName),
            },
          ).optional(),
        },
      ),
    ).optional(),
    conditions,
  },
);

export const HostPool = resource('HostPool', {
  doc: 'Machines of one shape: racked hosts behind VLAN trunks, or EC2 instances with extra ENIs.',
  scope: 'Cluster',
  plural: 'hostpools',
  shortNames: ['hp'],
  name: pool.poolName,
  spec,
  status,
  // Without labelSelectorPath, so that a HorizontalPodAutoscaler says no at once: it would read a selector of Nodes as one of Pods.
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  columns: [
    { name: 'Shape', type: 'string', jsonPath: '.spec.shape' },
    { name: 'Hosts', type: 'integer', jsonPath: '.status.hosts.known' },
    { name: 'Ready', type: 'integer', jsonPath: '.status.hosts.ready' },
    { name: 'Locks', type: 'string', jsonPath: '.spec.locks', priority: 1 },
    { name: 'Desired', type: 'integer', jsonPath: '.spec.replicas', priority: 1, description: 'EC2 instances wanted' },
  ],
  rules: WHILE_TAKEN,
  checkedElsewhere: {
    'subnets and ranges that overlap, within a pool and between pools': 'synth, over all definitions',
    'gateway, network or broadcast address inside addresses': 'synth',
    'an ipv6Prefix that no host can have, or with bits 64 to 71 set (RFC 6052 keeps them free)': 'synth',
    'routes to everywhere, to the subnet itself or to networks of special use, and by the address of a pod': 'synth',
    'hosts that stand in two racks or pools, and nodesets whose brackets do not close': 'synth',
    'an instance type that cannot carry warmEnis, and types whose ENI plans differ': 'synth, by the table of instance types',
    'reserved above the machine, maxQuota above size': 'synth',
    'deleting a pool while addresses are taken': 'a ValidatingAdmissionPolicy: rules are not asked on deletion',
    'an address that was taken after `status.vlans` was last written, and is cut off':
      '`gala controller`: it is kept until its pod goes, and never given out again',
    'a host taken out of its rack while it has addresses': '`gala controller`: its addresses stay taken until the Node is gone',
    'macsPerPort below what a port shows now': 'the lock writer: it gives the port no more until there are fewer',
    'two items of the same rack, VLAN, zone or volume name that server-side apply merges into one':
      'synth: a definition keeps them as record keys',
  },
  example: {
    shape: 'intranet',
    intranet: {
      datacenter: 'bj-a',
      trunk: 'bond0',
      racks: [
        { name: 'r12', hosts: 'bj-a-r12-[01-10]' },
        { name: 'r13', hosts: 'bj-a-r13-[01-10]' },
      ],
      vlans: [
        { id: 110, subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses: '10.110.1.0-10.110.2.223' },
        { id: 130, subnet: '10.130.0.0/24', gateway: '10.130.0.1', addresses: '10.130.0.64-10.130.0.183', racks: ['r13'] },
      ],
      macsPerPort: 64,
    },
    machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', swap: '64Gi', reserved: { cpu: 2, memory: '8Gi' } },
    volumes: [{ name: 'log', path: '/data1', size: '2Ti', overcommit: 1.3 }],
  },
  moreExamples: {
    'an EC2 pool': {
      shape: 'ec2',
      ec2: {
        region: 'ap-northeast-1',
        instanceTypes: ['c5.4xlarge', 'm5.4xlarge'],
        zones: [{ name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' }],
        securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] },
        imageId: 'ami-0abc',
        instanceProfile: 'gala-node',
        join: { bootstrap: true },
        size: { min: 3, max: 60 },
        warmEnis: 'all',
      },
    },
  },
});
export type HostPool = TypeOf<typeof HostPool>;
