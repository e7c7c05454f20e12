/**
 * No value of a definition ends the line, quotation or document it is put into. Values are the nastiest that the schemas
 * take: names that YAML, INI or Python read as something else, and every character their patterns allow.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { hostFiles } from '../../../constructs/hosts.ts';
import { kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { aCluster, anIntranetPool } from '../a-cluster.ts';
import { anEc2Pool } from './a-pool.ts';

const label = fc.oneof(
  fc.constantFrom('1e3', '0x10', '012', 'null', 'no', 'on', 'true', 'nan', 'end', '1-1', 'a--b', '0', 'all'),
  fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/),
);
const eks = fc.oneof(fc.constantFrom('1e3', 'null', 'GALA', 'a--GALA', 'no'), fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}$/));

test('racked hosts: flags, inventory and drop-ins say the names and nothing else', () => {
  fc.assert(
    fc.property(label, label, label, label, (cluster, pool, rack, datacenter) => {
      const definition = { pools: { [pool]: anIntranetPool({ racks: { [rack]: 'test-a-[01-02]' }, datacenter, vlans: VLANS }) } };
      const files = new Map(hostFiles(aCluster({ name: cluster, ...definition }), []).map(({ path, text }) => [path, text]));
      const lines = (path: string) =>
        (files.get(`hosts/${pool}/${path}`) ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(lines(`racks/${rack}/etc/default/gala-kubelet`)).toEqual([
        `GALA_KUBELET_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d --node-labels=gala.internal/pool=${pool},gala.internal/rack=${rack},topology.kubernetes.io/zone=${datacenter}"`,
      ]);
      const [section, ...hosts] = lines('inventory.ini');
      expect(section).toBe(`[gala_${pool.replaceAll('-', '_')}]`);
      expect(hosts.map((line) => pythonText(/^test-a-0[12] gala_rack=(.*)$/.exec(line)?.[1] ?? ''))).toEqual([rack, rack]);
      for (const [path, text] of files)
        if (path.includes('/kubelet.conf.d/')) expect(parse(text)).toMatchObject({ kind: 'KubeletConfiguration' });
    }),
  );
});

const VLANS = { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191' } };

/** What Ansible makes of an inventory value: shell quotes off, then a Python literal where it is one. */
function pythonText(value: string): unknown {
  const unquoted = /^'(.*)'$/.exec(value)?.[1] ?? value;
  if (/^".*"$/.test(unquoted)) return unquoted.slice(1, -1);
  return /^(0x[0-9a-f]+|0b[01]+|0o[0-7]+|[0-9]+(e[0-9]+)?)$/.test(unquoted) ? Number(unquoted) : unquoted;
}

test('user data: YAML says the names as text, and the boot script has as many lines for any name', () => {
  const scriptOf = (pool: string) => {
    const text = kubeletProfile(anEc2Pool({ pool })).files.find(({ path }) => path === 'user-data/cloud-config.txt')?.text ?? '';
    return (
      (parse(text).write_files as { path: string; content: string }[]).find(({ path }) => path.endsWith('gala-instance'))?.content ?? ''
    );
  };
  fc.assert(
    fc.property(label, eks, (pool, cluster) => {
      expect(scriptOf(pool).replaceAll(pool, '')).toBe(scriptOf('zzzz').replaceAll('zzzz', '').replaceAll(pool, ''));
      const text = kubeletProfile(anEc2Pool({ services: 'kube-proxy', pool, join: { eks: cluster } })).files.find(({ path }) =>
        path.endsWith('nodeadm.txt'),
      )?.text;
      const parts = (text ?? '').split('\n--GALA\n');
      expect(parts).toHaveLength(3);
      const nodeConfig = parse((parts[1] ?? '').split('\n\n').slice(1).join('\n\n'));
      expect(nodeConfig.spec.cluster.name).toBe(cluster);
    }),
  );
});

test.each([
  ['racks', { 'r12"': 'test-a-[01-02]' }],
  ['racks', { r12: 'test-a-01\n[all:vars]' }],
  ['racks', { '../r12': 'test-a-01' }],
  ['datacenter', 'bj-a --v=9'],
  ['datacenter', 'bj-a$(id)'],
  ['datacenter', 'bj-a\n'],
  ['kubelet', { clusterDNS: ['10.0.0.1\nmaxPods: 1'] }],
  ['kubelet', { reservedSystemCPUs: '0\n' }],
  ['kubelet', { containerLogMaxSize: '50Mi\n' }],
])('%s: a definition with %j is refused', (field, value) => {
  const pools = { web: anIntranetPool({ [field]: value }) };
  expect(() => aCluster({ pools })).toThrow(/no cluster to test with/);
});
