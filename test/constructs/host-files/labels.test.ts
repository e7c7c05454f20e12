/** Labels and taints: what nodes carry from their first second, and what a kubelet may not say of itself. */
import { describe, expect, test } from '@jest/globals';
import { kubeletMaySet, nodeLabels } from '../../../constructs/host-files/labels.ts';
import { kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { anEc2Pool, aPool, problemsOf, textOf } from './a-pool.ts';

const racks = { r12: ['bj-a-r12-02', 'bj-a-r12-01'], r13: ['bj-a-r13-01'] };

test('a racked host is labelled with pool, rack and zone', () => {
  expect(nodeLabels(aPool({ datacenter: 'bj-a' }), 'r12')).toEqual({
    'gala.internal/pool': 'web',
    'gala.internal/rack': 'r12',
    'topology.kubernetes.io/zone': 'bj-a',
  });
});

test('each rack has its own flags, and the inventory says which host takes which', () => {
  const pool = aPool({ racks, datacenter: 'bj-a', labels: { team: 'feed' } });
  expect(textOf(pool, 'racks/r12/etc/default/gala-kubelet').split('\n').at(-2)).toBe(
    'GALA_KUBELET_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d --node-labels=gala.internal/pool=web,gala.internal/rack=r12,team=feed,topology.kubernetes.io/zone=bj-a"',
  );
  expect(textOf(pool, 'racks/r13/etc/default/gala-kubelet')).toContain('gala.internal/rack=r13');
  expect(textOf(pool, 'inventory.ini').split('\n').slice(1)).toEqual([
    '[gala_web]',
    'bj-a-r12-01 gala_rack=r12',
    'bj-a-r12-02 gala_rack=r12',
    'bj-a-r13-01 gala_rack=r13',
    '',
  ]);
});

test('a pool without racks has one environment file and no inventory', () => {
  const paths = kubeletProfile(aPool()).files.map(({ path }) => path);
  expect(paths).toContain('etc/default/gala-kubelet');
  expect(paths).not.toContain('inventory.ini');
});

test("the kubelet's own command line is kept: kubeadm's variables stand before Gala's", () => {
  expect(textOf(aPool({ racks }), 'etc/systemd/system/kubelet.service.d/50-gala.conf')).toContain(
    'EnvironmentFile=/etc/default/gala-kubelet\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS $GALA_KUBELET_ARGS\n',
  );
});

test('on EC2 the zone is not known before boot', () => {
  expect(nodeLabels(anEc2Pool())).toEqual({ 'gala.internal/pool': 'burst' });
});

describe('a kubelet may give its own node', () => {
  test.each([
    'gala.internal/pool',
    'team',
    'topology.kubernetes.io/zone',
    'node.kubernetes.io/lifecycle',
    'x.kubelet.kubernetes.io/y',
    'notkubernetes.io/a',
    'cluster.x-k8s.io/a',
  ])('%s', (key) => expect(kubeletMaySet(key)).toBe(true));
  test.each(['node-role.kubernetes.io/web', 'node-restriction.kubernetes.io/a', 'kubernetes.io/pool', 'k8s.io/a'])('not %s', (key) =>
    expect(kubeletMaySet(key)).toBe(false),
  );
});

test('a label named as something JavaScript has is a label', () => expect(problemsOf(aPool({ labels: { constructor: 'x' } }))).toEqual([]));

describe('refused', () => {
  test('a label that NodeRestriction would refuse', () => {
    expect(problemsOf(aPool({ labels: { 'node-role.kubernetes.io/web': '' } }))).toEqual([
      'error pools.web.labels.node-role.kubernetes.io/web: label node-role.kubernetes.io/web is one a kubelet may not set',
    ]);
  });
  test('a value that would end the flag', () => {
    expect(problemsOf(aPool({ labels: { team: 'feed,gala.internal/pool=x' } }))).toEqual([
      "error pools.web.labels.team: label value is 'feed,gala.internal/pool=x'",
    ]);
  });
  test('a key that is none', () => {
    expect(problemsOf(aPool({ labels: { 'A b': 'c' } }))).toEqual(["error pools.web.labels.A b: label key is 'A b'"]);
  });
  test('a label that contradicts the pool, the rack or the zone', () => {
    expect(
      problemsOf(
        aPool({
          racks,
          datacenter: 'bj-a',
          labels: { 'gala.internal/pool': 'ml', 'gala.internal/rack': 'r1', 'topology.kubernetes.io/zone': 'bj-a' },
        }),
      ),
    ).toEqual([
      "error pools.web.labels.gala.internal/pool: label gala.internal/pool is 'ml', but the pool sets it",
      "error pools.web.labels.gala.internal/rack: label gala.internal/rack is 'r1', but the pool sets it",
    ]);
  });
  test('a taint with an unknown effect, or twice', () => {
    const taints = [
      { key: 'a', effect: 'NoSchedule' },
      { key: 'a', value: 'b', effect: 'NoSchedule' },
      { key: 'c', effect: 'Never' as 'NoExecute' },
    ] as const;
    expect(problemsOf(aPool({ taints }))).toEqual([
      "error pools.web.taints[2].effect: taint effect is 'Never'",
      'error pools.web.taints: taint a:NoSchedule stands here twice',
    ]);
  });
});
