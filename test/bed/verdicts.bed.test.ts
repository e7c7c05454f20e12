import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from './control-plane.ts';
import { describeBed } from './describe-bed.ts';
import { kubeletReads, kubeletValidates } from './kubelet.ts';
import { schedulerStarts } from './scheduler.ts';
import { strictlyDecode } from './strict.ts';

const kubelet = (...lines: string[]) =>
  ['apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration', ...lines, ''].join('\n');
const scheduler = (...lines: string[]) =>
  ['apiVersion: kubescheduler.config.k8s.io/v1', 'kind: KubeSchedulerConfiguration', ...lines, ''].join('\n');

describeBed('strict decoding', ['kubelet-types'], () => {
  describe.each(['1.35', '1.36', '1.37'] as const)('as %s does it', (minor) => {
    test('takes what is right', async () => {
      const documents = [kubelet('maxPods: 200', 'failSwapOn: false'), scheduler('parallelism: 8')].join('---\n');
      expect(await strictlyDecode(minor, documents)).toEqual([]);
    });

    test('tells every field that would be dropped in silence, in every document', async () => {
      const documents = [
        kubelet('maxPod: 200', 'failSwapOn: false', 'failSwapOn: true'),
        scheduler('profiles: [{schedulerNames: a}]'),
      ].join('---\n');
      expect(await strictlyDecode(minor, documents)).toEqual([
        expect.stringContaining('"failSwapOn" already set'),
        'unknown field "maxPod"',
        'unknown field "profiles[0].schedulerNames"',
      ]);
    });

    test('refuses wrong types and kinds that are not its own', async () => {
      expect(await strictlyDecode(minor, kubelet('maxPods: many'))).toEqual([expect.stringMatching(/maxPods/)]);
      expect(await strictlyDecode(minor, 'apiVersion: v1\nkind: Pod\n')).toEqual([expect.stringMatching(/no kind "Pod" is registered/)]);
    });
  });
});

describeBed("the real kubelet's validation", ['kubelet'], () => {
  test('takes a good configuration, drop-ins merged in the order of their names', async () => {
    const dropIns = { '20-gala-network.conf': kubelet('maxPods: 90'), '10-gala-base.conf': kubelet('maxPods: 80', 'failSwapOn: false') };
    const { problems, effective } = await kubeletReads(kubelet('maxPods: 70'), dropIns);
    expect(problems).toEqual([]);
    expect(effective).toMatch(/^maxPods: 90$/m);
    expect(effective).toMatch(/^failSwapOn: false$/m);
  });

  test('refuses planted mistakes, each with its field and bound', async () => {
    const bad = { '10-bad.conf': kubelet('maxPods: -4', 'imageGCHighThresholdPercent: 101') };
    expect(await kubeletValidates(kubelet(), bad)).toEqual([
      'imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, inclusive',
      'maxPods (--max-pods) -4 must not be a negative number',
    ]);
  });

  test('refuses a drop-in that is no YAML, naming the file', async () => {
    expect(await kubeletValidates(kubelet(), { '10-broken.conf': 'a: [' })).toEqual([expect.stringMatching(/10-broken\.conf.*yaml/)]);
  });
});

describeBed("the real scheduler's start", ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
  });
  afterAll(async () => await bed?.stop());

  const lease = 'leaderElection: { leaderElect: true, resourceNamespace: bed-system, resourceName: bed-scheduler }';

  test('comes to leading on a good configuration', async () => {
    await schedulerStarts(bed, scheduler(lease, 'profiles: [{ schedulerName: bed-scheduler }]'));
    const held = await bed.request('GET', '/apis/coordination.k8s.io/v1/namespaces/bed-system/leases/bed-scheduler');
    expect(held.body.spec.holderIdentity).toEqual(expect.any(String));
  });

  test('fails on a bad one with its own words', async () => {
    const bad = schedulerStarts(bed, scheduler('percentageOfNodesToScore: 101'));
    await expect(bad).rejects.toThrow(/percentageOfNodesToScore: Invalid value: 101: not in valid range \[0-100\]/);
  });
});
