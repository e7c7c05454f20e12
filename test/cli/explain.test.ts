/** What `gala explain pod` says of facts. */
import { describe, expect, test } from '@jest/globals';
import { type ExplainedPod, explainText } from '../../lib/cli/explain-text.ts';
import { leading } from '../../lib/cli/leader.ts';
import { explainPod, type Known } from '../../lib/scheduling/explain-pod.ts';
import type { PodFacts } from '../../lib/scheduling/facts.ts';
import { inventory } from '../../lib/scheduling/inventory.ts';
import { onNode } from '../../lib/scheduling/node-terms.ts';
import { books, type LockObject } from '../../lib/scheduling/writer/books.ts';
import { sayKeptAway } from '../../lib/scheduling/writer/refusal.ts';
import { NO_CLAIMS, type VolumeClaims } from '../../lib/scheduling/writer/volume-claims.ts';
import { aDemand, aLock, aNode, anIPLock, aPod, aPool, aTemplate, aVlan } from '../scheduling/builders.ts';

const NOW = 1_000_000;
const FEED = { cpu: 2, memory: '4Gi', egress: '200M' };

function aCluster({ addresses = 2 } = {}) {
  const all = inventory();
  all.set(
    'HostPool',
    'web',
    aPool('web', { racks: { r12: 'r12-[01-02]', r13: 'r13-01' }, vlans: [aVlan(110, addresses)], bandwidth: '25G' }),
  );
  for (const name of ['r12-01', 'r12-02', 'r13-01'])
    all.set('Node', name, aNode(name, { pool: 'web', rack: name.slice(0, 3), hard: true, cpu: 8 }));
  all.set('Node', 'cp1', aNode('cp1', { taints: [{ key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' }] }));
  return all;
}

interface Around {
  readonly all?: ReturnType<typeof aCluster>;
  readonly locks?: readonly LockObject[];
  readonly more?: ExplainedPod['more'];
  readonly events?: ExplainedPod['events'];
  readonly leaders?: Pick<Known, 'writer' | 'binder'>;
  readonly claims?: Known['claims'];
}
const waiting = (facts: Partial<PodFacts> = {}) =>
  aPod({ name: 'feed-api-0611', demand: aDemand(FEED), gated: true, createdMs: NOW - 42_000, ...facts });
function explain(pod: PodFacts, { all = aCluster(), locks = [], more = [], events = [], leaders = {}, claims }: Around = {}): string {
  const book = books();
  for (const lock of locks) book.locks.put(`${lock.metadata.namespace}/${lock.metadata.name}`, lock, 'watch');
  return explainText({ ...explainPod(pod, { inventory: all, books: book, nowMs: NOW, events, claims, ...leaders }), more, events }, NOW);
}
const stored = (lock: ReturnType<typeof aLock>) =>
  ({ ...lock, metadata: { ...lock.metadata, uid: 'u', resourceVersion: '1' } }) as LockObject;

test('a pod that no host takes is told what every host says', () => {
  const all = aCluster({ addresses: 1 });
  all.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { phase: 'Held', owner: 'feed/feed-old', lock: 'feed-old-1187' }));
  all.set('Node', 'r13-01', aNode('r13-01', { pool: 'web', rack: 'r13', hard: true, cpu: 1 }));
  const more = [{ pool: 'web', addresses: 1, owner: 'feed/feed-old', lock: 'feed/feed-old-1187' }];
  const events = [
    { reason: 'NoAddress', message: '0 of 4 nodes: 2 addresses, 1 cpu, 1 taint.', at: new Date(NOW - 2000).toISOString(), count: 3 },
  ];
  expect(explain(waiting(), { all, more, events })).toBe(
    `Pending 42 s · profile gala-scheduler · wants cpu 2, memory 4Gi, egress 200M, 1 address · 4 hosts looked at, 0 fit
  2   NoAddress   VLAN 110: none free on these. Free Held addresses (gala ips list --held says whose they are), or give the VLAN more.
  1   NoCpu       asks 2; the most free on one of these is 1 of 1. Ask for less, or add hosts.
  1   Taint       taints that the pod does not tolerate: node-role.kubernetes.io/control-plane:NoSchedule. Tolerate it, or take it off.
No host takes it now; it gets its slot as soon as one does.
More on web: 1 address is Held for feed/feed-old (gala unlock feed-old-1187 -n feed).
Event NoAddress, 2 s ago, 3 times: 0 of 4 nodes: 2 addresses, 1 cpu, 1 taint.`,
  );
});

test('a pod that no host could ever take is told so', () => {
  expect(explain(waiting({ demand: aDemand({ cpu: 100 }) }))).toMatch(
    /\n {2}3 {3}NoCpu {3}asks 100; the most free on one of these is 8 of 8\. Ask for less, or add hosts\.\n.*\nNo host could ever take it, however empty: /,
  );
});

test('a pod that hosts would take is the lock writer’s turn', () => {
  expect(explain(waiting())).toMatch(
    / · 4 hosts looked at, 2 fit\nThere is a slot for it: the lock writer gives it in a moment\. gala status says whether it works\.$/,
  );
});

describe('a pod that names a claim', () => {
  const redis = waiting({ claims: ['data-redis-0'] });
  const bound = { bytes: 1, bound: true, volume: 'pv-1' };
  const known = (more: Partial<VolumeClaims>): VolumeClaims => ({ ...NO_CLAIMS, ...more });

  test('is told that it is missing, and not that it is the lock writer’s turn', () => {
    const told = explain(redis, { claims: NO_CLAIMS });
    expect(told).toContain('\nPersistentVolumeClaim feed/data-redis-0 does not exist. ');
    expect(told).not.toContain('There is a slot');
  });

  test('is looked at where its volume is', () => {
    const claims = known({ claim: () => bound, volume: () => [onNode('cp1')] });
    expect(explain(redis, { claims })).toMatch(/4 hosts looked at, 0 fit\n/);
    expect(explain(redis, { claims: known({ claim: () => bound, volume: () => [onNode('r12-02')] }) })).toMatch(/, 2 fit\n/);
  });

  test('takes no slot of its Lock while its claim is missing', () => {
    const slots = [{ slot: 0, node: 'r12-01', address: '10.110.0.10' }];
    const locks = [stored(aLock('feed-1188', { phase: 'Ready', slots, template: aTemplate(FEED) as never }))];
    expect(explain({ ...redis, lock: 'feed-1188' }, { locks, claims: NO_CLAIMS })).toContain('feed/data-redis-0 does not exist');
  });

  test('is told where nobody could look', () => {
    expect(explain(redis, { claims: { unread: 'they are not in snapshots' } })).toMatch(
      /There is a slot for it: .*\. Its claims were not looked at \(data-redis-0\): they are not in snapshots; they may keep it waiting, or tie it to some hosts\.$/,
    );
  });
});

test('a pod that is kept away from the hosts that would take it is told so, for as long as that may be so', () => {
  const refusal = sayKeptAway({ reason: 'NoCpu', message: '0 of 4 nodes: 4 NoCpu.' }, ['r12-01', 'r12-02']);
  const event = (secondsAgo: number) => ({ ...refusal, at: new Date(NOW - secondsAgo * 1000).toISOString(), count: 1 });
  expect(explain(waiting(), { events: [event(60)] })).toContain(
    '\nHosts would take it. For some minutes it gets no slot on r12-01, r12-02: kube-scheduler or the node refused pods of its controller there.\n',
  );
  expect(explain(waiting(), { events: [event(3_600)] })).toContain('There is a slot for it');
});

test.each([
  ['a Lock that is not there', [], /\nLock feed\/feed-1188 does not exist, /],
  [
    'a Lock that is being planned',
    [stored(aLock('feed-1188', { phase: 'Planning' }))],
    /\nLock feed\/feed-1188 is Planning; the pod gets its slot once it is Ready\.$/,
  ],
  [
    'a Lock with a free slot',
    [stored(aLock('feed-1188', { template: aTemplate(FEED), slots: [{ slot: 17, node: 'r12-01' }] }))],
    /\nThere is slot 17 of Lock feed\/feed-1188 on r12-01 for it: /,
  ],
])('a pod of %s is told so', (_what, locks, says) => {
  expect(explain(waiting({ lock: 'feed-1188' }), { locks })).toMatch(says);
});

test('where nobody gives slots, or binds, the pod is told so, and not to wait a moment', () => {
  const writer = leading({ lease: 'gala-lock-writer', leads: false });
  expect(explain(waiting(), { leaders: { writer } })).toMatch(
    /\nThere is a slot for it, and nobody who gives it\. Lease gala-lock-writer: nobody leads; .* system:serviceaccount:gala-system:gala-scheduler; /,
  );
  const binder = leading({ lease: 'gala-scheduler', holder: 'cp1', renewedMsAgo: 90_000, leads: false });
  expect(explain(waiting({ gated: false, slot: 'loose', pinned: 'r12-01' }), { leaders: { binder } })).toMatch(
    /\nIt has its slot on r12-01, and nobody binds it there\. Lease gala-scheduler: cp1 has not renewed it for 1 m 30 s; /,
  );
});

test('a pod that asks for nothing wants nothing', () => {
  const all = aCluster();
  for (const name of ['r12-01', 'r12-02', 'r13-01']) all.set('Node', name, aNode(name, { cpu: 1 }));
  expect(explain(waiting({ demand: { ...aDemand(), requests: new Map([['pods', 1]]) } }), { all })).toMatch(/ · wants nothing · /);
});

test('where no host has addresses of Gala’s a pod wants none', () => {
  const all = aCluster();
  for (const name of ['r12-01', 'r12-02', 'r13-01']) all.set('Node', name, aNode(name, { cpu: 1 }));
  expect(explain(waiting(), { all })).toMatch(/ · wants cpu 2, memory 4Gi, egress 200M · 4 hosts looked at/);
});

test.each([
  [
    'bound',
    { gated: false, node: 'r12-01', slot: '17', lock: 'feed-1188' },
    'Bound · profile gala-scheduler · wants cpu 2, memory 4Gi, egress 200M, 1 address · node r12-01 · slot 17 · Lock feed/feed-1188\nIt is on its node.',
  ],
  ['done', { done: true }, /^Done · .*\nIt has run to its end/],
  ['leaving', { deleting: true }, /^Leaving · .*\nIts deletion has begun/],
  ['behind another gate', { gatedByOthers: true }, /^Pending 42 s · .*\nIt waits behind somebody else's scheduling gate/],
  [
    'of another scheduler',
    { gated: false, schedulerName: 'default-scheduler', unschedulable: '0/4 nodes are available' },
    /\nIt is for default-scheduler to place, not for Gala: .* It says: 0\/4 nodes are available\.$/,
  ],
  ['unreadable', { unreadable: "spec.containers[0].resources.requests.cpu: cpu is 'x'" }, /\nThe pod can't be counted: /],
])('a pod that is %s is told so', (_what, facts, says) => {
  const text = explain(waiting(facts));
  if (typeof says === 'string') expect(text).toBe(says);
  else expect(text).toMatch(says);
});

test('a pinned pod says what its node has against it, and what kube-scheduler says', () => {
  const all = aCluster();
  all.set('Node', 'r12-01', aNode('r12-01', { pool: 'web', rack: 'r12', hard: true, unschedulable: true }));
  expect(
    explain(
      waiting({ gated: false, slot: 'loose', pinned: 'r12-01', unschedulable: '0/4 nodes are available: 1 node was unschedulable.' }),
      { all },
    ),
  ).toBe(
    `Pinned · profile gala-scheduler · wants cpu 2, memory 4Gi, egress 200M, 1 address · node r12-01 · a loose slot
  1   Cordoned   cordoned: r12-01. kubectl uncordon, once it may have pods again.
It has its slot on r12-01, and kube-scheduler binds it there; where the node refuses it for 30 s or longer, it is deleted if its controller makes another, else its event tells. kube-scheduler says: 0/4 nodes are available: 1 node was unschedulable.`,
  );
});
