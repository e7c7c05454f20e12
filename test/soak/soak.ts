/**
 * The soak: eight users lock and unlock at the same time, two replicas of the lock writer serve them through an API that fails, and
 * are killed at any moment. After every round nothing may have been given twice; after every tenth nothing may be left.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../lib/kube/client.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import type { Started } from '../bed/process.ts';
import { type FaultProxy, type Plan, randomFaults, startFaultProxy } from '../bed/proxy.ts';
import { type Dice, dice } from '../scheduling/dice.ts';
import { makeNodes, type WriterBed, writerBed } from '../scheduling/writer/bed-writers.ts';
import { lockOnce } from './locker.ts';
import { type Witness, witness } from './witness.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Users at a time. @default 8 */
  readonly lockers?: number;
  /** Share of requests that something happens to. @default 0.03 */
  readonly rate?: number;
  readonly say?: (line: string) => void;
}

export interface Soaked {
  readonly rounds: number;
  readonly kills: number;
  readonly requests: number;
  readonly faults: number;
  readonly locks: Readonly<Record<string, number>>;
  readonly pods: number;
}

/** A minute of ttl and hold passes in three seconds. */
const SPEED = 20;
const REPLICA = { speed: SPEED, looseHoldMs: 20_000, leaseMs: 2_000, renewMs: 1_500, retryMs: 200 };
/** Fewer than eight users may ask for, so that some get none. */
const ADDRESSES = 64;
const LEFT_SECONDS = 240;

/** Rejects with what was given twice, leaked, or never came. */
export async function soak({ seed, rounds, lockers = 8, rate = 0.03, say = () => {} }: SoakOptions): Promise<Soaked> {
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  const ending = new AbortController();
  const api = await connect({ kubeconfig: bed.kubeconfig, userAgent: 'gala-soak' });
  try {
    const all = await writerBed(bed, { addresses: ADDRESSES });
    await makeNodes(all, 6, { cpu: 16, memory: '256Gi' });
    const seen = await witness(api, ending.signal);
    const replicas = await startReplicas(bed, all, seed, rate);
    const locks: Record<string, number> = {};
    let pods = 0;
    for (let round = 0; round < rounds; round++) {
      const chance = dice(seed * 100_003 + round);
      const killing = replicas.disturb(chance);
      const users = Array.from({ length: lockers }, (_, at) =>
        lockOnce({ bed: all, seen, chance: dice(chance.upTo(2 ** 31)), name: `r${round}-${at}`, owner: `owner-${at % 3}` }),
      );
      const told = await Promise.all(users).catch((error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${(error as Error).message}\n${replicas.lastLines()}`, { cause: error });
      });
      await killing;
      for (const { phase = 'taken back', pods: some } of told) {
        locks[phase] = (locks[phase] ?? 0) + 1;
        pods += some;
      }
      if (round % 10 === 9 || round === rounds - 1) await nothingLeft(bed, seen, `seed ${seed}, round ${round}`);
      if (seen.violations.length > 0)
        throw new Error(`seed ${seed}, round ${round}: ${seen.violations.join('\n')}\n${replicas.lastLines()}`);
      if (round % 10 === 9) say(`round ${round + 1} of ${rounds}: ${JSON.stringify({ ...locks, pods, ...replicas.counts() })}`);
    }
    return { rounds, locks, pods, ...replicas.counts() };
  } finally {
    ending.abort();
    api.close();
    await bed.stop();
  }
}

async function nothingLeft(bed: Bed, seen: Witness, when: string): Promise<void> {
  const end = Date.now() + LEFT_SECONDS * 1_000;
  while (seen.ipLocks.size > 0) {
    if (Date.now() > end) {
      const left = seen.ipLocks.list();
      const said = left.map(({ metadata, spec }) => `${metadata.name} ${JSON.stringify(spec)}`);
      // Whether it is there, or the witness has not heard that it is gone.
      const there = await Promise.all(
        left.map(({ metadata }) => bed.request('GET', `/apis/gala.internal/v1alpha1/iplocks/${metadata.name}`)),
      );
      said.push(...there.map(({ status, body }) => `asked for it: ${status} ${JSON.stringify(body).slice(0, 800)}`));
      const about = linesAbout(
        bed.folder,
        left.flatMap(({ metadata, spec }) => [`"${metadata.name}"`, `${spec.lock?.name}`, 'leader']),
      );
      throw new Error(`${when}: leaked, ${LEFT_SECONDS} s after everybody has gone:\n${[...said, ...about].join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What all replicas that there were have written of these words, in its order; the end of it. */
function linesAbout(folder: string, words: readonly string[]): string[] {
  const logs = readdirSync(folder).filter((name) => /^writer-.*\.log$/.test(name));
  const lines = logs.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  return lines
    .filter((line) => words.some((word) => line.includes(word)))
    .sort()
    .slice(-80);
}

async function startReplicas(bed: Bed, all: WriterBed, seed: number, rate: number) {
  const proxies = new Map<string, FaultProxy>();
  const running = new Map<string, Started>();
  const names = ['one', 'two'];
  for (const [at, name] of names.entries()) proxies.set(name, await startFaultProxy(bed, faults(dice(seed + at), rate)));
  const begin = (name: string) => void running.set(name, all.replica({ name, kubeconfig: proxies.get(name)?.kubeconfig, ...REPLICA }));
  names.forEach(begin);
  let kills = 0;
  return {
    counts() {
      const counts = [...proxies.values()].map((proxy) => proxy.counts);
      const sum = (field: 'requests' | 'faults') => counts.reduce((total, it) => total + it[field], 0);
      return { kills, requests: sum('requests'), faults: sum('faults') };
    },
    lastLines: () => names.map((name) => `${name}:\n${running.get(name)?.lastLines(8)}`).join('\n'),
    /** In a third of the rounds one is killed, now and then both, and begun again some time later. */
    async disturb(chance: Dice): Promise<void> {
      if (!chance.chance(0.35)) return;
      const ending = chance.chance(0.2) ? names : [chance.pick(names)];
      await new Promise((resolve) => setTimeout(resolve, chance.upTo(1_000)));
      kills += ending.length;
      await Promise.all(ending.map((name) => running.get(name)?.kill()));
      await new Promise((resolve) => setTimeout(resolve, chance.upTo(500)));
      ending.forEach(begin);
    },
  };
}

/** Faults of the proxy, and conflicts that never were. A watch that goes mute is found after two minutes: lib/kube is tried on that. */
export function faults(chance: Dice, rate: number): Plan {
  const random = () => chance.upTo(2 ** 30) / 2 ** 30;
  const any = randomFaults(random, rate);
  return (asked) => {
    if (!asked.watch && asked.method !== 'GET' && chance.chance(rate / 4)) return { do: 'answer', status: 409 };
    const fault = any(asked);
    return fault?.do === 'mute' ? { do: 'stale', ms: chance.upTo(3_000) } : fault;
  };
}
