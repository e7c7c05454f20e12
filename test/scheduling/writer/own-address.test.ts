/** A bare pod, or an ordinal, and the address that is its own. */
import { describe, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import { aLock, aPod, aUid } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const FORMER = '0f8fad5b-d9cb-469f-a165-70867728950e';
const aBed = aSmallCluster;

test('P17 a bare pod beside a Lock of its name as owner, whose slot is in use, gets a slot of its own', () => {
  const bed = aBed();
  bed.api.createLock('feed/night', { ...aLock('night').spec, owner: 'batch', count: 1 });
  bed.run(3);
  bed.api.createPod(aPod({ name: 'l1', uid: aUid(), lock: 'night', gated: true }));
  bed.run(3);
  expect(bed.pod('l1')?.gated).toBe(false);
  bed.api.createPod(aPod({ name: 'batch', uid: aUid(), gated: true }));
  bed.run(3);
  expect(bed.pod('batch')?.gated).toBe(false);
});

test('P17 an address that is Quarantined, and still names the former pod, keeps no pod waiting', () => {
  const bed = aBed();
  bed.stored('10.110.0.12', { phase: 'Quarantined', owner: 'feed/batch', podUID: FORMER, node: 'r12-01' });
  bed.api.createPod(aPod({ name: 'batch', uid: aUid(), gated: true }));
  bed.run(3);
  expect(bed.pod('batch')?.gated).toBe(false);
});

test('P17 a pod whose own address is still that of the pod before it waits, counts as waiting, and is told in a moment', () => {
  const bed = aBed();
  bed.stored('10.110.0.12', {
    phase: 'Bound',
    owner: 'feed/batch',
    podUID: FORMER,
    node: 'r12-01',
    annotations: { 'gala.internal/pod': 'x' },
  });
  bed.api.createPod(aPod({ name: 'x', uid: FORMER, node: 'r12-01', slot: 'loose' }));
  bed.api.createPod(aPod({ name: 'batch', uid: aUid(), gated: true }));
  bed.run(4);
  expect([bed.pod('batch')?.gated, bed.told(), bed.writer().agenda.waiting]).toEqual([true, [], 1]);
  bed.run(3);
  expect(bed.told()).toEqual([
    `its own address 10.110.0.12 is still that of pod feed/batch before it, UID ${FORMER}. It is this pod's once that one is gone from node r12-01.`,
  ]);
  bed.api.remove('Pod', 'feed/x');
  bed.run(3);
  expect([bed.pod('batch')?.gated, bed.writer().agenda.waiting]).toEqual([false, 0]);
  expect(bed.api.objects.IPLock.get('10.110.0.12')?.spec).toMatchObject({ phase: 'Locked', podUID: bed.pod('batch')?.uid });
});

describe('S16 when the Node object of a pod is gone', () => {
  const aSet = { group: 'apps', kind: 'StatefulSet', name: 'redis', uid: 'set' };
  const phase = (bed: ReturnType<typeof aBed>) => [...bed.api.objects.IPLock.values()].map(({ spec }) => spec.phase);
  const failed = (pod: PodFacts) => ({ ...pod, done: true });

  function aBound(pod: Partial<PodFacts> & { readonly name: string }, isBound = true) {
    const bed = aBed();
    bed.api.createPod(aPod({ ...pod, gated: true }));
    bed.run(3);
    const { pinned = '' } = bed.pod(pod.name) as PodFacts;
    if (isBound) bed.api.change('Pod', `feed/${pod.name}`, (it) => ({ ...it, node: pinned }));
    bed.run(3);
    return { bed, node: pinned };
  }

  test('what PodGC says of it frees no address, and the ordinal’s next pod waits, with the reason', () => {
    const { bed, node } = aBound({ name: 'redis-0', uid: aUid(), controller: aSet });
    bed.lose(node);
    bed.api.change('Pod', 'feed/redis-0', failed);
    bed.run(3);
    bed.api.remove('Pod', 'feed/redis-0');
    bed.api.createPod(aPod({ name: 'redis-0', uid: aUid(), controller: aSet, gated: true }));
    bed.run(1_000);
    expect([phase(bed), bed.pod('redis-0')?.gated]).toEqual([['Locked'], true]);
    expect(bed.told()).toContainEqual(expect.stringContaining(`Node ${node} is gone, and its machine may still use the address`));
    expect(bed.kept()).toHaveLength(1);
  });

  test('the address is its owner’s again when the node is back', () => {
    const { bed, node } = aBound({ name: 'redis-0', uid: aUid(), controller: aSet });
    bed.lose(node);
    bed.api.remove('Pod', 'feed/redis-0');
    bed.run(100);
    bed.find(node);
    bed.run(61);
    expect(phase(bed)).toEqual(['Held']);
  });

  test('a pod that was bound before its node went, and that is done by its kubelet’s word, leaves its address', () => {
    const { bed, node } = aBound({ name: 'redis-0', uid: aUid(), controller: aSet });
    bed.api.change('Pod', 'feed/redis-0', failed);
    bed.run(1);
    bed.lose(node);
    bed.run(10);
    expect(phase(bed)).toEqual(['Held']);
  });

  test('a pod that was on no node yet leaves its address as ever', () => {
    const { bed, node } = aBound({ name: 'redis-0', uid: aUid(), controller: aSet }, false);
    bed.lose(node);
    bed.api.remove('Pod', 'feed/redis-0');
    bed.run(3);
    expect(phase(bed)).toEqual(['Held']);
  });

  test('a lock writer that begins after that keeps the address all the same', () => {
    const bed = aBed();
    bed.stored('10.110.0.12', { owner: 'feed/redis-0', podUID: FORMER, node: 'r12-07', annotations: { 'gala.internal/pod': 'redis-0' } });
    bed.run(1_000);
    expect(phase(bed)).toEqual(['Locked']);
  });
});
