/**
 * The next step of a pod that waits behind Gala's gate: which slot of its Lock it may take, and what has to be written so that
 * it has it. Pure. A slot is given in two writes, the address first: whoever reads the pod's slot finds its address.
 */

import { SCHEDULER_NAME, WRITER_ANNOTATION } from '../../api/scheduling.ts';
import type { Draft } from '../../kube/kinds.ts';
import type { PodFacts } from '../facts.ts';
import type { Demand, Limit } from '../types.ts';
import { type IPLockObject, type LockObject, lockOfAddress } from './books.ts';
import { isShut } from './found-out.ts';
import { assigned, newIPLock, takenOver } from './ip-lock.ts';
import { pinning } from './pinning.ts';
import { type Refusal, sayBelow, sayHostNetwork, sayLockNotReady, sayNoLock, sayNoSlot, sayNotOn } from './refusal.ts';
import type { Slot } from './slots.ts';

/**
 * `waits`: it is for the lock writer to give it a slot. `pinned`: it has one, and kube-scheduler hasn't bound it yet. `other`:
 * bound, gone, another scheduler's, behind another gate, or never gated.
 */
export function stageOf(pod: PodFacts): 'waits' | 'pinned' | 'other' {
  if (pod.done || pod.deleting || pod.node !== undefined) return 'other';
  if (pod.gated) return pod.schedulerName === SCHEDULER_NAME && !pod.gatedByOthers ? 'waits' : 'other';
  return pod.slot === undefined ? 'other' : 'pinned';
}

/** What a pod is being given. */
export interface Given {
  readonly uid: string;
  /** A number of its Lock's slots, or `loose`. */
  readonly slot: string;
  readonly node: string;
  readonly address?: string;
  /** Of a loose pod's address, to create it with. */
  readonly mac?: string;
  /** `<namespace>/<name>`, of the address. */
  readonly owner: string;
  readonly lock?: { readonly namespace: string; readonly name: string };
}

export type PodWrite =
  | { readonly do: 'create'; readonly object: Draft<IPLockObject> }
  | { readonly do: 'update'; readonly object: Draft<IPLockObject> }
  | { readonly do: 'pin'; readonly patch: Record<string, unknown> }
  /** The address is another's by now: it needs to be given something else. */
  | { readonly do: 'drop' };

/**
 * @param ipLock as it is now, of the given address
 * @param term of this lock writer: an address that a former one gave to the pod is taken up by a write, so that what that one may
 * still write to it fails
 */
export function nextForPod(pod: PodFacts, given: Given, ipLock: IPLockObject | undefined, term: string): PodWrite {
  const { address, node, lock, owner } = given;
  if (address === undefined) return { do: 'pin', patch: pinning(pod, node, given.slot) };
  const whom = { node, lock, pod: { name: pod.name, uid: pod.uid, term, ownerKind: pod.controller?.kind ?? 'Pod' } };
  if (ipLock === undefined) {
    // That of a slot is made with its Lock; where somebody deleted it, the Lock sees to it first.
    return given.mac === undefined ? { do: 'drop' } : { do: 'create', object: newIPLock({ address, mac: given.mac, owner, ...whom }) };
  }
  const { spec } = ipLock;
  const ofLock = lock === undefined ? undefined : `${lock.namespace}/${lock.name}`;
  if (spec.owner !== owner || isShut(ipLock)) return { do: 'drop' };
  if (spec.phase === 'Held') return { do: 'update', object: takenOver(ipLock, whom) };
  if (spec.phase !== 'Locked' || spec.node !== node || lockOfAddress(ipLock) !== ofLock) return { do: 'drop' };
  if (spec.podUID === pod.uid) {
    if (ipLock.metadata.annotations?.[WRITER_ANNOTATION] !== term) return { do: 'update', object: assigned(ipLock, whom.pod) };
    return { do: 'pin', patch: pinning(pod, node, given.slot) };
  }
  // A loose address is made for its pod: one without is nobody's, and swept.
  if (spec.podUID !== undefined || lock === undefined) return { do: 'drop' };
  return { do: 'update', object: assigned(ipLock, whom.pod) };
}

/** Why no slot of the Lock that it names can be for this pod, whichever slots are free. */
export function refusedByLock(pod: PodFacts, lock: LockObject | undefined, template: Demand | undefined): Refusal | undefined {
  if (lock === undefined) return sayNoLock(pod);
  if (lock.status?.phase !== 'Ready' || template === undefined) return sayLockNotReady(pod, lock);
  if (pod.demand.address !== template.address) return sayHostNetwork(pod, lock);
  for (const [supply, asked] of pod.demand.requests) {
    const promised = template.requests.get(supply) ?? 0;
    if (asked > promised) return sayBelow(pod, lock, supply, asked, promised);
  }
  return undefined;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * The slot for a pod: one that waits for its next pod before one that never had any, so that addresses stay with those who know
 * them; on a node that takes the pod.
 * @param rejects why a node doesn't take the pod, if it doesn't
 * @param away nodes that are to be avoided, as long as there is another
 */
export function slotFor(
  pod: PodFacts,
  lock: LockObject,
  slots: readonly Slot[],
  rejects: (node: string) => Limit | undefined,
  away: ReadonlySet<string> = NONE,
): Slot | Refusal {
  let refused: { node: string; limit: Limit } | undefined;
  let second: Slot | undefined;
  for (const state of ['held', 'free'] as const)
    for (const slot of slots) {
      if (slot.state !== state || (pod.pinned !== undefined && slot.node !== pod.pinned)) continue;
      const limit = rejects(slot.node);
      if (limit === undefined && !away.has(slot.node)) return slot;
      if (limit === undefined) second ??= slot;
      else refused ??= { node: slot.node, limit };
    }
  if (second !== undefined) return second;
  if (refused !== undefined) return sayNotOn(pod, lock, refused.node, refused.limit);
  return sayNoSlot(pod, lock, slots);
}
