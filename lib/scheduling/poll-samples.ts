/**
 * Asks Prometheus for live use, time after time, and tells the inventory. A Prometheus that is away costs nothing but fresh samples:
 * those that were told grow stale, and what that means is the inventory's to say.
 */
import { sleep } from '../kube/clock.ts';
import { type Log, reasonOf, silent } from '../kube/log.ts';
import type { Inventory, Sample } from './inventory.ts';
import { QUERIES, type Query, samplesOf, type Vector, vectorOf } from './samples.ts';

export interface PollSamplesOptions {
  /** Where its API is: `http://prometheus.monitoring:9090`; with a path where it is behind one. */
  readonly url: string;
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
  readonly log?: Log;
  /** @default 15_000 */
  readonly everyMs?: number;
  /** Of one query, from question to last byte. @default 10_000 */
  readonly deadlineMs?: number;
  /** @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PolledSamples {
  /** How old the samples of the last answer are now, the middle one of them; undefined before the first answer. */
  ageMs(): number | undefined;
  readonly stopped: Promise<void>;
}

/** A scheduler that has just begun reads its nodes within seconds. */
const SOON_MS = 1_000;
/** 5,000 nodes are a megabyte. */
const MOST_BYTES = 64 * 2 ** 20;

/** Begins at once; ends with `signal`. */
export function pollSamples(options: PollSamplesOptions): PolledSamples {
  const { inventory, signal, log = silent, everyMs = 15_000 } = options;
  let told = new Set<string>();
  let middleMs: number | undefined;
  let failures = 0;

  /** @returns false: no node is known by what was told, since the nodes may not have been read yet */
  async function once(): Promise<boolean> {
    const { answers, faults } = await askAll(options);
    if (signal.aborted) return true;
    failures = faults.length === 0 ? 0 : failures + 1;
    // The 1st, 2nd, 4th, 8th … in a row.
    if (faults.length > 0 && (failures & (failures - 1)) === 0) log.warn('Prometheus did not answer', { error: faults[0], failures });
    const { byNode, strangers } = samplesOf(answers, inventory.objects('Node').values());
    if (strangers.size > 0 && byNode.size === 0) log.warn('no node is known by what Prometheus calls it', { instance: [...strangers][0] });
    for (const [node, sample] of byNode) inventory.sample(node, sample);
    for (const node of told) if (!byNode.has(node) && !inventory.objects('Node').has(node)) inventory.sample(node, undefined);
    told = new Set([...[...told].filter((node) => inventory.objects('Node').has(node)), ...byNode.keys()]);
    if (byNode.size > 0) middleMs = middle([...byNode.values()]);
    return byNode.size > 0 || strangers.size === 0;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const isKnown = await once().catch((error) => {
        log.error('samples were not read', { error: reasonOf(error) });
        return true;
      });
      await sleep(isKnown ? everyMs : Math.min(everyMs, SOON_MS), signal);
    }
  }
  return { ageMs: () => (middleMs === undefined ? undefined : Date.now() - middleMs), stopped: run() };
}

function middle(samples: readonly Sample[]): number {
  const times = samples.map(({ atMs }) => atMs).sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}

/** Samples of now, once: for a person's question. @returns what was wrong, beside what was answered */
export async function readSamples(options: Omit<PollSamplesOptions, 'everyMs'>): Promise<readonly string[]> {
  const { answers, faults } = await askAll(options);
  const { byNode } = samplesOf(answers, options.inventory.objects('Node').values());
  for (const [node, sample] of byNode) options.inventory.sample(node, sample);
  return faults;
}

/** A query that fails leaves its numbers out; the others count. */
async function askAll(options: PollSamplesOptions): Promise<{ answers: Partial<Record<Query, Vector>>; faults: string[] }> {
  const answers: Partial<Record<Query, Vector>> = {};
  const faults: string[] = [];
  const ask = async ([name, query]: [Query, string]) => {
    try {
      answers[name] = vectorOf(await instant(query, options));
    } catch (error) {
      faults.push(`${name}: ${reasonOf(error)}`);
    }
  };
  await Promise.all((Object.entries(QUERIES) as [Query, string][]).map(ask));
  return { answers, faults };
}

/** Whatever JSON it answers: a query that Prometheus refuses has a body that says why. */
async function instant(query: string, { url, deadlineMs = 10_000, headers, signal }: PollSamplesOptions): Promise<unknown> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/api/v1/query`, {
    method: 'POST',
    headers: { ...headers },
    body: new URLSearchParams({ query, timeout: `${Math.ceil(deadlineMs / 1000)}s` }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  const text = await bounded(response);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`HTTP ${response.status}, and no JSON: ${text.slice(0, 80)}`, { cause });
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
