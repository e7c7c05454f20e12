/**
 * What it costs the API server that each agent watches the IPLocks of its own node: custom resources have no index, so every change is
 * compared with every watch's field selector (apiserver, cacher: without an index trigger it is sent to each watcher, which filters).
 * 5,000 watches by HTTP/2 from this process, and 200 writes a second; the peer is the same without the watches.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../../../bed/control-plane.ts';
import type { Measured, Tools } from '../../area.ts';
import { REPOSITORY } from '../../child.ts';
import { median } from '../../row.ts';

export const WATCHES = 5_000;
/** Of five nodes one has an address. */
const ADDRESSES = 1_000;
export const WRITES_PER_SECOND = 200;
const SECONDS = 5;
const TURNS = 3;
/** A server that is behind is not asked for more and more: as whoever writes IPLocks. */
const AT_ONCE = 32;
/** Fewer than an API server lets a connection have (http2-max-streams-per-connection). */
const STREAMS = 100;
/** Clock ticks of /proc/PID/stat (USER_HZ). */
const TICKS_PER_SECOND = 100;
const PATH = '/apis/gala.internal/v1alpha1/iplocks';

export interface Watches {
  readonly cpu: Measured;
  readonly memory: Measured;
  readonly write: Measured;
  /** Of the median of a write. */
  readonly writeRatio: Measured;
}

interface Seen {
  readonly corePercent: number;
  readonly mebibytes: number;
  readonly writeMs: number;
}

export async function watches({ say }: Tools): Promise<Watches> {
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  try {
    await addresses(bed);
    const pid = apiServerOf(bed);
    const turn = async (what: string) => {
      const all: Seen[] = [];
      for (let at = 0; at < TURNS; at++) all.push(await written(bed, pid));
      const of = (key: keyof Seen) => all.map((one) => one[key]);
      say(
        `${what}: ${median(of('corePercent')).toFixed(0)} % of a core, ${median(of('mebibytes')).toFixed(0)} MiB, a write ${median(of('writeMs')).toFixed(1)} ms`,
      );
      return { cpu: of('corePercent'), memory: of('mebibytes'), write: of('writeMs') };
    };
    const without = await turn('without watches');
    const heard = await watching(bed);
    const withAll = await turn(`${WATCHES} watches`);
    if (heard.events() === 0) throw new Error('no watch has heard of a write');
    say(`${heard.events()} events came`);
    heard.close();
    return {
      cpu: { runs: withAll.cpu, peer: without.cpu },
      memory: { runs: withAll.memory, peer: without.memory },
      write: { runs: withAll.write, peer: without.write },
      writeRatio: { runs: [median(withAll.write) / median(without.write)] },
    };
  } finally {
    await bed.stop();
  }
}

const nodeOf = (at: number): string => `node-${at}`;
const addressOf = (at: number): string => `10.110.${at >> 8}.${at & 255}`;

async function addresses(bed: Bed): Promise<void> {
  const text = readFileSync(join(REPOSITORY, 'imports/crds/iplocks.yaml'), 'utf8');
  await bed.apply(parseAllDocuments(text).map((it) => it.toJS() as KubeObject));
  await inParallel(ADDRESSES, async (at) => {
    const mac = `02:67:0a:6e:${[at >> 8, at & 255].map((octet) => octet.toString(16).padStart(2, '0')).join(':')}`;
    const spec = { phase: 'Locked', node: nodeOf(at), mac, owner: `feed/pod-${at}` };
    const body = { apiVersion: 'gala.internal/v1alpha1', kind: 'IPLock', metadata: { name: addressOf(at) }, spec };
    const { status, body: said } = await bed.request('POST', PATH, body);
    if (status !== 201) throw new Error(`POST ${PATH}: ${status} ${said.message}`);
  });
}

async function inParallel(count: number, act: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** Writes at an even pace, and what they took. */
async function written(bed: Bed, pid: number): Promise<Seen> {
  const took: number[] = [];
  const before = cpuSecondsOf(pid);
  const began = performance.now();
  const limit = pLimit(AT_ONCE);
  const writes: Promise<void>[] = [];
  for (let at = 0; at < WRITES_PER_SECOND * SECONDS; at++) {
    const due = began + (at * 1_000) / WRITES_PER_SECOND;
    const aheadMs = due - performance.now();
    if (aheadMs > 0) await pause(aheadMs);
    writes.push(limit(() => write(bed, at % ADDRESSES)).then((ms) => void took.push(ms)));
  }
  await Promise.all(writes);
  // Of so many writes, however long a busy machine took for them.
  return { corePercent: (100 * (cpuSecondsOf(pid) - before)) / SECONDS, mebibytes: residentOf(pid), writeMs: median(took) };
}

async function write(bed: Bed, at: number): Promise<number> {
  const began = performance.now();
  // Another each time: a write that changes nothing is none, and nobody hears of it.
  const body = { metadata: { annotations: { 'bench/written': `${began}` } } };
  const { status, body: said } = await bed.request('PATCH', `${PATH}/${addressOf(at)}`, body, {
    'content-type': 'application/merge-patch+json',
  });
  if (status !== 200) throw new Error(`PATCH ${addressOf(at)}: ${status} ${said.message}`);
  return performance.now() - began;
}

/** As the agents do it (lib/network/agent/node-view.ts). */
async function watching(bed: Bed): Promise<{ events(): number; close(): void }> {
  const { metadata } = (await bed.request('GET', `${PATH}?limit=1`)).body;
  const authority = Buffer.from(
    JSON.parse(readFileSync(bed.kubeconfig, 'utf8')).clusters[0].cluster['certificate-authority-data'],
    'base64',
  );
  let events = 0;
  const sessions: ClientHttp2Session[] = [];
  for (let first = 0; first < WATCHES; first += STREAMS) {
    const session = connect(bed.url, { ca: authority });
    session.on('error', () => {});
    sessions.push(session);
    await Promise.all(
      Array.from({ length: Math.min(STREAMS, WATCHES - first) }, (_, at) => {
        const query = new URLSearchParams({
          ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: metadata.resourceVersion },
          fieldSelector: `spec.node=${nodeOf(first + at)}`,
        });
        const stream = session.request({ ':path': `${PATH}?${query}`, authorization: `Bearer ${bed.token}` });
        stream.on('data', () => {
          events++;
        });
        return new Promise<void>((resolve, reject) => {
          stream.on('error', reject);
          stream.on('response', (headers) =>
            headers[':status'] === 200 ? resolve() : reject(new Error(`watch: HTTP ${headers[':status']}`)),
          );
        });
      }),
    );
  }
  return { events: () => events, close: () => sessions.forEach((session) => void session.destroy()) };
}

function apiServerOf({ folder }: Bed): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (words.includes('kube-apiserver') && words.includes(folder)) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no kube-apiserver runs in ${folder}`);
}

/** utime and stime (proc(5), fields 14 and 15). */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const residentOf = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
