/**
 * Scheduling: pods get a slot before they are scheduled. One pod holds the stock kube-scheduler under the name `gala-scheduler`
 * and `gala scheduler`, which writes locks, verifies what the other is about to bind, and serves the stock and lock API. With it
 * come the policies that make its word the only one, and where there are pools the controller that says what they have.
 */
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { API_PORT, EXTENDER_PORT, SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import { Controller } from '../controller.ts';
import { refuse } from '../nonsense.ts';
import { Platform } from '../platform.ts';
import { Policies } from '../policies/policies.ts';
import { Program } from '../program.ts';
import { addApiService } from './api-service.ts';
import { KUBE_SCHEDULER_MAY, type KubeSchedulerProps, kubeSchedulerContainer, nonsenseOfKubeScheduler } from './kube-scheduler.ts';
import { schedulerMay } from './permissions.ts';

/** What a definition says under `scheduling`. */
export interface SchedulingOptions {
  /** How many pods of it run, each on a node of its own; of each of their programs one leads. @default 2 */
  readonly replicas?: number;
  /** Where live use of nodes is asked: the URL of a Prometheus. @default nowhere: what pods ask for is what counts */
  readonly prometheus?: string;
  /** What a node without a fresh sample means: as much use as was asked for, or no place for anything. @default 'assume-requested' */
  readonly missingSamples?: 'assume-requested' | 'refuse';
  /** An older sample is none. @default 60 */
  readonly sampleMaxAgeSeconds?: number;
  /** Secret of `gala-system` that the API serves with (`tls.crt`, `tls.key`, `ca.crt`). @default an authority of its own, kept and renewed by itself */
  readonly apiCertificate?: string;
  /** Pods of `gala-scheduler` that name no Lock: `refuse` has each wait for a slot as all do; `score` leaves them to kube-scheduler, which asks the inventory. @default 'refuse' */
  readonly unlockedPods?: 'refuse' | 'score';
}

export interface SchedulingProps extends SchedulingOptions {
  /** Of `gala scheduler`. @default '512Mi' */
  readonly memory?: string;
  /** Of `gala scheduler`. @default '200m' */
  readonly cpu?: string;
  /** The stock kube-scheduler in the same pod. @default KubeSchedulerProps' own */
  readonly kubeScheduler?: KubeSchedulerProps;
}

// Typed here, in a file that the package's index reaches: who compiles against the published types has it.
declare module '../../lib/api/definition.ts' {
  interface ConcernOptions {
    readonly scheduling?: SchedulingOptions;
  }
}

/**
 * @example
 * new Scheduling(scope, 'scheduler'); // pods with schedulerName: gala-scheduler get a slot, then they are scheduled
 */
export class Scheduling extends Construct {
  /** What pods give as `schedulerName`. */
  readonly schedulerName = SCHEDULER_NAME;
  readonly deployment: ApiObject;

  constructor(scope: Construct, id: string, props: SchedulingProps = {}) {
    super(scope, id);
    const { kubeScheduler = {}, unlockedPods = 'refuse' } = props;
    refuse(this, nonsenseOfKubeScheduler(kubeScheduler));
    const { cluster } = Platform.of(this);
    new Policies(this, 'policies', cluster, { unlockedPods });
    const program = new Program(this, 'program', {
      program: 'scheduler',
      args: flags(props),
      replicas: props.replicas,
      // That of kube-scheduler; the lock writer's own is among its permissions.
      lease: SCHEDULER_NAME,
      memory: props.memory ?? '512Mi',
      cpu: props.cpu ?? '200m',
      may: [...schedulerMay(props.apiCertificate), ...KUBE_SCHEDULER_MAY],
      needs: [
        {
          hostPort: EXTENDER_PORT,
          hostIP: '127.0.0.1',
          because:
            'the kube-scheduler beside it asks it about each pod, the kubelet probes it, a collector on the same host reads its metrics',
        },
        { hostPort: API_PORT, because: 'pipelines ask it for stock and locks, by HTTPS' },
      ],
      livenessProbe: { httpGet: '/livez', port: EXTENDER_PORT, timeoutSeconds: 5 },
      // Everything that scheduling looks at was read, and the API has its certificate; a replica that doesn't lead is ready too.
      readinessProbe: { httpGet: '/readyz', port: EXTENDER_PORT, timeoutSeconds: 5 },
      startupProbe: { httpGet: '/livez', port: EXTENDER_PORT, timeoutSeconds: 5, failureThreshold: 24 },
      beside: { 'kube-scheduler': kubeSchedulerContainer(cluster, kubeScheduler, unlockedPods === 'score') },
    });
    this.deployment = program.deployment;
    addApiService(this);
    if (cluster.pools.length > 0) new Controller(this, 'controller', { replicas: props.replicas });
  }
}

/** `gala scheduler`'s own flags (docs/stock-api.md): what isn't said is its default. */
function flags({ prometheus, missingSamples, sampleMaxAgeSeconds, apiCertificate, unlockedPods }: SchedulingOptions): string[] {
  const given = {
    'serving-secret': apiCertificate,
    'prometheus-url': prometheus,
    'missing-samples': missingSamples,
    'sample-max-age': sampleMaxAgeSeconds,
    'unlocked-pods': unlockedPods,
  };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
}
