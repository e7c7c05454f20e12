/**
 * The next step of a pod that has its slot and isn't bound: kube-scheduler says no, or its node went away meanwhile. Pure.
 *
 * Its affinity can't be changed any more (the gate is gone), so after 30 s it is deleted where a controller makes the next one;
 * where nobody does, people are told. No eviction: it never ran, and no disruption budget counts it.
 *
 * A pod of a Job is left alone: the Job would fail by it. "Count deleted Pods as failures to account for orphan Pods that never have
 * a chance to reach the Failed phase" (kubernetes, pkg/controller/job/job_controller.go, isPodFailed), and failures are what
 * backoffLimit bounds.
 */
import type { PodFacts } from '../facts.ts';
import type { NodeFacts } from '../node.ts';

export const PATIENCE_MS = 30_000;

export type PinnedStep =
  | { readonly do: 'wait'; readonly ms?: number }
  | { readonly do: 'delete'; readonly because: string }
  | { readonly do: 'tell'; readonly because: string };

/** Why the pod will not be bound to its node as things are, or undefined: it may. */
export function refusedBecause(pod: PodFacts, node: NodeFacts | undefined): string | undefined {
  if (pod.pinned === undefined) return 'it bears a slot, and no node is named in its affinity';
  if (node === undefined) return `node ${pod.pinned} is gone`;
  if (node.unschedulable) return `node ${pod.pinned} is cordoned`;
  if (!node.ready) return `node ${pod.pinned} is not Ready`;
  return pod.unschedulable === undefined ? undefined : `kube-scheduler: ${pod.unschedulable}`;
}

/**
 * @param refusedMs how long it has been refused without a break, as far as this lock writer saw; undefined: it isn't
 * @param patienceMs how long it may be
 */
export function nextForPinned(
  { controller }: PodFacts,
  because: string | undefined,
  refusedMs: number | undefined,
  patienceMs = PATIENCE_MS,
): PinnedStep {
  if (because === undefined || refusedMs === undefined) return { do: 'wait' };
  if (refusedMs < patienceMs) return { do: 'wait', ms: patienceMs - refusedMs };
  return controller === undefined || controller.kind === 'Job' ? { do: 'tell', because } : { do: 'delete', because };
}
