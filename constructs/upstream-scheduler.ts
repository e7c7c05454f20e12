/**
 * UpstreamScheduler: the stock kube-scheduler of the cluster's minor as its own profile, `gala-scheduler`, beside the
 * control plane's own. It has its own Deployment, Lease and port; pods choose it by `schedulerName`.
 */
import { type ApiObject, Yaml } from 'cdk8s';
import { Construct } from 'constructs';
import { toNumber } from '../lib/api/quantity.ts';
import { imageOf, kubeScheduler } from './image.ts';
import type { Nonsense } from './nonsense.ts';
import { refuse } from './nonsense.ts';
import { Platform, SYSTEM_NAMESPACE } from './platform.ts';
import { Program } from './program.ts';
import type { SchedulerConfigurationProps } from './scheduler-configuration.ts';
import { SCHEDULER_NAME, schedulerConfiguration } from './scheduler-configuration.ts';
import { nonsenseOfMemory } from './workload.ts';

export interface UpstreamSchedulerProps extends Omit<SchedulerConfigurationProps, 'leaseNamespace'> {
  /** @default kube-scheduler's newest patch of the cluster's minor that Gala was tested with */
  readonly image?: string;
  /** HTTPS on loopback for probes and metrics. @default 10269: 10259 is the control plane's own scheduler */
  readonly securePort?: number;
  /** How many run, each on a node of its own; one leads. @default 2 */
  readonly replicas?: number;
  /** @default '1Gi': 1.37.2 took 660 MiB with 5,000 nodes (50 images each) and 20,000 pods of two containers in its caches */
  readonly memory?: string;
  /** @default '200m' */
  readonly cpu?: string;
}

// Typed here, not beside the concern: no declaration that the package's index reaches mentions that file, so whoever
// compiles against the published types would not have it.
declare module '../lib/api/definition.ts' {
  interface ConcernOptions {
    readonly scheduling?: Pick<UpstreamSchedulerProps, 'replicas'>;
  }
}

const CONFIG_FILE = 'kube-scheduler.yaml';

/**
 * @example
 * new UpstreamScheduler(scope, 'scheduler', {}); // pods with schedulerName: gala-scheduler are scheduled
 */
export class UpstreamScheduler extends Construct {
  /** What pods give as `schedulerName`. */
  readonly schedulerName = SCHEDULER_NAME;
  readonly deployment: ApiObject;

  constructor(scope: Construct, id: string, props: UpstreamSchedulerProps = {}) {
    super(scope, id);
    const { memory = '1Gi' } = props;
    refuse(this, [...nonsenseOf(props), ...nonsenseOfMemory(memory)]);
    const { cluster } = Platform.of(this);
    const port = props.securePort ?? 10269;
    const configPath = `/etc/${SCHEDULER_NAME}`;
    const probe = { port, scheme: 'HTTPS' } as const;
    const program = new Program(this, 'program', {
      name: SCHEDULER_NAME,
      image: props.image ?? imageOf(cluster, kubeScheduler(cluster.kubernetes)),
      command: ['kube-scheduler'],
      // No --kubeconfig, --authentication-kubeconfig or --authorization-kubeconfig: each falls back to the ServiceAccount and
      // KUBERNETES_SERVICE_HOST (cmd/kube-scheduler/app/options, client-go BuildConfigFromFlags). The certificate is made in memory.
      args: [`--config=${configPath}/${CONFIG_FILE}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
      config: { [CONFIG_FILE]: Yaml.stringify(schedulerConfiguration({ ...props, leaseNamespace: SYSTEM_NAMESPACE })) },
      configPath,
      memory,
      // In bytes: Go's collector works harder in the last tenth, before the kernel kills it on a peak.
      env: { GOMEMLIMIT: String(Math.floor(toNumber(memory) * 0.9)) },
      cpu: props.cpu ?? '200m',
      replicas: props.replicas,
      needs: [{ hostPort: port, hostIP: '127.0.0.1', because: 'the kubelet probes it and a collector on the same host reads its metrics' }],
      may: [
        {
          role: 'system:kube-scheduler',
          because: "it is the stock scheduler; its rules grow with Kubernetes' minors, so they stay upstream's",
        },
        { role: 'system:volume-scheduler', because: 'it binds volumes to the nodes that it chooses' },
        {
          role: 'extension-apiserver-authentication-reader',
          namespace: 'kube-system',
          because: 'it asks the API server whose token may read its metrics',
        },
      ],
      // /readyz says that the caches are filled (sched-handler-sync) and, of a leader, that it renews its Lease; replicas that
      // wait fill their caches too and are ready (cmd/kube-scheduler/app/server.go, delayCacheUntilActive is false).
      livenessProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 15, failureThreshold: 8 },
      readinessProbe: { httpGet: '/readyz', ...probe, timeoutSeconds: 15 },
      // Filling its caches on a large cluster takes a while; until then /livez need not answer.
      startupProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 15, failureThreshold: 24 },
    });
    this.deployment = program.deployment;
  }
}

function nonsenseOf({ securePort, percentageOfNodesToScore }: UpstreamSchedulerProps): Nonsense[] {
  const found: Nonsense[] = [];
  if (securePort === 10259)
    found.push({
      path: 'securePort',
      what: 'is 10259',
      got: securePort,
      allowed: "another port: the control plane's own scheduler has this one on the same hosts",
      remedy: 'Leave it out for 10269.',
    });
  if (percentageOfNodesToScore !== undefined && !(percentageOfNodesToScore >= 1 && percentageOfNodesToScore <= 100))
    found.push({
      path: 'percentageOfNodesToScore',
      what: `is ${percentageOfNodesToScore}`,
      got: percentageOfNodesToScore,
      allowed: '1 to 100',
      remedy: "Leave it out for upstream's own choice.",
    });
  return found;
}
