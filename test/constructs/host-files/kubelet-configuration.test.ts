/** Drop-ins: what the kubelet makes of several, and the check that none undoes another. */
import { describe, expect, test } from '@jest/globals';
import { type DropIn, dropInFile, mergedConfig, setTwice } from '../../../constructs/host-files/kubelet-configuration.ts';

const aDropIn = (name: string, config: DropIn['config']): DropIn => ({ name, because: [], config });

describe('a key set in two files', () => {
  test('a scalar in two files is found, with both files', () => {
    expect(setTwice([aDropIn('30-a.conf', { maxPods: 80 }), aDropIn('40-b.conf', { maxPods: 90 })])).toEqual([
      { key: 'maxPods', files: ['30-a.conf', '40-b.conf'] },
    ]);
  });

  test('a list in two files is found: the kubelet would take the last one whole', () => {
    expect(setTwice([aDropIn('30-a.conf', { clusterDNS: ['10.0.0.1'] }), aDropIn('40-b.conf', { clusterDNS: ['10.0.0.2'] })])).toHaveLength(
      1,
    );
  });

  test('one map over two files is fine as long as their keys differ', () => {
    const memory = aDropIn('30-a.conf', { evictionHard: { 'memory.available': '1Gi' } });
    expect(setTwice([memory, aDropIn('40-b.conf', { evictionHard: { 'nodefs.available': '10%' } })])).toEqual([]);
    expect(setTwice([memory, aDropIn('40-b.conf', { evictionHard: { 'memory.available': '2Gi' } })])).toEqual([
      { key: 'evictionHard.memory.available', files: ['30-a.conf', '40-b.conf'] },
    ]);
  });
});

test('the merge keeps both halves of a map', () => {
  const merged = mergedConfig([
    aDropIn('30-a.conf', { evictionHard: { a: '1' } }),
    aDropIn('40-b.conf', { evictionHard: { b: '2' }, maxPods: 3 }),
  ]);
  expect(merged).toEqual({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    evictionHard: { a: '1', b: '2' },
    maxPods: 3,
  });
});

test('a drop-in is a whole KubeletConfiguration under a line that says where it comes from', () => {
  const file = dropInFile({ cluster: 'bj-a', pool: 'web' }, { name: '30-gala-base.conf', because: ['Why.'], config: { maxPods: 80 } });
  expect(file).toEqual({
    path: 'etc/kubernetes/kubelet.conf.d/30-gala-base.conf',
    text: `# Rendered from cluster bj-a, pool web. Change the definition, not this file.
# Why.
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 80
`,
  });
});

test('amounts are text: the kubelet refuses a bare number there', () => {
  const { text } = dropInFile({ cluster: 'bj-a', pool: 'web' }, aDropIn('50-gala-reservations.conf', { systemReserved: { cpu: '2' } }));
  expect(text).toContain('cpu: "2"');
});
