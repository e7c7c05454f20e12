/** What an operator may set of a pool's kubelets; flat, typed, each with what happens when it is left out. */

export const EVICTION_SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
] as const;
export type EvictionSignal = (typeof EVICTION_SIGNALS)[number];
export type Thresholds = Readonly<Partial<Record<EvictionSignal, string>>>;

export interface KubeletOptions {
  /** Size at which a container's log is rotated. @default '50Mi' */
  readonly containerLogMaxSize?: string;
  /** Files kept of a container's log, the current one included; at least 2. @default 5 */
  readonly containerLogMaxFiles?: number;
  /** Disk use in percent at which unused images are removed. @default 85 */
  readonly imageGCHighThresholdPercent?: number;
  /** Disk use in percent down to which they are removed; below the high threshold. @default 80 */
  readonly imageGCLowThresholdPercent?: number;
  /** Unused images older than this are removed, whatever the disk use. @default they stay until the disk fills */
  readonly imageMaximumGCAgeHours?: number;
  /** Images pulled at the same time: a release pulls on the node before it cuts traffic. @default 5 */
  readonly maxParallelImagePulls?: number;
  /** Processes and threads one pod may have. @default 16384: a fork bomb ends at its own pod */
  readonly podPidsLimit?: number;
  /** How long a shutdown of the host waits for pods, critical ones included; 0 turns it off. @default 60 */
  readonly shutdownGracePeriodSeconds?: number;
  /** The part of it that is kept for critical pods, the node agents among them. @default 20 */
  readonly shutdownGracePeriodCriticalPodsSeconds?: number;
  /** The longest pause between restarts of a crashing container, 1 to 300. @default the kubelet's own: 300 */
  readonly maxContainerRestartPeriodSeconds?: number;
  /** Addresses of the cluster's DNS. @default 169.254.20.10 without kube-proxy; with it, what the host's base configuration says */
  readonly clusterDNS?: readonly string[];
  /**
   * Below these pods are killed at once; a quantity or a percentage.
   * @default memory.available: 1 % of the memory, 200Mi to 2Gi · nodefs.available 10% · nodefs.inodesFree 5% · imagefs.available 15% · imagefs.inodesFree 5%
   */
  readonly evictionHard?: Thresholds;
  /** Below these for `evictionSoftGracePeriodSeconds`, pods are ended with their grace period. @default memory.available: twice the hard one */
  readonly evictionSoft?: Thresholds;
  /** @default 90 */
  readonly evictionSoftGracePeriodSeconds?: number;
  /** Process ids kept for the system. @default 1000 */
  readonly reservedPids?: number;
  /** Disk kept for the system on the kubelet's filesystem. @default '1Gi' */
  readonly reservedEphemeralStorage?: string;
  /** `static`: containers of Guaranteed pods with whole CPUs get them for themselves. @default 'none' */
  readonly cpuManagerPolicy?: 'none' | 'static';
  /** Exclusive CPUs come as whole physical cores only; needs `static`. @default false */
  readonly fullPcpusOnly?: boolean;
  /** The CPUs kept for the system, by number: `0-1,32-33`. As many as are reserved. @default the kubelet chooses */
  readonly reservedSystemCPUs?: string;
  /** `Static`: memory of Guaranteed pods from as few NUMA nodes as possible; needs `reservedMemory`. @default 'None' */
  readonly memoryManagerPolicy?: 'None' | 'Static';
  /** Memory kept on each NUMA node. Adds up to machine.reserved.memory plus evictionHard's memory.available, to the byte. @default none */
  readonly reservedMemory?: readonly { readonly numaNode: number; readonly memoryBytes: number }[];
  /** @default 'none' */
  readonly topologyManagerPolicy?: 'none' | 'best-effort' | 'restricted' | 'single-numa-node';
  /** Whether containers or whole pods are aligned. @default 'container' */
  readonly topologyManagerScope?: 'container' | 'pod';
}
