/** The facts of a pool that its host files are made of, and what several of those files ask of them. */
import { KUBELET_MAX_PODS, leastMachine } from '../../lib/api/allocatable.ts';
import type { Minor } from '../../lib/api/pool.ts';
import type { Problem } from '../../lib/api/problem.ts';
import type { DropIn, Taint } from './kubelet-configuration.ts';
import type { KubeletOptions } from './kubelet-options.ts';

/** What one host reports. */
export interface ProfileMachine {
  /** Logical CPUs; may be fractional. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** @default no swap space */
  readonly swapBytes?: number;
  /** All that is kept from pods, for the system and the kubelet together. @default `defaultReservation` */
  readonly reserved?: { readonly cpu: number; readonly memoryBytes: number };
}

/** How an instance becomes a node: by EKS' own means, or by a bootstrap token made for its launch. */
export interface Join {
  readonly eks?: string;
  readonly bootstrap?: boolean;
}

export interface KubeletProfileProps {
  readonly kubernetes: Minor;
  readonly cluster: string;
  readonly pool: string;
  readonly shape: 'intranet' | 'ec2';
  readonly services: 'none' | 'kube-proxy';
  /** What the node can wire, its host-network pods and `otherPods`; the caller adds them up. @default left to the host's base configuration: another CNI wires the pods */
  readonly maxPods?: number;
  /** The racks whose number is another one than `maxPods`. @default none */
  readonly maxPodsByRack?: Readonly<Record<string, number>>;
  /** Who wires the pods; `gala`: the concern `network` is installed, for this pool. @default 'others': containerd and iptables stay as the host's base configuration has them */
  readonly wiredBy?: 'gala' | 'others';
  /** Whether NodeLocal DNSCache runs on its hosts. @default false: nobody answers at 169.254.20.10 */
  readonly nodeLocalDns?: boolean;
  /** Of a pool with hard locks: whether somebody writes the locks that let pods tolerate the pool's taint. @default the pool has no taint of its own */
  readonly locks?: 'enforced' | 'unenforced';
  /** Host names by rack. @default no per-rack files */
  readonly racks?: Readonly<Record<string, readonly string[]>>;
  /** Becomes `topology.kubernetes.io/zone`. @default that label is left to others; on EC2 it is read at boot */
  readonly datacenter?: string;
  /** @default the least of `instanceTypes`; without those unknown, and reservations are left to the host's base configuration */
  readonly machine?: ProfileMachine;
  /** EC2 only: the types an instance may be of. @default unknown */
  readonly instanceTypes?: readonly string[];
  /** Whether containers may swap, each in proportion to its memory request. @default 'limited' where the machine has swap, else 'none' */
  readonly swap?: 'none' | 'limited';
  /** What the swap lives on. @default 'file' */
  readonly swapOn?: 'file' | 'zram';
  /** At registration, beside pool, rack and zone. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** At registration. @default none */
  readonly taints?: readonly Taint[];
  /** @default KubeletOptions' own */
  readonly kubelet?: KubeletOptions;
  /** EC2 only. @default no user data: somebody else launches the instances */
  readonly join?: Join;
  /** URL of the API server as hosts reach it; user data needs it. */
  readonly apiServer?: string;
}

/** One concern's drop-in, and what is wrong with what it was made of. */
export interface Part {
  readonly dropIn: DropIn;
  readonly problems: readonly Problem[];
}

/** Makes a problem of a pool: paths are said from the definition's root. */
export function problemOf(pool: string) {
  return (path: string, got: unknown, what: string, allowed: string, remedy: string, severity: Problem['severity'] = 'error'): Problem => ({
    path: `pools.${pool}.${path}`,
    what,
    got,
    allowed,
    remedy,
    severity,
  });
}

/** The props with the machine of an EC2 pool filled in from its types: the least CPU and the least memory of them. */
export function withMachine(props: KubeletProfileProps): KubeletProfileProps {
  const machine = props.machine ?? leastMachine(props.instanceTypes ?? []);
  return machine === undefined ? props : { ...props, machine };
}

/** The most pods a node of any rack runs; the kubelet's own default (110) where another CNI decides. */
export function mostPods({ maxPods, maxPodsByRack }: KubeletProfileProps): number {
  return maxPods === undefined ? KUBELET_MAX_PODS : Math.max(maxPods, ...Object.values(maxPodsByRack ?? {}));
}

/** Whether containers may swap, the default filled in. */
export function swapOf({ swap, machine }: KubeletProfileProps): 'none' | 'limited' {
  return swap ?? ((machine?.swapBytes ?? 0) > 0 ? 'limited' : 'none');
}
