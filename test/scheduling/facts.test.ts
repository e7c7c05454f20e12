import { expect, test } from '@jest/globals';
import { podFacts, statefulSetFacts } from '../../lib/scheduling/facts.ts';
import { interning } from '../../lib/scheduling/intern.ts';
import { nodeFacts } from '../../lib/scheduling/node.ts';
import { storageCapacityFacts } from '../../lib/scheduling/storage.ts';
import { aNode, aNodeManifest, aPodManifest, GIB } from './builders.ts';

const facts = (pod: ReturnType<typeof aPodManifest>, intern = interning()) => podFacts(pod, intern);

const pinnedTo = (node: string, more: object = {}) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }], ...more }],
    },
  },
});

test('a pod is known by what concerns scheduling, and by nothing else', () => {
  const pod = {
    ...aPodManifest({ cpu: 2, lock: 'feed-api-1188', slot: '3', labels: { app: 'feed' } }),
    status: { phase: 'Running', startTime: '2027-02-16T20:00:00Z' },
  };
  expect(facts(pod)).toMatchObject({
    ...{ key: 'feed/feed-api-0', namespace: 'feed', name: 'feed-api-0', lock: 'feed-api-1188', slot: '3' },
    ...{ gated: false, gatedByOthers: false, done: false, deleting: false, schedulerName: 'gala-scheduler' },
    startedMs: Date.UTC(2027, 1, 16, 20),
    demand: { namespace: 'feed', labels: { app: 'feed' }, owner: undefined },
  });
  expect(JSON.stringify(facts(pod))).not.toContain('registry.example');
});

test('gates: its own makes a pod wait for a slot, another one for somebody else first', () => {
  const gatedBy = (...names: string[]) => facts(aPodManifest({ spec: { schedulingGates: names.map((name) => ({ name })) } }));
  expect(gatedBy('gala.internal/lock')).toMatchObject({ gated: true, gatedByOthers: false });
  expect(gatedBy('example.com/quota', 'gala.internal/lock')).toMatchObject({ gated: true, gatedByOthers: true });
  expect(gatedBy()).toMatchObject({ gated: false, gatedByOthers: false });
});

test('pods of one template share one demand, whatever node they are pinned or bound to', () => {
  const intern = interning();
  const pods = [
    aPodManifest({ name: 'a', node: 'r12-01' }),
    aPodManifest({ name: 'b', spec: { affinity: pinnedTo('r12-02') } }),
    aPodManifest({ name: 'c' }),
  ].map((pod) => ({ ...pod, metadata: { ...pod.metadata, ownerReferences: [aDaemonSet] } }));
  const [a, b, c] = pods.map((pod) => podFacts(pod, intern));
  expect(a).toMatchObject({ node: 'r12-01', pinned: undefined });
  expect(b).toMatchObject({ node: undefined, pinned: 'r12-02' });
  expect(a?.demand).toBe(c?.demand);
  expect(b?.demand).toBe(c?.demand);
  expect(c?.demand.nodeTerms).toEqual([]);
  expect(a?.controller).toBe(b?.controller);
});

const aDaemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  name: 'agent',
  uid: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  controller: true,
};

test('a pin is the node that every alternative names, and what else they ask stays asked', () => {
  const disk = { matchExpressions: [{ key: 'disk', operator: 'Exists' }] };
  const pinned = facts(aPodManifest({ spec: { affinity: pinnedTo('r12-01', disk) } }));
  expect(pinned.pinned).toBe('r12-01');
  expect(pinned.demand.nodeTerms).toEqual([{ matchExpressions: [{ key: 'disk', operator: 'Exists', values: [] }], matchFields: [] }]);

  const terms = ['r12-01', 'r12-02'].flatMap(
    (node) => pinnedTo(node).nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms,
  );
  const either = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
  const free = facts(aPodManifest({ spec: { affinity: either } }));
  expect(free.pinned).toBeUndefined();
  expect(free.demand.nodeTerms).toHaveLength(2);
});

test('demands are told apart by what matters: labels that selectors name, namespaces, owners', () => {
  const intern = interning();
  const spreadBy = {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['v'] }],
  };
  const [one, two] = ['1', '2'].map((v) => podFacts(aPodManifest({ labels: { v }, spec: spreadBy }), intern).demand);
  expect(one?.spread[0]?.selector).toContainEqual({ key: 'v', operator: 'In', values: ['1'] });
  expect(two?.spread[0]?.selector).toContainEqual({ key: 'v', operator: 'In', values: ['2'] });

  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: {} };
  const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
  const [feed, ads] = ['feed', 'ads'].map((namespace) => podFacts(aPodManifest({ namespace, spec: apart }), intern).demand);
  expect(feed?.antiAffinity[0]?.namespaces).toEqual(['feed']);
  expect(ads?.antiAffinity[0]?.namespaces).toEqual(['ads']);
});

test('a pod that can not be read is told so and still takes what can be read of it', () => {
  const pod = aPodManifest({ cpu: 2, annotations: { 'kubernetes.io/egress-bandwidth': 'fast' } });
  const { unreadable, demand } = facts(pod);
  expect(unreadable).toMatch(/^metadata\.annotations\["kubernetes\.io\/egress-bandwidth"\]: egress bandwidth is 'fast';/);
  expect(Object.fromEntries(demand.requests)).toEqual({ cpu: 2, memory: GIB, pods: 1 });
});

test('while it is resized in place a pod counts with the larger of what it has and what it asks', () => {
  const resizing = (from: string, to: string, reason?: string) => ({
    ...aPodManifest({ cpu: to }),
    status: {
      containerStatuses: [
        { name: 'main', allocatedResources: { cpu: from, memory: '1Gi' }, resources: { requests: { cpu: from, memory: '1Gi' } } },
      ],
      conditions: reason === undefined ? [] : [{ type: 'PodResizePending', status: 'True', reason }],
    },
  });
  const cpu = (pod: object) => facts(pod as never).demand.requests.get('cpu');
  expect(cpu(resizing('1', '2'))).toBe(2);
  expect(cpu(resizing('3', '2'))).toBe(3);
  expect(cpu(resizing('1', '50', 'Infeasible'))).toBe(1);
});

test('a demand forgotten by the interner is made again, equal', () => {
  const intern = interning(2);
  const demand = (cpu: number) => podFacts(aPodManifest({ cpu }), intern).demand;
  const first = demand(1);
  for (let cpu = 2; cpu < 9; cpu++) demand(cpu);
  expect(demand(1)).not.toBe(first);
  expect(demand(1)).toEqual(first);
});

test('a claim by name is told, so that whoever can look it up does', () => {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data-redis-0' } }];
  expect(facts(aPodManifest({ spec: { volumes } })).claims).toEqual(['data-redis-0']);
  expect(facts(aPodManifest()).claims).toBeUndefined();
});

test('a node has what it says, and nothing of what it does not say', () => {
  const node = aNodeManifest('r12-01', { cpu: 63.5, pool: 'web', rack: 'r12', internalIP: '10.8.0.1', hard: true });
  expect(nodeFacts(node)).toEqual({
    ...aNode('r12-01', { cpu: 63.5, pool: 'web', rack: 'r12', internalIP: '10.8.0.1', hard: true }),
    uid: '',
  });
  expect(nodeFacts({ metadata: { name: 'new' } })).toMatchObject({ ready: false, allocatable: { cpu: 0, memory: 0, pods: 0 } });
  const odd = nodeFacts({ status: { allocatable: { cpu: '1999m', 'a/b': 'many', memory: '1.5' } } });
  expect(odd.allocatable).toMatchObject({ cpu: 1.999, 'a/b': 0, memory: 1 });
});

test('storage capacity: no capacity is none, no topology is no node', () => {
  const capacity = { storageClassName: 'gala-log', metadata: {}, nodeTopology: { matchLabels: { host: 'r12-01' } }, capacity: '2Ti' };
  expect(storageCapacityFacts(capacity)).toMatchObject({
    storageClassName: 'gala-log',
    capacity: 2 * 2 ** 40,
    nodeTopology: [{ key: 'host', operator: 'In', values: ['r12-01'] }],
  });
  expect(storageCapacityFacts({ storageClassName: 'gala-log' })).toMatchObject({
    capacity: 0,
    nodeTopology: [{ operator: 'In', values: [] }],
  });
});

test("a StatefulSet's ordinals begin where it says", () => {
  const set = { metadata: { namespace: 'feed', name: 'redis', uid: 'u' }, spec: { replicas: 3, ordinals: { start: 5 } } };
  expect(statefulSetFacts(set as never)).toEqual({ key: 'feed/redis', uid: 'u', replicas: 3, firstOrdinal: 5 });
  expect(statefulSetFacts({ metadata: { namespace: 'feed', name: 'redis' } })).toMatchObject({ replicas: 1, firstOrdinal: 0 });
});
