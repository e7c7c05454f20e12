/** maxPods, DNS, iptables, taints: each only where somebody stands behind it. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { hostFiles } from '../../../constructs/hosts.ts';
import { kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { aCluster, anIntranetPool } from '../a-cluster.ts';
import { anEc2Pool, aPool, configOf, problemsOf, textOf } from './a-pool.ts';

const TAINT = { key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' } as const;

describe('without kube-proxy', () => {
  test('the kubelet makes no iptables chains, where Gala wires the node', () => {
    expect(configOf(aPool({ wiredBy: 'gala' }), 'network')).toEqual({ maxPods: 80, makeIPTablesUtilChains: false });
    expect(textOf(aPool({ wiredBy: 'gala' }), 'APPLY.md')).not.toContain('makeIPTables');
  });

  test('others may need them, and the page says so', () => {
    expect(configOf(aPool(), 'network')).toEqual({ maxPods: 80 });
    expect(textOf(aPool(), 'APPLY.md')).toContain('Left out where Gala does not wire the pods: `makeIPTablesUtilChains: false`');
  });

  test.each(['gala', 'others'] as const)(
    'nothing points pods at a cache that is not there, and the page says so, wired by %s',
    (wiredBy) => {
      expect(configOf(aPool({ wiredBy }), 'network').clusterDNS).toBeUndefined();
      expect(textOf(aPool({ wiredBy }), 'APPLY.md')).toContain('Left out: `clusterDNS: 169.254.20.10`');
      expect(textOf(aPool({ wiredBy, kubelet: { clusterDNS: ['10.8.0.53'] } }), 'APPLY.md')).not.toContain('NodeLocal DNSCache');
    },
  );

  test("an operator's own DNS is rendered whoever wires the node", () => {
    expect(configOf(aPool({ kubelet: { clusterDNS: ['10.96.0.10'] } }), 'network').clusterDNS).toEqual(['10.96.0.10']);
  });
});

describe('with kube-proxy', () => {
  test.each(['gala', 'others'] as const)('DNS and iptables stay as the base configuration has them, wired by %s', (wiredBy) => {
    expect(configOf(aPool({ services: 'kube-proxy', wiredBy }), 'network')).toEqual({ maxPods: 80 });
  });

  test('an instance without a base configuration is warned about: its pods would have no cluster DNS', () => {
    expect(problemsOf(anEc2Pool({ services: 'kube-proxy' }))).toEqual([
      'warning pools.burst.kubelet.clusterDNS: pods of instances that join by a bootstrap token get no cluster DNS',
    ]);
    expect(problemsOf(anEc2Pool({ services: 'kube-proxy', kubelet: { clusterDNS: ['10.96.0.10'] } }))).toEqual([]);
  });
});

describe('taints', () => {
  test('come in a fixed order, without empty values', () => {
    expect(configOf(aPool({ taints: [TAINT, { key: 'dedicated', effect: 'NoExecute' }] }), 'network').registerWithTaints).toEqual([
      { key: 'dedicated', effect: 'NoExecute' },
      TAINT,
    ]);
  });

  test("the pool's own comes once locks are enforced, which pods tolerate it by", () => {
    expect(configOf(aPool({ locks: 'enforced' }), 'network').registerWithTaints).toEqual([TAINT]);
    expect(configOf(aPool({ locks: 'unenforced' }), 'network')).toEqual({ maxPods: 80 });
    expect(textOf(aPool({ locks: 'unenforced' }), 'APPLY.md')).toContain('the taint `gala.internal/pool=web:NoSchedule`');
  });
});

describe('maxPods', () => {
  test.each([0, -1, 2.5, Number.NaN, 2 ** 31])('%p is refused', (maxPods) => {
    expect(problemsOf(aPool({ maxPods, machine: undefined }))).toEqual([`error pools.web.maxPods: maxPods comes out as ${maxPods}`]);
  });
  test('1 is enough', () => expect(problemsOf(aPool({ maxPods: 1 }))).toEqual([]));

  test('is left to the base configuration where another CNI wires the pods', () => {
    const page = textOf(aPool({ maxPods: undefined }), 'APPLY.md');
    expect(configOf(aPool({ maxPods: undefined }), 'network')).toEqual({});
    expect(page).toContain('Left out: `maxPods`; another CNI wires the pods');
  });

  test('a rack that differs takes the number out of the file of all, and every rack gets its own', () => {
    const props = aPool({ racks: { r12: ['a'], r13: ['b'] }, maxPodsByRack: { r13: 12 } });
    const { files } = kubeletProfile(props);
    expect(configOf(props, 'network')).toEqual({});
    const numbers = files.filter(({ path }) => path.endsWith('/41-gala-rack.conf')).map(({ path, text }) => [path, parse(text).maxPods]);
    expect(numbers).toEqual([
      ['racks/r12/etc/kubernetes/kubelet.conf.d/41-gala-rack.conf', 80],
      ['racks/r13/etc/kubernetes/kubelet.conf.d/41-gala-rack.conf', 12],
    ]);
  });
});

describe("a cluster's pools", () => {
  const vlan = (third: number, last: number, racks?: readonly string[]) => ({
    subnet: `10.${third}.0.0/24`,
    gateway: `10.${third}.0.1`,
    addresses: `10.${third}.0.11-10.${third}.0.${last}`,
    ...(racks === undefined ? {} : { racks }),
  });
  const files = (pool: object, over: object = {}) => hostFiles(aCluster({ pools: { web: anIntranetPool(pool) }, ...over }), []);
  const settings = (pool: object, over: object = {}) => {
    const all = files(pool, over).filter(({ path }) => path.endsWith('.conf') && path.includes('kubelet.conf.d/4'));
    return Object.fromEntries(all.map(({ path, text }) => [path.replace(/etc\/.*\//, ''), parse(text).maxPods]));
  };

  test('a rack whose only VLAN has 4 addresses runs 4 pods, those of others and no more', () => {
    const vlans = { 110: vlan(110, 70, ['r12']), 111: vlan(111, 14, ['r13']) };
    expect(settings({ vlans })).toEqual({
      'hosts/web/40-gala-network.conf': undefined,
      'hosts/web/racks/r12/41-gala-rack.conf': 65,
      'hosts/web/racks/r13/41-gala-rack.conf': 9,
    });
  });

  test('racks with the same VLANs share one number', () => {
    expect(settings({ vlans: { 110: vlan(110, 70) } })).toEqual({ 'hosts/web/40-gala-network.conf': 65 });
  });

  test('otherPods takes the place of the 5', () => {
    expect(settings({ vlans: { 110: vlan(110, 70) }, kubelet: { otherPods: 9 } })).toEqual({ 'hosts/web/40-gala-network.conf': 69 });
  });

  test("another CNI's addresses are not ours to count", () => {
    expect(settings({}, { existing: { cni: 'calico' } })).toEqual({ 'hosts/web/40-gala-network.conf': undefined });
  });

  /** What the kubelet is told of the network, with these concerns installed. */
  const told = (concerns: readonly string[], pool: object = {}) => {
    const all = hostFiles({ ...aCluster({ pools: { web: anIntranetPool(pool) } }), concerns }, []);
    return all.find(({ path }) => path.endsWith('40-gala-network.conf'))?.text ?? '';
  };

  test('iptables chains go with the network concern, on pools that it wires', () => {
    expect(told([])).not.toContain('makeIPTables');
    expect(told(['network'])).toContain('makeIPTablesUtilChains: false');
    expect(told(['network'], { cni: 'calico' })).not.toContain('makeIPTables');
  });

  test('a pool that Gala wires beside another CNI is counted, those of the other are not', () => {
    expect(settings({ cni: 'gala' }, { existing: { cni: 'calico' } })).toEqual({ 'hosts/web/40-gala-network.conf': 69 });
    expect(settings({ cni: 'calico' })).toEqual({ 'hosts/web/40-gala-network.conf': undefined });
  });

  test('the taint waits for who writes locks, and is not put on where locks are advisory', () => {
    expect(told([])).not.toContain('registerWithTaints');
    expect(parse(told(['scheduling'])).registerWithTaints).toEqual([TAINT]);
    expect(told(['scheduling'], { locks: 'advisory' })).not.toContain('registerWithTaints');
  });

  test('hosts that have joined get it by hand, and the page says how and when', () => {
    const page = (concerns: readonly string[]) =>
      hostFiles({ ...aCluster({ pools: { web: anIntranetPool() } }), concerns }, []).find(({ path }) => path.endsWith('APPLY.md'))?.text;
    expect(page(['scheduling'])).toContain('`kubectl taint node -l gala.internal/pool=web gala.internal/pool=web:NoSchedule`');
    expect(page([])).not.toContain('kubectl taint node');
  });
});
