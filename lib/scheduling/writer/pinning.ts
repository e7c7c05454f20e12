/**
 * Pinning: the one patch by which a pod gets its slot: its affinity names its node, it bears its slot, and Gala's gate is gone.
 * Pure.
 *
 * The API server lets the affinity of a gated pod become narrower only: no term may come or go, each may gain requirements, and
 * an empty term, which matches nothing, stays empty (kubernetes, pkg/apis/core/validation, validateNodeAffinityMutation;
 * KEP-3838). So the node is ANDed into each term. kube-scheduler looks at that node alone when all terms name it.
 */
import { GATE, SLOT_ANNOTATION } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import { isEmpty, onNode } from '../node-terms.ts';
import type { NodeTerm, Requirement } from '../types.ts';

/**
 * A merge patch; UID and resourceVersion in it are preconditions. A pod behind other gates gets no slot, so that ours is the
 * last one, and gates cannot be added to a pod that exists.
 * @param slot number of the slot in the pod's Lock, or `loose`
 */
export function pinning(pod: PodFacts, node: string, slot: string): Record<string, unknown> {
  if (!pod.gated || pod.gatedByOthers) throw new Error(`pod ${pod.key} does not wait behind ${GATE} alone`);
  return {
    metadata: { uid: pod.uid, resourceVersion: pod.resourceVersion, annotations: { [SLOT_ANNOTATION]: slot } },
    // A pod of a DaemonSet is pinned there already, in terms that its facts leave out.
    spec: { schedulingGates: null, ...(pod.pinned === undefined && affinityTo(node, pod.demand.nodeTerms)) },
  };
}

function affinityTo(node: string, terms: readonly NodeTerm[]) {
  const [name] = onNode(node).matchFields as [Requirement];
  const also = (term: NodeTerm) => (isEmpty(term) ? term : { ...term, matchFields: [...term.matchFields, name] });
  const nodeSelectorTerms = (terms.length === 0 ? [onNode(node)] : terms.map(also)).map(written);
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

function written({ matchExpressions, matchFields }: NodeTerm) {
  return {
    ...(matchExpressions.length > 0 && { matchExpressions: matchExpressions.map(plain) }),
    ...(matchFields.length > 0 && { matchFields: matchFields.map(plain) }),
  };
}

/** `values` must be left out where the operator takes none. */
function plain({ key, operator, values }: Requirement) {
  return { key, operator, ...(values.length > 0 && { values }) };
}
