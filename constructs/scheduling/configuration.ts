/**
 * KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) for Gala's profile: as much of it as Gala sets, typed with
 * upstream's names (k8s.io/kube-scheduler/config/v1, 1.37). What isn't set stays upstream's default.
 */
import { SCHEDULER_NAME } from '../../lib/api/scheduling.ts';

interface PluginSet {
  readonly enabled?: readonly { readonly name: string; readonly weight?: number }[];
  /** `*`: all of the default ones. */
  readonly disabled?: readonly { readonly name: string }[];
}

/** An HTTP extender on loopback: part of Gala that verifies what the scheduler is about to do. */
export interface Extender {
  /** Where it listens on this host. */
  readonly port: number;
  /** Called with the nodes that upstream's own filters left, by name. @default 'filter' */
  readonly filterVerb?: string;
  /** Called with the nodes that are left then, to be told which is best. @default none: that is decided before the pod is scheduled */
  readonly prioritizeVerb?: string;
  /** An answer that is slower fails the pod's attempt. @default '5s' */
  readonly httpTimeout?: string;
}

export interface SchedulerConfigurationProps {
  /** Where its Lease is. */
  readonly leaseNamespace: string;
  /** Plugins by extension point, over the default ones. @default upstream's */
  readonly plugins?: Readonly<Partial<Record<'multiPoint' | 'filter' | 'score' | 'postFilter' | 'preEnqueue', PluginSet>>>;
  /** Arguments of plugins, by plugin. @default upstream's */
  readonly pluginConfig?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Part of the feasible nodes that are scored, 1 to 100. @default upstream's: 5 to 50 by the size of the cluster */
  readonly percentageOfNodesToScore?: number;
  /** Requests a second to the API server. @default 200: upstream's 50 would be the limit on a night that binds hundreds of pods a second */
  readonly qps?: number;
  /** Requests at once, above `qps`. @default 400 */
  readonly burst?: number;
  /** @default no extender */
  readonly extender?: Extender;
}

export interface KubeSchedulerConfiguration {
  readonly apiVersion: 'kubescheduler.config.k8s.io/v1';
  readonly kind: 'KubeSchedulerConfiguration';
  readonly leaderElection: {
    readonly leaderElect: boolean;
    readonly resourceLock: 'leases';
    readonly resourceName: string;
    readonly resourceNamespace: string;
  };
  readonly clientConnection: { readonly qps: number; readonly burst: number };
  readonly enableProfiling: boolean;
  readonly percentageOfNodesToScore?: number;
  readonly profiles: readonly {
    readonly schedulerName: string;
    readonly plugins?: Readonly<Record<string, PluginSet>>;
    readonly pluginConfig?: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
  }[];
  readonly extenders?: readonly {
    readonly urlPrefix: string;
    readonly filterVerb: string;
    readonly prioritizeVerb?: string;
    readonly weight?: number;
    readonly httpTimeout: string;
    readonly nodeCacheCapable: boolean;
    readonly ignorable: boolean;
  }[];
}

/** The configuration as plain data, ready for YAML. */
export function schedulerConfiguration(props: SchedulerConfigurationProps): KubeSchedulerConfiguration {
  const pluginConfig = Object.entries(props.pluginConfig ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, args]) => ({ name, args }));
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: {
      // Upstream's 15 s Lease, renewed within 10 s: a leader that can't renew ends 5 s before another may lead.
      leaderElect: true,
      resourceLock: 'leases',
      // Not `kube-scheduler`: that is the Lease of the control plane's own, and the two would take turns.
      resourceName: SCHEDULER_NAME,
      resourceNamespace: props.leaseNamespace,
    },
    clientConnection: { qps: props.qps ?? 200, burst: props.burst ?? 400 },
    // On the host's network, and on by default: /debug/pprof is no business of other programs there.
    enableProfiling: false,
    ...(props.percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore: props.percentageOfNodesToScore }),
    profiles: [
      {
        schedulerName: SCHEDULER_NAME,
        ...(props.plugins === undefined ? {} : { plugins: props.plugins }),
        ...(pluginConfig.length === 0 ? {} : { pluginConfig }),
      },
    ],
    ...(props.extender === undefined ? {} : { extenders: [extender(props.extender)] }),
  };
}

function extender({ port, filterVerb = 'filter', prioritizeVerb, httpTimeout = '5s' }: Extender) {
  return {
    urlPrefix: `http://127.0.0.1:${port}`,
    filterVerb,
    // 0..10, multiplied by weight × 10 (extender/v1, MaxExtenderPriority): one step is worth what the default plugins together
    // can give, whose weights sum up to 12, each times 100 (pkg/scheduler/apis/config/v1/default_plugins.go, MaxNodeScore).
    ...(prioritizeVerb === undefined ? {} : { prioritizeVerb, weight: 120 }),
    httpTimeout,
    // Names of nodes are sent, not whole Nodes: at 5,000 nodes that is megabytes a pod.
    nodeCacheCapable: true,
    // Without its answer no pod is bound: a pod on a node where it holds no slot is worse than a pod that waits.
    ignorable: false,
  };
}
