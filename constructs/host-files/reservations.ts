/**
 * `50-gala-reservations.conf`: what pods don't get, and when they are evicted. Allocatable is the machine less
 * systemReserved, kubeReserved and evictionHard: the number stock counts with.
 */
import { spell } from '../../lib/api/issue.ts';
import type { Problem } from '../../lib/api/problem.ts';
import { toNumber } from '../../lib/api/quantity.ts';
import { bytesAsQuantity, coresAsQuantity } from './as-quantity.ts';
import { isPositiveQuantity } from './base.ts';
import { cpusOf } from './cpu-list.ts';
import type { KubeletConfiguration } from './kubelet-configuration.ts';
import type { Thresholds } from './kubelet-options.ts';
import { byKey } from './labels.ts';
import { type KubeletProfileProps, mostPods, type Part, problemOf } from './profile.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

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

/** What this pool's nodes keep; undefined where the machine is not known. */
export function reservationOf(props: KubeletProfileProps): Reservation | undefined {
  const { machine, kubelet } = props;
  if (machine === undefined) return undefined;
  if (machine.reserved !== undefined) return machine.reserved;
  const { cpu, memoryBytes } = defaultReservation({ ...machine, maxPods: mostPods(props) });
  const listed = kubelet?.reservedSystemCPUs === undefined ? undefined : cpusOf(kubelet.reservedSystemCPUs)?.length;
  // The static policy hands out whole CPUs, so it keeps whole ones.
  return { cpu: listed ?? (kubelet?.cpuManagerPolicy === 'static' ? Math.ceil(cpu) : cpu), memoryBytes };
}

/** The hard thresholds, defaults filled in: naming one signal drops the kubelet's defaults for the rest. */
export function evictionHardOf(props: KubeletProfileProps): Thresholds {
  return {
    'memory.available': bytesAsQuantity(defaultEvictionBytes(props)),
    'nodefs.available': '10%',
    'nodefs.inodesFree': '5%',
    'imagefs.available': '15%',
    'imagefs.inodesFree': '5%',
    ...props.kubelet?.evictionHard,
  };
}

function defaultEvictionBytes({ machine }: KubeletProfileProps): number {
  const share = Math.floor((machine?.memoryBytes ?? 0) / 100 / MiB) * MiB;
  return Math.min(2 * GiB, Math.max(200 * MiB, share));
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

export function reservations(props: KubeletProfileProps): Part {
  const reserved = reservationOf(props);
  const options = props.kubelet ?? {};
  const hard = evictionHardOf(props);
  const soft = softOf(props, hard);
  const grace = `${options.evictionSoftGracePeriodSeconds ?? 90}s`;
  const config: KubeletConfiguration = {
    enforceNodeAllocatable: ['pods'],
    ...(reserved === undefined
      ? {}
      : {
          systemReserved: {
            cpu: coresAsQuantity(reserved.cpu),
            memory: bytesAsQuantity(reserved.memoryBytes),
            'ephemeral-storage': options.reservedEphemeralStorage ?? '1Gi',
            pid: String(options.reservedPids ?? 1000),
          },
          kubeReserved: { cpu: '0', memory: '0', 'ephemeral-storage': '0', pid: '0' },
        }),
    ...(options.reservedSystemCPUs === undefined ? {} : { reservedSystemCPUs: options.reservedSystemCPUs }),
    evictionHard: sorted(hard),
    evictionSoft: sorted(soft),
    evictionSoftGracePeriod: sorted(Object.fromEntries(Object.keys(soft).map((signal) => [signal, grace]))),
    // As long as a pod may take to end after a soft threshold, in seconds.
    evictionMaxPodGracePeriod: 60,
  };
  const because =
    reserved === undefined
      ? ['The machine is not known: what is kept for the system is left to the base configuration.']
      : [
          'systemReserved is all that is kept, for system and kubelet; kubeReserved is 0 so that nothing of a base configuration',
          'is added to it. Pods are held to the rest, system daemons to nothing.',
        ];
  return {
    dropIn: { name: '50-gala-reservations.conf', because, config },
    problems: [...checkReserved(props, reserved, hard), ...checkThresholds(props, hard, soft)],
  };
}

function softOf(props: KubeletProfileProps, hard: Thresholds): Thresholds {
  // ||: a hard threshold that is turned off leaves the soft one its default.
  const bytes = thresholdBytes(hard['memory.available'] ?? '', props.machine?.memoryBytes) || defaultEvictionBytes(props);
  return { 'memory.available': bytesAsQuantity(2 * bytes), ...props.kubelet?.evictionSoft };
}

function sorted(thresholds: Thresholds): Record<string, string> {
  return Object.fromEntries(Object.entries(thresholds).sort(([a], [b]) => byKey(a, b)));
}

function checkReserved(props: KubeletProfileProps, reserved: Reservation | undefined, hard: Thresholds): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const { machine } = props;
  if (machine === undefined || reserved === undefined) {
    // Nothing else configures such a kubelet; racked hosts and EKS have a base configuration.
    if (props.join?.bootstrap !== true || props.instanceTypes === undefined) return problems;
    const what = 'nothing is reserved on instances that join by a bootstrap token: the machine is not known';
    return [problem('machine', undefined, what, 'a machine, or types the table knows', 'Describe the `machine`.', 'warning')];
  }
  const hardBytes = thresholdBytes(hard['memory.available'] ?? '', machine.memoryBytes) ?? 0;
  const remedy =
    machine.reserved === undefined
      ? 'This is the default for so many pods; name `machine.reserved`, or take larger hosts.'
      : 'Reserve less.';
  if (!(reserved.cpu >= 0 && reserved.cpu < machine.cpu))
    problems.push(
      problem(
        'machine.reserved.cpu',
        reserved.cpu,
        `${reserved.cpu} CPUs are reserved of ${machine.cpu}`,
        'fewer than the machine has',
        remedy,
      ),
    );
  if (!(reserved.memoryBytes >= 0 && reserved.memoryBytes + hardBytes < machine.memoryBytes))
    problems.push(
      problem(
        'machine.reserved.memory',
        reserved.memoryBytes,
        `${bytesAsQuantity(reserved.memoryBytes)} of memory are reserved and ${bytesAsQuantity(hardBytes)} kept by evictionHard, of ${bytesAsQuantity(machine.memoryBytes)}`,
        'together less than the machine has',
        remedy,
      ),
    );
  return problems;
}

function checkThresholds(props: KubeletProfileProps, hard: Thresholds, soft: Thresholds): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  for (const [option, thresholds] of [
    ['evictionHard', hard],
    ['evictionSoft', soft],
  ] as const)
    for (const [signal, value] of Object.entries(thresholds)) {
      const path = `kubelet.${option}.${signal}`;
      if (!isThreshold(value))
        problems.push(
          problem(
            path,
            value,
            `threshold is ${spell(value)}`,
            'a quantity above 0 such as 1Gi, or a percentage such as 10%',
            'Mend the value; 0% turns a signal off.',
          ),
        );
    }
  const [softBytes, hardBytes] = [soft, hard].map((thresholds) =>
    thresholdBytes(thresholds['memory.available'] ?? '', props.machine?.memoryBytes),
  );
  if (softBytes !== undefined && hardBytes !== undefined && softBytes < hardBytes)
    problems.push(
      problem(
        'kubelet.evictionSoft.memory.available',
        soft['memory.available'],
        `soft eviction starts at ${soft['memory.available']}, after the hard one at ${hard['memory.available']}`,
        'at least the hard threshold',
        'Raise the soft threshold.',
      ),
    );
  return problems;
}

/** As the kubelet parses it: a quantity of zero is refused, a percentage is not. */
function isThreshold(value: string): boolean {
  return thresholdBytes(value, 0) !== undefined;
}
