/** Hand: what the lock writer remembers of a Lock beside its object: ages on its own clock, its plan, the template it read. */
import type { Demand } from '../types.ts';
import type { LockObject } from './books.ts';
import type { Ages, Place } from './keep.ts';
import type { Plan } from './plan.ts';
import type { Slot } from './slots.ts';

export interface LockHand {
  readonly uid: string;
  plan?: Plan;
  /** What `podFrom` said; `missing`: why there is nothing to read. */
  template?: { readonly value: unknown } | { readonly missing: string };
  /** Why no plan of it comes to anything, and it is Failed. */
  hopeless?: { readonly reason: 'InternalError' | 'StatusRefused'; readonly message: string };
  /** That it waits for a rebuild was told. */
  toldRebuilding?: boolean;
  /** How often in a row the API server refused its status. */
  refusals: number;
  /** Of a Ready Lock, once it was asked for. */
  demand?: Demand;
  /** When the status was written last, so that counts don't write it more than once a second. */
  writtenMs: number;
  /** When its slots were looked at last. */
  keptMs: number;
  renewed: { readonly at: string | undefined; readonly sinceMs: number };
  phase: { readonly is: string | undefined; readonly sinceMs: number };
  /** By slot: since when it has been without a pod. */
  readonly resting: Map<number, number>;
  /** Slots that a pod was seen in. */
  readonly had: Set<number>;
  /** By slot: the place that the status on its way lists instead of another. */
  readonly moved: Map<number, Place>;
  /** By slot that a person wants elsewhere: when it was told that there is no room. */
  readonly stuckMs: Map<number, number>;
}

export function lockHand(lock: LockObject, nowMs: number): LockHand {
  return {
    uid: lock.metadata.uid,
    ...{ writtenMs: Number.NEGATIVE_INFINITY, keptMs: Number.NEGATIVE_INFINITY, resting: new Map(), had: new Set() },
    ...{ moved: new Map(), stuckMs: new Map() },
    renewed: { at: lock.spec.renewedAt, sinceMs: nowMs },
    phase: { is: lock.status?.phase, sinceMs: nowMs },
    refusals: 0,
  };
}

/** Takes in the object as it is now. */
export function observe(hand: LockHand, { spec, status }: LockObject, nowMs: number): void {
  if (spec.renewedAt !== hand.renewed.at) hand.renewed = { at: spec.renewedAt, sinceMs: nowMs };
  // A Lock that waited long for its plan has its whole time from Ready on.
  if (status?.phase === 'Ready' && hand.phase.is !== 'Ready') hand.renewed = { ...hand.renewed, sinceMs: nowMs };
  if (status?.phase !== hand.phase.is) hand.phase = { is: status?.phase, sinceMs: nowMs };
}

/** Takes in its slots as they are now. @param users slots that a living pod bears */
export function observeSlots(hand: LockHand, slots: readonly Slot[], users: ReadonlyMap<number, unknown>, nowMs: number): Ages {
  const { resting, had } = hand;
  for (const slot of users.keys()) had.add(slot);
  for (const { slot, state } of slots) {
    // One that its node has yet to take down is nobody's to wait for.
    if (state === 'used' || state === 'leaving') resting.delete(slot);
    else if (!resting.has(slot)) resting.set(slot, nowMs);
  }
  return {
    renewedMs: nowMs - hand.renewed.sinceMs,
    restedMs: (slot) => nowMs - (resting.get(slot) ?? nowMs),
    hadPod: (slot) => had.has(slot),
  };
}
