import { expect, test } from '@jest/globals';
import { type Inventory, inventory } from '../../lib/scheduling/inventory.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import type { Demand, Level } from '../../lib/scheduling/types.ts';
import { aDemand, aLock, aNode, aNodeNetwork, anEc2Pool, anIPLock, aPod, aPool, aStorageCapacity, aVlan, GIB } from './builders.ts';

/** An inventory with a pool `web` and these hosts in rack r12, each with 8 CPUs. */
function aHall(...hosts: string[]): Inventory {
  const all = inventory();
  all.set('HostPool', 'web', aPool('web', { bandwidth: '25G' }));
  for (const host of hosts) all.set('Node', host, aNode(host, { cpu: 8, pool: 'web', rack: 'r12', hard: true }));
  return all;
}

const used = (all: Inventory, node: string, supply = 'cpu') => all.supply(supply)?.used[all.row(node)];
const capacity = (all: Inventory, node: string, supply = 'cpu') => all.supply(supply)?.capacity[all.row(node)];

/** Why a demand may not be on a node; `yes` where it may. */
function why(all: Inventory, node: string, demand: Demand, pools?: string[]): string {
  const { why, limits } = all.eligible(demand, { pools });
  const code = why[all.row(node)]!;
  return code === 0 ? 'yes' : limits[code - 1]!;
}

const level = (all: Inventory, node: string, of: Level) => {
  const { of: by, names } = all.level(of);
  return names[by[all.row(node)]!];
};

test('a pod counts where it is bound or pinned, and nowhere while it waits', () => {
  const all = aHall('r12-01');
  all.set('Pod', 'feed/a', aPod({ name: 'a', cpu: 1, node: 'r12-01' }));
  all.set('Pod', 'feed/b', aPod({ name: 'b', cpu: '500m', pinned: 'r12-01' }));
  all.set('Pod', 'feed/c', aPod({ name: 'c', cpu: 2, pinned: 'r12-01', gated: true }));
  all.set('Pod', 'feed/d', aPod({ name: 'd', cpu: 2 }));
  expect(used(all, 'r12-01')).toBe(1.5);
  expect(used(all, 'r12-01', 'pods')).toBe(2);
  all.set('Pod', 'feed/a', aPod({ name: 'a', cpu: 1, node: 'r12-01', done: true }));
  all.unset('Pod', 'feed/b');
  expect(used(all, 'r12-01')).toBe(0);
});

test('a promise, the slot it becomes and the pod that takes it are one thing', () => {
  const all = aHall('r12-01');
  const slots = [{ slot: 3, node: 'r12-01', address: '10.110.0.12' }];
  const demand = aDemand({ cpu: 1, owner: 'feed/feed-api' });
  all.promise('feed/big#3', { node: 'r12-01', demand, address: '10.110.0.12' });
  expect(used(all, 'r12-01')).toBe(1);
  all.set('Lock', 'feed/big', aLock('big', { slots, phase: 'Planning' }));
  expect(used(all, 'r12-01')).toBe(1);
  all.release('feed/big#3');
  expect(used(all, 'r12-01')).toBe(1);
  all.set('Pod', 'feed/feed-api-0', aPod({ cpu: 2, lock: 'big', slot: '3', pinned: 'r12-01' }));
  expect(used(all, 'r12-01')).toBe(2);
  all.unset('Pod', 'feed/feed-api-0');
  expect(used(all, 'r12-01')).toBe(1);
  all.set('Lock', 'feed/big', aLock('big', { slots, phase: 'Expired' }));
  expect(used(all, 'r12-01')).toBe(0);
});

test("a loose pod's promise is the pod, from the decision to its patch and after", () => {
  const all = aHall('r12-01');
  all.set('Pod', 'feed/a', aPod({ name: 'a', gated: true }));
  all.promise('feed/a#loose', { node: 'r12-01', demand: aDemand() });
  expect(used(all, 'r12-01')).toBe(1);
  all.set('Pod', 'feed/a', aPod({ name: 'a', slot: 'loose', pinned: 'r12-01' }));
  expect(used(all, 'r12-01')).toBe(1);
  all.release('feed/a#loose');
  expect(used(all, 'r12-01')).toBe(1);
});

test('two pods that bear the same slot both take their place', () => {
  const all = aHall('r12-01');
  for (const name of ['old', 'new']) all.set('Pod', `feed/${name}`, aPod({ name, lock: 'big', slot: '0', node: 'r12-01' }));
  expect(used(all, 'r12-01')).toBe(2);
});

test('pods, slots and samples wait for their node, and are there when it comes, and comes back', () => {
  const all = inventory();
  all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'r12-01' }));
  all.set('Lock', 'feed/big', aLock('big', { slots: [{ slot: 0, node: 'r12-01' }] }));
  for (const _ of [1, 2]) {
    all.set('Node', 'r12-01', aNode('r12-01'));
    expect(used(all, 'r12-01')).toBe(2);
    expect(all.matching(['feed'], [])[all.row('r12-01')]).toBe(2);
    all.unset('Node', 'r12-01');
    expect(all.row('r12-01')).toBe(-1);
    all.set('Node', 'r12-02', aNode('r12-02'));
    expect(used(all, 'r12-02')).toBe(0);
    all.unset('Node', 'r12-02');
  }
  expect(all.rows).toBe(1);
});

test('a resource that only some nodes have is none of the others, also when pods asked for it first', () => {
  const all = aHall('r12-01', 'r12-02');
  const gpu = { containers: [{ name: 'a', resources: { limits: { 'a/gpu': '1' } } }] };
  all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'r12-02', spec: gpu as never }));
  expect([capacity(all, 'r12-02', 'a/gpu'), used(all, 'r12-02', 'a/gpu')]).toEqual([0, 0]);
  all.set('Node', 'r12-02', aNode('r12-02', { allocatable: { 'a/gpu': 4 } }));
  expect([capacity(all, 'r12-02', 'a/gpu'), used(all, 'r12-02', 'a/gpu')]).toEqual([4, 1]);
  expect([capacity(all, 'r12-01', 'a/gpu'), used(all, 'r12-01', 'a/gpu')]).toEqual([0, 0]);
});

test("bandwidth is the pool's, an instance type's where the pool says none, and not limited where nobody says", () => {
  const all = aHall('r12-01');
  all.set('HostPool', 'burst', anEc2Pool());
  all.set('Node', 'i-1', aNode('i-1', { pool: 'burst', labels: { 'node.kubernetes.io/instance-type': 'c5.4xlarge' } }));
  all.set('Node', 'i-2', aNode('i-2', { pool: 'burst' }));
  all.set('Node', 'other', aNode('other'));
  expect(['r12-01', 'i-1', 'i-2', 'other'].map((node) => capacity(all, node, 'egress'))).toEqual([25e9, 5e9, Number.NaN, Number.NaN]);
});

test('bandwidth that changes on a running pod counts as it is now', () => {
  const all = aHall('r12-01');
  const counts = (egress?: string) => {
    all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'r12-01', slot: 'loose', egress }));
    return used(all, 'r12-01', 'egress');
  };
  expect([counts('200M'), counts('20G'), counts(), counts('30G')]).toEqual([2e8, 2e10, 0, 3e10]);
  // More than the node has: it takes no further one that asks for bandwidth, and all else is as it was.
  const fits = (egress?: string) => stock(all, { demand: aDemand({ cpu: 1, egress }), strategy: 'spread' }).count;
  expect([fits('1M'), fits() > 0]).toEqual([0, true]);
});

test('of live use and requests the larger counts, and what came after the sample comes on top of it', () => {
  const all = aHall('r12-01');
  all.tick(100_000);
  all.set('Pod', 'feed/a', aPod({ name: 'a', egress: '1G', node: 'r12-01', startedMs: 10_000 }));
  all.sample('r12-01', { egress: 3e9, atMs: 90_000 });
  expect(used(all, 'r12-01', 'egress')).toBe(3e9);
  all.set('Pod', 'feed/b', aPod({ name: 'b', egress: '1G', node: 'r12-01', startedMs: 89_500 }));
  all.promise('feed/c#loose', { node: 'r12-01', demand: aDemand({ egress: '2G' }) });
  // b may have begun half a second after the sample.
  expect(used(all, 'r12-01', 'egress')).toBe(6e9);
  all.sample('r12-01', { egress: 1e9, atMs: 95_000 });
  expect(used(all, 'r12-01', 'egress')).toBe(4e9);
  all.tick(155_001);
  expect(used(all, 'r12-01', 'egress')).toBe(4e9);
  all.release('feed/c#loose');
  expect(used(all, 'r12-01', 'egress')).toBe(2e9);
});

test('a node without a fresh sample is refused where that is the policy, to those who ask for what is sampled', () => {
  const all = inventory({ missingSamples: 'refuse', sampleMaxAgeMs: 30_000 });
  all.set('Node', 'r12-01', aNode('r12-01'));
  const asks = aDemand({ egress: '1G' });
  expect([why(all, 'r12-01', asks), why(all, 'r12-01', aDemand())]).toEqual(['noSample', 'yes']);
  all.sample('r12-01', { egress: 1, atMs: 0 });
  expect(why(all, 'r12-01', asks)).toBe('yes');
  expect(why(all, 'r12-01', aDemand({ ephemeral: '1Gi' }))).toBe('noSample');
  all.tick(30_001);
  expect(why(all, 'r12-01', asks)).toBe('noSample');
});

test('real use is the larger share of CPU and memory that pods may have, while a sample is fresh', () => {
  const all = aHall('r12-01');
  expect(all.realUse[all.row('r12-01')]).toBeNaN();
  all.sample('r12-01', { cpu: 2, memory: 8 * GIB, atMs: 0 });
  expect(all.realUse[all.row('r12-01')]).toBe(0.5);
  all.set('Node', 'r12-01', aNode('r12-01', { cpu: 2 }));
  expect(all.realUse[all.row('r12-01')]).toBe(1);
  all.tick(60_001);
  expect(all.realUse[all.row('r12-01')]).toBeNaN();
});

test('a node is refused for the first thing that is against it', () => {
  const all = aHall('r12-01', 'r12-02', 'r12-03', 'r12-04');
  all.set('Node', 'r12-02', aNode('r12-02', { pool: 'web', ready: false, unschedulable: true }));
  all.set('Node', 'r12-03', aNode('r12-03', { pool: 'web', unschedulable: true }));
  all.set('Node', 'other', aNode('other'));
  const demand = aDemand();
  const nodes = ['r12-01', 'r12-02', 'r12-03', 'other'];
  expect(nodes.map((node) => why(all, node, demand))).toEqual(['yes', 'notReady', 'cordoned', 'yes']);
  expect(nodes.map((node) => why(all, node, demand, ['web']))).toEqual(['yes', 'notReady', 'cordoned', 'pool']);
  const intolerant = aDemand({ spec: { schedulerName: 'default-scheduler' } });
  expect(why(all, 'r12-01', intolerant)).toBe('taint');
  const picky = aDemand({ spec: { nodeSelector: { disk: 'ssd' } } });
  expect(why(all, 'r12-01', picky)).toBe('nodeSelector');
  all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web', labels: { disk: 'ssd' } }));
  expect(why(all, 'r12-01', picky)).toBe('yes');
  expect(why(all, 'r12-04', aDemand({ spec: { nodeName: 'r12-01' } }))).toBe('nodeAffinity');
});

test('what tolerates cordon and unreadiness, as agents of a DaemonSet do, goes there', () => {
  const all = inventory();
  all.set('Node', 'r12-01', aNode('r12-01', { ready: false, unschedulable: true }));
  expect(why(all, 'r12-01', aDemand({ spec: { tolerations: [{ operator: 'Exists' }] } }))).toBe('yes');
});

const apart = (labels: Record<string, string>, topologyKey: string, more = {}) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: labels }, ...more }],
    },
  },
});

test('pods that want none of a kind near them keep it from their whole domain, until they go', () => {
  const all = inventory();
  for (const [node, zone] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
  ] as const)
    all.set('Node', node, aNode(node, { zone }));
  const spec = apart({ app: 'batch' }, 'topology.kubernetes.io/zone');
  all.set('Pod', 'feed/shy', aPod({ name: 'shy', node: 'a1', spec }));
  const batch = aDemand({ labels: { app: 'batch' } });
  const everywhere = (demand: Demand) => ['a1', 'a2', 'b1'].map((node) => why(all, node, demand));
  expect(everywhere(batch)).toEqual(['antiAffinity', 'antiAffinity', 'yes']);
  expect(everywhere(aDemand({ labels: { app: 'feed' } }))).toEqual(['yes', 'yes', 'yes']);
  expect(everywhere(aDemand({ namespace: 'ads', labels: { app: 'batch' } }))).toEqual(['yes', 'yes', 'yes']);
  all.set('Pod', 'feed/shy', aPod({ name: 'shy', node: 'b1', spec }));
  expect(everywhere(batch)).toEqual(['yes', 'yes', 'antiAffinity']);
  all.unset('Pod', 'feed/shy');
  expect(everywhere(batch)).toEqual(['yes', 'yes', 'yes']);
});

test('a term over namespaces means those that its selector finds now', () => {
  const all = inventory();
  all.set('Node', 'a1', aNode('a1'));
  const spec = apart({}, 'kubernetes.io/hostname', { namespaceSelector: { matchLabels: { team: 'ads' } } });
  const shy = aPod({ name: 'shy', node: 'a1', spec });
  all.set('Pod', 'feed/shy', shy);
  const ads = aDemand({ namespace: 'ads' });
  expect(why(all, 'a1', ads)).toBe('yes');
  all.set('Namespace', 'ads', { team: 'ads' });
  expect(why(all, 'a1', ads)).toBe('antiAffinity');
  expect(all.namespacesOf(shy.demand.antiAffinity[0]!)).toEqual(['ads']);
  all.set('Namespace', 'ads', {});
  expect(why(all, 'a1', ads)).toBe('yes');
  expect(all.namespacesOf({ topologyKey: '', selector: [], namespaces: ['feed'], namespaceSelector: [] })).toBe('all');
});

test('a port of the host is taken once, on one address or on all', () => {
  const all = inventory();
  all.set('Node', 'a1', aNode('a1'));
  const on = (hostIP?: string, protocol = 'TCP') => ({
    containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80, hostIP, protocol }] }],
  });
  all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'a1', spec: on('10.0.0.1') }));
  const fits = (spec: object) => why(all, 'a1', aDemand({ spec }));
  expect([fits(on()), fits(on('10.0.0.1')), fits(on('10.0.0.2')), fits(on(undefined, 'UDP'))]).toEqual([
    'hostPorts',
    'hostPorts',
    'yes',
    'yes',
  ]);
  all.unset('Pod', 'feed/a');
  expect(fits(on())).toBe('yes');
});

test('matching counts by row what is there and what is locked, and leaves out what goes where that is asked', () => {
  const all = aHall('r12-01', 'r12-02');
  const labels = { app: 'feed' };
  all.set('Pod', 'feed/a', aPod({ name: 'a', labels, node: 'r12-01' }));
  all.set('Pod', 'feed/b', aPod({ name: 'b', labels, node: 'r12-01', deleting: true }));
  all.set('Pod', 'ads/a', aPod({ namespace: 'ads', name: 'a', labels, node: 'r12-01' }));
  const selector = [{ key: 'app', operator: 'In' as const, values: ['feed'] }];
  const on = (node: string, ...args: Parameters<Inventory['matching']>) => all.matching(...args)[all.row(node)];
  expect([on('r12-01', ['feed'], selector), on('r12-01', 'all', selector), on('r12-01', ['feed'], selector, { deleting: false })]).toEqual([
    2, 3, 1,
  ]);
  all.set('Pod', 'feed/c', aPod({ name: 'c', labels, pinned: 'r12-02' }));
  all.unset('Pod', 'feed/a');
  expect([on('r12-01', ['feed'], selector), on('r12-02', 'all', selector), on('r12-01', [], selector)]).toEqual([1, 1, 0]);
});

test("nodes count for spread by its policies, and not where one of the pod's topology labels is missing", () => {
  const all = aHall('r12-01');
  all.set('Node', 'plain', aNode('plain'));
  const constraint = (nodeAffinityPolicy: string, nodeTaintsPolicy: string) => ({
    ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
    ...{ nodeAffinityPolicy, nodeTaintsPolicy },
  });
  const counted = (affinity: string, taints: string, more: object = {}) => {
    const spec = { schedulerName: 'default-scheduler', topologySpreadConstraints: [constraint(affinity, taints)], ...more };
    const demand = aDemand({ spec });
    const rows = all.counted(demand, demand.spread[0]!);
    return ['r12-01', 'plain'].map((node) => rows[all.row(node)]);
  };
  expect(counted('Honor', 'Ignore')).toEqual([1, 1]);
  expect(counted('Honor', 'Honor')).toEqual([0, 1]);
  const nodeSelector = { 'gala.internal/rack': 'r12' };
  expect(counted('Honor', 'Ignore', { nodeSelector })).toEqual([1, 0]);
  expect(counted('Ignore', 'Ignore', { nodeSelector })).toEqual([1, 1]);
  const topologySpreadConstraints = [
    constraint('Ignore', 'Ignore'),
    { ...constraint('Ignore', 'Ignore'), topologyKey: 'gala.internal/rack' },
  ];
  expect(counted('Ignore', 'Ignore', { topologySpreadConstraints })).toEqual([1, 0]);
});

test('rack, zone and datacenter are what labels and pool say', () => {
  const all = inventory();
  all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web' }));
  expect(level(all, 'r12-01', 'rack')).toBeUndefined();
  all.set('HostPool', 'web', aPool('web', { datacenter: 'bj-a' }));
  all.set('HostPool', 'burst', anEc2Pool());
  all.set('Node', 'i-1', aNode('i-1', { pool: 'burst', zone: 'ap-northeast-1a' }));
  all.set('Node', 'x', aNode('x', { zone: 'z1', labels: { 'topology.kubernetes.io/region': 'eu' } }));
  all.set('Node', 'y', aNode('y', { zone: 'z1', rack: 'r7' }));
  const levels = (node: string) => (['node', 'rack', 'zone', 'datacenter'] as const).map((of) => level(all, node, of));
  expect(levels('r12-01')).toEqual(['r12-01', 'r12', undefined, 'bj-a']);
  expect(levels('i-1')).toEqual(['i-1', undefined, 'ap-northeast-1a', 'ap-northeast-1']);
  expect(levels('x')).toEqual(['x', undefined, 'z1', 'eu']);
  expect(levels('y')).toEqual(['y', 'r7', 'z1', 'z1']);
  expect(all.poolNames.map((_, at) => all.poolNames[at])).toEqual(['burst', 'web']);
  expect(all.poolNames[all.pool[all.row('r12-01')]!]).toBe('web');
  expect(all.pool[all.row('x')]).toBe(-1);
});

/** Free addresses of a demand on a node, by source. */
function free(all: Inventory, node: string, demand: Demand): Record<string, number> | 'none needed' {
  const { group, sources, free, names } = all.addresses(demand);
  const of = group[all.row(node)]!;
  return of === -1 ? 'none needed' : Object.fromEntries([...sources[of]!].map((source) => [names[source]!, free[source]!]));
}

const took = (all: Inventory, node: string, demand: Demand, count: number, not?: Set<string>) => {
  const { group, sources, take } = all.addresses(demand);
  const row = all.row(node);
  return take(sources[group[row]!]![0]!, row, count, not);
};

test("a VLAN's addresses are there for all racks it is trunked to and all namespaces that may use it", () => {
  const all = inventory();
  const vlans = [aVlan(110, 16), aVlan(120, 8, { namespaces: ['ads'] }), aVlan(130, 4, { racks: ['r13'] })];
  all.set('HostPool', 'web', aPool('web', { vlans, racks: { r12: 'r12-[01-02]', r13: 'r13-01' } }));
  for (const node of ['r12-01', 'r12-02', 'r13-01']) all.set('Node', node, aNode(node, { pool: 'web' }));
  all.set('Node', 'other', aNode('other'));
  const [feed, ads] = [aDemand(), aDemand({ namespace: 'ads' })];
  expect(free(all, 'r12-01', feed)).toEqual({ 'vlan 110': 16 });
  expect(free(all, 'r13-01', feed)).toEqual({ 'vlan 130': 4, 'vlan 110': 16 });
  expect(free(all, 'r13-01', ads)).toEqual({ 'vlan 120': 8, 'vlan 130': 4, 'vlan 110': 16 });
  expect(free(all, 'other', feed)).toBe('none needed');
  expect(free(all, 'r12-01', aDemand({ spec: { hostNetwork: true } }))).toBe('none needed');
  all.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { node: 'r13-01' }));
  expect(free(all, 'r12-02', feed)).toEqual({ 'vlan 110': 15 });
  const { group } = all.addresses(feed);
  expect(group[all.row('r12-01')]).toBe(group[all.row('r12-02')]);
  expect(Object.keys(free(all, 'r13-01', ads))).toEqual(['vlan 120', 'vlan 130', 'vlan 110']);
});

test('addresses are given lowest first, without those that are taken, quarantined, promised or excluded', () => {
  const all = aHall('r12-01');
  all.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { phase: 'Quarantined' }));
  all.promise('feed/a#loose', { node: 'r12-01', demand: aDemand(), address: '10.110.0.12' });
  all.set('Lock', 'feed/big', aLock('big', { slots: [{ slot: 0, node: 'r12-01', address: '10.110.0.13' }] }));
  expect(free(all, 'r12-01', aDemand())).toEqual({ 'vlan 110': 13 });
  expect(took(all, 'r12-01', aDemand(), 3)).toEqual(['10.110.0.11', '10.110.0.14', '10.110.0.15']);
  expect(took(all, 'r12-01', aDemand(), 1, new Set(['10.110.0.11']))).toEqual(['10.110.0.14']);
  expect(took(all, 'r12-01', aDemand(), 99)).toHaveLength(13);
  expect(took(all, 'r12-01', aDemand(), 0)).toEqual([]);
});

test("Held addresses count as free for their owner alone, and are given first, the node's own before others", () => {
  const all = aHall('r12-01', 'r12-02');
  all.set('IPLock', '10.110.0.15', anIPLock('10.110.0.15', { phase: 'Held', node: 'r12-02' }));
  all.set('IPLock', '10.110.0.20', anIPLock('10.110.0.20', { phase: 'Held', node: 'r12-01' }));
  all.set('IPLock', '10.110.0.21', anIPLock('10.110.0.21', { phase: 'Held', node: 'r12-01', owner: 'feed/other' }));
  const own = aDemand({ owner: 'feed/feed-api' });
  expect([free(all, 'r12-01', own), free(all, 'r12-01', aDemand())]).toEqual([{ 'vlan 110': 15 }, { 'vlan 110': 13 }]);
  expect(took(all, 'r12-01', own, 3)).toEqual(['10.110.0.20', '10.110.0.15', '10.110.0.10']);
  // A slot that waits for its next pod keeps its Held address.
  all.set('Lock', 'feed/big', aLock('big', { slots: [{ slot: 0, node: 'r12-01', address: '10.110.0.20' }] }));
  expect(took(all, 'r12-01', own, 2)).toEqual(['10.110.0.15', '10.110.0.10']);
  expect(free(all, 'r12-01', own)).toEqual({ 'vlan 110': 14 });
});

test('the router, the network and its broadcast address are never given, though the range has them', () => {
  const all = inventory();
  const vlan = aVlan(110, 0, { subnet: '10.110.0.0/29', gateway: '10.110.0.1', addresses: '10.110.0.0/29' });
  all.set('HostPool', 'web', aPool('web', { vlans: [vlan] }));
  all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web' }));
  all.set('IPLock', '10.110.0.1', anIPLock('10.110.0.1', { phase: 'Held' }));
  all.unset('IPLock', '10.110.0.1');
  expect(free(all, 'r12-01', aDemand())).toEqual({ 'vlan 110': 5 });
  expect(took(all, 'r12-01', aDemand(), 9)[0]).toBe('10.110.0.2');
});

test("an instance's pod ENIs are its own", () => {
  const all = inventory();
  all.set('HostPool', 'burst', anEc2Pool());
  all.set('Node', 'i-1', aNode('i-1', { pool: 'burst' }));
  all.set('Node', 'i-2', aNode('i-2', { pool: 'burst' }));
  expect(free(all, 'i-1', aDemand())).toEqual({});
  all.set('NodeNetwork', 'i-1', aNodeNetwork('i-1', ['10.16.4.21', '10.16.4.9']));
  all.set('IPLock', '10.16.4.9', anIPLock('10.16.4.9', { phase: 'Held', node: 'i-1', owner: 'feed/a' }));
  expect([free(all, 'i-1', aDemand()), free(all, 'i-2', aDemand())]).toEqual([{ 'eni i-1': 1 }, {}]);
  expect(took(all, 'i-1', aDemand({ owner: 'feed/a' }), 9)).toEqual(['10.16.4.9', '10.16.4.21']);
  all.set('NodeNetwork', 'i-1', aNodeNetwork('i-1', ['10.16.4.22']));
  expect(took(all, 'i-1', aDemand({ owner: 'feed/a' }), 9)).toEqual(['10.16.4.22']);
  all.unset('NodeNetwork', 'i-1');
  expect(free(all, 'i-1', aDemand())).toEqual({});
});

test('where another CNI wires the pods no address is needed', () => {
  const all = aHall('r12-01');
  all.set('HostPool', 'web', aPool('web', { cni: 'calico' }));
  expect(free(all, 'r12-01', aDemand())).toBe('none needed');
  all.set('HostPool', 'web', aPool('web'));
  expect(free(all, 'r12-01', aDemand())).toEqual({ 'vlan 110': 16 });
});

test('a switch port shows so many MACs: those of addresses that are wired or will be, or what the agent saw', () => {
  const all = inventory();
  all.set('HostPool', 'web', aPool('web', { macsPerPort: 4 }));
  all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web' }));
  const macs = () => all.addresses(aDemand()).macs[all.row('r12-01')];
  expect(macs()).toBe(4);
  all.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { phase: 'Bound' }));
  all.set('IPLock', '10.110.0.11', anIPLock('10.110.0.11', { phase: 'Held' }));
  all.set('Lock', 'feed/big', aLock('big', { slots: [{ slot: 0, node: 'r12-01', address: '10.110.0.10' }] }));
  expect(macs()).toBe(3);
  all.promise('feed/a#loose', { node: 'r12-01', demand: aDemand(), address: '10.110.0.11' });
  expect(macs()).toBe(2);
  const seen = aNodeNetwork('r12-01', [], 'web');
  all.set('NodeNetwork', 'r12-01', { ...seen, status: { macsInUse: 4 } });
  expect(macs()).toBe(1);
  all.set('NodeNetwork', 'r12-01', { ...seen, status: { macsInUse: 40 } });
  expect(macs()).toBe(0);
});

test("slots that others have locked and not used are told, one's own are not", () => {
  const all = aHall('r12-01');
  const slots = [0, 1].map((slot) => ({ slot, node: 'r12-01' }));
  all.set('Lock', 'feed/big', aLock('big', { slots }));
  all.set('Lock', 'ads/other', aLock('other', { namespace: 'ads', owner: 'x', slots: [{ slot: 0, node: 'r12-01' }] }));
  const of = (owner?: string) => all.lockedByOthers(aDemand({ owner }))[all.row('r12-01')];
  expect([of(), of('feed/feed-api'), of('ads/x')]).toEqual([3, 1, 2]);
  all.set('Pod', 'feed/a', aPod({ name: 'a', lock: 'big', slot: '0', node: 'r12-01' }));
  expect([of(), of('feed/feed-api')]).toEqual([2, 1]);
});

test('local space is what is reported of it: per node, none elsewhere, and unlimited where nobody reports', () => {
  const all = inventory();
  for (const node of ['a1', 'a2']) all.set('Node', node, aNode(node, { labels: { host: node } }));
  const log = 'storage/gala-log';
  expect([capacity(all, 'a1', log), capacity(all, 'a2', log)]).toEqual([Number.NaN, Number.NaN]);
  all.set('CSIStorageCapacity', 'x/1', aStorageCapacity('gala-log', '100Gi', { host: 'a1' }));
  expect([capacity(all, 'a1', log), capacity(all, 'a2', log)]).toEqual([100 * GIB, 0]);
  all.set('CSIStorageCapacity', 'x/2', aStorageCapacity('gala-log', '50Gi'));
  expect([capacity(all, 'a1', log), capacity(all, 'a2', log)]).toEqual([100 * GIB, 50 * GIB]);
  all.set('Node', 'a2', aNode('a2', { labels: { host: 'a1' } }));
  expect(capacity(all, 'a2', log)).toBe(100 * GIB);
  const volumes = [
    {
      name: 'log',
      ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'gala-log', resources: { requests: { storage: '20Gi' } } } } },
    },
  ];
  all.set('Pod', 'feed/a', aPod({ name: 'a', pinned: 'a1', spec: { volumes } }));
  expect(used(all, 'a1', log)).toBe(20 * GIB);
  // Once it is bound its volume exists, and what is reported is without it.
  all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'a1', spec: { volumes } }));
  expect(used(all, 'a1', log)).toBe(0);
  all.unset('CSIStorageCapacity', 'x/1');
  all.unset('CSIStorageCapacity', 'x/2');
  expect([capacity(all, 'a1', log), capacity(all, 'a2', log)]).toEqual([Number.NaN, Number.NaN]);
});

test("a pod that comes or goes leaves the column of its template's eligibility as it is", () => {
  const all = aHall('r12-01', 'r12-02');
  const before = all.eligible(aDemand()).why;
  all.set('Pod', 'feed/a', aPod({ name: 'a', node: 'r12-01' }));
  expect(all.eligible(aDemand({ cpu: 3 })).why).toBe(before);
});

test('columns grow with the nodes, and a hole is taken by the next node', () => {
  const all = inventory();
  for (let i = 0; i < 200; i++) all.set('Node', `n${i}`, aNode(`n${i}`, { cpu: i + 1 }));
  expect(capacity(all, 'n199')).toBe(200);
  all.unset('Node', 'n7');
  expect([all.rows, all.names[7], all.eligible(aDemand()).why[7], all.supply('cpu')?.capacity[7]]).toEqual([200, undefined, 2, 0]);
  all.set('Node', 'n200', aNode('n200'));
  expect([all.row('n200'), all.rows]).toEqual([7, 200]);
});
