import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import { waiting } from '../../../lib/scheduling/writer/waiting.ts';
import { aDemand, aPod } from '../builders.ts';

const small = aDemand({ cpu: 1, owner: 'feed/small' });
const big = aDemand({ cpu: 8, owner: 'feed/big' });
const pod = (name: string, demand = small, more: Partial<PodFacts> = {}) => aPod({ name, demand, gated: true, ...more });
const names = (pods: readonly PodFacts[] | undefined) => pods?.map(({ name }) => name);
const no = { reason: 'NoCpu', message: 'none' };

describe('loose pods that wait', () => {
  test('P11 higher priority comes first, then whoever has waited longer', () => {
    const queue = waiting(() => false);
    queue.add(pod('late', small, { createdMs: 20 }));
    queue.add(pod('early', big, { createdMs: 10 }));
    queue.add(pod('urgent', small, { createdMs: 30, priority: 5 }));
    const order: string[] = [];
    for (let batch = queue.next(1); batch !== undefined; batch = queue.next(1))
      for (const { name, key } of batch.pods) {
        order.push(name);
        queue.remove(key);
      }
    expect(order).toEqual(['urgent', 'early', 'late']);
  });

  test('P12 a pod that fits nowhere keeps nobody waiting, and its likes are not tried again until something is freed', () => {
    const queue = waiting(() => false);
    queue.add(pod('big-1', big, { createdMs: 1 }));
    queue.add(pod('small-1', small, { createdMs: 2 }));
    expect(names(queue.next(9)?.pods)).toEqual(['big-1']);
    expect(names(queue.setAside(pod('big-1', big), no))).toEqual(['big-1']);
    expect(names(queue.next(9)?.pods)).toEqual(['small-1']);
    expect(queue.add(pod('big-2', big, { createdMs: 3 }))).toEqual(no);
    queue.remove('feed/small-1');
    expect(queue.next(9)).toBeUndefined();
    queue.wake();
    expect(names(queue.next(9)?.pods)).toEqual(['big-1', 'big-2']);
  });

  test('P13 a pod that fits nowhere but on nodes it is kept away from keeps no other of its shape from those', () => {
    const ofSet = (name: string, uid: string, createdMs: number) =>
      pod(name, small, { createdMs, controller: { group: 'apps', kind: 'ReplicaSet', name: uid, uid } });
    const queue = waiting(
      () => false,
      ({ controller }) => (controller?.uid === 'refused' ? 'r12-01' : ''),
    );
    queue.add(ofSet('a', 'refused', 1));
    queue.add(ofSet('b', 'other', 2));
    expect(names(queue.next(9)?.pods)).toEqual(['a']);
    queue.setAside(ofSet('a', 'refused', 1), no);
    expect(queue.next(9)).toMatchObject({ pods: [{ name: 'b' }] });
  });

  test('P12 pods of another owner and the same shape are told without being tried', () => {
    const queue = waiting(() => false);
    queue.add(pod('a', big, { createdMs: 1 }));
    queue.add(pod('b', aDemand({ cpu: 8, owner: 'feed/other' }), { createdMs: 2 }));
    queue.setAside(pod('a', big), no);
    expect(queue.next(9)).toMatchObject({ pods: [{ name: 'b' }], refusal: no });
    expect(queue.next(9)).toBeUndefined();
  });

  test('P12 but an owner with Held addresses is tried: it may fit where others do not', () => {
    const queue = waiting((owner) => owner === 'feed/other');
    queue.add(pod('a', big, { createdMs: 1 }));
    queue.add(pod('b', aDemand({ cpu: 8, owner: 'feed/other' }), { createdMs: 2 }));
    queue.setAside(pod('a', big), no);
    const batch = queue.next(9);
    expect(names(batch?.pods)).toEqual(['b']);
    expect(batch?.refusal).toBeUndefined();
  });

  test('every pod comes up exactly once, and none of a lower priority before one of a higher', () => {
    const pods = fc.array(fc.record({ priority: fc.nat(2), createdMs: fc.nat(5), isBig: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(pods, fc.integer({ min: 1, max: 7 }), (all, most) => {
        const queue = waiting(() => false);
        all.forEach(({ priority, createdMs, isBig }, at) => void queue.add(pod(`p${at}`, isBig ? big : small, { priority, createdMs })));
        const seen: PodFacts[] = [];
        for (let batch = queue.next(most); batch !== undefined; batch = queue.next(most))
          for (const it of batch.pods) {
            seen.push(it);
            queue.remove(it.key);
          }
        expect(seen.map(({ name }) => name).sort()).toEqual(all.map((_, at) => `p${at}`).sort());
        expect(seen.map(({ priority }) => priority)).toEqual([...seen.map(({ priority }) => priority)].sort((a, b) => b! - a!));
        expect(queue.size).toBe(0);
      }),
    );
  });
});
