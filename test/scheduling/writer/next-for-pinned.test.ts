import { describe, expect, test } from '@jest/globals';
import type { Controller } from '../../../lib/scheduling/facts.ts';
import { nextForPinned, PATIENCE_MS, refusedBecause, saidOfAny } from '../../../lib/scheduling/writer/next-for-pinned.ts';
import { sayRefusedByNode } from '../../../lib/scheduling/writer/refusal.ts';
import { aDemand, aNode, aPod } from '../builders.ts';

const controller: Controller = { group: 'apps', kind: 'ReplicaSet', name: 'feed-api-5d9f', uid: 'rs' };
const pod = aPod({ slot: 'loose', pinned: 'r12-01', controller });
const node = aNode('r12-01');
const of = (group: string, kind: string, name = 'feed') => ({ ...pod, controller: { group, kind, name, uid: 'u' } });

describe('P9 a pinned pod is refused', () => {
  test('when its node is gone, cordoned or not Ready, or kube-scheduler says no', () => {
    expect(refusedBecause(pod, node)).toBeUndefined();
    expect(refusedBecause(pod, undefined)).toBe('node r12-01 is gone');
    expect(refusedBecause(pod, aNode('r12-01', { unschedulable: true }))).toBe('node r12-01 is cordoned');
    expect(refusedBecause(pod, aNode('r12-01', { ready: false }))).toBe('node r12-01 is not Ready');
    expect(refusedBecause({ ...pod, unschedulable: '0/1 nodes are available' }, node)).toBe('kube-scheduler: 0/1 nodes are available');
  });

  test('by no cordon and no node that is not Ready whose taints it tolerates', () => {
    const tolerates = (key: string) => ({
      ...pod,
      demand: aDemand({ spec: { tolerations: [{ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoSchedule' }] } }),
    });
    expect(refusedBecause(tolerates('unschedulable'), aNode('r12-01', { unschedulable: true }))).toBeUndefined();
    expect(refusedBecause(tolerates('not-ready'), aNode('r12-01', { ready: false }))).toBeUndefined();
    expect(refusedBecause(tolerates('not-ready'), aNode('r12-01', { unschedulable: true }))).toBe('node r12-01 is cordoned');
  });
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
  const ofJob = of('batch', 'Job', 'feed-index');
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

test.each([
  ['apps', 'ReplicaSet', 'delete'],
  ['apps', 'StatefulSet', 'delete'],
  ['', 'ReplicationController', 'delete'],
  ['gala.internal', 'ServicePool', 'delete'],
  ['argoproj.io', 'Workflow', 'tell'],
  ['tekton.dev', 'TaskRun', 'tell'],
  ['kubevirt.io', 'VirtualMachineInstance', 'tell'],
  ['', 'Pod', 'tell'],
  ['example.com', 'ReplicaSet', 'tell'],
])('P10 a pod of %s %s that its node refuses: %s', (group, kind, step) => {
  expect(nextForPinned(of(group, kind), 'node r12-01 is gone', PATIENCE_MS).do).toBe(step);
});

test('P10 whoever writes the template may say that its controller makes another', () => {
  const flow = of('argoproj.io', 'Workflow', 'night');
  expect(nextForPinned({ ...flow, remade: true }, 'node r12-01 is gone', PATIENCE_MS).do).toBe('delete');
  expect(sayRefusedByNode(flow, 'node r12-01 is gone').message).toBe(
    "node r12-01 is gone. Its node can't be changed any more, and whether Workflow night makes another one is not known: repair the node, or delete the pod yourself. Where it does, annotate its pods with gala.internal/remade: 'true'.",
  );
});

test('P16 a pod of a DaemonSet is not deleted, whose next one is for the same node, unless its slot is wrong', () => {
  const agent = of('apps', 'DaemonSet', 'node-agent');
  expect(nextForPinned({ ...agent, remade: true }, 'node r12-01 is not Ready', PATIENCE_MS).do).toBe('tell');
  expect(nextForPinned(agent, 'kube-scheduler: no', PATIENCE_MS, PATIENCE_MS, { wrongSlot: true }).do).toBe('delete');
  expect(sayRefusedByNode(agent, 'node r12-01 is not Ready').message).toContain(
    'DaemonSet node-agent would make the next one for the same node: repair the node.',
  );
});

describe('P15 what every node says', () => {
  test('keeps a pod where it is, unless its slot is wrong: people are told', () => {
    const everywhere = (more: object = {}) =>
      nextForPinned(pod, 'kube-scheduler: no', PATIENCE_MS, PATIENCE_MS, { everywhere: true, ...more });
    expect(everywhere().do).toBe('tell');
    expect(everywhere({ wrongSlot: true }).do).toBe('delete');
    expect(sayRefusedByNode(pod, 'kube-scheduler: no', true).message).toBe(
      "kube-scheduler: no. Its node can't be changed any more, and other nodes said the same of pods of ReplicaSet feed-api-5d9f: mend what the sentence names. The pod is bound then.",
    );
  });

  test('is told without the names and numbers of one pod, node and cluster', () => {
    const said = (name: string, pinned: string, nodes: number) =>
      saidOfAny(`kube-scheduler: 0/${nodes} nodes are available: claim ${name}-gpu-x7k2p cannot be allocated on ${pinned}.`, {
        name,
        pinned,
      });
    expect(said('feed-0', 'r12-01', 200)).toBe(said('feed-1', 'r13-02', 199));
    expect(said('feed-0', 'r12-01', 200)).toContain('claim <pod> cannot be allocated on <node>');
  });

  test.each([
    'node r12-01 is cordoned',
    'kube-scheduler: 0/200 nodes are available: 1 Insufficient cpu.',
    'kube-scheduler: 0/200 nodes are available: 1 node(s) had untolerated taint(s).',
  ])('is not what one node has: %s', (because) => {
    expect(saidOfAny(because, pod)).toBeUndefined();
  });
});
