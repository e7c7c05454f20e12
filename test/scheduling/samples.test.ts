import { afterEach, expect, test } from '@jest/globals';
import { inventory } from '../../lib/scheduling/inventory.ts';
import { pollSamples, readSamples } from '../../lib/scheduling/poll-samples.ts';
import { QUERIES, type Query, samplesOf, type Vector, vectorOf } from '../../lib/scheduling/samples.ts';
import { aPrometheus, type Numbers, type Prometheus } from './a-prometheus.ts';
import { aNode } from './builders.ts';

const NODES = [aNode('r12-01', { internalIP: '10.8.0.1' }), aNode('r12-02', { internalIP: '10.8.0.2' })];

const vector = (values: Record<string, number>, labelled = (instance: string): Record<string, string> => ({ instance })): Vector => ({
  result: Object.entries(values).map(([instance, number]) => ({ metric: labelled(instance), value: [0, String(number)] })),
});

function sampled(numbers: Partial<Record<Query, Record<string, number>>>, labelled?: (instance: string) => Record<string, string>) {
  const answers = Object.fromEntries(Object.entries(numbers).map(([query, values]) => [query, vector(values, labelled)]));
  return samplesOf(answers, NODES);
}

test('a sample is of the node whose address or name its instance is, and as old as its scrape', () => {
  const numbers = { hostCpu: { '10.8.0.1:9100': 3, 'r12-02': 5 }, hostTime: { '10.8.0.1:9100': 1000.4, 'r12-02': 1010 } };
  const { byNode, strangers } = sampled(numbers);
  expect(Object.fromEntries(byNode)).toEqual({ 'r12-01': { cpu: 3, atMs: 1_000_400 }, 'r12-02': { cpu: 5, atMs: 1_010_000 } });
  expect(strangers.size).toBe(0);
});

test('the label that names the node wins over the instance', () => {
  const numbers = { hostMemory: { '172.17.0.3:9100': 7 }, hostTime: { '172.17.0.3:9100': 1 } };
  expect([...sampled(numbers, (instance) => ({ instance, node: 'r12-02' })).byNode.keys()]).toEqual(['r12-02']);
});

test('instances that are no node are told, not counted', () => {
  const { byNode, strangers } = sampled({ hostCpu: { '10.9.9.9:9100': 1 }, hostTime: { '10.9.9.9:9100': 1 } });
  expect([byNode.size, [...strangers]]).toEqual([0, ['10.9.9.9:9100']]);
});

test("bandwidth is what the busiest link or the host's pods carry, whichever is more", () => {
  const at = '10.8.0.1:9100';
  const pods = '10.8.0.1:10250';
  const times = { hostTime: { [at]: 100 }, podTime: { [pods]: 90 } };
  const { byNode } = sampled({
    hostEgress: { [at]: 2e9 },
    podEgress: { [pods]: 3e9 },
    hostIngress: { [at]: 5e9 },
    podIngress: { [pods]: 1e9 },
    ...times,
  });
  expect(byNode.get('r12-01')).toEqual({ egress: 3e9, ingress: 5e9, atMs: 90_000 });
});

test("the kubelet's filesystem comes before the root, node_exporter's numbers before the kubelet's", () => {
  const at = '10.8.0.1:9100';
  const kubelet = '10.8.0.1:10250';
  const times = { hostTime: { [at]: 100 }, kubeletTime: { [kubelet]: 95 } };
  expect(
    sampled({ kubeletDisk: { [at]: 1 }, rootDisk: { [at]: 2 }, hostCpu: { [at]: 3 }, kubeletCpu: { [kubelet]: 4 }, ...times }).byNode.get(
      'r12-01',
    ),
  ).toEqual({ ephemeralStorage: 1, cpu: 3, atMs: 100_000 });
  expect(
    sampled({ rootDisk: { [at]: 2 }, kubeletCpu: { [kubelet]: 4 }, kubeletMemory: { [kubelet]: 5 }, ...times }).byNode.get('r12-01'),
  ).toEqual({
    ...{ ephemeralStorage: 2, cpu: 4, memory: 5 },
    atMs: 95_000,
  });
});

test('numbers that are none, or that nobody knows the time of, are left out', () => {
  const at = '10.8.0.1:9100';
  expect(sampled({ hostCpu: { [at]: 3 } }).byNode.size).toBe(0);
  expect(sampled({ hostCpu: { [at]: Number.NaN }, hostMemory: { [at]: 5 }, hostTime: { [at]: 1 } }).byNode.get('r12-01')).toEqual({
    memory: 5,
    atMs: 1000,
  });
});

test('an answer that is none says what Prometheus said', () => {
  const refused = { status: 'error', errorType: 'bad_data', error: 'invalid parameter "query": 1:5: parse error' };
  expect(() => vectorOf(refused)).toThrow('invalid parameter "query": 1:5: parse error');
  expect(() => vectorOf({ status: 'success', data: { resultType: 'matrix', result: [] } })).toThrow(/no instant vector: data\.resultType/);
  expect(() => vectorOf(null)).toThrow('no instant vector');
});

let prometheus: Prometheus | undefined;
const stop = new AbortController();
afterEach(async () => {
  await prometheus?.stop();
  prometheus = undefined;
});

const HOSTS: Numbers = {
  hostEgress: { '10.8.0.1:9100': 2e9, '10.8.0.2:9100': 1e9 },
  hostTime: { '10.8.0.1:9100': 1000, '10.8.0.2:9100': 1001 },
};

function anInventory() {
  const all = inventory();
  for (const node of NODES) all.set('Node', node.name, node);
  return all;
}

const egress = (all: ReturnType<typeof inventory>) => NODES.map(({ name }) => all.supply('egress')?.used[all.row(name)]);

test('every query is asked of Prometheus, and the inventory counts with what it answers', async () => {
  prometheus = await aPrometheus();
  prometheus.knows(HOSTS);
  const all = anInventory();
  expect(await readSamples({ url: `${prometheus.url}/`, inventory: all, signal: stop.signal })).toEqual([]);
  expect(prometheus.asked.toSorted()).toEqual((Object.keys(QUERIES) as Query[]).toSorted());
  expect(egress(all)).toEqual([2e9, 1e9]);
});

test('a query that fails leaves out its own numbers, and is told in the words of Prometheus', async () => {
  prometheus = await aPrometheus();
  prometheus.knows({ ...HOSTS, hostMemory: { '10.8.0.1:9100': 5e9 } });
  const body = JSON.stringify({ status: 'error', errorType: 'execution', error: 'query processing would load too many samples' });
  prometheus.instead((query) => (query === 'hostMemory' ? { status: 422, body } : undefined));
  const all = anInventory();
  const faults = await readSamples({ url: prometheus.url, inventory: all, signal: stop.signal });
  expect(faults).toEqual(['hostMemory: query processing would load too many samples']);
  expect(egress(all)).toEqual([2e9, 1e9]);
});

test.each<[string, { status: number; body: string; lateMs?: number }, RegExp]>([
  ['a page of a proxy', { status: 502, body: '<html>Bad Gateway</html>' }, /HTTP 502, and no JSON: <html>/],
  ['half an answer', { status: 200, body: '{"status":"success"' }, /no JSON/],
  ['no answer in time', { status: 200, body: '{}', lateMs: 500 }, /timeout|aborted/],
])('%s is no sample', async (_what, how, said) => {
  prometheus = await aPrometheus();
  prometheus.instead(() => how);
  const all = anInventory();
  const faults = await readSamples({ url: prometheus.url, inventory: all, signal: stop.signal, deadlineMs: 200 });
  expect(faults).toHaveLength(Object.keys(QUERIES).length);
  expect(faults[0]).toMatch(said);
  expect(egress(all)).toEqual([0, 0]);
});

test('polling goes on through a Prometheus that is away, and forgets nodes that are gone', async () => {
  prometheus = await aPrometheus();
  prometheus.knows(HOSTS);
  const all = anInventory();
  const ending = new AbortController();
  const polled = pollSamples({ url: prometheus.url, inventory: all, signal: ending.signal, everyMs: 5 });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  expect(polled.ageMs()).toBeUndefined();
  await until(() => egress(all)[0] === 2e9);
  expect(polled.ageMs()).toBeGreaterThan(0);
  prometheus.instead(() => ({ status: 503, body: 'away' }));
  const before = prometheus.asked.length;
  await until(() => prometheus!.asked.length > before + 30);
  expect(egress(all)).toEqual([2e9, 1e9]);
  prometheus.instead(undefined);
  prometheus.knows({ hostEgress: { '10.8.0.1:9100': 4e9 }, hostTime: { '10.8.0.1:9100': 2000 } });
  all.unset('Node', 'r12-02');
  await until(() => egress(all)[0] === 4e9);
  await until(() => [...all.samples()].length === 1);
  ending.abort();
  await polled.stopped;
});
