/**
 * What pods send each other: without a limit beside a bare pair of MacVlans on the same link, and with one of 10 Mbit/s, in and out,
 * on a MacVlan and on a whole device (a veth that is moved as an ENI is), beside the reference plugins for it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { until } from '../../../bed/process.ts';
import type { Measured, Tools } from '../../area.ts';
import { runWell } from '../../child.ts';
import { median } from '../../row.ts';
import { addressOf, compiledTraffic, type Host, type Stand } from './stand.ts';

/** One end of what is measured. */
export interface End {
  readonly host: Host;
  /** Undefined: the host's own. */
  readonly netns?: string;
  readonly ip: string;
}

const PORT = '5201';
/** A busy machine is busy for both of a pair: many short turns of both, and their medians. */
const TURNS = 21;
const TURN_MS = 400;
const ROUND_TRIPS = 4_000;
const LIMIT_TURNS = 3;
/** 2.5 MB, so that what the burst lets through at once is little of it. */
const LIMIT_MS = 2_000;
const LIMITS = { 'kubernetes.io/egress-bandwidth': '10M', 'kubernetes.io/ingress-bandwidth': '10M' };

type Pair = readonly [End, End];

const within = ({ host, netns }: End, ...command: [string, ...string[]]): [string, ...string[]] =>
  netns === undefined ? [...host.within(command)] : ['nsenter', `--net=/var/run/netns/${netns}`, ...command];

/** Both programs at once. @returns what the one that is named by `tells` printed */
async function together(server: [string, ...string[]], client: [string, ...string[]], tells: 'server' | 'client'): Promise<number[]> {
  const [at, from] = await Promise.all([runWell(server), runWell(client)]);
  return (tells === 'server' ? at : from).stdout.trim().split(' ').map(Number);
}

export function trafficOf(program: string) {
  return {
    /** Mbit/s of what arrives. */
    async rate(from: End, to: End, ms: number): Promise<number> {
      const take = within(to, program, 'take', PORT, `${ms}`);
      const [bytes, us] = await together(take, within(from, program, 'send', to.ip, PORT), 'server');
      return (bytes! * 8) / us!;
    },
    /** Median of the round trips, in microseconds. */
    async roundTrip(from: End, to: End): Promise<number> {
      const ask = within(from, program, 'ask', to.ip, PORT, `${ROUND_TRIPS}`);
      return (await together(within(to, program, 'echo', PORT), ask, 'client'))[0]!;
    },
    /** Whether one packet, and no second, is answered. */
    async first(from: End, to: string): Promise<boolean> {
      const [command, ...rest] = within(from, program, 'first', to);
      return await new Promise((resolve, reject) => {
        spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
          .on('error', reject)
          .on('close', (code) => resolve(code === 0));
      });
    },
  };
}

export interface Traffic {
  readonly throughput: Measured;
  readonly throughputShare: Measured;
  readonly roundTrip: Measured;
  readonly roundTripShare: Measured;
  readonly vlanOut: Measured;
  readonly vlanIn: Measured;
  readonly eniOut: Measured;
  readonly eniIn: Measured;
}

export async function traffic(stand: Stand, { folder, say }: Tools): Promise<Traffic> {
  const { onVlan, onEni, shimFor, limit } = stand;
  const { rate, roundTrip } = trafficOf(await compiledTraffic(folder));
  const added: (() => Promise<unknown>)[] = [];
  async function aPod(host: Host, pod: number | 'eni', ip: string, limits = {}): Promise<End> {
    await limit(pod, limits);
    const netns = host.aNetns();
    await host.call('ADD', netns, shimFor(pod));
    added.push(() => host.call('DEL', netns, shimFor(pod)).then(() => host.remove(netns)));
    // What the watch says of the annotation may come after the ADD.
    const shaped = () => within({ host, netns, ip }, 'tc', 'qdisc');
    const wanted = Object.keys(limits).length;
    await until(`${ip} has ${wanted} limits`, [], 30, async () => printed(shaped()).split(' tbf ').length - 1 === wanted);
    return { host, netns, ip };
  }

  const ours: Pair = [await aPod(onVlan, 0, addressOf(0)), await aPod(onVlan, 1, addressOf(1))];
  const bare: Pair = [aBarePod(onVlan, '10.110.1.201'), aBarePod(onVlan, '10.110.1.202')];
  const throughput = await inTurns(TURNS, [ours, bare], async ([a, b]) => (await rate(a, b, TURN_MS)) / 1000);
  say(`without a limit: ${median(throughput.runs).toFixed(1)} Gbit/s, bare ${median(throughput.peer).toFixed(1)} Gbit/s`);
  const trips = await inTurns(TURNS, [ours, bare], ([a, b]) => roundTrip(a, b));
  say(`a round trip: ${median(trips.runs).toFixed(1)} µs, bare ${median(trips.peer).toFixed(1)} µs`);

  const limitedOnVlan = await aPod(onVlan, 2, addressOf(2), LIMITS);
  const limitedOnEni = await aPod(onEni, 'eni', '10.16.4.21', LIMITS);
  const router = routerOf(onEni);
  const reference = await theReference(onVlan);
  added.push(reference.remove);
  const limited = async (a: End, b: End, ofReference: Pair) => {
    const all = await inTurns(LIMIT_TURNS, [[a, b] as const, ofReference], ([from, to]) => rate(from, to, LIMIT_MS));
    say(`10 Mbit/s, ${a.ip} to ${b.ip}: ${median(all.runs).toFixed(2)}, the reference plugins ${median(all.peer).toFixed(2)}`);
    return all;
  };
  const [out, back]: [Pair, Pair] = [
    [reference.pod, reference.host],
    [reference.host, reference.pod],
  ];
  const limits = {
    vlanOut: await limited(limitedOnVlan, ours[0], out),
    vlanIn: await limited(ours[0], limitedOnVlan, back),
    eniOut: await limited(limitedOnEni, router, out),
    eniIn: await limited(router, limitedOnEni, back),
  };
  for (const end of added) await end();
  for (const { host, netns } of [...bare, router]) host.remove(netns!);
  return {
    ...{ throughput, roundTrip: trips },
    throughputShare: { runs: [(100 * median(throughput.runs)) / median(throughput.peer)] },
    roundTripShare: { runs: [median(trips.runs) / median(trips.peer)] },
    ...limits,
  };
}

/** Ours and the peer's, one after the other. */
async function inTurns(turns: number, [ours, theirs]: readonly [Pair, Pair], measure: (pair: Pair) => Promise<number>) {
  const runs: number[] = [];
  const peer: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    runs.push(await measure(ours));
    peer.push(await measure(theirs));
  }
  return { runs, peer };
}

const printed = ([command, ...rest]: readonly [string, ...string[]], input = ''): string =>
  execFileSync(command, rest, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });

/** A MacVlan on the same link, made by hand. */
function aBarePod(host: Host, ip: string): End {
  const netns = host.aNetns();
  host.ip(...['link', 'add', 'link', 'bond0.110', 'name', 'eth0', 'netns', `/var/run/netns/${netns}`, 'type', 'macvlan', 'mode', 'bridge']);
  setUp(host, netns, `${ip}/23`);
  return { host, netns, ip };
}

/** What is at the other end of the device that stands for an ENI. */
function routerOf(host: Host): End {
  const netns = host.aNetns();
  const ip = '10.16.4.1';
  host.ip('link', 'set', 'wire', 'netns', `/var/run/netns/${netns}`, 'name', 'eth0');
  setUp(host, netns, `${ip}/24`);
  return { host, netns, ip };
}

function setUp(host: Host, netns: string, address: string): void {
  const end = { host, netns, ip: address };
  printed(within(end, 'ip', 'addr', 'add', address, 'dev', 'eth0'));
  printed(within(end, 'ip', 'link', 'set', 'eth0', 'up'));
}

/**
 * The plugins ptp and bandwidth. containerd gives bandwidth a burst of math.MaxUint32 bits (internal/cri/server/sandbox_run.go,
 * toCNIBandWidth): its first half GB is not limited.
 */
async function theReference(host: Host) {
  const netns = host.aNetns();
  const [address, gateway] = ['10.9.0.2', '10.9.0.1'];
  const ipam = { type: 'static', addresses: [{ address: `${address}/24`, gateway }] };
  const ptp = { program: '/usr/lib/cni/ptp', config: { cniVersion: '1.0.0', name: 'chain', type: 'ptp', ipam } };
  const { out } = await host.call('ADD', netns, ptp);
  const [rate, burst] = [10e6, 2 ** 32 - 1];
  const bandwidth = {
    program: '/usr/lib/cni/bandwidth',
    config: {
      ...{ cniVersion: '1.0.0', name: 'chain', type: 'bandwidth', prevResult: JSON.parse(out) },
      runtimeConfig: { bandwidth: { ingressRate: rate, ingressBurst: burst, egressRate: rate, egressBurst: burst } },
    },
  };
  await host.call('ADD', netns, bandwidth);
  return {
    pod: { host, netns, ip: address } satisfies End,
    host: { host, ip: gateway } satisfies End,
    async remove() {
      await host.call('DEL', netns, bandwidth);
      await host.call('DEL', netns, ptp);
      host.remove(netns);
    },
  };
}
