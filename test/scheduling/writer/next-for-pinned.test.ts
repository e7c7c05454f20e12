import { expect, test } from '@jest/globals';
import { nextForPinned, PATIENCE_MS, refusedBecause } from '../../../lib/scheduling/writer/next-for-pinned.ts';
import { sayRefusedByNode } from '../../../lib/scheduling/writer/refusal.ts';
import { aNode, aPod } from '../builders.ts';

const controller = { kind: 'ReplicaSet', name: 'feed-api-5d9f', uid: 'rs' };
const pod = aPod({ slot: 'loose', pinned: 'r12-01', controller });
const node = aNode('r12-01');

test('P9 a pinned pod is refused when its node is gone, cordoned or not Ready, or kube-scheduler says no', () => {
  expect(refusedBecause(pod, node)).toBeUndefined();
  expect(refusedBecause(pod, undefined)).toBe('node r12-01 is gone');
  expect(refusedBecause(pod, aNode('r12-01', { unschedulable: true }))).toBe('node r12-01 is cordoned');
  expect(refusedBecause(pod, aNode('r12-01', { ready: false }))).toBe('node r12-01 is not Ready');
  expect(refusedBecause({ ...pod, unschedulable: '0/1 nodes are available' }, node)).toBe('kube-scheduler: 0/1 nodes are available');
});

test('P9 after 30 s without a break it is deleted, so that its controller makes another', () => {
  expect(nextForPinned(pod, 'node r12-01 is gone', PATIENCE_MS - 1)).toEqual({ do: 'wait', ms: 1 });
  expect(nextForPinned(pod, 'node r12-01 is gone', PATIENCE_MS)).toEqual({ do: 'delete', because: 'node r12-01 is gone' });
  expect(nextForPinned(pod, undefined, PATIENCE_MS)).toEqual({ do: 'wait' });
});

test('P9 where its Lock had nothing else it may wait as long as it is kept away from that node', () => {
  expect(nextForPinned(pod, 'node r12-01 is gone', PATIENCE_MS, 2 * PATIENCE_MS)).toEqual({ do: 'wait', ms: PATIENCE_MS });
});

test('P10 a pod of a Job is not deleted, which the Job would count as a failure: people are told', () => {
  const ofJob = { ...pod, controller: { kind: 'Job', name: 'feed-index', uid: 'job' } };
  expect(nextForPinned(ofJob, 'node r12-01 is gone', PATIENCE_MS)).toEqual({ do: 'tell', because: 'node r12-01 is gone' });
  expect(sayRefusedByNode(ofJob, 'node r12-01 is gone').message).toBe(
    "node r12-01 is gone. Its node can't be changed any more, and Job feed-index would count its deletion as a failure (backoffLimit): repair the node, or delete the pod yourself.",
  );
});

test('P10 a pod that nobody would make again is not deleted: people are told', () => {
  expect(nextForPinned({ ...pod, controller: undefined }, 'node r12-01 is gone', PATIENCE_MS)).toEqual({
    do: 'tell',
    because: 'node r12-01 is gone',
  });
});
