/**
 * kube-scheduler: the stock one of the cluster's minor as its own profile, `gala-scheduler`, beside the control plane's own.
 * It binds; which node is decided before, by the lock writer in the same pod, which it asks once more as its extender.
 */
import { Yaml } from 'cdk8s';
import type { Cluster } from '../../lib/api/cluster.ts';
import { toNumber } from '../../lib/api/quantity.ts';
import { EXTENDER_PORT } from '../../lib/api/scheduling.ts';
import { imageOf, kubeScheduler } from '../image.ts';
import type { Nonsense } from '../nonsense.ts';
import type { Grant } from '../permission.ts';
import { SYSTEM_NAMESPACE } from '../platform.ts';
import type { BesideProps } from '../workload.ts';
import { type SchedulerConfigurationProps, schedulerConfiguration } from './configuration.ts';

export interface KubeSchedulerProps extends Omit<SchedulerConfigurationProps, 'leaseNamespace' | 'extender'> {
  /** @default kube-scheduler's newest patch of the cluster's minor that Gala was tested with */
  readonly image?: string;
  /** HTTPS on loopback for probes and metrics. @default 10269: 10259 is the control plane's own scheduler */
  readonly securePort?: number;
  /** @default '1Gi': 1.37.2 took 660 MiB with 5,000 nodes (50 images each) and 20,000 pods of two containers in its caches */
  readonly memory?: string;
  /** @default '200m' */
  readonly cpu?: string;
}

const CONFIG_FILE = 'kube-scheduler.yaml';

/** What the container `kube-scheduler` is told. @param scores whether it asks which node is best for a pod that no Lock pins */
export function kubeSchedulerContainer(cluster: Cluster, props: KubeSchedulerProps, scores: boolean): BesideProps {
  const { memory = '1Gi', securePort: port = 10269 } = props;
  const configPath = '/etc/kube-scheduler';
  const probe = { port, scheme: 'HTTPS' } as const;
  const extender = { port: EXTENDER_PORT, ...(scores ? { prioritizeVerb: 'prioritize' } : {}) };
  return {
    image: props.image ?? imageOf(cluster, kubeScheduler(cluster.kubernetes)),
    command: ['kube-scheduler'],
    // No --kubeconfig, --authentication-kubeconfig or --authorization-kubeconfig: each falls back to the ServiceAccount and
    // KUBERNETES_SERVICE_HOST (cmd/kube-scheduler/app/options, client-go BuildConfigFromFlags). The certificate is made in memory.
    args: [`--config=${configPath}/${CONFIG_FILE}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
    config: { [CONFIG_FILE]: Yaml.stringify(schedulerConfiguration({ ...props, extender, leaseNamespace: SYSTEM_NAMESPACE })) },
    configPath,
    memory,
    // In bytes: Go's collector works harder in the last tenth, before the kernel kills it on a peak.
    env: { GOMEMLIMIT: String(Math.floor(toNumber(memory) * 0.9)) },
    cpu: props.cpu ?? '200m',
    needs: [{ hostPort: port, hostIP: '127.0.0.1', because: 'the kubelet probes it and a collector on the same host reads its metrics' }],
    // /readyz says that the caches are filled (sched-handler-sync) and, of a leader, that it renews its Lease; replicas that
    // wait fill their caches too and are ready (cmd/kube-scheduler/app/server.go, delayCacheUntilActive is false).
    livenessProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 15, failureThreshold: 8 },
    readinessProbe: { httpGet: '/readyz', ...probe, timeoutSeconds: 15 },
    // Filling its caches on a large cluster takes a while; until then /livez need not answer.
    startupProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 15, failureThreshold: 24 },
  };
}

/** What it may do at the API server: upstream's own roles. */
export const KUBE_SCHEDULER_MAY: readonly Grant[] = [
  {
    role: 'system:kube-scheduler',
    because: "the stock scheduler of the pod; its rules grow with Kubernetes' minors, so they stay upstream's",
  },
  { role: 'system:volume-scheduler', because: 'the stock scheduler binds volumes to the nodes that it chooses' },
  {
    role: 'extension-apiserver-authentication-reader',
    namespace: 'kube-system',
    because: 'the stock scheduler asks the API server whose token may read its metrics',
  },
];

/** What is refused of its props, beyond what is of any container's. */
export function nonsenseOfKubeScheduler({ securePort, percentageOfNodesToScore }: KubeSchedulerProps): Nonsense[] {
  const found: Nonsense[] = [];
  if (securePort === 10259)
    found.push({
      path: 'kubeScheduler.securePort',
      what: 'is 10259',
      got: securePort,
      allowed: "another port: the control plane's own scheduler has this one on the same hosts",
      remedy: 'Leave it out for 10269.',
    });
  if (percentageOfNodesToScore !== undefined && !(percentageOfNodesToScore >= 1 && percentageOfNodesToScore <= 100))
    found.push({
      path: 'kubeScheduler.percentageOfNodesToScore',
      what: `is ${percentageOfNodesToScore}`,
      got: percentageOfNodesToScore,
      allowed: '1 to 100',
      remedy: "Leave it out for upstream's own choice.",
    });
  return found;
}
