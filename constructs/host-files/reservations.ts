/**
 * `50-gala-reservations.conf`: what pods don't get, and when they are evicted. Allocatable is the machine less
 * systemReserved, kubeReserved and evictionHard: the number stock counts with.
 */
import { defaultEvictionBytes, reservationOf as ofMachine, type Reservation, thresholdBytes } from '../../lib/api/allocatable.ts';
import { spell } from '../../lib/api/issue.ts';
import type { Problem } from '../../lib/api/problem.ts';
import { bytesAsQuantity, coresAsQuantity } from './as-quantity.ts';
import type { KubeletConfiguration } from './kubelet-configuration.ts';
import type { Thresholds } from './kubelet-options.ts';
import { byKey } from './labels.ts';
import { type KubeletProfileProps, mostPods, type Part, problemOf } from './profile.ts';

/** What this pool's nodes keep; undefined where the machine is not known. */
export function reservationOf(props: KubeletProfileProps): Reservation | undefined {
  const { machine, kubelet } = props;
  return machine === undefined ? undefined : ofMachine(machine, kubelet, mostPods(props));
}

/** The hard thresholds, defaults filled in: naming one signal drops the kubelet's defaults for the rest. */
export function evictionHardOf(props: KubeletProfileProps): Thresholds {
  return {
    'memory.available': bytesAsQuantity(defaultEvictionBytes(props.machine?.memoryBytes ?? 0)),
    'nodefs.available': '10%',
    'nodefs.inodesFree': '5%',
    'imagefs.available': '15%',
    'imagefs.inodesFree': '5%',
    ...props.kubelet?.evictionHard,
  };
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
  const bytes =
    thresholdBytes(hard['memory.available'] ?? '', props.machine?.memoryBytes) || defaultEvictionBytes(props.machine?.memoryBytes ?? 0);
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
