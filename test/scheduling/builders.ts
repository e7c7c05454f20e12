/**
 * Builders of what scheduling looks at, all but what matters filled in. Facts (`aNode`, `aPod`) are what inventory, stock and lock
 * writer work on; manifests (`aNodeManifest`, `aPodManifest`, `aTemplate`) are what an API server or a person hands in.
 */
import type { V1Node, V1Pod, V1PodTemplateSpec } from '@kubernetes/client-node';
import type { HostPool, IPLock, Lock, NodeNetwork } from '../../lib/api/kinds.ts';
import type { Manifest } from '../../lib/api/manifest.ts';
import { POOL_LABEL, RACK_LABEL } from '../../lib/api/model.ts';
import { toNumber } from '../../lib/api/quantity.ts';
import { EGRESS_ANNOTATION, LOCK_ANNOTATION, POOL_TAINT, SCHEDULER_NAME, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';
import { demandOf } from '../../lib/scheduling/demand.ts';
import type { PodFacts } from '../../lib/scheduling/facts.ts';
import type { NodeFacts, Taint } from '../../lib/scheduling/node.ts';
import { looseOwner } from '../../lib/scheduling/owner.ts';
import type { StorageCapacityFacts } from '../../lib/scheduling/storage.ts';
import type { Demand } from '../../lib/scheduling/types.ts';

export const GIB = 2 ** 30;

type Pod = Manifest<V1Pod>;
type PodSpec = NonNullable<Pod['spec']>;
export type Template = Manifest<V1PodTemplateSpec>;

export interface APodOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly cpu?: number | string;
  readonly memory?: string;
  readonly ephemeral?: string;
  /** Bits a second: `200M`. */
  readonly egress?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Merged over the rest, field by field of `spec`. */
  readonly spec?: Partial<PodSpec>;
}

/** A pod template of one container; 1 CPU and 1Gi where nothing is said. */
export function aTemplate({
  cpu = 1,
  memory = '1Gi',
  ephemeral,
  egress,
  labels = {},
  annotations = {},
  spec = {},
}: APodOptions = {}): Template {
  const requests = { cpu: String(cpu), memory, ...(ephemeral === undefined ? {} : { 'ephemeral-storage': ephemeral }) };
  return {
    metadata: { labels, annotations: { ...annotations, ...(egress === undefined ? {} : { [EGRESS_ANNOTATION]: egress }) } },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: { requests } }], ...spec },
  };
}

/** What a template asks for; the demand of a pod of `gala-scheduler`, so that it tolerates pools. */
export function aDemand(options: APodOptions & { readonly owner?: string } = {}): Demand {
  const { namespace = 'feed', owner, spec } = options;
  const template = aTemplate({ ...options, spec: { schedulerName: SCHEDULER_NAME, ...spec } });
  const { demand, problems } = demandOf(template, { namespace, owner });
  if (demand === undefined) throw new Error(`no demand: ${JSON.stringify(problems)}`);
  return demand;
}

export type APod = APodOptions & Partial<Omit<PodFacts, 'key' | 'demand' | 'namespace' | 'name'>> & { readonly demand?: Demand };

let uids = 0;
/** A UID that no other object of this test run has. */
export const aUid = (): string => `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`;

/** A pod of `gala-scheduler`, as facts: neither bound nor pinned nor gated where nothing is said. */
export function aPod(options: APod = {}): PodFacts {
  const { namespace = 'feed', name = 'feed-api-0', cpu, memory, ephemeral, egress, labels, annotations, spec, ...facts } = options;
  const owner = facts.lock === undefined ? looseOwner({ namespace, name, labels, controller: facts.controller }) : undefined;
  const demand = options.demand ?? aDemand({ namespace, cpu, memory, ephemeral, egress, labels, annotations, spec, owner });
  return {
    uid: options.uid ?? aUid(),
    resourceVersion: '1',
    schedulerName: SCHEDULER_NAME,
    ...{ gated: false, gatedByOthers: false, done: false, deleting: false, createdMs: 0 },
    ...facts,
    ...{ key: `${namespace}/${name}`, namespace, name, demand },
  };
}

/** The same as the API server would store it. */
export function aPodManifest(options: APodOptions & { readonly node?: string; readonly lock?: string; readonly slot?: string } = {}): Pod {
  const { namespace = 'feed', name = 'feed-api-0', node, lock, slot } = options;
  const template = aTemplate(options);
  const annotations = {
    ...template.metadata?.annotations,
    ...(lock === undefined ? {} : { [LOCK_ANNOTATION]: lock }),
    ...(slot === undefined ? {} : { [SLOT_ANNOTATION]: slot }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, namespace, name, annotations },
    spec: { schedulerName: SCHEDULER_NAME, ...(template.spec as PodSpec), ...(node === undefined ? {} : { nodeName: node }) },
  };
}

export interface ANodeOptions {
  readonly cpu?: number;
  readonly memory?: string;
  readonly ephemeral?: string;
  readonly pods?: number;
  /** Further resources by name. */
  readonly allocatable?: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Labels it as one of this pool. */
  readonly pool?: string;
  readonly rack?: string;
  readonly zone?: string;
  /** Taints it as a pool with hard locks. */
  readonly hard?: boolean;
  readonly ready?: boolean;
  readonly unschedulable?: boolean;
  readonly uid?: string;
  readonly internalIP?: string;
}

/** A Ready node as facts: 4 CPUs, 16Gi, 100Gi of disk and 110 pods where nothing is said. */
export function aNode(name: string, options: ANodeOptions = {}): NodeFacts {
  const {
    cpu = 4,
    memory = '16Gi',
    ephemeral = '100Gi',
    pods = 110,
    allocatable,
    taints = [],
    ready = true,
    unschedulable = false,
  } = options;
  const { pool } = options;
  return {
    name,
    uid: options.uid ?? `node-${name}`,
    labels: labelsOf(name, options),
    taints: pool !== undefined && options.hard === true ? [...taints, { key: POOL_TAINT, value: pool, effect: 'NoSchedule' }] : taints,
    unschedulable,
    ready,
    allocatable: { cpu, memory: toNumber(memory), 'ephemeral-storage': toNumber(ephemeral), pods, ...allocatable },
    internalIP: options.internalIP,
  };
}

function labelsOf(name: string, { labels, pool, rack, zone }: ANodeOptions): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    ...(pool === undefined ? {} : { [POOL_LABEL]: pool }),
    ...(rack === undefined ? {} : { [RACK_LABEL]: rack }),
    ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
    ...labels,
  };
}

/** The same as the API server would store it. */
export function aNodeManifest(name: string, options: ANodeOptions = {}): Manifest<V1Node> {
  const { allocatable, taints, ready, unschedulable, internalIP } = aNode(name, options);
  const amounts = Object.fromEntries(Object.entries(allocatable).map(([resource, amount]) => [resource, String(amount)]));
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: labelsOf(name, options) },
    spec: { ...(taints.length === 0 ? {} : { taints }), ...(unschedulable ? { unschedulable } : {}) },
    status: {
      allocatable: amounts,
      capacity: amounts,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', reason: 'Test', message: '' }],
      ...(internalIP === undefined ? {} : { addresses: [{ type: 'InternalIP', address: internalIP }] }),
    },
  };
}

type Vlan = NonNullable<HostPool['spec']['intranet']>['vlans'][number];

export interface APoolOptions {
  readonly datacenter?: string;
  /** Hosts by rack, as nodesets. */
  readonly racks?: Readonly<Record<string, string>>;
  readonly vlans?: readonly Vlan[];
  readonly macsPerPort?: number;
  /** `25G`, each direction. */
  readonly bandwidth?: string;
  readonly cni?: string;
  readonly locks?: 'hard' | 'advisory';
}

/** VLAN `id` with the addresses 10.<id>.0.10 and on, as many as asked for. */
export function aVlan(id: number, addresses: number, more: Partial<Vlan> = {}): Vlan {
  const last = 9 + addresses;
  const [high, low] = [Math.floor(last / 256), last % 256];
  const third = id > 255 ? id % 256 : id;
  const subnet = `10.${third}.0.0/16`;
  return { id, subnet, gateway: `10.${third}.0.1`, addresses: `10.${third}.0.10-10.${third}.${high}.${low}`, ...more };
}

/** An intranet pool: rack r12 and VLAN 110 with 16 addresses where nothing is said. */
export function aPool(name = 'web', options: APoolOptions = {}): HostPool {
  const {
    datacenter,
    racks = { r12: 'r12-[01-16]' },
    vlans = [aVlan(110, 16)],
    macsPerPort = 128,
    bandwidth,
    cni,
    locks = 'hard',
  } = options;
  return {
    apiVersion: 'gala.internal/v1alpha1',
    kind: 'HostPool',
    metadata: { name },
    spec: {
      shape: 'intranet',
      intranet: {
        datacenter,
        trunk: 'bond0',
        racks: Object.entries(racks).map(([rack, hosts]) => ({ name: rack, hosts })),
        vlans: [...vlans],
        macsPerPort,
      },
      machine: bandwidth === undefined ? undefined : { cpu: 64, memory: '256Gi', bandwidth },
      locks,
      cni,
    },
  };
}

/** An EC2 pool; its nodes have the addresses of their NodeNetworks. */
export function anEc2Pool(
  name = 'burst',
  options: { readonly instanceType?: string; readonly bandwidth?: string; readonly cni?: string } = {},
): HostPool {
  const { instanceType = 'c5.4xlarge', bandwidth, cni } = options;
  return {
    apiVersion: 'gala.internal/v1alpha1',
    kind: 'HostPool',
    metadata: { name },
    spec: {
      shape: 'ec2',
      ec2: {
        region: 'ap-northeast-1',
        instanceTypes: [instanceType],
        zones: [{ name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' }],
        securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] },
        imageId: 'ami-0abc',
        instanceProfile: 'gala-node',
        join: { bootstrap: true },
        size: { min: 0, max: 60 },
      },
      machine: bandwidth === undefined ? undefined : { cpu: 16, memory: '32Gi', bandwidth },
      locks: 'hard',
      cni,
    },
  };
}

/** An EC2 node's part of the network, one pod ENI for each address. */
export function aNodeNetwork(name: string, addresses: readonly string[], pool = 'burst'): NodeNetwork {
  return {
    apiVersion: 'gala.internal/v1alpha1',
    kind: 'NodeNetwork',
    metadata: { name },
    spec: {
      providerID: `aws:///ap-northeast-1a/i-${hex(name)}`,
      pool,
      eniSlots: addresses.map((ip, index) => ({
        networkCardIndex: 0,
        deviceIndex: index + 1,
        eniId: `eni-${hex(`${name} ${index + 1}`)}`,
        mac: `06:00:00:00:00:${String(index + 1).padStart(2, '0')}`,
        ip,
        subnetId: 'subnet-0d1',
      })),
    },
  };
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

export interface ASlot {
  readonly slot: number;
  readonly node: string;
  readonly address?: string;
  readonly held?: boolean;
}

export interface ALockOptions {
  readonly namespace?: string;
  readonly owner?: string;
  readonly phase?: NonNullable<Lock['status']>['phase'];
  readonly slots?: readonly ASlot[];
  readonly template?: Template;
  readonly count?: number;
  readonly spec?: Partial<Lock['spec']>;
}

/** A Lock; Ready where it is given slots. */
export function aLock(name = 'feed-api-1188', options: ALockOptions = {}): Lock {
  const { namespace = 'feed', owner = 'feed-api', slots, count = Math.max(1, slots?.length ?? 1), spec } = options;
  const phase = options.phase ?? (slots === undefined ? undefined : 'Ready');
  const template = options.template ?? aTemplate({ spec: { schedulerName: SCHEDULER_NAME } });
  return {
    apiVersion: 'gala.internal/v1alpha1',
    kind: 'Lock',
    metadata: { namespace, name },
    spec: {
      template: template as Lock['spec']['template'],
      ...{ count, owner, strategy: 'spread', ttlSeconds: 300, allowPartial: false, holdSeconds: 600 },
      ...spec,
    },
    status: phase === undefined ? undefined : { phase, slots: slots && [...slots] },
  };
}

export interface AnIPLockOptions {
  readonly phase?: IPLock['spec']['phase'];
  readonly node?: string;
  readonly owner?: string;
  readonly lock?: string;
  readonly podUID?: string;
}

/** A taken address: Locked on node r12-01 for feed/feed-api where nothing is said. */
export function anIPLock(
  ip: string,
  { phase = 'Locked', node = 'r12-01', owner = 'feed/feed-api', lock, podUID }: AnIPLockOptions = {},
): IPLock {
  const octets = ip.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return {
    apiVersion: 'gala.internal/v1alpha1',
    kind: 'IPLock',
    metadata: { name: ip },
    spec: {
      phase,
      node,
      mac: ['02', '67', ...octets].join(':'),
      lock: lock === undefined ? undefined : { namespace: owner.split('/')[0]!, name: lock },
      owner,
      podUID,
    },
  };
}

/** Free space of a local-volume class on the nodes with these labels. */
export function aStorageCapacity(
  storageClassName: string,
  capacity: string,
  nodeLabels: Readonly<Record<string, string>> = {},
): StorageCapacityFacts {
  const nodeTopology = Object.entries(nodeLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] }));
  return { storageClassName, nodeTopology, capacity: toNumber(capacity) };
}
