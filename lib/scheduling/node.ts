/** Node facts: as much of a Node as the inventory keeps, and what its taints and labels say to a demand. */
import type { V1Node } from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import { OUT_OF_SERVICE } from '../api/network.ts';
import { toNumber } from '../api/quantity.ts';
import { isEmpty } from './node-terms.ts';
import { integer, type Labels, meets } from './requirement.ts';
import type { Demand, NodeTerm, Toleration } from './types.ts';

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface NodeFacts {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly ready: boolean;
  /** By resource, in base units: cores, bytes, pieces. `cpu`, `memory`, `ephemeral-storage` and `pods` that are left out are not limited. */
  readonly allocatable: Readonly<Record<string, number>>;
  /** `status.nodeInfo.machineID` of a racked host. */
  readonly machineID?: string;
  /** `spec.providerID` of an instance. */
  readonly providerID?: string;
  readonly internalIP?: string;
}

/** The facts of a stored Node. What it says of no resource it has none of, as kube-scheduler has it. */
export function nodeFacts(node: Manifest<V1Node>): NodeFacts {
  const { metadata, spec, status } = node;
  return {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    labels: metadata?.labels ?? {},
    taints: (spec?.taints ?? []).map(({ key, value = '', effect }) => ({ key, value, effect })),
    unschedulable: spec?.unschedulable === true,
    ready: (status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
    allocatable: { cpu: 0, memory: 0, 'ephemeral-storage': 0, pods: 0, ...numbers(status?.allocatable ?? status?.capacity) },
    machineID: status?.nodeInfo?.machineID || undefined,
    providerID: spec?.providerID || undefined,
    internalIP: (status?.addresses ?? []).find(({ type }) => type === 'InternalIP')?.address,
  };
}

/** Rounded down: a node never has more than it says. */
function numbers(list: Readonly<Record<string, string>> | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, quantity] of Object.entries(list ?? {})) {
    try {
      found[name] = name === 'cpu' ? Math.floor(toNumber(quantity) * 1000 + 1e-6) / 1000 : Math.floor(toNumber(quantity));
    } catch {
      // A kubelet that reports what is no quantity has none of it.
      found[name] = 0;
    }
  }
  return found;
}

/** What a node that is not Ready is tainted with a moment later, and a cordoned one (TaintNodesByCondition). */
export const NOT_READY: Taint = { key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoSchedule' };
export const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/** Whether it says that its machine is off: somebody tainted it so, and its kubelet doesn't speak against it. */
export const isOff = ({ ready, taints }: Pick<NodeFacts, 'ready' | 'taints'>): boolean =>
  !ready && taints.some(({ key }) => key === OUT_OF_SERVICE);

/** Whether slots of pods that tolerate as much leave the node: it is gone, off, or cordoned, as whoever drains it does first. */
export const isDrained = (node: NodeFacts | undefined, tolerations: readonly Toleration[]): boolean =>
  node === undefined || isOff(node) || (node.unschedulable && !tolerates(tolerations, UNSCHEDULABLE));

/** The taint that keeps a pod from being scheduled there; PreferNoSchedule is a wish, and keeps none. */
export function untolerated(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find((taint) => (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(tolerations, taint));
}

/** k8s.io/api core/v1 toleration.go, ToleratesTaint. Lt and Gt exist where TaintTolerationComparisonOperators is on. */
export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(({ key, operator, value = '', effect }) => {
    if (effect !== undefined && effect !== taint.effect) return false;
    if (key !== undefined && key !== taint.key) return false;
    if (operator === 'Exists') return true;
    if (operator === undefined || operator === 'Equal') return value === taint.value;
    const [bound, has] = [integer(value), integer(taint.value)];
    if (bound === undefined || has === undefined) return false;
    return operator === 'Gt' ? has > bound : has < bound;
  });
}

/** Whether node selector and required node affinity take the node: the selector alone, both, or not even that. */
export function selectsNode(
  demand: Pick<Demand, 'nodeSelector' | 'nodeTerms'>,
  node: Pick<NodeFacts, 'name' | 'labels'>,
): 'yes' | 'nodeSelector' | 'nodeAffinity' {
  for (const [key, value] of Object.entries(demand.nodeSelector)) if (node.labels[key] !== value) return 'nodeSelector';
  if (demand.nodeTerms.length === 0 || demand.nodeTerms.some((term) => takes(term, node.name, node.labels))) return 'yes';
  return 'nodeAffinity';
}

/** All requirements of a term hold; a term without any selects no node (component-helpers, nodeaffinity.go). */
function takes(term: NodeTerm, name: string, labels: Labels): boolean {
  if (isEmpty(term)) return false;
  for (const requirement of term.matchExpressions) if (!meets(requirement, labels)) return false;
  for (const requirement of term.matchFields) if (!meets(requirement, { [requirement.key]: name })) return false;
  return true;
}
