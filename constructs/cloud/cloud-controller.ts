/** CloudController: `gala cloud`, which keeps the instances of ec2 pools and their pod ENIs. The only program with AWS credentials. */
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CLOUD_PORT, CLOUD_STATUS_CONFIGMAP } from '../../lib/api/cloud.ts';
import type { Cluster } from '../../lib/api/cluster.ts';
import { HostPool, IPLock, NodeNetwork } from '../../lib/api/kinds.ts';
import { SYSTEM_NAMESPACE } from '../../lib/api/scheduling.ts';
import type { Permission } from '../permission.ts';
import { Platform } from '../platform.ts';
import { Program } from '../program.ts';
import { addInstances, instancesMay, managesInstances } from './instances.ts';

const MAY: readonly Permission[] = [
  { verbs: ['list', 'watch'], on: { group: '', resource: 'nodes' }, because: "a Node's pool and providerID say which instance it is" },
  {
    verbs: ['get'],
    on: { group: '', resource: 'namespaces' },
    resourceNames: ['kube-system'],
    because: 'its UID is the tag by which the ENIs of this cluster are known',
  },
  { verbs: ['list', 'watch'], on: HostPool, because: 'it makes ENIs as a pool says: how many, where, with which security groups' },
  { verbs: ['update'], on: HostPool, subresource: 'status', because: 'it says how many instances there are and what their ENIs wait for' },
  { verbs: ['list', 'watch', 'patch'], on: NodeNetwork, because: 'it fills in the ENIs that pods of the node can have' },
  {
    verbs: ['get', 'patch'],
    on: { group: '', resource: 'configmaps' },
    namespace: SYSTEM_NAMESPACE,
    resourceNames: [CLOUD_STATUS_CONFIGMAP],
    because: 'it says there how far it is, and notes the regions in which ENIs may lie',
  },
  {
    verbs: ['create'],
    on: { group: '', resource: 'configmaps' },
    namespace: SYSTEM_NAMESPACE,
    because: `the first one makes ${CLOUD_STATUS_CONFIGMAP}; \`create\` can't be limited to a name`,
  },
  { verbs: ['get', 'list', 'watch'], on: IPLock, because: 'an ENI whose address somebody has is neither detached nor deleted' },
];

/** What a definition says under `cloud`. */
export interface CloudOptions {
  /** `dry-run` looks, and tells in its log the steps it would take. @default 'manage' */
  readonly mode?: 'manage' | 'dry-run';
  /** What becomes of ENIs that nobody will use. @default 'delete' */
  readonly orphans?: 'delete' | 'list';
  /** `leave`: it launches, drains and terminates nothing, and deletes no Node. @default 'manage'; 'leave' where `existing.nodes` names who does */
  readonly instances?: 'manage' | 'leave';
  /** Percent of EC2's token buckets that it spends at most. @default 60 */
  readonly ec2Percent?: number;
}

export interface CloudControllerProps extends CloudOptions {
  /** One leads, the others wait. @default 2 */
  readonly replicas?: number;
  /** @default '384Mi' */
  readonly memory?: string;
}

// Typed here, in a file that the package's index reaches: who compiles against the published types has it.
declare module '../../lib/api/definition.ts' {
  interface ConcernOptions {
    readonly cloud?: CloudOptions;
  }
}

/** @example new CloudController(scope, 'cloud') */
export class CloudController extends Construct {
  readonly deployment: ApiObject;

  constructor(scope: Construct, id: string, props: CloudControllerProps = {}) {
    super(scope, id);
    const { cluster } = Platform.of(this);
    const manages = managesInstances({ ...cluster, options: { ...cluster.options, cloud: props } });
    if (manages) addInstances(this);
    const probe = { port: CLOUD_PORT, timeoutSeconds: 5 };
    const program = new Program(this, 'program', {
      program: 'cloud',
      phase: 'network',
      args: flags(cluster, props, manages),
      replicas: props.replicas,
      memory: props.memory ?? '384Mi',
      may: manages ? [...MAY, ...instancesMay(cluster)] : MAY,
      needs: [
        { hostPort: CLOUD_PORT, hostIP: '127.0.0.1', because: 'the kubelet probes it and a collector on the same host reads its metrics' },
      ],
      livenessProbe: { httpGet: '/livez', ...probe },
      // A replica that waits for the Lease has read everything too, and is ready.
      readinessProbe: { httpGet: '/readyz', ...probe },
      startupProbe: { httpGet: '/livez', ...probe, failureThreshold: 24 },
    });
    this.deployment = program.deployment;
  }
}

/** Whether Gala gives pods of any pool an ENI: without one there is nothing to render. */
export const hasEnis = ({ ec2Pools }: Pick<Cluster, 'ec2Pools'>): boolean => ec2Pools.some(({ cni }) => cni === undefined);

/** `gala cloud`'s own flags (docs/cloud.md): what isn't said is its default. */
function flags({ name }: Pick<Cluster, 'name'>, { mode, orphans, ec2Percent }: CloudOptions, manages: boolean): string[] {
  return [
    `--cluster=${name}`,
    ...(mode === 'dry-run' ? ['--dry-run'] : []),
    ...(orphans === undefined ? [] : [`--orphans=${orphans}`]),
    ...(manages ? [] : ['--instances=leave']),
    ...(ec2Percent === undefined ? [] : [`--part=${ec2Percent / 100}`]),
  ];
}
