/**
 * Placement: on which nodes a pod may run, as far as its template says. Node affinity is read as alternatives, each a list
 * of demands on labels; nodes themselves are not known here, so two placements meet unless their demands exclude each other.
 */
import type { Pod } from './pod.ts';
import { entries, type Fields, fields, items, text, texts, within } from './shape.ts';

interface Demand {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** The control plane's nodes are labelled and tainted with this key (kubeadm, KEP-2067). */
export const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/** Whether both pods may run on one node. Nodes set apart by a taint that one of them does not tolerate keep them apart. */
export function mayMeet(a: Pod, b: Pod): boolean {
  return alternatives(a).some((ofA) =>
    alternatives(b).some((ofB) => !excludes(ofA, ofB) && !isSetApart(ofA, a, b) && !isSetApart(ofB, b, a)),
  );
}

/** How sure it is that a pod runs on nodes of the control plane: it names their key, or tolerates whatever there is, or can't. */
export function onControlPlane(pod: Pod): 'named' | 'tolerated' | 'no' {
  const node: readonly Demand[] = [{ key: CONTROL_PLANE, operator: 'In', values: [''] }];
  const keys = tolerations(pod).map(({ key }) => text(key));
  const reachable = alternatives(pod).filter((demands) => !excludes(demands, node));
  if (reachable.length === 0 || !tolerates(pod, CONTROL_PLANE)) return 'no';
  return keys.includes(CONTROL_PLANE) || reachable.every((demands) => demands.some(({ key }) => key === CONTROL_PLANE))
    ? 'named'
    : 'tolerated';
}

/** Whether it lists a toleration for every taint of this key; one without a key stands for all. */
export function tolerates(pod: Pod, taint: string): boolean {
  return tolerations(pod).some(({ key, operator }) => text(key) === taint || (text(key) === undefined && operator === 'Exists'));
}

function tolerations({ spec }: Pod): Fields[] {
  return items(spec.tolerations).map(({ item }) => item);
}

/** The terms of node affinity, of which one must hold, each together with the node selector. */
function alternatives({ spec }: Pod): (readonly Demand[])[] {
  const selector = entries(spec.nodeSelector).map(([key, value]): Demand => ({ key, operator: 'In', values: [value] }));
  const required = within(spec, 'affinity', 'nodeAffinity').requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return [selector];
  return items(fields(required).nodeSelectorTerms).map(({ item }) => [
    ...selector,
    ...items(item.matchExpressions).map(
      ({ item }): Demand => ({
        key: text(item.key) ?? '',
        operator: text(item.operator) ?? '',
        values: texts(item.values),
      }),
    ),
  ]);
}

function excludes(a: readonly Demand[], b: readonly Demand[]): boolean {
  const all = [...a, ...b];
  return all.some((one, index) =>
    all.slice(index + 1).some((other) => one.key === other.key && (opposes(one, other) || opposes(other, one))),
  );
}

/** Gt and Lt are not followed: they count as met. */
function opposes(one: Demand, other: Demand): boolean {
  if (other.operator === 'DoesNotExist') return one.operator === 'In' || one.operator === 'Exists';
  if (one.operator !== 'In') return false;
  if (other.operator === 'In') return !one.values.some((value) => other.values.includes(value));
  return other.operator === 'NotIn' && one.values.every((value) => other.values.includes(value));
}

/** Demands a label and tolerates the taint of the same key: such nodes are kept free of pods that don't tolerate it. */
function isSetApart(demands: readonly Demand[], pod: Pod, other: Pod): boolean {
  const named = tolerations(pod).map(({ key }) => text(key));
  return demands.some(
    ({ key, operator }) => operator !== 'DoesNotExist' && operator !== 'NotIn' && named.includes(key) && !tolerates(other, key),
  );
}
