/**
 * The soak of the network: pods come and go on two hosts, each with `gala cni` as it is published, a runtime that calls twice and is
 * restarted, and an API server that fails and loses answers; in each round agents are killed by -9. The real lock writer gives out
 * fewer addresses than would do, so that each is given on at once, to the other host too. At no moment may two sandboxes have one
 * address; after each round nothing may be left on a host, and after every fifth nothing in the API server.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../lib/kube/client.ts';
import { startControlPlane } from '../bed/control-plane.ts';
import { type FaultProxy, startFaultProxy } from '../bed/proxy.ts';
import { compiledShim } from '../network/a-shim.ts';
import { type Dice, dice } from '../scheduling/dice.ts';
import { aGatedPod, makeNodes, type WriterBed, writerBed } from '../scheduling/writer/bed-writers.ts';
import { bundle } from '../tools/bundle.ts';
import { aHost, type Host, type Sandbox } from './host.ts';
import { faults, type SoakOptions } from './soak.ts';
import { type Witness, witness } from './witness.ts';

export interface NetworkSoaked {
  readonly rounds: number;
  readonly kills: number;
  readonly requests: number;
  readonly faults: number;
  /** ADDs with a result, and those that were to be tried again. */
  readonly added: number;
  readonly refused: number;
  readonly pods: number;
  readonly runtimeRestarts: number;
}

const PODS = 6;
/** Fewer than pods and those that are Held of the round before. */
const ADDRESSES = 8;
const HOSTS = ['r12-01', 'r12-02'];
const GATEWAY = '10.110.0.1';
const LEFT_SECONDS = 150;
const ROOT = join(import.meta.dirname, '../..');

/** Rejects with the address that two had, what was left, or what never came. */
export async function networkSoak({ seed, rounds, rate = 0.03, say = () => {} }: SoakOptions): Promise<NetworkSoaked> {
  const folder = mkdtempSync(join(tmpdir(), 'gala-soak-'));
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  // The last one first, when all processes have ended.
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const atEnd = (act: () => unknown) => void ends.push(act);
  const ending = new AbortController();
  const api = await connect({ kubeconfig: bed.kubeconfig, userAgent: 'gala-soak' });
  const counts = { kills: 0, added: 0, refused: 0, pods: 0, runtimeRestarts: 0 };
  try {
    const all = await writerBed(bed, { addresses: ADDRESSES });
    await nodes(all);
    const seen = await witness(api, ending.signal);
    const shim = compiledShim(folder);
    await bundle(join(folder, 'build/bin'));
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    const proxies: FaultProxy[] = [];
    const aProxy = async () => {
      const proxy = await startFaultProxy(bed, faults(dice(seed + proxies.length), rate));
      proxies.push(proxy);
      return proxy;
    };
    const replica = { speed: 20, looseHoldMs: 20_000, leaseMs: 2_000, renewMs: 1_500, retryMs: 200 };
    const writer = all.replica({ name: 'one', kubeconfig: (await aProxy()).kubeconfig, ...replica });
    const wireNetns = aWire(atEnd);
    const programs = { shim, wire: join(folder, 'stage/shim/gala-wire'), probe: join(folder, 'stage/shim/gala-probe') };
    const gala = join(folder, 'build/bin/gala.js');
    const hosts: Host[] = [];
    for (const [at, name] of HOSTS.entries())
      hosts.push(await aHost({ name, folder, proxy: await aProxy(), ...programs, gala, wireNetns, ip: `10.8.1.${11 + at}`, bed, atEnd }));
    const lastLines = () => [...hosts.map((host) => host.lastLines()), `writer:\n${writer.lastLines(15)}`].join('\n');
    const owners = watched(hosts);

    for (let round = 0; round < rounds; round++) {
      const chance = dice(seed * 100_003 + round);
      const pods = Array.from({ length: PODS }, (_, at) =>
        onePod({ bed: all, seen, hosts, chance: dice(chance.upTo(2 ** 31)), name: `r${round}-${at}`, counts, owners }),
      );
      await Promise.all([...pods, disturbed(hosts, chance, counts)]).catch((error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${(error as Error).message}\n${lastLines()}`, { cause: error });
      });
      const when = `seed ${seed}, round ${round}`;
      if (owners.violations.length > 0) throw new Error(`${when}: ${owners.violations.join('\n')}\n${lastLines()}`);
      await nothing(when, () => hosts.flatMap((host) => host.left().map((one) => `${host.name}: ${one}`)), lastLines);
      if (round % 5 === 4 || round === rounds - 1)
        await nothing(
          when,
          () => [...seen.ipLocks.values()].map(({ metadata, spec, status }) => JSON.stringify([metadata.name, spec, status])),
          lastLines,
        );
      if (round % 10 === 9) say(`round ${round + 1} of ${rounds}: ${JSON.stringify(counts)}`);
    }
    const sum = (field: 'requests' | 'faults') => proxies.reduce((total, { counts }) => total + counts[field], 0);
    return { rounds, ...counts, requests: sum('requests'), faults: sum('faults') };
  } finally {
    ending.abort();
    api.close();
    await bed.stop();
    for (const end of ends.toReversed()) await end();
  }
}

async function nodes(bed: WriterBed): Promise<void> {
  await makeNodes(bed, HOSTS.length, { cpu: 16, memory: '256Gi' });
  for (const [at, name] of HOSTS.entries()) {
    const machineID = `ab1${at}`;
    const addresses = [{ type: 'InternalIP', address: `10.8.1.${11 + at}` }];
    await bed.send('PATCH', `/api/v1/nodes/${name}/status`, { status: { addresses, nodeInfo: { machineID } } });
    await bed.send('POST', '/apis/gala.internal/v1alpha1/nodenetworks', {
      ...{ apiVersion: 'gala.internal/v1alpha1', kind: 'NodeNetwork', metadata: { name } },
      spec: { pool: 'web', trunk: 'bond0', machineID },
    });
  }
}

/** The bridge that all hosts are on, and the gateway of the VLAN. */
function aWire(atEnd: (act: () => unknown) => void): string {
  const name = `gala-soak-${process.pid}-wire`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  ip('netns', 'add', name);
  atEnd(() => ip('netns', 'del', name));
  ip('-n', name, 'link', 'add', 'wire', 'type', 'bridge');
  ip('-n', name, 'addr', 'add', `${GATEWAY}/16`, 'dev', 'wire');
  ip('-n', name, 'link', 'set', 'wire', 'up');
  return name;
}

interface Owners {
  /** Looks at all sandboxes of all hosts. */
  look(): Promise<void>;
  readonly violations: string[];
}

function watched(hosts: readonly Host[]): Owners {
  const violations: string[] = [];
  return {
    violations,
    async look() {
      const by = new Map<string, Sandbox>();
      for (const { ip, sandbox } of (await Promise.all(hosts.map((host) => host.addresses()))).flat()) {
        const other = by.get(ip);
        if (other !== undefined) violations.push(`${ip} is in two sandboxes: ${JSON.stringify([other, sandbox])}`);
        by.set(ip, sandbox);
      }
    },
  };
}

/** Agents are killed and begun again, one after the other; now and then a runtime is away for a moment. */
async function disturbed(hosts: readonly Host[], chance: Dice, counts: { kills: number; runtimeRestarts: number }): Promise<void> {
  const restarted = chance.chance(0.3) ? runtimeRestarted(chance.pick(hosts), chance.upTo(1_500)) : undefined;
  if (restarted) counts.runtimeRestarts++;
  for (let kills = chance.between(2, 4); kills > 0; kills--) {
    const host = chance.pick(hosts);
    await pause(chance.upTo(2_500));
    counts.kills++;
    await host.kill();
    await pause(chance.upTo(500));
    await host.begin();
  }
  await restarted;
}

async function runtimeRestarted(host: Host, awayMs: number): Promise<void> {
  await host.runtimeAway();
  await pause(awayMs);
  await host.runtimeBack();
}

interface PodOptions {
  readonly bed: WriterBed;
  readonly seen: Witness;
  readonly hosts: readonly Host[];
  readonly chance: Dice;
  readonly name: string;
  readonly counts: { added: number; refused: number; pods: number };
  readonly owners: Owners;
}

/** What kubelet and runtime do of a pod, from its creation to its end. */
async function onePod({ bed, seen, hosts, chance, name, counts, owners }: PodOptions): Promise<void> {
  await pause(chance.upTo(1_000));
  await bed.send('POST', '/api/v1/namespaces/feed/pods', aGatedPod(name));
  const pod = await until(`${name} has a slot`, () => {
    const found = seen.pods.get(`feed/${name}`);
    return found?.node === undefined ? undefined : found;
  });
  const host = hosts.find((one) => one.name === pod.node)!;
  await bed.send('POST', `/api/v1/namespaces/feed/pods/${name}/binding`, {
    ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: host.name } },
  });
  counts.pods++;
  // Some live on in a second sandbox: the first one's process died.
  const lives = chance.chance(0.2) ? 2 : 1;
  for (let life = 0; life < lives; life++) {
    const sandbox = await wired(host, { name, uid: pod.uid }, chance, counts);
    await owners.look();
    const own = [...seen.ipLocks.values()].filter(({ spec }) => spec.podUID === pod.uid);
    const has = (await host.addresses()).filter((one) => one.sandbox.id === sandbox.id).map(({ ip }) => ip);
    if (own.length !== 1 || has.join() !== own[0]!.metadata.name)
      throw new Error(`${name} on ${host.name} has ${has}; its IPLocks are ${own.map(({ metadata }) => metadata.name)}`);
    await pause(chance.upTo(1_500));
    const isLast = life === lives - 1;
    // By force, now and then: the object goes before the links do.
    if (isLast && chance.chance(0.3)) await bed.remove(name);
    await gone(host, sandbox, chance);
    if (isLast && seen.pods.get(`feed/${name}`) !== undefined) await bed.remove(name).catch(() => {});
  }
}

/** As the kubelet: a failed sandbox is taken down, and another one made. */
async function wired(host: Host, pod: { name: string; uid: string }, chance: Dice, counts: PodOptions['counts']): Promise<Sandbox> {
  for (let tries = 0; ; tries++) {
    const sandbox = host.aSandbox(pod);
    // A call whose answer was lost is made again.
    const twice = chance.chance(0.15);
    const [told] = await Promise.all([host.call('ADD', sandbox), ...(twice ? [host.call('ADD', sandbox)] : [])]);
    if (told!.code === 0) {
      counts.added++;
      host.runs(sandbox);
      return sandbox;
    }
    counts.refused++;
    if (tries > 60) throw new Error(`${pod.name} on ${host.name}: ${JSON.stringify(told!.out)}`);
    await gone(host, sandbox, chance);
    await pause(500);
  }
}

async function gone(host: Host, sandbox: Sandbox, chance: Dice): Promise<void> {
  for (let tries = 0; (await host.call('DEL', sandbox)).code !== 0; tries++) {
    if (tries > 60) throw new Error(`${sandbox.podName}: DEL failed 60 times`);
    await pause(200);
  }
  if (chance.chance(0.15)) await host.call('DEL', sandbox);
  host.remove(sandbox);
}

async function nothing(when: string, left: () => readonly string[], lastLines: () => string): Promise<void> {
  const end = Date.now() + LEFT_SECONDS * 1_000;
  while (left().length > 0) {
    if (Date.now() > end)
      throw new Error(`${when}: left ${LEFT_SECONDS} s after everybody has gone:\n${left().join('\n')}\n${lastLines()}`);
    await pause(100);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until<T>(what: string, right: () => T | undefined): Promise<T> {
  const end = Date.now() + 240_000;
  for (;;) {
    const found = right();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not so after 240 s: ${what}`);
    await pause(20);
  }
}
