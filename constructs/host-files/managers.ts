/**
 * `60-gala-managers.conf`: the CPU, memory and topology managers. A kubelet whose managers can't start does not start, so
 * what they would find out on the host is checked here as far as the definition tells.
 */
import { thresholdBytes } from '../../lib/api/allocatable.ts';
import { cpusOf } from '../../lib/api/cpu-list.ts';
import { spell } from '../../lib/api/issue.ts';
import type { Problem } from '../../lib/api/problem.ts';
import { bytesAsQuantity } from './as-quantity.ts';
import type { KubeletConfiguration } from './kubelet-configuration.ts';
import { type KubeletProfileProps, type Part, problemOf } from './profile.ts';
import { evictionHardOf, reservationOf } from './reservations.ts';

export function managers(props: KubeletProfileProps): Part {
  const options = props.kubelet ?? {};
  const reservedMemory = [...(options.reservedMemory ?? [])].sort((a, b) => a.numaNode - b.numaNode);
  const config: KubeletConfiguration = {
    cpuManagerPolicy: options.cpuManagerPolicy ?? 'none',
    ...(options.fullPcpusOnly === true ? { cpuManagerPolicyOptions: { 'full-pcpus-only': 'true' } } : {}),
    memoryManagerPolicy: options.memoryManagerPolicy ?? 'None',
    ...(reservedMemory.length === 0
      ? {}
      : {
          reservedMemory: reservedMemory.map(({ numaNode, memoryBytes }) => ({
            numaNode,
            limits: { memory: bytesAsQuantity(memoryBytes) },
          })),
        }),
    topologyManagerPolicy: options.topologyManagerPolicy ?? 'none',
    topologyManagerScope: options.topologyManagerScope ?? 'container',
  };
  const because = [
    'A changed policy needs a drained node, and cpu_manager_state and memory_manager_state removed from /var/lib/kubelet:',
    'the kubelet refuses to start on a state that another policy wrote.',
  ];
  return {
    dropIn: { name: '60-gala-managers.conf', because, config },
    problems: [...checkCpu(props), ...checkMemory(props)],
  };
}

function checkCpu(props: KubeletProfileProps): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const { machine } = props;
  const { cpuManagerPolicy, fullPcpusOnly, reservedSystemCPUs, topologyManagerPolicy } = props.kubelet ?? {};
  const reserved = reservationOf(props);
  const isStatic = cpuManagerPolicy === 'static';
  if (isStatic && reservedSystemCPUs === undefined) {
    // pkg/kubelet/cm/cpumanager: the static policy does not start with none reserved, and keeps ceil(reserved) CPUs
    // while the scheduler goes on counting with the fraction.
    if (reserved === undefined)
      problems.push(
        problem(
          'kubelet.cpuManagerPolicy',
          'static',
          'the static CPU manager needs CPUs reserved, and the machine is not known',
          'whole CPUs above 0',
          'Describe the `machine`, or name reservedSystemCPUs.',
        ),
      );
    else if (!Number.isInteger(reserved.cpu) || reserved.cpu <= 0)
      problems.push(
        problem(
          'machine.reserved.cpu',
          reserved.cpu,
          `the static CPU manager hands out whole CPUs, but ${reserved.cpu} are reserved`,
          'whole CPUs above 0',
          `Reserve ${Math.max(1, Math.ceil(reserved.cpu))}.`,
        ),
      );
  }
  if (fullPcpusOnly === true && !isStatic)
    problems.push(
      problem(
        'kubelet.fullPcpusOnly',
        true,
        'fullPcpusOnly is an option of the static CPU manager',
        "cpuManagerPolicy: 'static' beside it",
        'Set the policy, or leave this out.',
      ),
    );
  if (
    topologyManagerPolicy !== undefined &&
    topologyManagerPolicy !== 'none' &&
    !isStatic &&
    props.kubelet?.memoryManagerPolicy !== 'Static'
  )
    problems.push(
      problem(
        'kubelet.topologyManagerPolicy',
        topologyManagerPolicy,
        `topology manager ${topologyManagerPolicy} has neither CPUs nor memory to align`,
        'a static CPU or memory manager beside it',
        "Set cpuManagerPolicy: 'static', or leave this out.",
        'warning',
      ),
    );
  if (reservedSystemCPUs === undefined) return problems;

  const path = 'kubelet.reservedSystemCPUs';
  const cpus = cpusOf(reservedSystemCPUs);
  if (cpus === undefined)
    problems.push(
      problem(
        path,
        reservedSystemCPUs,
        `reservedSystemCPUs is ${spell(reservedSystemCPUs)}`,
        'CPU numbers and ranges such as 0-1,32-33, each CPU once',
        'Mend the list.',
      ),
    );
  else {
    const outside = machine === undefined ? [] : cpus.filter((cpu) => cpu >= machine.cpu);
    if (outside.length > 0)
      problems.push(
        problem(
          path,
          reservedSystemCPUs,
          `CPU ${outside.join(', ')} is reserved of a machine with ${machine?.cpu}`,
          `0 to ${(machine?.cpu ?? 0) - 1}`,
          'Name CPUs the machine has.',
        ),
      );
    if (machine?.reserved !== undefined && machine.reserved.cpu !== cpus.length)
      problems.push(
        problem(
          path,
          reservedSystemCPUs,
          `${cpus.length} CPUs are listed, ${machine.reserved.cpu} reserved by machine.reserved.cpu`,
          'as many as are reserved',
          'Make them equal: the kubelet goes by the list, stock by the number.',
        ),
      );
  }
  if (props.join?.eks !== undefined)
    problems.push(
      problem(
        path,
        reservedSystemCPUs,
        'reservedSystemCPUs on a node that joins EKS',
        'none: nodeadm sets systemReservedCgroup, and the kubelet refuses the two together',
        'Leave it out; machine.reserved.cpu holds.',
      ),
    );
  return problems;
}

function checkMemory(props: KubeletProfileProps): readonly Problem[] {
  const problem = problemOf(props.pool);
  const { memoryManagerPolicy, reservedMemory = [] } = props.kubelet ?? {};
  const path = 'kubelet.reservedMemory';
  if (memoryManagerPolicy !== 'Static')
    return reservedMemory.length === 0
      ? []
      : [
          problem(
            path,
            reservedMemory,
            'reservedMemory is read by the Static memory manager only',
            "memoryManagerPolicy: 'Static' beside it",
            'Set the policy, or leave this out.',
            'warning',
          ),
        ];
  const problems: Problem[] = [];
  const nodes = reservedMemory.map(({ numaNode }) => numaNode);
  if (new Set(nodes).size !== nodes.length)
    problems.push(problem(path, nodes, `NUMA nodes are ${nodes.join(', ')}`, 'each once', 'Keep one entry a node.'));
  for (const [index, { numaNode, memoryBytes }] of reservedMemory.entries())
    if (!Number.isSafeInteger(memoryBytes) || memoryBytes <= 0 || !Number.isInteger(numaNode) || numaNode < 0)
      problems.push(
        problem(
          `${path}.${index}`,
          memoryBytes,
          `NUMA node ${numaNode} keeps ${memoryBytes} bytes`,
          'a node of 0 and up, whole bytes above 0',
          'Mend the entry.',
        ),
      );
  const needed = neededMemory(props);
  if (typeof needed === 'string')
    return [
      ...problems,
      problem(
        path,
        undefined,
        needed,
        'an amount known at synth',
        'Describe the `machine`; write evictionHard memory.available as a quantity.',
      ),
    ];
  const sum = reservedMemory.reduce((total, { memoryBytes }) => total + memoryBytes, 0);
  if (sum !== needed)
    problems.push(
      problem(
        path,
        sum,
        `reservedMemory adds up to ${bytesAsQuantity(sum)}`,
        `${bytesAsQuantity(needed)}, to the byte: reserved memory plus evictionHard memory.available`,
        'Split that amount over the NUMA nodes; the memory manager does not start otherwise.',
      ),
    );
  return problems;
}

/** validateReservedMemory (pkg/kubelet/cm/memorymanager) wants exactly this; text: why it can't be told. */
function neededMemory(props: KubeletProfileProps): number | string {
  const reserved = reservationOf(props);
  if (reserved === undefined) return 'the Static memory manager needs the reservation, and the machine is not known';
  const threshold = evictionHardOf(props)['memory.available'] ?? '';
  // A share of what the kernel reports, which is less than what the machine is sold with.
  if (threshold.endsWith('%')) return `the Static memory manager needs the reservation to the byte, and evictionHard is ${threshold}`;
  return reserved.memoryBytes + (thresholdBytes(threshold, undefined) ?? 0);
}
