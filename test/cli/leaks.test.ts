import { expect, test } from '@jest/globals';
import { PROBED, WIRED } from '../../lib/api/network.ts';
import { type Conflict, leaksIn, leaksText } from '../../lib/cli/leaks-rows.ts';
import type { PodFacts, StatefulSetFacts } from '../../lib/scheduling/facts.ts';
import { books, type IPLockObject, type LockObject } from '../../lib/scheduling/writer/books.ts';

const READ = Date.parse('2027-02-16T19:58:02Z');
const ago = (seconds: number) => new Date(READ - seconds * 1000).toISOString();

let made = 0;
const meta = (name: string, seconds: number, namespace?: string) => ({
  ...{ name, uid: `uid-${++made}`, resourceVersion: String(made), creationTimestamp: ago(seconds) },
  ...(namespace === undefined ? {} : { namespace }),
});
const aLock = (
  name: string,
  seconds: number,
  { phase = 'Ready', slots = 1, held = false, address = '', ttlSeconds = 600, holdSeconds = 600 } = {},
) =>
  ({
    metadata: meta(name, seconds, 'feed'),
    spec: { count: slots, owner: 'feed-api', ttlSeconds, holdSeconds },
    status: {
      phase,
      slots: Array.from({ length: slots }, (_, slot) => ({
        slot,
        node: 'r12-01',
        ...(held && { held }),
        ...(address !== '' && { address }),
      })),
    },
  }) as unknown as LockObject;
const anAddress = (name: string, seconds: number, spec: Partial<IPLockObject['spec']>, annotations: Record<string, string> = {}) =>
  ({
    metadata: { ...meta(name, seconds), annotations },
    spec: { phase: 'Locked', node: 'r12-01', mac: '', owner: 'feed/feed-api', ...spec },
  }) as IPLockObject;
const aPod = (name: string, facts: Partial<PodFacts>) =>
  ({ key: `feed/${name}`, namespace: 'feed', name, uid: name, resourceVersion: '1', gated: false, done: false, ...facts }) as PodFacts;

interface Seen {
  readonly locks?: readonly LockObject[];
  readonly ipLocks?: readonly IPLockObject[];
  readonly pods?: readonly PodFacts[];
  readonly sets?: readonly StatefulSetFacts[];
  readonly conflicts?: readonly Conflict[];
}
function leaks({ locks = [], ipLocks = [], pods = [], sets = [], conflicts = [] }: Seen) {
  const book = books();
  for (const lock of locks) book.locks.put(`feed/${lock.metadata.name}`, lock, 'watch');
  for (const ipLock of ipLocks) book.ipLocks.put(ipLock.metadata.name, ipLock, 'watch');
  for (const pod of pods) book.pods.put(pod.key, pod, 'watch');
  const statefulSets = new Map(sets.map((set) => [set.key, set]));
  return leaksIn(
    book,
    { statefulSets, hasNode: (name) => name !== 'r12-07', isOff: () => false, isReady: (name) => name !== 'r12-02', conflicts },
    READ,
  );
}
const of = (seen: Seen) => leaks(seen).rows.map(({ leak, count, leaked }) => ({ leak, count, leaked }));
const OF_LOCK = { lock: { namespace: 'feed', name: 'feed-1188' } };

test('an address whose pod and Node object are gone is kept, however long', () => {
  const ipLocks = [anAddress('10.110.1.1', 90_000, { podUID: 'gone', node: 'r12-07' })];
  expect(leaks({ ipLocks })).toMatchObject({
    leaked: 0,
    rows: [{ leak: 'address of nobody', because: ['its node is gone, and the machine may still use it'] }],
  });
});

test('a cluster in which everything is used has no leak', () => {
  const lock = aLock('feed-1188', 60, { address: '10.110.1.1' });
  const ipLock = anAddress('10.110.1.1', 60, { ...OF_LOCK, podUID: 'feed-0' });
  expect(leaks({ locks: [lock], ipLocks: [ipLock], pods: [aPod('feed-0', { lock: 'feed-1188', slot: '0' })] })).toMatchObject({
    leaked: 0,
    inHand: 0,
    rows: [],
  });
});

test.each([
  ['within its TTL', 540, 0],
  ['long after its TTL', 700, 1],
])('a slot without a pod %s', (_when, seconds, leaked) => {
  expect(of({ locks: [aLock('feed-1188', seconds)] })).toEqual([{ leak: 'lock, no pod', count: 1, leaked }]);
});

test('a slot whose pod has gone is in hand, for ever where it is held for ever', () => {
  expect(of({ locks: [aLock('feed-1188', 99_999, { held: true, holdSeconds: 0 })] })).toEqual([
    { leak: 'slot, pod gone', count: 1, leaked: 0 },
  ]);
});

test.each([
  ['a Locked address whose Lock is gone', OF_LOCK, 'address of nobody'],
  ['a Bound address whose pod is gone', { phase: 'Bound' as const, podUID: 'gone' }, 'Bound, pod gone'],
  ['an address of neither Lock nor pod', {}, 'address of nobody'],
  ['a Held address whose Lock is gone', { ...OF_LOCK, phase: 'Held' as const }, 'Held address'],
])('%s has a minute', (_what, spec, leak) => {
  expect(of({ ipLocks: [anAddress('10.110.1.1', 50, spec)] })).toEqual([{ leak, count: 1, leaked: 0 }]);
  expect(of({ ipLocks: [anAddress('10.110.1.1', 70, spec)] })).toEqual([{ leak, count: 1, leaked: 1 }]);
});

test('a loose address is Held for ten minutes, that of an ordinal as long as there is the ordinal', () => {
  const held = (seconds: number, kind: string) =>
    anAddress('10.110.1.1', seconds, { phase: 'Held', owner: 'feed/redis-2' }, { 'gala.internal/owner-kind': kind });
  const set = (replicas: number) => ({ key: 'feed/redis', uid: '1', replicas, firstOrdinal: 0 });
  expect(of({ ipLocks: [held(590, 'Pod')] })).toEqual([{ leak: 'Held address', count: 1, leaked: 0 }]);
  expect(of({ ipLocks: [held(700, 'Pod')] })).toEqual([{ leak: 'Held address', count: 1, leaked: 1 }]);
  expect(of({ ipLocks: [held(9000, 'StatefulSet')], sets: [set(3)] })).toEqual([{ leak: 'Held address', count: 1, leaked: 0 }]);
  expect(of({ ipLocks: [held(9000, 'StatefulSet')], sets: [set(2)] })).toEqual([{ leak: 'Held address', count: 1, leaked: 1 }]);
});

test('a plan that nobody finishes is a leak after a minute', () => {
  expect(of({ locks: [aLock('feed-1188', 50, { phase: 'Planning' })] })).toEqual([{ leak: 'plan, not finished', count: 1, leaked: 0 }]);
  expect(of({ locks: [aLock('feed-1188', 70, { phase: 'Planning' })] })).toEqual([{ leak: 'plan, not finished', count: 1, leaked: 1 }]);
});

test('the page says how old, when it is back, and what is late by name', () => {
  const seen = leaks({
    locks: [aLock('feed-1188', 540, { slots: 6 })],
    ipLocks: [anAddress('10.110.2.37', 300, {})],
  });
  expect(leaksText(seen)).toBe(`read at 2027-02-16 19:58:02 UTC
  lock, no pod                6   oldest 9 m        TTL 10 m: back by 2027-02-16 19:59:02 UTC
  address of nobody           1   oldest 5 m        it names neither a Lock nor a pod   1 LEAKED: 10.110.2.37
  slot, pod gone · Held address · Bound, pod gone · Bound, not wired · Quarantined · somebody else answers · plan, not finished · slot, address missing     0
1 thing should have come back: gala status says whether the lock writer works.
1 leaked, 6 in hand`);
});

const saying = (ipLock: IPLockObject, type: string, status: 'True' | 'False', message = '') => ({
  ...ipLock,
  status: { conditions: [{ type, status, reason: 'Test', message, lastTransitionTime: ago(60) }] },
});
const bound = (node: string, seconds = 9_000, lock = {}) =>
  anAddress('10.110.1.1', seconds, { phase: 'Bound', podUID: 'gone', node, ...lock });

test.each([
  ['r12-01', 'waits for r12-01'],
  ['r12-02', 'waits for r12-02 (NotReady): when its machine is surely off, gala fence r12-02'],
])('an address that %s may still have wired waits for that node, however long', (node, because) => {
  expect(leaks({ ipLocks: [saying(bound(node), WIRED, 'True')] })).toMatchObject({
    leaked: 0,
    rows: [{ leak: 'Bound, pod gone', because: [because] }],
  });
});

test('so does one of a slot', () => {
  const locks = [aLock('feed-1188', 9_000, { address: '10.110.1.1' })];
  const waits = { leak: 'Bound, pod gone', count: 1, leaked: 0, because: ['waits for r12-01'] };
  expect(leaks({ locks, ipLocks: [saying(bound('r12-01', 9_000, OF_LOCK), WIRED, 'True')] }).rows).toMatchObject([waits]);
});

test('one that its node has taken down is a leak after a minute: the lock writer gives it back', () => {
  const down = (seconds: number) => of({ ipLocks: [saying(bound('r12-01', seconds), WIRED, 'False')] });
  expect(down(50)).toEqual([{ leak: 'Bound, pod gone', count: 1, leaked: 0 }]);
  expect(down(70)).toEqual([{ leak: 'Bound, pod gone', count: 1, leaked: 1 }]);
});

test('a living pod whose link is gone is told, and is no leak', () => {
  const ipLock = anAddress('10.110.1.1', 9_000, { phase: 'Bound', podUID: 'feed-0' });
  const pods = [aPod('feed-0', {})];
  expect(of({ ipLocks: [saying(ipLock, WIRED, 'False')], pods })).toEqual([{ leak: 'Bound, not wired', count: 1, leaked: 0 }]);
  expect(of({ ipLocks: [saying(ipLock, WIRED, 'True')], pods })).toEqual([]);
});

test('what is Quarantined, or answered for by another machine, waits for people', () => {
  const quarantined = saying(anAddress('10.110.1.1', 9_000, { phase: 'Quarantined' }), PROBED, 'False', '3c:fd:fe:11:22:33 answers for it');
  const conflict = (ip: string) => ({ ip, mac: '3c:fd:fe:11:22:33', seen: ago(30), node: 'r12-01' });
  const seen = leaks({ ipLocks: [quarantined], conflicts: [conflict('10.110.1.1'), conflict('10.110.1.2')] });
  expect(seen).toMatchObject({
    ...{ leaked: 0, inHand: 0, forPeople: 2 },
    rows: [
      { leak: 'Quarantined', count: 1, because: ['3c:fd:fe:11:22:33 answers for it: find it, then gala ips free 10.110.1.1'] },
      { leak: 'somebody else answers', names: ['10.110.1.2'], because: ['3c:fd:fe:11:22:33 answers for 10.110.1.2, seen from r12-01'] },
    ],
  });
  expect(leaksText(seen)).toMatch(/\n0 leaked, 0 in hand, 2 for people$/);
});
