/**
 * Another place: where the slot of a Ready Lock goes whose address another machine answers for: another address of its node, else
 * another node, within the Lock's caps. One with a pod stays on its node, where the pod is. docs/locks.md, L18. Slots that leave
 * their node: leaving.ts.
 *
 * What is chosen is promised until the status that lists it is there; its IPLock follows the status, as all addresses do.
 */
import { lockOwner } from '../owner.ts';
import type { Demand } from '../types.ts';
import { type IPLockObject, type LockObject, slotsOf } from './books.ts';
import type { Desk } from './desk.ts';
import { assigned, newIPLock } from './ip-lock.ts';
import type { Kept, OtherPlace, Place } from './keep.ts';
import type { LockHand } from './lock-hand.ts';
import { promiseKey } from './lock-planning.ts';
import { presumed } from './presumed.ts';
import type { Slot, usersOf } from './slots.ts';
import { type Call, objectOf } from './write.ts';

/** @param demandOf of the Lock's template; undefined: it can't be read */
export function otherPlace(
  { planner }: Desk,
  { spec }: LockObject,
  slots: readonly Slot[],
  demandOf: () => Demand | undefined,
): OtherPlace {
  const chosen = new Set<string>();
  /** Whether another node was looked for: once at a time, because what is found is promised with the status that lists it. */
  let hasLooked = false;
  let isFull = false;
  // By slot, as they are after the moves so far.
  const nodes = new Map(slots.map(({ slot, node }) => [slot, node]));

  function found(slot: Slot, only: string | undefined): ReturnType<OtherPlace> {
    const demand = demandOf();
    if (demand === undefined) return undefined;
    // What is free now may turn out to be somebody's.
    if (planner.rebuilding() !== undefined) return 'later';
    // Of nobody: what is Held for its owner names a Lock or a pod before.
    const fresh = { ...demand, owner: undefined };
    const address = planner.another(fresh, slot.node, chosen);
    if (address !== undefined) return { node: slot.node, address };
    if (only !== undefined || isFull) return undefined;
    if (hasLooked) return 'later';
    hasLooked = true;
    const others = [...nodes].flatMap(([number, node]) => (number === slot.slot ? [] : [node]));
    const { strategy, maxPer, near, count } = spec;
    const there = planner.beside({ demand: fresh, strategy, maxPer, near }, count, others);
    isFull = there?.address === undefined;
    if (there?.address === undefined) return undefined;
    // Another slot of that node may be about to have it.
    return chosen.has(there.address) ? 'later' : { node: there.node, address: there.address };
  }

  return (slot, only) => {
    const place = found(slot, only);
    if (place === undefined || place === 'later') return place;
    if (place.address !== undefined) chosen.add(place.address);
    nodes.set(slot.slot, place.node);
    return place;
  };
}

/** The status that lists them is on its way. */
export function promiseMoved(desk: Desk, key: string, hand: LockHand, moved: Kept['moved'], demand: Demand | undefined): void {
  if (demand === undefined) return;
  for (const { slot, node, address } of moved) promisePlace(desk, key, hand, slot, { node, address }, demand);
}

export function promisePlace({ planner }: Desk, key: string, hand: LockHand, slot: number, { node, address }: Place, demand: Demand): void {
  planner.promise(promiseKey(key, slot), { node, demand, address });
  hand.moved.set(slot, { node, address });
}

/** It is there, and promises by itself once the watch has told it; or it isn't to be. */
export function settleMoved(desk: Desk, key: string, hand: LockHand, lock: LockObject | undefined): void {
  if (hand.moved.size === 0) return;
  const listed = new Map(slotsOf(lock).map((one) => [one.slot, one]));
  for (const [slot, { node, address }] of hand.moved) {
    const now = listed.get(slot);
    if (now !== undefined && now.node === node && now.address === address) desk.land(promiseKey(key, slot), { lock: key });
    else desk.planner.release(promiseKey(key, slot));
  }
  hand.moved.clear();
}

/**
 * What is to be written so that the address of a slot is there for whom the slot is for: it was moved, somebody deleted its IPLock, or that
 * is older than what these caches hold: creating it tells which.
 */
export function missingAddress(
  desk: Desk,
  lock: LockObject,
  { slot, state, node, address }: Slot,
  users: ReturnType<typeof usersOf>,
): Call | undefined {
  const { books, planner, options } = desk;
  if (address === undefined || (state !== 'missing' && state !== 'used')) return undefined;
  // It is looked at again until that is over.
  if (planner.rebuilding() !== undefined || isAnothers(planner.wiredAt(address), users.get(slot)?.uid)) return undefined;
  const bearer = users.get(slot);
  if (state === 'used' && (bearer === undefined || (bearer.node ?? bearer.pinned) !== node)) return undefined;
  const whose = { namespace: lock.metadata.namespace as string, name: lock.metadata.name };
  const pod = bearer && { name: bearer.name, uid: bearer.uid, term: options.term };
  const ipLock = books.ipLocks.get(address);
  if (ipLock === undefined) {
    const owner = lockOwner(whose.namespace, lock);
    const object = newIPLock({ address, mac: planner.macOf(address, node), owner, node, lock: whose, pod });
    return { do: 'create', kind: 'IPLock', object: presumed(desk, object) };
  }
  return pod !== undefined && isForNobody(ipLock, whose, node)
    ? { do: 'update', kind: 'IPLock', object: presumed(desk, assigned(ipLock, pod)) }
    : undefined;
}

const isAnothers = (wired: { readonly podUID: string } | undefined, uid: string | undefined): boolean =>
  wired !== undefined && wired.podUID !== uid;

const isForNobody = ({ spec }: IPLockObject, { namespace, name }: { namespace: string; name: string }, node: string): boolean =>
  spec.phase === 'Locked' &&
  spec.podUID === undefined &&
  spec.node === node &&
  spec.lock?.namespace === namespace &&
  spec.lock.name === name;

export const ipLockOf = (call: Call): string => objectOf('IPLock', 'object' in call ? (call.object.metadata.name as string) : '');
