/**
 * The agenda's part for Locks: each gets its plan, the addresses of its plan, and the word that it is Ready; a Ready one keeps the
 * slots that aren't over. next-for-lock.ts says which step is next, keep.ts which slots stay.
 */
import type { Lock } from '../../api/kinds.ts';
import { PROBED } from '../../api/network.ts';
import { isDrained } from '../node.ts';
import { lockOwner } from '../owner.ts';
import type { Demand } from '../types.ts';
import { advisory } from './advisory.ts';
import { ipLockOf, missingAddress, otherPlace, promiseMoved, settleMoved } from './another-place.ts';
import { type LockObject, lockOfAddress, slotsOf } from './books.ts';
import type { Desk } from './desk.ts';
import { isShut } from './found-out.ts';
import type { Givens } from './given.ts';
import { type Kept, keep, type ListedSlot } from './keep.ts';
import { leaving } from './leaving.ts';
import { type LockHand, lockHand, observe, observeSlots } from './lock-hand.ts';
import { addressChanged, dropPlan, finishPlan, leftovers, lockAddresses, makePlan, SHUT_MS } from './lock-planning.ts';
import { type LockStep, nextForLock } from './next-for-lock.ts';
import { failedStatus, lists, planningStatus, type Reasons, readyStatus, undoneStatus } from './plan.ts';
import type { PodDesk } from './pod-desk.ts';
import { probed, probedBefore } from './probed.ts';
import { sayRebuilding } from './refusal.ts';
import type { Setback } from './setback.ts';
import { type Slot, slotsSeen, usersOf } from './slots.ts';
import { type Call, type Job, type Outcome, objectOf, type Write } from './write.ts';

type Status = NonNullable<Lock['status']>;

export interface LockDesk {
  touch(lock: string): void;
  /** Works off what was touched, as far as there is room for writes. */
  step(): void;
  /** A node changed: slots that leave it. */
  nodeChanged(node: string): void;
  /** An address that a plan claims changed. */
  addressChanged(lock: string, address: string): void;
  /** A call for a Lock ended. */
  ended(write: Write, outcome: Outcome): void;
  /** Promises of plans that aren't finished end with the lock writer. */
  close(): void;
}

/** Counts write a status no more often than this. */
const COUNTS_MS = 1_000;
/** Nor how many addresses were looked for: a status of 5,000 slots is half a megabyte. */
const PROBED_MS_PER_SLOT = 1;
/** Calls that one Lock begins before it is another's turn. */
const TURN = 8;
/**
 * A status that was refused so often in a row, over about half a minute (flight.ts), will not be taken: what was promised by it is
 * given up. A role or policy that comes a moment later than the lock writer is waited for.
 */
const MOST_REFUSALS = 10;
/** Characters of somebody else's words in a message. */
const MOST_QUOTED = 500;
/** Looking at a slot takes about so long; a Lock of 5,000 is looked at 20 times a second at most. */
const LOOK_MS_PER_SLOT = 0.01;

export function lockDesk(desk: Desk, given: Givens, pods: PodDesk): LockDesk {
  const { books, planner, flight } = desk;
  const hands = new Map<string, LockHand>();
  const dirty = new Set<string>();
  /** Locks with addresses to lock, in turn. */
  const planning = new Set<string>();
  /** Former plans that are being taken back: until each was tried, nothing is planned. */
  const undoing = new Set<string>();
  const jobOf = (key: string): Job => ({ desk: 'lock', key });

  function handOf(key: string, lock: LockObject | undefined): LockHand | undefined {
    let hand = hands.get(key);
    if (hand !== undefined && hand.uid !== lock?.metadata.uid) {
      dropPlan(desk, key, hand);
      settleMoved(desk, key, hand, undefined);
      hands.delete(key);
      planning.delete(key);
      undoing.delete(key);
      hand = undefined;
    }
    if (hand !== undefined || lock === undefined) return hand;
    const fresh = lockHand(lock, desk.now());
    hands.set(key, fresh);
    return fresh;
  }

  /** @returns false: there is no room, or not its turn */
  function one(key: string): boolean {
    const lock = books.locks.get(key);
    const hand = handOf(key, lock);
    if (lock === undefined || hand === undefined) {
      pods.giveSlots(key, undefined, undefined, () => []);
      return true;
    }
    const object = objectOf('Lock', key);
    // Its end touches it again; so does the end of its rest.
    if (flight.busy(object) || flight.resting(jobOf(key), object, desk.now())) return true;
    observe(hand, lock, desk.now());
    settleMoved(desk, key, hand, lock);
    compare(key, lock, hand);
    const { plan, template } = hand;
    const known = lock.spec.template !== undefined || (template !== undefined && 'value' in template);
    const step = nextForLock(lock, {
      plan: plan && { written: plan.written, missing: plan.missing.size, broken: plan.broken },
      hopeless: hand.hopeless?.reason,
      template: known ? 'known' : template === undefined ? 'unread' : 'none',
      leftovers: leftovers(desk, key),
      bearers: lock.status?.phase === undefined ? usersOf(key, books).size : 0,
      overMs: desk.now() - hand.phase.sinceMs,
    });
    if (step.do !== 'keep') pods.giveSlots(key, lock, undefined, () => []);
    switch (step.do) {
      case 'wait':
        if (step.ms !== undefined) desk.touchAt(jobOf(key), desk.now() + step.ms);
        return true;
      case 'read': {
        const { podFrom } = lock.spec;
        const namespace = lock.metadata.namespace as string;
        return begin(key, { do: 'template', kind: 'Lock', namespace, podFrom: podFrom as NonNullable<typeof podFrom> });
      }
      case 'plan':
        return makePlanOf(key, lock, hand);
      case 'fail':
        // What it promised is free, whether or not the API server takes the word of it.
        dropPlan(desk, key, hand);
        planning.delete(key);
        return fail(key, lock, [{ reason: step.reason, nodes: 0, message: failure(step.reason, lock, hand) }]);
      case 'undo':
        undoing.add(key);
        return writeStatus(key, lock, hand, undoneStatus(lock));
      case 'lock':
        planning.add(key);
        return true;
      case 'ready': {
        const status = readyStatus(lock, plan as NonNullable<typeof plan>, undefined);
        return writeStatus(key, lock, hand, { ...status, conditions: advisory(status.slots ?? [], lock.status, desk) });
      }
      case 'keep':
        return keepSlots(key, lock, hand);
      case 'delete': {
        const { namespace, name, uid, resourceVersion } = lock.metadata;
        return begin(key, { do: 'delete', kind: 'Lock', id: { namespace, name }, uid, resourceVersion });
      }
      default:
        return step satisfies never;
    }
  }

  /** Holds the plan against what the API server has: written, finished, or overtaken. */
  function compare(key: string, { status }: LockObject, hand: LockHand): void {
    const { plan } = hand;
    if (status?.phase !== 'Planning') undoing.delete(key);
    if (plan === undefined) return;
    if (status?.phase === 'Planning' && lists(status, plan.asWritten)) plan.written = true;
    else if (status?.phase === 'Ready' && plan.written && lists(status, plan.slots)) {
      finishPlan(desk, key, hand);
      desk.note({ note: 'event', on: 'Lock', key, uid: hand.uid, ...readyEvent(plan.slots.length), warning: false });
    } else dropPlan(desk, key, hand);
    if (hand.plan === undefined) planning.delete(key);
  }

  function makePlanOf(key: string, lock: LockObject, hand: LockHand): boolean {
    const waitsFor = planner.rebuilding();
    if (waitsFor !== undefined) {
      desk.touchAt(jobOf(key), desk.now() + SHUT_MS);
      if (!hand.toldRebuilding) desk.note({ note: 'event', on: 'Lock', key, uid: hand.uid, ...sayRebuilding(waitsFor), warning: true });
      hand.toldRebuilding = true;
      return true;
    }
    if (undoing.size > 0 || !flight.hasRoom('quick', objectOf('Lock', key))) return false;
    const { template } = hand;
    const read = template !== undefined && 'value' in template ? template.value : undefined;
    const make = () => makePlan(desk, key, lock, hand, lock.spec.template ?? read, lock.spec.template === undefined);
    const made = desk.attempt<ReturnType<typeof make> | undefined>(hand, `Lock ${key}`, make, (setback) => giveUp(hand, setback));
    if (made === undefined) return one(key);
    if ('length' in made) return fail(key, lock, made);
    desk.note({ note: 'decided', of: 'Lock', slots: made.slots.length });
    return writeStatus(key, lock, hand, planningStatus(lock, made));
  }

  /** A fault would come again: a Lock is asked for anew, where a pod goes on waiting. */
  function giveUp(hand: LockHand, { because }: Setback): undefined {
    hand.hopeless = { reason: 'InternalError', message: sayFaultOfLock(because.slice(0, MOST_QUOTED)) };
  }

  function fail(key: string, lock: LockObject, reasons: NonNullable<Reasons>): boolean {
    const hand = hands.get(key) as LockHand;
    if (!writeStatus(key, lock, hand, failedStatus(lock, reasons))) return false;
    const [first] = reasons;
    const said = reasons.map(({ nodes, reason, message }) => (nodes > 0 ? `${nodes} nodes ${reason}: ${message}` : message));
    const message = `no slots: ${said.join(' ')}`;
    desk.note({ note: 'refused', of: 'Lock', reason: first?.reason ?? 'Unknown' });
    desk.note({ note: 'event', on: 'Lock', key, uid: hand.uid, reason: first?.reason ?? 'LockFailed', message, warning: true });
    return true;
  }

  function keepSlots(key: string, lock: LockObject, hand: LockHand): boolean {
    const listed = slotsOf(lock);
    const nextLook = hand.keptMs + listed.length * LOOK_MS_PER_SLOT;
    if (nextLook > desk.now()) {
      desk.touchAt(jobOf(key), nextLook);
      return true;
    }
    const users = usersOf(key, books);
    const slots = slotsSeen(key, lock, books, { users, givenTo: (slot) => given.of(key, slot) });
    const ages = observeSlots(hand, slots, users, desk.now());
    const demand = () => demandOf(lock, hand);
    const another = otherPlace(desk, lock, slots, demand);
    const next = leaving(desk, key, hand, lock, slots, demand);
    const kept = keep(lock, slots, unlisted(key, listed, users), ages, another, next);
    if (!writeKept(key, lock, hand, kept, slots)) return false;
    hand.keptMs = desk.now();
    if (kept.againInMs !== undefined) desk.touchAt(jobOf(key), desk.now() + kept.againInMs);
    relock(key, lock, slots, users);
    // What is over, or has no address any more, is no pod's.
    const over = new Set([...kept.over, ...kept.moved].map(({ slot }) => slot));
    pods.giveSlots(key, lock, demandOf(lock, hand), () => (over.size === 0 ? slots : slots.filter(({ slot }) => !over.has(slot))));
    return true;
  }

  /** @returns false: there is no room */
  function writeKept(key: string, lock: LockObject, hand: LockHand, kept: Kept, seen: readonly Slot[]): boolean {
    const { status, over, moved } = kept;
    const found = probed(seen, books, lock.status, desk.options);
    if (status === undefined && found === probedBefore(lock.status)) return true;
    const least = status === undefined ? Math.max(COUNTS_MS, seen.length * PROBED_MS_PER_SLOT) : COUNTS_MS;
    const wait = hand.writtenMs + least - desk.now();
    if (over.length + moved.length === 0 && wait > 0) {
      desk.touchAt(jobOf(key), desk.now() + wait);
      return true;
    }
    const { generation } = lock.metadata;
    const others = advisory(status?.slots ?? lock.status?.slots ?? [], lock.status, desk)?.filter(({ type }) => type !== PROBED) ?? [];
    const conditions = [...others, ...(found === undefined ? [] : [found])];
    const reasons = withConflicts(lock.status?.reasons, over);
    const whole = { ...lock.status, observedGeneration: generation, ...status, ...(reasons && { reasons }), conditions };
    if (!writeStatus(key, lock, hand, whole)) return false;
    promiseMoved(desk, key, hand, moved, moved.length === 0 ? undefined : demandOf(lock, hand));
    tellKept(key, hand, kept);
    if (found?.status === 'False' && found.reason !== probedBefore(lock.status)?.reason)
      desk.note({
        note: 'event',
        on: 'Lock',
        key,
        uid: hand.uid,
        reason: found.reason,
        message: found.message ?? found.reason,
        warning: true,
      });
    return true;
  }

  function tellKept(key: string, { uid }: LockHand, { status, over, moved }: Kept): void {
    if (over.length > 0) {
      const fields = {
        lock: key,
        slots: over.length,
        because: [...new Set(over.map(({ because }) => because))].join(),
        left: status?.slots?.length,
      };
      desk.note({ note: 'log', level: 'info', sentence: 'slots are over', fields });
    }
    for (const { slot, from, address, node } of moved)
      desk.note({
        note: 'log',
        level: 'info',
        sentence: from === address ? 'slot moved to another node' : 'slot moved to another address',
        fields: { lock: key, slot, from, address, node },
      });
    if (status?.phase === 'Expired')
      desk.note({ note: 'event', on: 'Lock', key, uid, reason: 'LockExpired', message: 'its last slot is over', warning: false });
  }

  /** Slots that living pods bear and the status lost. It takes a former lock writer's late write to come to that. */
  function unlisted(key: string, listed: readonly ListedSlot[], users: ReturnType<typeof usersOf>): ListedSlot[] {
    if (users.size === 0) return [];
    const numbers = new Set(listed.map(({ slot }) => slot));
    return [...users].flatMap(([slot, pod]) => {
      const node = pod.node ?? pod.pinned;
      if (numbers.has(slot) || node === undefined) return [];
      const address = books.addressesOfPod(pod.uid).find((one) => lockOfAddress(one) === key && !isShut(one))?.metadata.name;
      return [{ slot, node, ...(address !== undefined && { address }) }];
    });
  }

  function relock(key: string, lock: LockObject, slots: readonly Slot[], users: ReturnType<typeof usersOf>): void {
    const job = jobOf(key);
    for (const slot of slots) {
      const call = missingAddress(desk, lock, slot, users);
      if (call === undefined) {
        if (slot.state === 'missing') desk.touchAt(job, desk.now() + SHUT_MS);
        continue;
      }
      const object = ipLockOf(call);
      if (flight.busy(object) || flight.resting(job, object, desk.now())) continue;
      if (flight.begin({ job, lane: 'bulk', object, call })) continue;
      desk.touch(job);
      return;
    }
  }

  function demandOf(lock: LockObject, hand: LockHand): Demand | undefined {
    const namespace = lock.metadata.namespace as string;
    hand.demand ??= planner.demandOf(lock.spec.template ?? lock.status?.template, namespace, lockOwner(namespace, lock)).demand;
    return hand.demand;
  }

  function writeStatus(key: string, lock: LockObject, hand: LockHand, status: Status): boolean {
    // The API server takes nothing else of it (apiextensions, customresource, statusStrategy.PrepareForUpdate): less to send and read.
    const { apiVersion, kind, metadata } = lock;
    const { namespace, name, uid, resourceVersion } = metadata;
    const object = { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion }, status } as LockObject;
    if (!begin(key, { do: 'status', kind: 'Lock', object })) return false;
    hand.writtenMs = desk.now();
    return true;
  }

  function statusEnded(hand: LockHand, outcome: Outcome): void {
    if (outcome.is === 'done') hand.refusals = 0;
    if (outcome.is !== 'refused' || ++hand.refusals < MOST_REFUSALS) return;
    hand.hopeless ??= { reason: 'StatusRefused', message: sayStatusRefused(outcome) };
  }

  const begin = (key: string, call: Call) => flight.begin({ job: jobOf(key), lane: 'quick', object: objectOf('Lock', key), call });

  return {
    touch: (lock) => void dirty.add(lock),
    step() {
      // Former plans first: what they promise is promised to nobody.
      const isPlanning = (key: string) => books.locks.get(key)?.status?.phase === 'Planning' && hands.get(key)?.plan === undefined;
      for (const key of [...[...dirty].filter(isPlanning), ...dirty]) {
        // What touches it while it is looked at is not lost.
        if (dirty.delete(key) && !desk.look(jobOf(key), () => one(key))) dirty.add(key);
      }
      // In turns, so that a Lock of five thousand doesn't keep the others waiting.
      for (let begun = 1; begun > 0 && flight.hasRoom('bulk'); ) {
        begun = 0;
        for (const key of [...planning]) {
          const [lock, plan] = [books.locks.get(key), hands.get(key)?.plan];
          planning.delete(key);
          if (lock === undefined || plan === undefined) continue;
          const lockSome = () => lockAddresses(desk, key, lock, plan, TURN);
          begun += desk.attempt(plan, `Lock ${key}`, lockSome, (setback) => {
            giveUp(hands.get(key) as LockHand, setback);
            plan.broken = true;
            return 0;
          });
          if (plan.missing.size === 0 || plan.broken) dirty.add(key);
          else planning.add(key);
        }
      }
    },
    nodeChanged(node) {
      // One that takes pods as before concerns nobody: most changes.
      if (!isDrained(planner.node(node), [])) return;
      for (const key of hands.keys()) if (slotsOf(books.locks.get(key)).some((slot) => slot.node === node)) dirty.add(key);
    },
    addressChanged(key, address) {
      const [lock, plan] = [books.locks.get(key), hands.get(key)?.plan];
      if (lock === undefined || plan === undefined) return;
      addressChanged(desk, key, lock, plan, address);
      if (plan.missing.size === 0) dirty.add(key);
      else planning.add(key);
    },
    ended({ job: { key }, call }, outcome) {
      if (call.do === 'status') undoing.delete(key);
      const hand = hands.get(key);
      if (hand !== undefined && call.do === 'status') statusEnded(hand, outcome);
      if (hand === undefined || call.do !== 'template') return;
      if (outcome.is === 'done') hand.template = { value: outcome.template };
      else if (outcome.is === 'gone') hand.template = { missing: 'there is none of that name' };
      else if (outcome.is === 'refused') hand.template = { missing: `${outcome.reason}: ${outcome.message}` };
    },
    close() {
      for (const [key, hand] of hands) {
        dropPlan(desk, key, hand);
        settleMoved(desk, key, hand, undefined);
      }
    },
  };
}

/** Why it is fewer than were found: slots that another machine took the address of, counted over its life. */
function withConflicts(before: Reasons, over: Kept['over']): Reasons {
  const lost = over.filter(({ because }) => because === 'quarantined').length;
  if (lost === 0) return before;
  const nodes = lost + (before?.find(({ reason }) => reason === CONFLICT)?.nodes ?? 0);
  const message = 'other machines answer for addresses of its slots, and no other address was free';
  return [...(before ?? []).filter(({ reason }) => reason !== CONFLICT), { reason: CONFLICT, nodes, message }];
}
const CONFLICT = 'AddressConflict';

function readyEvent(slots: number) {
  return { reason: 'LockReady', message: `${slots} ${slots === 1 ? 'slot is' : 'slots are'} locked` };
}

function sayFaultOfLock(because: string): string {
  return `a fault of Gala: ${because}. The log of the lock writer says more, and belongs into a report of the fault. Lock under another name to try again.`;
}

function sayStatusRefused({ reason, message }: Extract<Outcome, { readonly is: 'refused' }>): string {
  return `the API server refused its status ${MOST_REFUSALS} times: ${reason}: ${message.slice(0, MOST_QUOTED)}. Give the lock writer the right to write it, and lock under another name.`;
}

type FailReason = Extract<LockStep, { readonly do: 'fail' }>['reason'];

function failure(reason: FailReason, { spec, metadata }: LockObject, { template, hopeless }: LockHand): string {
  if (hopeless !== undefined) return hopeless.message;
  if (reason === 'NameInUse')
    return 'pods still have slots of a former Lock of this name, which was deleted under them. Lock under another name, or delete these pods.';
  const why = template !== undefined && 'missing' in template ? template.missing : '';
  return `podFrom names ${spec.podFrom?.kind} ${metadata.namespace}/${spec.podFrom?.name}: ${why}. Correct it, and lock under another name.`;
}
