/**
 * What an operator may set of a pool's kubelets, in the kubelet's own words where it has them. Rendered as drop-ins by
 * constructs/kubelet-profile.ts, which also knows what goes together; here stand the bounds of each by itself.
 */
import * as z from 'zod';
import { flag, integer, list, object, oneOf, record, text } from './field.ts';
import { ipv4 } from './fields.ts';

const signal = z.enum([
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
]);

const thresholds = (doc: string) =>
  record(
    { doc, max: 6 },
    signal,
    text({
      doc: 'A quantity or a share.',
      max: 24,
      pattern: /^([0-9]{1,15}(\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?|(100|[1-9]?[0-9])(\.[0-9]{1,2})?%)$/,
      noun: "a quantity or a share such as '1Gi' or '10%'",
      example: '10%',
    }),
  );

const size = (doc: string, example: string) =>
  text({ doc, max: 24, pattern: /^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$/, noun: "a quantity such as '50Mi'", example }).optional();

const count = (doc: string, min: number, max: number, example: number) => integer({ doc, min, max, example }).optional();

export const kubelet = object(
  { doc: 'Settings of the kubelets of the pool.' },
  {
    containerLogMaxSize: size("Size at which a container's log is rotated; 50Mi when left out.", '50Mi'),
    containerLogMaxFiles: count("Files kept of a container's log, the current one included; 5 when left out.", 2, 1000, 5),
    imageGCHighThresholdPercent: count('Disk use in percent at which unused images are removed; 85 when left out.', 1, 100, 85),
    imageGCLowThresholdPercent: count('Disk use in percent down to which they are removed; 80 when left out.', 0, 99, 80),
    imageMaximumGCAgeHours: count(
      'Unused images older than this are removed; when left out they stay until the disk fills.',
      1,
      87600,
      168,
    ),
    maxParallelImagePulls: count('Images pulled at the same time; 5 when left out.', 1, 100, 5),
    otherPods: count(
      "Pods on a host's network that others bring (node-exporter, kube-proxy, a log collector), added to maxPods; 5 when left out.",
      0,
      250,
      5,
    ),
    podPidsLimit: count('Processes and threads one pod may have; 16384 when left out.', 64, 4194304, 16384),
    shutdownGracePeriodSeconds: count('How long a shutdown of the host waits for pods; 0 turns it off, 60 when left out.', 0, 86400, 60),
    shutdownGracePeriodCriticalPodsSeconds: count('The part of it that is kept for critical pods; 20 when left out.', 0, 86400, 20),
    maxContainerRestartPeriodSeconds: count('The longest pause between restarts of a crashing container; 300 when left out.', 1, 300, 300),
    clusterDNS: list(
      {
        doc: "Addresses of the cluster's DNS; when left out, what the base configuration says.",
        max: 3,
        min: 1,
        set: 'ordered',
      },
      ipv4('A DNS server.', '169.254.20.10'),
    ).optional(),
    evictionHard: thresholds('Below these pods are killed at once.').optional(),
    evictionSoft: thresholds('Below these for a while, pods are ended with their grace period.').optional(),
    evictionSoftGracePeriodSeconds: count('How long that while is; 90 when left out.', 1, 3600, 90),
    reservedPids: count('Process ids kept for the system; 1000 when left out.', 0, 4194304, 1000),
    reservedEphemeralStorage: size("Disk kept for the system on the kubelet's filesystem; 1Gi when left out.", '1Gi'),
    cpuManagerPolicy: oneOf(['none', 'static'], {
      doc: '`static`: containers of Guaranteed pods with whole CPUs get them for themselves.',
      example: 'static',
    }).optional(),
    fullPcpusOnly: flag({ doc: 'Exclusive CPUs come as whole physical cores only; needs `static`.', example: true }).optional(),
    reservedSystemCPUs: text({
      doc: 'The CPUs kept for the system, by number; as many as are reserved.',
      max: 255,
      pattern: /^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$/,
      noun: 'a CPU list such as 0-1,32-33',
      example: '0-1,32-33',
    }).optional(),
    memoryManagerPolicy: oneOf(['None', 'Static'], {
      doc: '`Static`: memory of Guaranteed pods from as few NUMA nodes as possible; needs `reservedMemory`.',
      example: 'Static',
    }).optional(),
    reservedMemory: list(
      {
        doc: "Memory kept on each NUMA node; adds up to the reserved memory plus evictionHard's memory.available.",
        max: 64,
        min: 1,
        key: 'numaNode',
      },
      object(
        { doc: 'Memory kept on one NUMA node.' },
        {
          numaNode: integer({ doc: 'The NUMA node.', min: 0, max: 63, example: 0 }),
          memoryBytes: integer({ doc: 'Bytes kept.', min: 0, max: Number.MAX_SAFE_INTEGER, example: 8589934592 }),
        },
      ),
    ).optional(),
    topologyManagerPolicy: oneOf(['none', 'best-effort', 'restricted', 'single-numa-node'], {
      doc: 'How hard CPU, memory and device choices are aligned.',
      example: 'best-effort',
    }).optional(),
    topologyManagerScope: oneOf(['container', 'pod'], { doc: 'Whether containers or whole pods are aligned.', example: 'pod' }).optional(),
  },
);
