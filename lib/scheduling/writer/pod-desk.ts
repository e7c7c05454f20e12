/**
 * The agenda's part for pods: those that wait get a slot, of their Lock or a loose one, in the order of priority and age; what was
 * given is written; and those that their node refuses are seen to.
 */
import { LOOSE } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import { both } from '../node-terms.ts';
import type { Ask, Demand, PlacedSlot } from '../types.ts';
import { withClaims } from '../volumes.ts';
import { anotherAddress } from './another-address.ts';
import { notOn } from './away.ts';
import { type IPLockObject, type LockObject, lockOfPod } from './books.ts';
import type { Desk } from './desk.ts';
import { isShut } from './found-out.ts';
import { type Givens, looseKey } from './given.ts';
import { line } from './line.ts';
import { type Given, nextForPod, refusedByLock, slotFor, stageOf } from './next-for-pod.ts';
import { pinnedPods, TOLD_MS } from './pinned-pods.ts';
import { presumed } from './presumed.ts';
import {
  isRefusal,
  type Refusal,
  sayAddressNotBack,
  sayFault,
  sayKeptAway,
  sayNotPlaced,
  sayRebuilding,
  sayTied,
  sayUnreadable,
  sayWiredElsewhere,
} from './refusal.ts';
import type { Setback } from './setback.ts';
import type { Slot } from './slots.ts';
import { turnedAway } from './turned-away.ts';
import { before, waiting } from './waiting.ts';
import { type Job, objectOf } from './write.ts';

export interface PodDesk {
  touch(pod: string): void;
  step(): void;
  /** Pods that wait for a slot of the Lock get what is free. */
  giveSlots(lock: string, object: LockObject | undefined, template: Demand | undefined, slots: () => readonly Slot[]): void;
  /** Whether any wait for it. */
  waitsFor(lock: string): boolean;
  /** The pod, which waits, is about to take the address that names it. */
  takes(pod: PodFacts, ipLock: IPLockObject): boolean;
  /** Something was freed: what was refused may fit. @param nodes on these alone. @default anywhere */
  wake(nodes?: ReadonlySet<string>): void;
  /** Looking at those that were refused is not at its end yet. */
  readonly isLooking: boolean;
  /** When all of them may be looked at again: after a rest as long as the last look at them took. */
  readonly restsUntilMs: number;
  readonly anyRefused: boolean;
  /** A node changed: pods that are pinned there. */
  nodeChanged(node: string): void;
  readonly waiting: number;
  /** Promises of pods that aren't done end with the lock writer. */
  close(): void;
}

/**
 * Loose pods, and pods of Locks, that are being given slots at a time: enough for the API server to be busy, few enough that
 * priority counts and that neither waits long for the other.
 */
const WINDOW = 96;
const BATCH = 48;
/**
 * A pod whose writes failed so often in a row keeps its slot and is tried on, outside the window: a namespace whose webhook or
 * policy refuses every change of its pods must not keep the others waiting.
 */
const STALLED_AFTER = 3;
/** Looking at 5,000 nodes takes a few milliseconds, for one pod as for forty-eight. */
const TOGETHER_MS = 20;
/**
 * Looks at nodes in one step, in units of what a look at a single one costs, some 0.2 ms on 5,000 nodes: 15 ms or so. The extender, the
 * stock API and the Lease wait for the end of a step.
 */
const LOOKS = 60;
const LOOK = { pinned: 1, placed: 4, refused: 16 };
/** The agents tell every 10 s. */
const SHUT_MS = 1_000;
/** Nobody is told of what passes within this. */
const SOON_MS = 5_000;

/** A bare pod, or an ordinal of a StatefulSet (owner.ts). */
const isItsOwn = ({ key, demand }: PodFacts): boolean => demand.owner === key;

/** An address of this owner that the pod before it still has. Those of Locks are others', and a Quarantined one is for people. */
const isOfFormer = ({ lock, phase, podUID }: IPLockObject['spec'], { uid }: PodFacts): boolean =>
  lock === undefined && (phase === 'Locked' || phase === 'Bound') && podUID !== undefined && podUID !== uid;

interface Placed {
  readonly slots: readonly PlacedSlot[];
  readonly refusal?: Refusal;
}

export function podDesk(desk: Desk, given: Givens): PodDesk {
  const { books, planner, flight, claims } = desk;
  const dirty = new Set<string>();
  /** Beside its template: what may keep a pod from nodes that others of its shape can have. */
  const apart = (pod: PodFacts) => {
    const claims = pod.claims === undefined ? '' : JSON.stringify(planner.claimsOf(pod));
    return `${pinned.awayFrom(pod).join()} ${claims}`;
  };
  const hasHeld = (owner: string) => books.addressesOfOwner(owner).some(({ spec }) => spec.phase === 'Held');
  const loose = waiting(hasHeld, apart);
  /** Pods whose own address is still that of the pod before them. */
  const returning = new Set<string>();
  /** By Lock: pods that wait for one of its slots. */
  const forLock = new Map<string, Set<string>>();
  const lockOf = new Map<string, string>();
  /** Locks whose pods wait for the window. */
  const withoutRoom = turnedAway(byPriority);
  let placedMs = Number.NEGATIVE_INFINITY;
  /** Since when the shapes that fit nowhere are looked at, some in each step. */
  let lookingMs: number | undefined;
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  /** Since when each waits, for metrics; and what was told of it. */
  const since = new Map<string, number>();
  const told = new Map<string, { readonly refusal: Refusal; readonly atMs: number }>();
  const pinned = pinnedPods(desk, tell);
  const another = anotherAddress(desk, tell);
  /** Whose writes wait for room. */
  const queue = line();
  const jobOf = (key: string): Job => ({ desk: 'pod', key });

  function one(key: string): boolean {
    const pod = books.pods.get(key);
    const stage = pod === undefined ? 'other' : stageOf(pod);
    settle(key, pod, stage);
    pinned.follow(key, pod, stage === 'pinned');
    if (pod === undefined) another.forget(key);
    else if (!another.look(pod)) return false;
    if (pod !== undefined && stage === 'pinned') return whenPinned(pod);
    if (pod === undefined || stage !== 'waits') return forget(key);
    if (!since.has(key)) since.set(key, desk.now());
    if (pod.unreadable !== undefined) return tell(pod, sayUnreadable(pod));
    const mine = given.get(key) ?? adopt(pod);
    if (mine !== undefined) return writeGiven(pod, mine);
    enqueue(pod);
    return true;
  }

  /** What was given and is had, or is for nobody any more. */
  function settle(key: string, pod: PodFacts | undefined, stage: 'waits' | 'pinned' | 'other'): void {
    const mine = given.get(key);
    if (mine === undefined) return;
    if (pod !== undefined && pod.uid === mine.uid && !pod.gated && pod.slot !== undefined) {
      given.settle(key);
      desk.note({ note: 'pinned', waitedMs: desk.now() - (since.get(key) ?? desk.now()) });
    } else if (pod === undefined || pod.uid !== mine.uid || stage !== 'waits') given.drop(key);
  }

  function forget(key: string): true {
    unqueue(key);
    since.delete(key);
    told.delete(key);
    return true;
  }

  function unqueue(key: string): void {
    loose.remove(key);
    returning.delete(key);
    const lock = lockOf.get(key);
    if (lock === undefined) return;
    lockOf.delete(key);
    const pods = forLock.get(lock);
    pods?.delete(key);
    if (pods?.size !== 0) return;
    forLock.delete(lock);
    withoutRoom.remove(lock);
  }

  function enqueue(pod: PodFacts): void {
    unqueue(pod.key);
    const lock = lockOfPod(pod);
    if (lock === undefined) {
      const taken = isItsOwn(pod) ? ofOwner(pod).find(({ spec }) => isOfFormer(spec, pod)) : undefined;
      const refusal = taken === undefined ? loose.add(pod) : awaitAddress(pod, taken);
      if (refusal !== undefined) tell(pod, refusal);
      return;
    }
    lockOf.set(pod.key, lock);
    const pods = forLock.get(lock);
    if (pods === undefined) forLock.set(lock, new Set([pod.key]));
    else pods.add(pod.key);
    desk.touch({ desk: 'lock', key: lock });
  }

  /** Its own address is on its way back from the pod before it: it is touched when that is Held. */
  function awaitAddress(pod: PodFacts, { spec, metadata }: IPLockObject): Refusal {
    returning.add(pod.key);
    const toldMs = (since.get(pod.key) ?? desk.now()) + SOON_MS;
    if (toldMs > desk.now()) desk.touchAt(jobOf(pod.key), toldMs);
    return sayAddressNotBack(metadata.name, spec, planner.node(spec.node));
  }

  function give(pod: PodFacts, mine: Given): void {
    unqueue(pod.key);
    given.give(pod.key, mine);
    dirty.add(pod.key);
    desk.note({ note: 'decided', of: 'Pod', slots: 1 });
  }

  /** An address that names the pod already: a lock writer before this one, or this one before an answer was lost, began with it. */
  function adopt(pod: PodFacts): Given | undefined {
    for (const ipLock of books.addressesOfPod(pod.uid)) {
      const mine = adopted(pod, ipLock);
      if (mine === undefined || claims.has(ipLock.metadata.name)) continue;
      unqueue(pod.key);
      given.give(pod.key, mine);
      if (mine.slot === LOOSE) planner.promise(looseKey(pod.key), { node: mine.node, demand: pod.demand, address: mine.address });
      return mine;
    }
    return undefined;
  }

  function adopted(pod: PodFacts, ipLock: IPLockObject): Given | undefined {
    const { spec, metadata } = ipLock;
    if (spec.phase !== 'Locked' || isShut(ipLock) || stageOf(pod) !== 'waits' || planner.node(spec.node) === undefined) return undefined;
    const common = { uid: pod.uid, node: spec.node, address: metadata.name, owner: spec.owner };
    const lock = lockOfPod(pod);
    if (lock === undefined) {
      const isIts = spec.lock === undefined && spec.owner === pod.demand.owner && (pod.pinned ?? spec.node) === spec.node;
      return isIts ? { ...common, slot: LOOSE } : undefined;
    }
    const listed = books.listedAt(metadata.name);
    const isIts = spec.lock !== undefined && listed?.lock === lock && `${spec.lock.namespace}/${spec.lock.name}` === lock;
    if (!isIts || books.locks.get(lock)?.status?.phase !== 'Ready') return undefined;
    return { ...common, slot: String(listed.slot), lock: spec.lock };
  }

  /** @returns false: there is no room */
  function writeGiven(pod: PodFacts, mine: Given): boolean {
    const ipLock = mine.address === undefined ? undefined : books.ipLocks.get(mine.address);
    const next = nextForPod(pod, mine, ipLock, desk.options.term);
    const job = jobOf(pod.key);
    if (next.do === 'drop') {
      given.drop(pod.key);
      // Decided anew: an address that names it may have been heard of meanwhile.
      return one(pod.key);
    }
    if (next.do !== 'pin') {
      const refusal = shut(pod, mine.address as string);
      if (refusal !== undefined) {
        desk.touchAt(job, desk.now() + SHUT_MS);
        return tell(pod, refusal);
      }
    }
    const object = next.do === 'pin' ? objectOf('Pod', pod.key) : objectOf('IPLock', mine.address as string);
    if (flight.failures(job, object) >= STALLED_AFTER || flight.hangs(objectOf('Pod', pod.key))) given.stall(pod.key);
    // The end of the call touches the pod again; so does the end of its rest.
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    const call =
      next.do === 'pin'
        ? ({ do: 'patch', kind: 'Pod', id: { namespace: pod.namespace, name: pod.name }, patch: next.patch } as const)
        : ({ do: next.do, kind: 'IPLock', object: presumed(desk, next.object) } as const);
    return flight.begin({ job, lane: 'quick', object, call });
  }

  /** Why the address is not written for the pod now: it may be another's, of whom no IPLock says so. */
  function shut(pod: PodFacts, address: string): Refusal | undefined {
    const waitsFor = planner.rebuilding();
    if (waitsFor !== undefined) return sayRebuilding(waitsFor);
    const wired = planner.wiredAt(address);
    return wired === undefined || wired.podUID === pod.uid ? undefined : sayWiredElsewhere(address, wired);
  }

  /** The window has room again: Locks that found it full get it in turn. */
  function callLocks(): void {
    const called = given.locked < WINDOW ? withoutRoom.call(desk.now()) : undefined;
    if (called === undefined) return;
    if (called.lock !== undefined) desk.touchAt({ desk: 'lock', key: called.lock }, desk.now());
    desk.touchAt(jobOf(''), called.againMs);
  }

  /** Those first that waited for room before. */
  function writeQueued(): void {
    const full: string[] = [];
    for (;;) {
      const key = queue.next((key) => flight.hasRoom('quick', objectOf('Pod', key)) || flight.hangs(objectOf('Pod', key)));
      if (key === undefined) break;
      if (!desk.look(jobOf(key), () => one(key))) full.push(key);
    }
    for (const key of full) queue.add(key);
  }

  /** One that can't write now keeps no other waiting: most that is looked at needs no call. */
  function lookAtTouched(): void {
    for (const key of dirty) {
      if (!writesWithoutRoom(key) && desk.look(jobOf(key), () => one(key))) queue.remove(key);
      else queue.add(key);
      dirty.delete(key);
    }
  }

  /** Nothing is looked at only to find that there is no room. */
  function writesWithoutRoom(key: string): boolean {
    const [mine, object] = [given.get(key), objectOf('Pod', key)];
    if (mine === undefined || books.pods.get(key)?.gated !== true || flight.hangs(object)) return false;
    // The address is of no namespace, and comes first.
    return !flight.hasRoom('quick', mine.address === undefined ? object : undefined);
  }

  /** Loose pods, as many as the window has room for. */
  function placeLoose(): true {
    if (given.loose > WINDOW - BATCH) return true;
    // A pod that comes alone is placed at once; of many, those that come within a moment are placed by one look.
    const wait = given.loose === 0 ? 0 : placedMs + TOGETHER_MS - desk.now();
    if (wait > 0) {
      if (loose.size > 0) desk.touchAt(jobOf(''), desk.now() + wait);
      return true;
    }
    placedMs = desk.now();
    let looks = LOOKS;
    let anyRefused = false;
    for (let room = WINDOW - given.loose; room > 0; ) {
      if (looks <= 0) return goOn(anyRefused);
      const batch = loose.next(Math.min(room, BATCH));
      if (batch === undefined) break;
      if (batch.refusal !== undefined) {
        for (const pod of batch.pods) tell(pod, batch.refusal);
        continue;
      }
      const [first] = batch.pods as [PodFacts];
      const placed = place(first, batch.pods.length);
      looks -= first.pinned !== undefined ? LOOK.pinned : placed.refusal === undefined ? LOOK.placed : LOOK.refused;
      anyRefused ||= placed.refusal !== undefined;
      if (placed.refusal !== undefined) for (const pod of loose.setAside(first, placed.refusal)) tell(pod, placed.refusal);
      for (const [at, slot] of placed.slots.entries()) tryGive(batch.pods[at] as PodFacts, slot);
      room -= placed.slots.length;
    }
    if (lookingMs !== undefined) restsUntilMs = desk.now() + (desk.now() - lookingMs);
    lookingMs = undefined;
    return true;
  }

  /** In the next step. What fits nowhere leaves others their time. */
  function goOn(anyRefused: boolean): true {
    if (anyRefused) lookingMs ??= desk.now();
    else placedMs = Number.NEGATIVE_INFINITY;
    desk.touchAt(jobOf(''), desk.now() + (anyRefused ? TOGETHER_MS : 0));
    return true;
  }

  /** Whether a pod like this one, which fits nowhere, may fit now that something changed on these nodes. */
  function concerns(nodes: ReadonlySet<string>, { pinned, demand, claims }: PodFacts): boolean {
    if (claims !== undefined || demand.spread.length + demand.affinity.length + demand.antiAffinity.length > 0) return true;
    return pinned === undefined ? [...nodes].some((node) => planner.mayFit(demand, node)) : nodes.has(pinned);
  }

  /** With what its claims say: the room they ask for, the nodes that reach their volumes. */
  function claimed(pod: PodFacts): Demand | Refusal {
    if (pod.claims === undefined) return pod.demand;
    const claims = planner.claimsOf(pod);
    return isRefusal(claims) ? claims : withClaims(pod.demand, claims);
  }

  /** Not on nodes that it is kept away from. */
  function askedOf(demand: Demand, kept: readonly string[]): Demand {
    return kept.length === 0 ? demand : { ...demand, nodeTerms: both(demand.nodeTerms, [notOn(kept)]) };
  }

  function place(pod: PodFacts, count: number): Placed {
    const failed = ({ because }: Setback): Placed => ({ slots: [], refusal: sayFault(because) });
    return desk.attempt(pod.demand, `pods like ${pod.key}`, () => placed(pod, count), failed);
  }

  function placed(pod: PodFacts, count: number): Placed {
    const demand = claimed(pod);
    if (isRefusal(demand)) return { slots: [], refusal: demand };
    const waitsFor = demand.address ? planner.rebuilding() : undefined;
    if (waitsFor !== undefined) return { slots: [], refusal: sayRebuilding(waitsFor) };
    const kept = pinned.awayFrom(pod);
    const ask = { demand: askedOf(demand, kept), strategy: 'spread' } as const;
    const placement = planner.place(ask, count, true, pod.pinned);
    if (!('slots' in placement)) return { slots: [], refusal: sayKeptAway(sayTied(sayNotPlaced(placement), pod, demand), kept) };
    if (!isItsOwn(pod)) return placement;
    return { slots: withItsAddress(pod, placement.slots, ask) };
  }

  /** A pod that is its own owner gets its address back also where the best node for it can't use that: an ENI is on one node. */
  function withItsAddress(pod: PodFacts, slots: readonly PlacedSlot[], ask: Ask): readonly PlacedSlot[] {
    const held = ofOwner(pod).filter(({ spec }) => spec.phase === 'Held');
    const isHeld = ([slot]: readonly PlacedSlot[]) => held.some(({ metadata }) => metadata.name === slot?.address);
    if (held.length === 0 || pod.pinned !== undefined || isHeld(slots)) return slots;
    for (const { spec } of held) {
      const there = planner.place(ask, 1, false, spec.node);
      if ('slots' in there && isHeld(there.slots)) return there.slots;
    }
    return slots;
  }

  const ofOwner = ({ demand: { owner } }: PodFacts) => (owner === undefined ? [] : books.addressesOfOwner(owner));

  function tryGive(pod: PodFacts, slot: PlacedSlot): void {
    const give = () => giveLoose(pod, slot);
    desk.attempt(pod.demand, `Pod ${pod.key}`, give, () => planner.release(looseKey(pod.key)));
  }

  function giveLoose(pod: PodFacts, { node, address }: PlacedSlot): void {
    const { uid, demand, key } = pod;
    // The owner of a loose pod is always known (owner.ts).
    const owner = demand.owner ?? key;
    const mac = address === undefined ? undefined : planner.macOf(address, node);
    planner.promise(looseKey(key), { node, demand, address });
    give(pod, { uid, slot: LOOSE, node, owner, ...(address !== undefined && { address, mac }) });
  }

  function giveSlot(pod: PodFacts, { spec, metadata }: LockObject, { slot, node, address }: Slot): void {
    const owner = `${pod.namespace}/${spec.owner}`;
    const lock = { namespace: pod.namespace, name: metadata.name };
    give(pod, { uid: pod.uid, slot: String(slot), node, owner, lock, ...(address !== undefined && { address }) });
  }

  function slotIn(pod: PodFacts, lock: LockObject, slots: readonly Slot[]): Slot | Refusal {
    const demand = claimed(pod);
    if (isRefusal(demand)) return demand;
    const found = slotFor(pod, lock, slots, planner.rejects(demand), new Set(pinned.awayFrom(pod)));
    return isRefusal(found) ? sayTied(found, pod, demand) : found;
  }

  function whenPinned(pod: PodFacts): boolean {
    unqueue(pod.key);
    since.delete(pod.key);
    return pinned.seeTo(pod);
  }

  function tell(pod: PodFacts, refusal: Refusal): true {
    if (refusal.passes && desk.now() - (since.get(pod.key) ?? desk.now()) < SOON_MS) return true;
    const last = told.get(pod.key);
    if (last !== undefined && last.refusal.reason === refusal.reason && desk.now() - last.atMs < TOLD_MS) return true;
    if (last?.refusal.reason !== refusal.reason) desk.note({ note: 'refused', of: 'Pod', reason: refusal.reason });
    told.set(pod.key, { refusal, atMs: desk.now() });
    const { reason, message } = refusal;
    desk.note({ note: 'event', on: 'Pod', key: pod.key, uid: pod.uid, reason, message, warning: true });
    return true;
  }

  return {
    touch: (pod) => void dirty.add(pod),
    step() {
      writeQueued();
      lookAtTouched();
      desk.look(jobOf(''), placeLoose);
      lookAtTouched();
      callLocks();
    },
    waitsFor: (lock) => forLock.has(lock),
    giveSlots(lock, object, template, seen) {
      const keys = forLock.get(lock);
      withoutRoom.remove(lock);
      if (keys === undefined) return;
      const slots = template === undefined ? [] : [...seen()];
      const leaving = slots.some(({ state }) => state === 'leaving');
      let open = slots.filter(({ state }) => state === 'held' || state === 'free').length;
      // Ten thousand that wait, and nothing free: only those that don't know yet are looked at.
      const concerned = [...keys].filter((key) => open > 0 || !told.has(key)).flatMap((key) => books.pods.get(key) ?? []);
      for (const pod of open > 0 ? concerned.sort(byPriority) : concerned) {
        const refusal = refusedByLock(pod, object, template);
        if (refusal === undefined && (given.locked >= WINDOW || withoutRoom.isBefore(lock, pod, desk.now()))) {
          withoutRoom.add(lock, pod);
          return;
        }
        const find = () => slotIn(pod, object as LockObject, slots);
        const found = refusal ?? desk.attempt(pod.demand, `pods like ${pod.key}`, find, ({ because }) => sayFault(because));
        if (isRefusal(found)) {
          // A slot whose pod has just gone is free in a moment.
          tell(pod, { ...found, passes: found.passes ?? (refusal === undefined && leaving) });
          continue;
        }
        slots[slots.indexOf(found)] = { ...found, state: 'used', pod: pod.uid };
        open--;
        giveSlot(pod, object as LockObject, found);
      }
    },
    takes: (pod, ipLock) => adopted(pod, ipLock) !== undefined,
    wake(nodes) {
      loose.wake(nodes && ((pod) => concerns(nodes, pod)));
      for (const lock of forLock.keys()) desk.touch({ desk: 'lock', key: lock });
    },
    get isLooking() {
      return lookingMs !== undefined;
    },
    get restsUntilMs() {
      return restsUntilMs;
    },
    get anyRefused() {
      return loose.anyAside || forLock.size > 0;
    },
    nodeChanged(node) {
      for (const key of pinned.on(node)) dirty.add(key);
    },
    get waiting() {
      return loose.size + lockOf.size + returning.size;
    },
    close() {
      another.close();
      given.close();
    },
  };
}

const byPriority = (a: PodFacts, b: PodFacts): number => (b.priority ?? 0) - (a.priority ?? 0) || (before(a, b) ? -1 : 1);
