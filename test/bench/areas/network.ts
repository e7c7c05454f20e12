/** Area `network`: what wiring a pod costs: the CNI shim beside a program that does nothing, the agent beside the reference plugins. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { find, partsOf, REMEDY } from '../../bed/parts.ts';
import { scheduleOf } from '../../network/agent/a-cluster.ts';
import { stageRoot } from '../../tools/image-root.ts';
import { defineArea, type Tools } from '../area.ts';
import { REPOSITORY, runWell } from '../child.ts';
import { median } from '../row.ts';
import { again, TIMES } from './network/again.ts';
import { ec2Figures, onEc2 } from './network/ec2.ts';
import { aStand } from './network/stand.ts';
import { traffic } from './network/traffic.ts';
import { upgrade } from './network/upgrade.ts';
import { WATCHES, WRITES_PER_SECOND, watches } from './network/watches.ts';
import { wired } from './network/wired.ts';

const CHAIN = 'the reference plugins macvlan and static';
const BARE = 'a bare MacVlan pair on the same link';
const BANDWIDTH = 'the reference plugins ptp and bandwidth, as containerd calls them';
/** Of what is counted as bytes of TCP: without headers 10 Mbit/s are 9.6. */
const TEN_MBIT = { from: 9, to: 10.5 };
const UNWATCHED = 'the same writes, and nobody watches';
const NOTHING = 'a static C program that does nothing';
const TURNS = 7;
/** In each turn, of each program. */
const CALLS = 200;

export const network = defineArea({
  name: 'network',
  doc: 'the CNI shim and gala cni beside the reference plugins; needs gcc, a static C library, root and the bed',
  figures: {
    shim: { what: "the CNI shim, an ADD, without the agent's own time", unit: 'ms', bar: { must: '≤', than: 2 }, peer: NOTHING },
    shimMemory: { what: 'the CNI shim, peak memory of an ADD', unit: 'MB', bar: { must: '≤', than: 2 }, peer: NOTHING },
    add: { what: 'an ADD with limits and veth, median', unit: 'ms', peer: CHAIN },
    addRatio: { what: 'the same, over that of the reference plugins, which do less', unit: '×', bar: { must: '≤', than: 1.5 } },
    addSlow: { what: 'an ADD, 99th percentile, over that of the reference plugins', unit: '×', bar: { must: '≤', than: 1.5 } },
    burst: { what: '50 ADDs at once', unit: 'pods/s', peer: CHAIN },
    burstRatio: { what: 'the same, over that of the reference plugins', unit: '×', bar: { must: '≥', than: 1.3 } },
    memory: { what: 'gala cni with 100 pods, resident', unit: 'MB', bar: { must: '≤', than: 120 } },
    throughput: { what: 'pod to pod without a limit, TCP', unit: 'Gbit/s', peer: BARE },
    throughputShare: { what: 'the same, of that of a bare MacVlan pair', unit: '%', bar: { must: '≥', than: 95 } },
    roundTrip: { what: 'pod to pod without a limit, a round trip of 64 bytes', unit: 'µs', peer: BARE },
    roundTripShare: { what: 'the same, over that of a bare MacVlan pair', unit: '×', bar: { must: '≤', than: 1.05 } },
    vlanOut: { what: 'a limit of 10 Mbit/s on a VLAN, what the pod sends', unit: 'Mbit/s', bar: TEN_MBIT, peer: BANDWIDTH },
    vlanIn: { what: 'a limit of 10 Mbit/s on a VLAN, what the pod gets', unit: 'Mbit/s', bar: TEN_MBIT, peer: BANDWIDTH },
    eniOut: { what: 'a limit of 10 Mbit/s on a whole device, what the pod sends', unit: 'Mbit/s', bar: TEN_MBIT, peer: BANDWIDTH },
    eniIn: { what: 'a limit of 10 Mbit/s on a whole device, what the pod gets', unit: 'Mbit/s', bar: TEN_MBIT, peer: BANDWIDTH },
    again: {
      what: `delete + create on a lock: another IP or MAC, or no answer to a neighbour's first packet, of ${TIMES}`,
      unit: '',
      bar: { must: '=', than: 0 },
      peer: CHAIN,
    },
    lost: { what: 'pod starts lost while the agent is replaced, of 50 at once', unit: '', bar: { must: '=', than: 0 } },
    lostSeconds: { what: 'these 50, until the last one has started', unit: 's', peer: 'the same, and the agent stays' },
    ...ec2Figures,
    watchesCpu: {
      what: `API server, ${WRITES_PER_SECOND} writes of IPLocks a second, ${WATCHES} agents that watch theirs`,
      unit: '% of a core',
      bar: { must: '<', than: 100 },
      peer: UNWATCHED,
    },
    watchesMemory: { what: 'the same, resident', unit: 'MiB', peer: UNWATCHED },
    watchesWrite: { what: 'the same, a write', unit: 'ms', peer: UNWATCHED },
    watchesWriteRatio: { what: 'a write, over that without watches', unit: '×', bar: { must: '≤', than: 2 } },
    schedules: {
      what: 'random schedules of faults and kills where an address had two links, or something was left, of 10,000',
      unit: '',
      bar: { must: '=', than: 0 },
    },
  },
  async measure(tools) {
    return {
      ...(await theShim(tools)),
      ...(await theAgent(tools)),
      ...(await onEc2(tools)),
      ...(await theWatches(tools)),
      schedules: { runs: [await wrongSchedules(tools)] },
    };
  },
});

async function theWatches(tools: Tools) {
  const missing = partsOf(['control-plane']).filter((part) => find(part) === undefined);
  if (missing.length > 0) {
    const it = { skipped: `the bed lacks ${missing.join(', ')}. ${REMEDY}` };
    return { watchesCpu: it, watchesMemory: it, watchesWrite: it, watchesWriteRatio: it };
  }
  const { cpu, memory, write, writeRatio } = await watches(tools);
  return { watchesCpu: cpu, watchesMemory: memory, watchesWrite: write, watchesWriteRatio: writeRatio };
}

const PARTS = ['control-plane', 'containernetworking-plugins'] as const;

async function theAgent(tools: Tools) {
  const missing = partsOf(PARTS).filter((part) => find(part) === undefined);
  if (missing.length > 0) return skipped(`the bed lacks ${missing.join(', ')}. ${REMEDY}`);
  if (process.getuid?.() !== 0) return skipped('it needs root: network namespaces');
  const stand = await aStand(tools);
  try {
    const { ours, chain, burst, megabytes } = await wired(stand, tools);
    const { lost, seconds } = await upgrade(stand, tools);
    return {
      add: { runs: ours, peer: chain },
      addRatio: { runs: [median(ours) / median(chain)] },
      addSlow: { runs: [slowest(ours) / slowest(chain)] },
      burst: { runs: burst.ours, peer: burst.chain },
      burstRatio: { runs: [median(burst.ours) / median(burst.chain)] },
      memory: { runs: [megabytes] },
      ...{ lost, lostSeconds: seconds, again: await again(stand, tools) },
      ...(await traffic(stand, tools)),
    };
  } finally {
    await stand.stop();
  }
}

function skipped(why: string) {
  const it = { skipped: why };
  return {
    ...{ add: it, addRatio: it, addSlow: it, burst: it, burstRatio: it, memory: it, lost: it, lostSeconds: it, again: it },
    ...{ throughput: it, throughputShare: it, roundTrip: it, roundTripShare: it, vlanOut: it, vlanIn: it, eniOut: it, eniIn: it },
  };
}

/** Of 60 or 100 the slowest but none: the 99th percentile of so few is the last. */
const slowest = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1]!;

const SCHEDULES = 10_000;
const STEPS = 150;

async function wrongSchedules({ say }: Tools): Promise<number> {
  const seed = Date.now() % 1_000_000;
  let wrong = 0;
  for (let at = 0; at < SCHEDULES; at++) {
    if ((await scheduleOf(seed + at, STEPS)).wrong.length > 0) wrong++;
    if (at % 2_500 === 2_499) say(`${at + 1} of ${SCHEDULES} schedules from seed ${seed}: ${wrong} wrong`);
  }
  return wrong;
}

async function theShim(tools: Tools) {
  const { calls, socket, shim, nothing } = await programs(tools);
  const ms = { runs: [] as number[], peer: [] as number[] };
  const megabytes = { runs: [] as number[], peer: [] as number[] };
  for (let turn = 1; turn <= TURNS; turn++) {
    const ours = await calls(shim, socket);
    const theirs = await calls(nothing, '-');
    ms.runs.push(ours.ms);
    ms.peer.push(theirs.ms);
    megabytes.runs.push(ours.megabytes);
    megabytes.peer.push(theirs.megabytes);
    tools.say(`turn ${turn} of ${TURNS}: ${ours.ms.toFixed(2)} ms, ${NOTHING} ${theirs.ms.toFixed(2)} ms`);
  }
  return { shim: ms, shimMemory: megabytes };
}

interface Called {
  /** Median of a call. */
  readonly ms: number;
  /** Of the largest. */
  readonly megabytes: number;
}

async function programs({ folder }: Tools) {
  stageRoot('shim', join(folder, 'stage'));
  const source = (name: string) => join(REPOSITORY, 'test/bench/areas/network', `${name}.c`);
  const compiled = async (name: string) => {
    await runWell(['gcc', '-std=gnu11', '-Os', '-static', '-s', '-o', join(folder, name), source(name)]);
    return join(folder, name);
  };
  const [runner, nothing] = [await compiled('calls'), await compiled('nothing')];
  const [socket, config] = [join(folder, 'cni.sock'), join(folder, 'config.json')];
  writeFileSync(config, JSON.stringify({ cniVersion: '1.1.0', name: 'gala', type: 'gala', socket }));
  const calls = async (program: string, socket: string): Promise<Called> => {
    const { stdout } = await runWell([runner, `${CALLS}`, config, socket, program]);
    // Microseconds of the call, of them the agent's, and KiB. Until it is the program, a child has the memory of `calls`
    // (posix_spawn shares it), so no value is below that of a small static program.
    const all = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [number, number, number]);
    return {
      ms: median(all.map(([took, ofAgent]) => took - ofAgent)) / 1000,
      megabytes: (Math.max(...all.map(([, , kib]) => kib)) * 1024) / 1e6,
    };
  };
  return { calls, socket, shim: join(folder, 'stage/shim/gala'), nothing };
}
