/**
 * Leaving: where a slot of a Ready Lock goes that no pod has: because its node is drained, as `moveOnDrain` has it, or because a person
 * wants it elsewhere (`gala ips move`). docs/locks.md, L21, D2 to D7.
 *
 * What is chosen is promised at once, so that the next slot is placed beside it; the status that lists it decides. Addresses follow: a
 * Held one is written on its new node, one that is Locked for no pod yet is made anew there (sweep.ts, another-place.ts).
 */
import { ANYWHERE } from '../../api/network.ts';
import { isDrained } from '../node.ts';
import type { Demand } from '../types.ts';
import { promisePlace } from './another-place.ts';
import { type IPLockObject, type LockObject, lockOfAddress } from './books.ts';
import type { Desk } from './desk.ts';
import { isAskedTo } from './found-out.ts';
import type { NextPlace, Place } from './keep.ts';
import type { LockHand } from './lock-hand.ts';
import type { Where } from './planner.ts';
import { sayNotMoved } from './refusal.ts';
import type { Slot } from './slots.ts';
import { LATE_MS } from './sweep.ts';

/** Looking at 5,000 nodes takes a few milliseconds; the others have their turn in between. */
const LOOKS = 4;
const LATER_MS = 100;
/** How soon another node is looked for again where none has room. */
const AGAIN_MS = 10_000;
const TOLD_MS = 1_800_000;

/** @param demandOf of the Lock's template; undefined: it can't be read */
export function leaving(
  desk: Desk,
  key: string,
  hand: LockHand,
  lock: LockObject,
  slots: readonly Slot[],
  demandOf: () => Demand | undefined,
): NextPlace {
  const { books, planner } = desk;
  const { strategy, maxPer, near, count, moveOnDrain } = lock.spec;
  /** As they are after the moves so far. */
  let nodes: Map<number, string> | undefined;
  let looks = 0;

  function wayOf(slot: Slot, demand: Demand): Where | undefined {
    const { node, address } = slot;
    const ipLock = address === undefined ? undefined : books.ipLocks.get(address);
    const asked = ipLock === undefined ? undefined : askedOf(ipLock, slot);
    if (asked !== undefined) return { address, not: node, ...(asked !== ANYWHERE && { node: asked }) };
    if (!isDrained(planner.node(node), demand.tolerations)) return undefined;
    const way = moveOnDrain ?? (address === undefined || planner.isOnVlan(demand, address) ? 'move' : 'replace');
    return way === 'wait' ? undefined : { not: node, ...(way === 'move' && { address }) };
  }

  /** Once its slot has moved it is on its way, and asks for nothing. */
  function askedOf(ipLock: IPLockObject, { node }: Slot): string | undefined {
    const asked = ipLock.spec.node === node && lockOfAddress(ipLock) === key ? isAskedTo(ipLock) : undefined;
    return asked === node ? undefined : asked;
  }

  /** To whoever asked. That the pod of a drained node waits is told on the pod. */
  function tellStuck({ slot, node, address }: Slot, where: Where): void {
    const ipLock = address === undefined ? undefined : books.ipLocks.get(address);
    if (ipLock === undefined || isAskedTo(ipLock) === undefined) return;
    if (desk.now() - (hand.stuckMs.get(slot) ?? Number.NEGATIVE_INFINITY) < TOLD_MS) return;
    hand.stuckMs.set(slot, desk.now());
    const said = sayNotMoved(ipLock.metadata.name, key, node, where.node);
    desk.note({ note: 'event', on: 'IPLock', key: ipLock.metadata.name, uid: ipLock.metadata.uid, ...said, warning: true });
  }

  return (slot): Place | number | undefined => {
    const demand = demandOf();
    const where = demand === undefined ? undefined : wayOf(slot, demand);
    if (demand === undefined || where === undefined) return undefined;
    // What a former lock writer may still write to the address would be of the node that it leaves.
    const youngMs = desk.options.beganMs + LATE_MS - desk.now();
    if (youngMs > 0) return youngMs;
    // What is free now may turn out to be somebody's; and one that a node has wired, of whom no IPLock says so, stays.
    if (planner.rebuilding() !== undefined || planner.wiredAt(slot.address ?? '') !== undefined) return AGAIN_MS;
    if (looks++ >= LOOKS) return LATER_MS;
    nodes ??= new Map(slots.map(({ slot: number, node }) => [number, node]));
    const others = [...nodes].flatMap(([number, node]) => (number === slot.slot ? [] : [node]));
    // Of nobody: what is Held for its owner names a Lock or a pod before.
    const ask = { demand: { ...demand, owner: undefined }, strategy, maxPer, near };
    const place = planner.beside(ask, count, others, where);
    if (place === undefined) {
      tellStuck(slot, where);
      return AGAIN_MS;
    }
    hand.stuckMs.delete(slot.slot);
    nodes.set(slot.slot, place.node);
    promisePlace(desk, key, hand, slot.slot, place, demand);
    return place;
  };
}
