/**
 * Samples: live use of nodes, from what Prometheus answers to instant queries over node_exporter's and the kubelet's metrics. Pure:
 * queries out, answers in; poll-samples.ts asks.
 *
 * | supply | from |
 * | --- | --- |
 * | `egress`, `ingress` | node_exporter: the busiest link of the host; or the sum over its pods (cAdvisor), where that is more: an ENI that was moved into a pod is on no link of the host |
 * | `ephemeral-storage` | node_exporter: the filesystem of /var/lib/kubelet, or the root |
 * | CPU, memory | node_exporter, or the kubelet's resource metrics |
 *
 * A sample is as old as the oldest scrape that it was made of. Rates are over two minutes, so that they hold with scrapes up to a
 * minute apart.
 */
import * as z from 'zod';
import type { Sample } from './inventory.ts';
import type { NodeFacts } from './node.ts';

/** A link of the host that carries what its pods send: no loopback, and nothing that is one end of something else. */
const LINKS = 'device!~"lo|veth.*|cali.*|cilium.*|lxc.*|flannel.*|cni.*|docker.*|br-.*|virbr.*|tunl.*|dummy.*|.*\\\\..*"';
/** By whom it was scraped: kube-prometheus names the node, plain scrape configurations only the address. */
const BY = 'by (instance, node)';
const RATE = '[2m]';

/** Every query by its name; each answers one number an instance. */
export const QUERIES = {
  // The busiest one: a bond counts what its members count once more.
  hostEgress: `max ${BY} (rate(node_network_transmit_bytes_total{${LINKS}}${RATE})) * 8`,
  hostIngress: `max ${BY} (rate(node_network_receive_bytes_total{${LINKS}}${RATE})) * 8`,
  podEgress: `sum ${BY} (rate(container_network_transmit_bytes_total{interface!="lo",pod!=""}${RATE})) * 8`,
  podIngress: `sum ${BY} (rate(container_network_receive_bytes_total{interface!="lo",pod!=""}${RATE})) * 8`,
  kubeletDisk: `max ${BY} (node_filesystem_size_bytes{mountpoint="/var/lib/kubelet"} - node_filesystem_avail_bytes)`,
  rootDisk: `max ${BY} (node_filesystem_size_bytes{mountpoint="/"} - node_filesystem_avail_bytes)`,
  hostCpu: `sum ${BY} (rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}${RATE}))`,
  hostMemory: `max ${BY} (node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)`,
  kubeletCpu: `max ${BY} (rate(node_cpu_usage_seconds_total${RATE}))`,
  kubeletMemory: `max ${BY} (node_memory_working_set_bytes)`,
  // When it was scraped; an instant query's own time is when it was asked.
  hostTime: `min ${BY} (timestamp(node_memory_MemTotal_bytes))`,
  podTime: `min ${BY} (timestamp(container_network_transmit_bytes_total{interface!="lo",pod!=""}))`,
  kubeletTime: `min ${BY} (timestamp(node_memory_working_set_bytes))`,
} as const;
export type Query = keyof typeof QUERIES;

/** Which scrape a number is of. */
const TIMES = { host: 'hostTime', pod: 'podTime', kubelet: 'kubeletTime' } as const;
type From = keyof typeof TIMES;

/** Of each field the first that is there; of bandwidth the larger one. */
const FIELDS: Readonly<Record<keyof Omit<Sample, 'atMs'>, { readonly take: 'first' | 'largest'; readonly of: readonly (readonly [Query, From])[] }>> = {
  egress: { take: 'largest', of: [['hostEgress', 'host'], ['podEgress', 'pod']] },
  ingress: { take: 'largest', of: [['hostIngress', 'host'], ['podIngress', 'pod']] },
  ephemeralStorage: { take: 'first', of: [['kubeletDisk', 'host'], ['rootDisk', 'host']] },
  cpu: { take: 'first', of: [['hostCpu', 'host'], ['kubeletCpu', 'kubelet']] },
  memory: { take: 'first', of: [['hostMemory', 'host'], ['kubeletMemory', 'kubelet']] },
}; // biome-ignore format: one line a field

/** `data` of an answer of /api/v1/query: an instant vector (https://prometheus.io/docs/prometheus/latest/querying/api/). */
export interface Vector {
  readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];
}

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })).max(100_000),
  }),
});

/** @throws {Error} when it is no answer of Prometheus with an instant vector */
export function vectorOf(body: unknown): Vector {
  const { success, data, error } = answer.safeParse(body);
  if (success) return data.data;
  const said = (body as { error?: unknown } | null)?.error;
  throw new Error(typeof said === 'string' ? said : `no instant vector: ${error.issues[0]?.path.join('.')} ${error.issues[0]?.message}`);
}

export interface Samples {
  readonly byNode: ReadonlyMap<string, Sample>;
  /** Instances that are of no node, for whoever wonders why there are no samples. */
  readonly strangers: ReadonlySet<string>;
}

/** @param answers of the queries that were answered */
export function samplesOf(answers: Readonly<Partial<Record<Query, Vector>>>, nodes: Iterable<NodeFacts>): Samples {
  const nameOf = namesOf(nodes);
  const strangers = new Set<string>();
  const found = new Map<string, Partial<Record<Query, number>>>();
  for (const [query, vector] of Object.entries(answers) as [Query, Vector][])
    for (const { metric, value } of vector.result) {
      const node = nameOf(metric);
      if (node === undefined) {
        strangers.add(metric.node ?? metric.instance ?? '');
        continue;
      }
      const number = Number(value[1]);
      if (!Number.isFinite(number) || number < 0) continue;
      const numbers = found.get(node) ?? {};
      numbers[query] = number;
      found.set(node, numbers);
    }
  const samples = [...found].flatMap(([node, numbers]) => {
    const sample = sampleOf(numbers);
    return sample === undefined ? [] : [[node, sample] as const];
  });
  return { byNode: new Map(samples), strangers };
}

function sampleOf(numbers: Readonly<Partial<Record<Query, number>>>): Sample | undefined {
  const sample: { -readonly [F in keyof Sample]?: Sample[F] } = {};
  let oldest = Number.POSITIVE_INFINITY;
  for (const [field, { take, of }] of Object.entries(FIELDS) as [keyof typeof FIELDS, (typeof FIELDS)['cpu']][]) {
    // Without the time of its scrape a number says nothing of now.
    const known = of.filter(([query, from]) => numbers[query] !== undefined && numbers[TIMES[from]] !== undefined);
    const used = take === 'first' ? known.slice(0, 1) : known;
    if (used.length === 0) continue;
    sample[field] = Math.max(...used.map(([query]) => numbers[query]!));
    oldest = Math.min(oldest, ...used.map(([, from]) => numbers[TIMES[from]]!));
  }
  return Number.isFinite(oldest) ? { ...sample, atMs: Math.round(oldest * 1000) } : undefined;
}

/** By the label `node`, by the address or name before the port of `instance`, by the machine that EC2 service discovery names. */
function namesOf(nodes: Iterable<NodeFacts>): (metric: Readonly<Record<string, string>>) => string | undefined {
  const names = new Map<string, string>();
  const all = [...nodes];
  for (const { name, internalIP } of all) if (internalIP !== undefined) names.set(internalIP, name);
  // A name wins over an address that is written like it.
  for (const { name } of all) names.set(name, name);
  return ({ node, instance }) =>
    (node === undefined ? undefined : names.get(node)) ?? (instance === undefined ? undefined : names.get(hostOf(instance)));
}

/** `10.8.0.7:9100` → `10.8.0.7`; `[fd00::1]:9100` → `fd00::1`. */
function hostOf(instance: string): string {
  return /^\[([^\]]+)\]/.exec(instance)?.[1] ?? instance.replace(/:\d+$/, '');
}
