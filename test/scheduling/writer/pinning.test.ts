import { describe, expect, test } from '@jest/globals';
import { pinning } from '../../../lib/scheduling/writer/pinning.ts';
import { aPod } from '../builders.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const terms = (patch: Record<string, unknown>) =>
  // biome-ignore lint/suspicious/noExplicitAny: a patch
  (patch as any).spec.affinity.nodeAffinity[REQUIRED].nodeSelectorTerms;
const name = { key: 'metadata.name', operator: 'In', values: ['r12-01'] };
const affinity = (nodeSelectorTerms: readonly object[]) =>
  ({ spec: { affinity: { nodeAffinity: { [REQUIRED]: { nodeSelectorTerms } } } } }) as object;

describe('the patch that pins', () => {
  test('names the pod by UID and version, so that a pod that changed gets nothing', () => {
    const pod = aPod({ gated: true, uid: 'u', resourceVersion: '7' });
    expect(pinning(pod, 'r12-01', '3')).toEqual({
      metadata: { uid: 'u', resourceVersion: '7', annotations: { 'gala.internal/slot': '3' } },
      spec: { schedulingGates: null, affinity: { nodeAffinity: { [REQUIRED]: { nodeSelectorTerms: [{ matchFields: [name] }] } } } },
    });
  });

  test('the node is added to each alternative that the pod allows', () => {
    const expressions = [{ key: 'disk', operator: 'In', values: ['ssd'] }];
    const exists = [{ key: 'gpu', operator: 'Exists' }];
    const pod = aPod({ gated: true, ...affinity([{ matchExpressions: expressions }, { matchExpressions: exists }]) });
    expect(terms(pinning(pod, 'r12-01', 'loose'))).toEqual([
      { matchExpressions: expressions, matchFields: [name] },
      { matchExpressions: exists, matchFields: [name] },
    ]);
  });

  test('an alternative that matches nothing goes on matching nothing', () => {
    const pod = aPod({ gated: true, ...affinity([{}, { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }]) });
    expect(terms(pinning(pod, 'r12-01', 'loose'))[0]).toEqual({});
  });

  test("a DaemonSet's pod keeps the node that it names", () => {
    const patch = pinning(aPod({ gated: true, pinned: 'r12-01' }), 'r12-01', 'loose');
    expect(patch.spec).toEqual({ schedulingGates: null });
  });

  test("a pod behind somebody else's gate is never pinned", () => {
    expect(() => pinning(aPod({ gated: true, gatedByOthers: true }), 'r12-01', 'loose')).toThrow('does not wait behind');
  });
});
