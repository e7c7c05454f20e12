/** Planning a Lock: from the question to a plan, from the plan to its addresses, and back where it can't be. */
import { sentence } from '../../api/problem.ts';
import { lockOwner } from '../owner.ts';
import { bareTemplate } from '../template.ts';
import type { Ask, Demand } from '../types.ts';
import { type IPLockObject, type LockObject, lockOfAddress } from './books.ts';
import type { Desk } from './desk.ts';
import { newIPLock, takenOver } from './ip-lock.ts';
import type { LockHand } from './lock-hand.ts';
import { addressStep, newPlan, type Plan, type Reasons, replaceAddress } from './plan.ts';
import { reasonsOf } from './refusal.ts';
import { type Job, objectOf } from './write.ts';

/** A rebuild is looked after so often. */
export const SHUT_MS = 1_000;

/** The key of a slot's promise, as the inventory knows it. */
export const promiseKey = (lock: string, slot: number): string => `${lock}#${slot}`;

/** @returns the plan, in hand, promised and claimed; or the reasons why there is none */
export function makePlan(
  desk: Desk,
  key: string,
  { spec, metadata }: LockObject,
  hand: LockHand,
  template: unknown,
  isRead: boolean,
): Plan | NonNullable<Reasons> {
  const namespace = metadata.namespace as string;
  const { demand, problems } = desk.planner.demandOf(template, namespace, lockOwner(namespace, { spec }));
  if (demand === undefined) return [{ reason: 'Unreadable', nodes: 0, message: problems.map(sentence).join(' ').slice(0, 1024) }];
  const { strategy, maxPer, near, count, allowPartial } = spec;
  const ask: Ask = { demand, strategy, maxPer, near };
  const placement = desk.planner.place(ask, count, allowPartial);
  if ('refused' in placement) return reasonsOf(placement.limits);
  const more = placement.slots.length < count ? desk.planner.place(ask, count, false) : undefined;
  const plan = newPlan(
    placement.slots,
    demand,
    isRead ? bareTemplate(template) : undefined,
    more && 'refused' in more ? reasonsOf(more.limits) : undefined,
  );
  // In hand first: whatever is claimed can be dropped.
  hand.plan = plan;
  for (const { slot, node, address } of plan.slots) claim(desk, key, demand, slot, node, address);
  return plan;
}

function claim({ planner, claims }: Desk, lock: string, demand: Demand, slot: number, node: string, address: string | undefined): void {
  planner.promise(promiseKey(lock, slot), { node, demand, address });
  if (address !== undefined) claims.set(address, { desk: 'lock', key: lock });
}

/** The plan is no more: what it promised is free, what it created is swept. */
export function dropPlan(desk: Desk, key: string, hand: LockHand): void {
  for (const { slot, address } of hand.plan?.slots ?? []) {
    desk.planner.release(promiseKey(key, slot));
    unclaim(desk, address);
  }
  hand.plan = undefined;
}

/** The Lock is Ready: its status promises now, once the watch has told it. */
export function finishPlan(desk: Desk, key: string, hand: LockHand): void {
  for (const { slot, address } of hand.plan?.slots ?? []) {
    desk.land(promiseKey(key, slot), { lock: key });
    unclaim(desk, address);
  }
  hand.plan = undefined;
}

function unclaim({ claims, touch }: Desk, address: string | undefined): void {
  if (address === undefined) return;
  claims.delete(address);
  touch({ desk: 'address', key: address });
}

/**
 * Begins with some of the addresses that the plan lacks.
 * @param most how many calls at most
 * @returns how many calls were begun
 */
export function lockAddresses(desk: Desk, key: string, lock: LockObject, plan: Plan, most: number): number {
  const { flight, books, planner } = desk;
  const job: Job = { desk: 'lock', key };
  const whose = { namespace: lock.metadata.namespace as string, name: lock.metadata.name };
  const owner = lockOwner(whose.namespace, lock);
  if (planner.rebuilding() !== undefined) {
    desk.touchAt(job, desk.now() + SHUT_MS);
    return 0;
  }
  let begun = 0;
  for (const index of plan.missing) {
    if (begun === most || plan.broken || !flight.hasRoom('bulk')) break;
    const { node, address } = plan.slots[index] as { node: string; address: string };
    const object = objectOf('IPLock', address);
    if (flight.busy(object) || flight.resting(job, object, desk.now())) continue;
    const ipLock = books.ipLocks.get(address);
    const step = addressStep(key, node, owner, ipLock, books);
    const whom = { node, lock: whose };
    switch (step) {
      case 'locked':
        plan.missing.delete(index);
        break;
      case 'taken':
        takeAnother(desk, key, plan, index);
        break;
      case 'create': {
        // Told after it was planned.
        if (planner.wiredAt(address) !== undefined) {
          takeAnother(desk, key, plan, index);
          break;
        }
        const made = newIPLock({ address, mac: planner.macOf(address, node), owner, ...whom });
        if (flight.begin({ job, lane: 'bulk', object, call: { do: 'create', kind: 'IPLock', object: made } })) begun++;
        break;
      }
      case 'take over': {
        const taken = takenOver(ipLock as IPLockObject, whom, true);
        if (flight.begin({ job, lane: 'bulk', object, call: { do: 'update', kind: 'IPLock', object: taken } })) begun++;
        break;
      }
      default:
        step satisfies never;
    }
  }
  return begun;
}

/** The address is somebody else's: another one of the same node, or the plan is broken. */
function takeAnother(desk: Desk, key: string, plan: Plan, index: number): void {
  const { slot, node, address } = plan.slots[index] as { slot: number; node: string; address: string };
  plan.taken.add(address);
  // While the old one is promised still, it isn't offered again.
  const other = desk.planner.another(plan.demand, node, plan.taken);
  if (other === undefined) {
    plan.broken = true;
    return;
  }
  unclaim(desk, address);
  replaceAddress(plan, index, other);
  claim(desk, key, plan.demand, slot, node, other);
}

/** An address of the plan changed. */
export function addressChanged(desk: Desk, key: string, lock: LockObject, plan: Plan, address: string): void {
  const index = plan.byAddress.get(address);
  if (index === undefined) return;
  const { node } = plan.slots[index] as { node: string };
  const owner = lockOwner(lock.metadata.namespace as string, lock);
  if (addressStep(key, node, owner, desk.books.ipLocks.get(address), desk.books) === 'locked') plan.missing.delete(index);
  else plan.missing.add(index);
}

/** IPLocks that name the Lock and no pod. */
export function leftovers({ books }: Desk, key: string): number {
  return books.addressesOfLock(key).filter((it) => it.spec.phase === 'Locked' && it.spec.podUID === undefined && lockOfAddress(it) === key)
    .length;
}
