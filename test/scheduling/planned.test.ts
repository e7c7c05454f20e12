import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { CONCERNS } from '../../constructs/concerns.ts';
import { rendered } from '../../constructs/testing.ts';
import type { Cluster } from '../../lib/api/cluster.ts';
import { parseCluster } from '../../lib/api/parse.ts';
import { toNumber } from '../../lib/api/quantity.ts';
import { type Planned, planned } from '../../lib/scheduling/planned.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import { aDemand, GIB } from './builders.ts';

const web = (over: object = {}) => ({
  shape: 'intranet',
  racks: { r12: 'a-r12-[01-02]', r13: 'a-r13-[01-02]' },
  trunk: 'bond0',
  vlans: { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191' } },
  machine: { cpu: 64, memory: '256Gi', bandwidth: '25G' },
  ...over,
});
const burst = (over: object = {}) => ({
  shape: 'ec2',
  region: 'ap-northeast-1',
  instanceTypes: ['c5.4xlarge', 'm5.4xlarge'],
  zones: {
    'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' },
    'ap-northeast-1c': { nodeSubnetId: 'subnet-0a2', podSubnetId: 'subnet-0d2' },
  },
  securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] },
  imageId: 'ami-0abc',
  instanceProfile: 'gala-node',
  join: { bootstrap: true },
  size: { min: 1, max: 3 },
  warmEnis: 'all',
  ...over,
});

function aCluster(pools: object, over: object = {}): Cluster {
  const definition = { name: 'a', kubernetes: '1.37', apiServer: 'https://10.8.0.10:6443', pools, ...over };
  const { cluster, problems } = parseCluster(definition, CONCERNS);
  if (cluster === undefined) throw new Error(JSON.stringify(problems));
  return cluster;
}

const nodes = ({ names }: Planned) => names.filter((name) => name !== undefined);
const labels = (all: Planned, node: string) => all.inventory.objects('Node').get(node)?.labels;
const capacity = (all: Planned, node: string, supply: string) => all.supply(supply)?.capacity[all.row(node)];
const count = (all: Planned, options: Parameters<typeof aDemand>[0] = {}) =>
  stock(all, { demand: aDemand(options), strategy: 'spread' }).count;

test('every host of the definition is there, labelled and tainted as its files will make it', () => {
  const all = planned(aCluster({ web: web({ datacenter: 'bj-a' }) }));
  expect(nodes(all)).toEqual(['a-r12-01', 'a-r12-02', 'a-r13-01', 'a-r13-02']);
  expect(labels(all, 'a-r13-01')).toEqual({
    'gala.internal/pool': 'web',
    'gala.internal/rack': 'r13',
    'kubernetes.io/hostname': 'a-r13-01',
    'topology.kubernetes.io/zone': 'bj-a',
  });
  expect(all.inventory.objects('Node').get('a-r12-01')?.taints).toEqual([
    { key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' },
  ]);
  expect(all.poolNames).toEqual(['web']);
});

test('there is no taint where locks are advisory, or where nobody writes them', () => {
  const taints = (all: Planned) => all.inventory.objects('Node').get('a-r12-01')?.taints;
  expect(taints(planned(aCluster({ web: web({ locks: 'advisory' }) })))).toEqual([]);
  expect(taints(planned(aCluster({ web: web() }, { concerns: [] })))).toEqual([]);
});

describe('what a host has for pods is what its rendered kubelet files leave', () => {
  test.each<[string, object]>([
    ['by default', {}],
    ['with a reservation', { machine: { cpu: 64, memory: '256Gi', reserved: { cpu: 2, memory: '8Gi' } } }],
    ['with its own threshold', { kubelet: { evictionHard: { 'memory.available': '5%' }, otherPods: 9 } }],
    ['with the static CPU manager', { kubelet: { cpuManagerPolicy: 'static', reservedSystemCPUs: '0-1' } }],
  ])('%s', (_how, over) => {
    const pool = web(over);
    const definition = { name: 'a', kubernetes: '1.37', apiServer: 'https://10.8.0.10:6443', pools: { web: pool }, concerns: [] };
    const out = rendered(definition as never);
    const config = (name: string) => parse(out.file(`hosts/web/etc/kubernetes/kubelet.conf.d/${name}`)!);
    const { systemReserved, evictionHard } = config('50-gala-reservations.conf');
    const { maxPods } = config('40-gala-network.conf');
    const eviction: string = evictionHard['memory.available'];
    const evictionBytes = eviction.endsWith('%') ? Math.floor((256 * GIB * Number(eviction.slice(0, -1))) / 100) : toNumber(eviction);

    const all = planned(out.cluster, { maxPods: () => maxPods });
    expect(capacity(all, 'a-r12-01', 'cpu')).toBeCloseTo(64 - toNumber(systemReserved.cpu), 9);
    expect(capacity(all, 'a-r12-01', 'memory')).toBe(256 * GIB - toNumber(systemReserved.memory) - evictionBytes);
    // The kubelet's number less the places of pods on the host's network.
    const { otherPods = 5 } = (over as { kubelet?: { otherPods?: number } }).kubelet ?? {};
    expect(capacity(all, 'a-r12-01', 'pods')).toBe(maxPods - otherPods);
  });
});

test('of a machine that nobody describes CPU and memory are not limited, and it is told', () => {
  const all = planned(aCluster({ web: web({ machine: undefined }) }));
  expect(all.undescribed).toEqual(['web']);
  expect(['cpu', 'memory', 'egress', 'ephemeral-storage'].map((supply) => capacity(all, 'a-r12-01', supply))).toEqual(
    Array(4).fill(Number.NaN),
  );
  expect(count(all, { cpu: 32 })).toBe(64);
});

test('VLANs are shared as they are trunked, and limit a rack whose hosts reach few addresses', () => {
  const vlans = {
    110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191', racks: ['r13'] },
    120: { subnet: '10.120.0.0/24', gateway: '10.120.0.1', addresses: '10.120.0.8-10.120.0.15' },
  };
  const all = planned(aCluster({ web: web({ vlans }) }));
  expect(count(all)).toBe(72);
  expect(count(all.without('rack=r13'))).toBe(8);
  expect(capacity(all, 'a-r12-01', 'pods')).toBe(8);
});

test('where another CNI wires the pods there are no addresses to count', () => {
  const all = planned(aCluster({ web: web() }, { existing: { cni: 'calico' } }));
  expect(count(all, { cpu: '10m', memory: '1Mi' })).toBe(4 * 110);
});

test('a pool that Gala wires beside another CNI has its addresses', () => {
  const all = planned(aCluster({ web: web({ cni: 'gala' }) }, { existing: { cni: 'calico' } }));
  expect(count(all, { cpu: '10m', memory: '1Mi' })).toBe(count(planned(aCluster({ web: web() })), { cpu: '10m', memory: '1Mi' }));
});

test('an EC2 pool has its largest size, spread over its zones, and says what is not launched', () => {
  const all = planned(aCluster({ burst: burst() }));
  expect(nodes(all)).toEqual(['burst-1', 'burst-2', 'burst-3']);
  expect([...all.notLaunched]).toEqual(['burst-2', 'burst-3']);
  expect(nodes(all).map((node) => labels(all, node)?.['topology.kubernetes.io/zone'])).toEqual(
    ['a', 'c', 'a'].map((zone) => `ap-northeast-1${zone}`),
  );
  // 7 of a c5.4xlarge's 8 ENIs, 16 CPUs of which some are kept, 5 Gbit/s at all times.
  expect([count(all), count(all.launched())]).toEqual([21, 7]);
  expect(capacity(all, 'burst-1', 'cpu')).toBeLessThan(16);
  expect(capacity(all, 'burst-1', 'egress')).toBe(5e9);
  expect(all.launched().notLaunched.size).toBe(0);
});

test('volumes are space of their class on the hosts of their pool', () => {
  const volumes = { log: { path: '/data1', size: '2Ti', overcommit: 1.5 } };
  const all = planned(aCluster({ web: web({ volumes }), burst: burst() }));
  expect(capacity(all, 'a-r12-01', 'storage/gala-log')).toBe(3 * 2 ** 40);
  expect(capacity(all, 'burst-1', 'storage/gala-log')).toBe(0);
});

test('nodes can be taken away by place, by name and by label, one after the other', () => {
  const all = planned(aCluster({ web: web({ datacenter: 'bj-a' }), burst: burst() }));
  expect(nodes(all.without('rack=r12', 'node=a-r13-01'))).toEqual(['burst-1', 'burst-2', 'burst-3', 'a-r13-02']);
  expect(nodes(all.without('datacenter=bj-a'))).toEqual(['burst-1', 'burst-2', 'burst-3']);
  expect(nodes(all.without('pool=burst').without('zone=bj-a'))).toEqual([]);
  expect(nodes(all.without('gala.internal/rack=r13'))).toHaveLength(5);
  expect(nodes(all)).toHaveLength(7);
});

test('a place that is not there is refused with the nearest that is', () => {
  const all = planned(aCluster({ web: web() }));
  expect(() => all.without('rack=r14')).toThrow("without 'rack=r14': no node is there. Did you mean 'r12'?");
  expect(() => all.without('zone=bj-a')).toThrow('There are none with such a name.');
  expect(() => all.without('r12')).toThrow("without 'r12': it is <level>=<name> or <label>=<value>. For example rack=r14.");
});

test('the same definition gives the same inventory, whatever order it was typed in', () => {
  const racks = { r13: 'a-r13-[01-02]', r12: 'a-r12-[01-02]' };
  const [one, other] = [aCluster({ web: web(), burst: burst() }), aCluster({ burst: burst(), web: web({ racks }) })].map((it) =>
    planned(it),
  );
  expect(nodes(one!)).toEqual(nodes(other!));
  expect(stock(one!, { demand: aDemand(), strategy: 'spread' })).toEqual(stock(other!, { demand: aDemand(), strategy: 'spread' }));
});
