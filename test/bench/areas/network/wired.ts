/** What an ADD of `gala cni` costs, one at a time and fifty at once, beside the chain of reference plugins, one after the other. */
import { readFileSync } from 'node:fs';
import type { Tools } from '../../area.ts';
import { median } from '../../row.ts';
import { chainFor, type Host, type Plugin, PODS, type Stand } from './stand.ts';

export interface Wired {
  /** Milliseconds of an ADD. */
  readonly ours: readonly number[];
  readonly chain: readonly number[];
  /** Pods a second, of each burst. */
  readonly burst: { readonly ours: readonly number[]; readonly chain: readonly number[] };
  /** Resident, with all pods wired. */
  readonly megabytes: number;
}

const ADDS = 60;
export const BURST = 50;
const BURSTS = 5;

export async function wired({ onVlan: host, shimFor }: Stand, { say }: Tools): Promise<Wired> {
  const times = { ours: [] as number[], chain: [] as number[] };
  for (let at = 0; at < ADDS; at++) {
    times.ours.push(await once(host, shimFor(at % PODS)));
    times.chain.push(await once(host, chainFor(at % PODS)));
  }
  say(`an ADD: ${median(times.ours).toFixed(1)} ms, the chain ${median(times.chain).toFixed(1)} ms`);
  const burst = { ours: [] as number[], chain: [] as number[] };
  for (let turn = 0; turn < BURSTS; turn++) {
    burst.ours.push(await atOnce(host, shimFor));
    burst.chain.push(await atOnce(host, chainFor));
  }
  say(`${BURST} at once: ${median(burst.ours).toFixed(1)} pods/s, the chain ${median(burst.chain).toFixed(1)} pods/s`);
  const spaces = Array.from({ length: PODS }, () => host.aNetns());
  for (const [pod, netns] of spaces.entries()) await host.call('ADD', netns, shimFor(pod));
  const megabytes = (Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))![1]) * 1024) / 1e6;
  say(`${PODS} pods: ${megabytes.toFixed(0)} MB`);
  for (const [pod, netns] of spaces.entries()) await host.call('DEL', netns, shimFor(pod));
  for (const netns of spaces) host.remove(netns);
  return { ...times, burst, megabytes };
}

async function once(host: Host, plugin: Plugin): Promise<number> {
  const netns = host.aNetns();
  const { ms } = await host.call('ADD', netns, plugin);
  await host.call('DEL', netns, plugin);
  host.remove(netns);
  return ms;
}

/** @returns pods a second */
async function atOnce(host: Host, of: (pod: number) => Plugin): Promise<number> {
  const spaces = Array.from({ length: BURST }, () => host.aNetns());
  const began = performance.now();
  await Promise.all(spaces.map((netns, pod) => host.call('ADD', netns, of(pod))));
  const took = performance.now() - began;
  await Promise.all(spaces.map((netns, pod) => host.call('DEL', netns, of(pod))));
  for (const netns of spaces) host.remove(netns);
  return BURST / (took / 1000);
}
