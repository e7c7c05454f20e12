import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sentence } from '../../lib/api/problem.ts';
import { inventory } from '../../lib/scheduling/inventory.ts';
import { readSnapshot, type Snapshot, saveSnapshot } from '../../lib/scheduling/snapshot.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import type { Ask } from '../../lib/scheduling/types.ts';
import { aDemand, aLock, aNode, aNodeNetwork, anEc2Pool, anIPLock, aPod, aPool, aStorageCapacity } from './builders.ts';

const SECRET = 'hunter2';

/** One of everything; a Lock's template with all that a template has. */
function anInventory(order: <T>(list: T[]) => T[] = (list) => list) {
  const all = inventory();
  const template = {
    metadata: { labels: { app: 'feed' }, annotations: { note: SECRET, 'kubernetes.io/egress-bandwidth': '200M' } },
    spec: {
      schedulerName: 'gala-scheduler',
      containers: [
        {
          name: 'main',
          image: `registry.example/${SECRET}:1`,
          env: [{ name: 'PASSWORD', value: SECRET }],
          args: [SECRET],
          resources: { requests: { cpu: '1' } },
        },
      ],
    },
  };
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': SECRET, 'gala.internal/pod': 'feed-api-0' };
  const ipLock = anIPLock('10.110.0.10', { phase: 'Bound', podUID: '00000000-0000-4000-8000-000000000001' });
  const spec = {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'gala.internal/rack', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }],
  };
  const controller = { group: 'apps', kind: 'ReplicaSet', name: 'feed-api-5d9f', uid: 'r' };
  const alike = { egress: '1G', spec, controller, labels: { 'pod-template-hash': '5d9f' } };
  const doing: (() => void)[] = [
    () => all.tick(100_000),
    () => all.set('HostPool', 'web', aPool('web', { bandwidth: '25G' })),
    () => all.set('HostPool', 'burst', anEc2Pool()),
    () => all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web', hard: true })),
    () => all.set('Node', 'r12-02', aNode('r12-02', { pool: 'web', allocatable: { 'a/gpu': 2 } })),
    () => all.set('Node', 'i-1', aNode('i-1', { pool: 'burst' })),
    () => all.set('NodeNetwork', 'i-1', aNodeNetwork('i-1', ['10.16.0.1'])),
    () => all.set('Namespace', 'feed', { team: 'x' }),
    () => all.set('CSIStorageCapacity', 'x/1', aStorageCapacity('gala-log', '10Gi', { 'kubernetes.io/hostname': 'r12-01' })),
    () => all.set('IPLock', '10.110.0.10', { ...ipLock, metadata: { name: '10.110.0.10', annotations } } as never),
    () => all.set('IPLock', '10.110.0.11', anIPLock('10.110.0.11', { phase: 'Held' })),
    () =>
      all.set(
        'Lock',
        'feed/big',
        aLock('big', { template: template as never, slots: [{ slot: 0, node: 'r12-01', address: '10.110.0.12' }] }),
      ),
    () => all.set('Pod', 'feed/a', aPod({ name: 'a', uid: 'a', node: 'r12-01', ...alike, startedMs: 5 })),
    () => all.set('Pod', 'feed/b', aPod({ name: 'b', uid: 'b', node: 'r12-02', ...alike })),
    () =>
      all.set('Pod', 'feed/c', aPod({ name: 'c', uid: 'c', cpu: 3, lock: 'big', slot: '1', pinned: 'r12-02', unreadable: 'spec.x: no.' })),
    () => all.sample('r12-01', { egress: 2e9, cpu: 1, atMs: 90_000 }),
    () => all.promise('feed/d#loose', { node: 'r12-02', demand: aDemand({ cpu: 2 }), address: '10.110.0.13' }),
  ];
  for (const it of order(doing)) it();
  return all;
}

const aSnapshot = (order?: Parameters<typeof anInventory>[0]): Snapshot => ({
  inventory: anInventory(order),
  statefulSets: [{ key: 'feed/redis', uid: 'u', replicas: 3, firstOrdinal: 0 }],
  unread: [{ kind: 'Namespace', because: 'forbidden' }],
  readAtMs: 100_000,
  cluster: 'https://10.8.0.10:6443',
});

function read(text: string): Snapshot {
  const { snapshot, problems } = readSnapshot(text);
  expect(problems).toEqual([]);
  return snapshot!;
}

test('of who wrote an address when only the last time is kept: ages are counted from it', () => {
  const snapshot = aSnapshot();
  const ipLock = anIPLock('10.110.0.11', { phase: 'Held' });
  const managedFields = ['2027-02-16T19:50:00Z', '2027-02-16T19:58:02Z', '2027-02-13T16:00:00Z'].map((time) => ({ time, manager: SECRET }));
  snapshot.inventory.set('IPLock', '10.110.0.11', { ...ipLock, metadata: { ...ipLock.metadata, managedFields } } as never);
  const text = saveSnapshot(snapshot);
  expect(text).not.toContain(SECRET);
  const metadata = read(text).inventory.objects('IPLock').get('10.110.0.11')?.metadata;
  expect(metadata).toMatchObject({ managedFields: [{ time: '2027-02-16T19:58:02.000Z' }] });
  expect(saveSnapshot(read(text))).toBe(text);
});

test('what is read back is what was saved, byte for byte, and counts the same', () => {
  const saved = saveSnapshot(aSnapshot());
  const back = read(saved);
  expect(saveSnapshot(back)).toBe(saved);
  expect(back).toMatchObject({
    readAtMs: 100_000,
    cluster: 'https://10.8.0.10:6443',
    unread: [{ kind: 'Namespace' }],
    statefulSets: [{ replicas: 3 }],
  });
  const asks: Ask[] = [
    { demand: aDemand({ egress: '1G' }), strategy: 'spread' },
    { demand: aDemand({ owner: 'feed/feed-api', cpu: '100m' }), strategy: 'concentrate' },
  ];
  for (const ask of asks) expect(stock(back.inventory, ask)).toEqual(stock(anInventory(), ask));
});

test('the order in which objects came leaves no trace', () => {
  const saved = saveSnapshot(aSnapshot());
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (random) => {
      const shuffle = <T>(list: T[]): T[] =>
        list
          .map((it) => [random.next().value, it] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, it]) => it);
      expect(saveSnapshot(aSnapshot(shuffle))).toBe(saved);
    }),
    { numRuns: 100 },
  );
});

test('pods of one template share one demand, in the file and when it is read', () => {
  const { demands, pods } = JSON.parse(saveSnapshot(aSnapshot()));
  expect(pods.map(({ demand }: { demand: number }) => demand)).toEqual([0, 0, 1]);
  expect(demands).toHaveLength(3);
});

test('nothing of a template that is no fact is saved: no image, environment or argument, and no annotation of others', () => {
  const saved = saveSnapshot(aSnapshot());
  expect(saved).not.toContain(SECRET);
  expect(saved).not.toContain('registry.example');
  expect(saved).toContain('"gala.internal/pod":"feed-api-0"');
  expect(saved).toContain('200M');
});

test.each<[string, string, RegExp]>([
  ['no JSON', '{', /it is no JSON: .*; what `gala snapshot` has saved\. Save it anew/],
  ['something else', '{"apiVersion":"v1"}', /it is no snapshot of gala/],
  ['null', 'null', /it is no snapshot of gala/],
  [
    'one of a later gala',
    '{"gala":"snapshot","version":2}',
    /it is of version 2; this gala reads version 1\. Use the gala that saved it\./,
  ],
  ['half of one', '{"gala":"snapshot","version":1}', /nodes is missing/],
])('a file that is %s is refused', (_what, text, said) => expect(readSnapshot(text).problems.map(sentence).join('\n')).toMatch(said));

test('a snapshot that was meddled with is refused with the place', () => {
  const meddled = (change: (document: ReturnType<typeof JSON.parse>) => void) => {
    const document = JSON.parse(saveSnapshot(aSnapshot()));
    change(document);
    return readSnapshot(JSON.stringify(document)).problems.map(sentence).join('\n');
  };
  expect(meddled((it) => (it.pods[1].node = 7))).toMatch(/^pods\[1\]\.node: node is 7;/);
  expect(meddled((it) => (it.pods[1].image = 'x'))).toMatch(/^pods\[1\]\.image: image is no known key;/);
  expect(meddled((it) => (it.nodes[0].allocatable.cpu = -1))).toMatch(/^nodes\[0\]\.allocatable\.cpu: /);
  expect(meddled((it) => (it.ipLocks[0].spec.phase = 'Lost'))).toMatch(
    /^ipLocks\[0\]\.spec\.phase: phase is 'Lost'; allowed are Locked, Bound, Held, Quarantined/,
  );
  expect(meddled((it) => (it.pods[0].demand = 99))).toMatch(/it has 3 demands, and names number 99/);
});
