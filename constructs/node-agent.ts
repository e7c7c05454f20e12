/**
 * NodeAgent: the base of every DaemonSet. Least privilege with a written reason for each, memory limited and CPU not,
 * rolled a tenth of the hosts at a time, running before the network does.
 */
import type { V1Affinity, V1DaemonSet } from '@kubernetes/client-node';
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { Manifest } from '../lib/api/manifest.ts';
import { addAccount } from './account.ts';
import { addConfigFiles } from './config-files.ts';
import type { Nonsense } from './nonsense.ts';
import { refuse } from './nonsense.ts';
import { add } from './platform.ts';
import { podTemplate, selectorOf } from './pod.ts';
import type { Toleration, WorkloadProps } from './workload.ts';
import { nonsenseOfWorkload, workload } from './workload.ts';

export interface NodeAgentProps extends WorkloadProps {
  /** The nodes it runs on: `pool.nodeSelector`. @default every node whose taints it tolerates */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** What labels of a node must be beside `nodeSelector`, as terms of node affinity say it. @default nothing */
  readonly matchExpressions?: readonly LabelDemand[];
  /** How many nodes may be without it at a time while it is rolled: a number or a share. @default '10%' */
  readonly maxUnavailable?: number | string;
  /** How long a new pod must be ready before the next node's turn. @default 0 */
  readonly minReadySeconds?: number;
  /** In place of the default ones. @default NODE_AGENT_TOLERATIONS */
  readonly tolerations?: readonly Toleration[];
  /** @default 'system-node-critical' */
  readonly priorityClassName?: string;
}

/** What a label of a node must be: a NodeSelectorRequirement. */
export interface LabelDemand {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** With `In` and `NotIn`. */
  readonly values?: readonly string[];
}

/**
 * What a node agent puts up with: Gala's pools, and nodes that are not ready, perhaps because of it. The DaemonSet
 * controller adds those of pressure and cordon. Not `out-of-service`: that is how a person says a machine is dead.
 */
export const NODE_AGENT_TOLERATIONS: readonly Toleration[] = [
  { key: 'gala.internal/pool', operator: 'Exists' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists' },
  { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists' },
  { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Exists' },
];

/**
 * One pod on each node of a selection.
 * @example
 * new NodeAgent(scope, 'ddos-web', { image: 'harbor.bj.intra/sre/xdp-guard@sha256:…', nodeSelector: pool.nodeSelector, memory: '64Mi',
 *   needs: [{ capability: 'BPF', because: 'it loads one XDP program on the trunk' }] });
 */
export class NodeAgent extends Construct {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly daemonSet: ApiObject;

  constructor(scope: Construct, id: string, props: NodeAgentProps) {
    super(scope, id);
    const made = workload(this, props);
    refuse(this, [...nonsenseOfWorkload(props, made), ...nonsenseOfRollout(props)]);
    const { name, namespace, phase } = made;
    this.name = name;
    this.namespace = namespace;
    this.serviceAccountName = name;
    addAccount(this, made);
    addConfigFiles(this, made);
    this.daemonSet = add(this, phase, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace, labels: selectorOf(name) },
      spec: {
        selector: { matchLabels: selectorOf(name) },
        minReadySeconds: props.minReadySeconds,
        // No surge: two of the same agent on one node would fight over it, and over its ports.
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: props.maxUnavailable ?? '10%' } },
        template: podTemplate(made, {
          nodeSelector: props.nodeSelector,
          affinity: affinity(props.matchExpressions),
          priorityClassName: props.priorityClassName ?? 'system-node-critical',
          tolerations: props.tolerations ?? NODE_AGENT_TOLERATIONS,
        }),
      },
    } satisfies Manifest<V1DaemonSet>);
  }
}

function affinity(matchExpressions: readonly LabelDemand[] = []): Manifest<V1Affinity> | undefined {
  if (matchExpressions.length === 0) return undefined;
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } };
}

function nonsenseOfRollout({ maxUnavailable }: NodeAgentProps): Nonsense[] {
  if (maxUnavailable === undefined) return [];
  const works =
    typeof maxUnavailable === 'number'
      ? Number.isInteger(maxUnavailable) && maxUnavailable >= 1
      : /^([1-9][0-9]?|100)%$/.test(maxUnavailable);
  if (works) return [];
  return [
    {
      path: 'maxUnavailable',
      what: `is ${JSON.stringify(maxUnavailable)}`,
      got: maxUnavailable,
      allowed: "a number from 1, or '1%' to '100%'",
      remedy: 'With none it could never be updated.',
    },
  ];
}
