/** maxPods, DNS, iptables, taints. */
import { describe, expect, test } from '@jest/globals';
import { anEc2Pool, aPool, configOf, problemsOf } from './a-pool.ts';

describe('without kube-proxy', () => {
  test('pods ask the node-local cache, and the kubelet makes no iptables chains', () => {
    expect(configOf(aPool({ services: 'none' }), 'network')).toEqual({
      maxPods: 80,
      clusterDNS: ['169.254.20.10'],
      makeIPTablesUtilChains: false,
    });
  });
});

describe('with kube-proxy', () => {
  test('DNS and iptables stay as the base configuration has them', () => {
    expect(configOf(aPool({ services: 'kube-proxy' }), 'network')).toEqual({ maxPods: 80 });
  });

  test('an instance without a base configuration is warned about: its pods would have no cluster DNS', () => {
    expect(problemsOf(anEc2Pool({ services: 'kube-proxy' }))).toEqual([
      'warning pools.burst.kubelet.clusterDNS: pods of instances that join by a bootstrap token get no cluster DNS',
    ]);
    expect(problemsOf(anEc2Pool({ services: 'kube-proxy', kubelet: { clusterDNS: ['10.96.0.10'] } }))).toEqual([]);
  });
});

test('taints come in a fixed order, without empty values', () => {
  const taints = [
    { key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' },
    { key: 'dedicated', effect: 'NoExecute' },
  ] as const;
  expect(configOf(aPool({ taints }), 'network').registerWithTaints).toEqual([
    { key: 'dedicated', effect: 'NoExecute' },
    { key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' },
  ]);
});

describe('maxPods', () => {
  test.each([0, -1, 2.5, Number.NaN, 2 ** 31])('%p is refused', (maxPods) => {
    expect(problemsOf(aPool({ maxPods, machine: undefined }))).toEqual([`error pools.web.maxPods: maxPods comes out as ${maxPods}`]);
  });
  test('1 is enough', () => expect(problemsOf(aPool({ maxPods: 1 }))).toEqual([]));
});
