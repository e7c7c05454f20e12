/**
 * Allocatable: what a pool's hosts will have for pods, told from the definition alone. The kubelet drop-ins that are rendered keep
 * the rest back by the same functions, so that a host which comes up has what was counted with.
 */
import type { Machine, Pool } from './cluster.ts';
import { cpusOf } from './cpu-list.ts';
import { type InstanceType, instanceType } from './instance-types.ts';
import { toNumber } from './quantity.ts';
import { size } from './range.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** Pods on a host's network that other people bring, where the definition doesn't say (`kubelet.otherPods`). */
export const OTHER_PODS = 5;

/** The kubelet's own maxPods, where another CNI decides how many there are. */
export const KUBELET_MAX_PODS = 110;

export interface Reservation {
  readonly cpu: number;
  readonly memoryBytes: number;
}

/**
 * What is kept where the definition names nothing, from the figures the large clouds publish for their own nodes.
 * CPU: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest (GKE), rounded up to 10m.
 * Memory: 255Mi and 11Mi a pod (EKS), and 1 % of the machine for the system's own growth, rounded up to 1Mi.
 * @example defaultReservation({ cpu: 64, memoryBytes: 256 * 2 ** 30, maxPods: 80 }) // { cpu: 0.23, memoryBytes: 3757Mi }
 */
export function defaultReservation(machine: { readonly cpu: number; readonly memoryBytes: number; readonly maxPods: number }): Reservation {
  const tier = (from: number, to: number, share: number) => Math.max(0, Math.min(machine.cpu, to) - from) * share;
  const cpu = tier(0, 1, 0.06) + tier(1, 2, 0.01) + tier(2, 4, 0.005) + tier(4, Number.POSITIVE_INFINITY, 0.0025);
  const memoryMiB = 255 + 11 * machine.maxPods + machine.memoryBytes / MiB / 100;
  // 1e-9: 0.23 as a sum of shares is a hair above 0.23.
  return { cpu: Math.ceil(cpu * 100 - 1e-9) / 100, memoryBytes: Math.ceil(memoryMiB - 1e-9) * MiB };
}

/** What a kubelet is told that makes a difference here. */
interface Kubelet {
  readonly cpuManagerPolicy?: string;
  readonly reservedSystemCPUs?: string;
  readonly evictionHard?: Readonly<Partial<Record<string, string>>>;
  readonly otherPods?: number;
}

type Sized = Pick<Machine, 'cpu' | 'memoryBytes' | 'reserved'>;

/** What a machine keeps for the system and the kubelet. */
export function reservationOf(machine: Sized, kubelet: Kubelet | undefined, maxPods: number): Reservation {
  if (machine.reserved !== undefined) return machine.reserved;
  const { cpu, memoryBytes } = defaultReservation({ ...machine, maxPods });
  const listed = kubelet?.reservedSystemCPUs === undefined ? undefined : cpusOf(kubelet.reservedSystemCPUs)?.length;
  // The static policy hands out whole CPUs, so it keeps whole ones.
  return { cpu: listed ?? (kubelet?.cpuManagerPolicy === 'static' ? Math.ceil(cpu) : cpu), memoryBytes };
}

/** The hard threshold of `memory.available` where the definition names none: 1 %, from 200Mi to 2Gi. */
export function defaultEvictionBytes(memoryBytes: number): number {
  return Math.min(2 * GiB, Math.max(200 * MiB, Math.floor(memoryBytes / 100 / MiB) * MiB));
}

/**
 * A memory threshold in bytes; undefined for a percentage of an unknown machine or no threshold at all.
 * 0 for `0%` and `100%`, which the kubelet takes for "no threshold" (pkg/kubelet/eviction/helpers.go).
 */
export function thresholdBytes(threshold: string, memoryBytes: number | undefined): number | undefined {
  const percent = /^([0-9]{1,3}(?:\.[0-9]+)?)%$/.exec(threshold)?.[1];
  if (threshold === '0%' || threshold === '100%') return 0;
  if (percent !== undefined) return memoryBytes === undefined ? undefined : Math.floor((memoryBytes * Number(percent)) / 100);
  return isPositiveQuantity(threshold) ? toNumber(threshold) : undefined;
}

/** True for `'50Mi'`; the text is an operator's. */
export function isPositiveQuantity(text: string): boolean {
  try {
    return toNumber(text) > 0;
  } catch {
    return false;
  }
}

/** The machine of an EC2 pool that doesn't describe it: the least CPU and the least memory of its types; undefined where none is known. */
export function leastMachine(instanceTypes: readonly string[]): { readonly cpu: number; readonly memoryBytes: number } | undefined {
  const types = instanceTypes.map(instanceType).filter((type) => type !== undefined);
  if (types.length === 0) return undefined;
  const least = (of: (type: InstanceType) => number) => Math.min(...types.map(of));
  return { cpu: least(({ vcpus }) => vcpus), memoryBytes: least(({ memoryMiB }) => memoryMiB) * MiB };
}

/** How many pods a node can wire; of the hosts of one rack, the VLANs that are trunked to it count. */
export function wirablePods(pool: Pool, rack?: string): number {
  if (pool.shape !== 'intranet' || rack === undefined) return pool.wirablePods;
  const addresses = pool.vlans.filter(({ racks }) => racks.includes(rack)).reduce((sum, { range }) => sum + size(range), 0);
  // The pool's number has macsPerPort and the kubelet's own limit in it.
  return Math.min(addresses, pool.wirablePods);
}

/** A Node's allocatable, by its own names; `cpu` and `memory` are left out where nobody describes the machine. */
export type Allocatable = Readonly<{ cpu?: number; memory?: number; pods: number }>;

/**
 * What pods that are wired may have of a host: the machine less what is reserved and the hard eviction threshold, and so many
 * pods as can be wired; the places for pods on the host's network are theirs.
 * @param maxPods of the kubelet, by which memory is reserved
 */
export function allocatableOf(pool: Pool, { maxPods, pods }: { readonly maxPods: number; readonly pods: number }): Allocatable {
  const machine = pool.machine ?? (pool.shape === 'ec2' ? leastMachine(pool.instanceTypes) : undefined);
  if (machine === undefined) return { pods };
  const { kubelet } = pool.checked;
  const reserved = reservationOf(machine, kubelet, maxPods);
  const threshold = kubelet?.evictionHard?.['memory.available'];
  const evictionBytes =
    threshold === undefined ? defaultEvictionBytes(machine.memoryBytes) : (thresholdBytes(threshold, machine.memoryBytes) ?? 0);
  return {
    cpu: Math.max(0, Math.round((machine.cpu - reserved.cpu) * 1000) / 1000),
    memory: Math.max(0, machine.memoryBytes - reserved.memoryBytes - evictionBytes),
    pods,
  };
}
