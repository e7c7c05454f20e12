/**
 * Program: the base of every Deployment. Two replicas on two control-plane hosts, one of which leads by a Lease; its own
 * ServiceAccount with exact rules; a disruption budget; ports of the host that it names.
 */
import type { V1Affinity, V1Deployment, V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { Manifest } from '../lib/api/manifest.ts';
import { addAccount } from './account.ts';
import { addConfigFiles } from './config-files.ts';
import type { Nonsense } from './nonsense.ts';
import { refuse } from './nonsense.ts';
import type { Permission } from './permission.ts';
import { add } from './platform.ts';
import { podTemplate, selectorOf } from './pod.ts';
import type { Toleration, WorkloadProps } from './workload.ts';
import { nonsenseOfWorkload, workload } from './workload.ts';

export interface ProgramProps extends WorkloadProps {
  /** One leads, the others wait. @default 2 */
  readonly replicas?: number;
  /** Name of the Lease in its namespace by which one of them leads. `false`: all of them work at once. @default its name */
  readonly lease?: string | false;
  /** In place of the default ones. @default PROGRAM_TOLERATIONS */
  readonly tolerations?: readonly Toleration[];
  /** @default 'system-cluster-critical' */
  readonly priorityClassName?: string;
}

/**
 * What a program puts up with: control-plane and system nodes, ready or not, for the network may be down because of it. A
 * node that can't be reached is left after a minute: the other replica leads by then, this is for its successor. One that
 * answers and stays not ready is left after the five minutes that Kubernetes gives any pod (DefaultTolerationSeconds): a
 * container runtime that hangs won't come back by itself. Where no node is ready none is left: the node lifecycle
 * controller then takes its taints away (full disruption).
 */
export const PROGRAM_TOLERATIONS: readonly Toleration[] = [
  { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'gala.internal/system', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
];

/** Control-plane nodes, or where the control plane is managed and has none, the nodes labelled for Gala's programs. */
const SYSTEM_NODES: Manifest<V1Affinity> = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: ['node-role.kubernetes.io/control-plane', 'gala.internal/system'].map((key) => ({
        matchExpressions: [{ key, operator: 'Exists' }],
      })),
    },
  },
};

/** What leading by a Lease takes: client-go's and lib/kube's election get, create and update one object. */
function mayLead(lease: string, namespace: string): Permission[] {
  const on = { group: 'coordination.k8s.io', resource: 'leases' };
  return [
    { verbs: ['get', 'update'], on, namespace, resourceNames: [lease], because: `it leads by the Lease ${lease}` },
    // `create` can't be limited to a name; the namespace is Gala's own.
    { verbs: ['create'], on, namespace, because: `the first replica makes the Lease ${lease}` },
  ];
}

/**
 * A program of the control plane.
 * @example
 * new Program(this, 'Program', { program: 'controller', memory: '256Mi',
 *   may: [{ verbs: ['list', 'watch'], on: { group: '', resource: 'nodes' }, because: 'it keeps a NodeNetwork for each' }] });
 */
export class Program extends Construct {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** The Lease by which one replica leads. */
  readonly leaseName: string | undefined;
  readonly deployment: ApiObject;

  constructor(scope: Construct, id: string, props: ProgramProps) {
    super(scope, id);
    const bare = workload(this, props);
    refuse(this, [...nonsenseOfWorkload(props, bare), ...nonsenseOfReplicas(props)]);
    const { name, namespace, phase } = bare;
    const lease = props.lease ?? name;
    const made = lease === false ? bare : { ...bare, may: [...bare.may, ...mayLead(lease, namespace)] };
    this.name = name;
    this.namespace = namespace;
    this.serviceAccountName = name;
    this.leaseName = lease === false ? undefined : lease;
    addAccount(this, made);
    addConfigFiles(this, made);
    const selector = { matchLabels: selectorOf(name) };
    this.deployment = add(this, phase, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels: selectorOf(name) },
      spec: {
        replicas: props.replicas ?? 2,
        selector,
        // One goes, then one comes: a new pod finds its host ports free, and hosts that are all taken don't stop a rollout.
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        template: podTemplate(made, {
          affinity: SYSTEM_NODES,
          priorityClassName: props.priorityClassName ?? 'system-cluster-critical',
          tolerations: props.tolerations ?? PROGRAM_TOLERATIONS,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: selector,
              // A dead host's place isn't kept free: its taint takes it out of the count.
              nodeTaintsPolicy: 'Honor',
            },
          ],
        }),
      },
    } satisfies Manifest<V1Deployment>);
    add(this, phase, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      // A pod that isn't healthy protects nobody: it must not stop the drain that would mend it.
      spec: { maxUnavailable: 1, selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    } satisfies Manifest<V1PodDisruptionBudget>);
  }
}

function nonsenseOfReplicas({ replicas, lease }: ProgramProps): Nonsense[] {
  const found: Nonsense[] = [];
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 1 && replicas <= 7))
    found.push({
      path: 'replicas',
      what: `is ${replicas}`,
      got: replicas,
      allowed: '1 to 7: one leads, the others only wait',
      remedy: 'Leave it out for 2, or give 1 where a single node can run it.',
    });
  if (typeof lease === 'string' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(lease))
    found.push({
      path: 'lease',
      what: `is '${lease}'`,
      got: lease,
      allowed: 'lower-case letters, digits and -',
      remedy: "Leave it out for the program's name, or give false where all replicas work at once.",
    });
  return found;
}
