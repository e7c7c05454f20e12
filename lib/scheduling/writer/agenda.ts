/**
 * Agenda: everything the lock writer decides, as one value that hears what the watches and the answers say, and tells which calls
 * to make next. Pure but for its own state: no I/O, no clock, no randomness of its own, so that a test can drive two of them
 * through every order of events, lost answers and sudden ends included.
 *
 * It decides serially. What is decided counts at once: promised to the inventory, claimed among the addresses. A call that fails
 * takes the decision back, or leaves its object in doubt, to be read before anything else is decided on it.
 */
import type { PodFacts } from '../facts.ts';
import { addressDesk } from './address-desk.ts';
import { alarm } from './alarm.ts';
import {
  type Books,
  concernsWriter,
  books as emptyBooks,
  type IPLockObject,
  type LockObject,
  lockOfAddress,
  lockOfPod,
  slotsOf,
} from './books.ts';
import type { Desk, DeskOptions, Note } from './desk.ts';
import { type Flight, flight, type Room } from './flight.ts';
import { givens } from './given.ts';
import { landing } from './landing.ts';
import { lockDesk } from './lock-desk.ts';
import type { Planner } from './planner.ts';
import { podDesk } from './pod-desk.ts';
import { setbacks } from './setback.ts';
import type { Source } from './shelf.ts';
import { type Job, type Outcome, objectOf, type Write } from './write.ts';

/** An object as it is now, or the last state of one that is gone. */
export type Heard =
  | { readonly kind: 'Pod'; readonly key: string; readonly object: PodFacts; readonly gone?: boolean }
  | { readonly kind: 'Lock'; readonly key: string; readonly object: LockObject; readonly gone?: boolean }
  | { readonly kind: 'IPLock'; readonly key: string; readonly object: IPLockObject; readonly gone?: boolean };

export interface Agenda {
  readonly books: Books;
  /** What a watch, or a read before the work began, says. */
  hear(heard: Heard, source: Source, nowMs: number): void;
  /** Something that pods and Locks are placed by changed, and may have made room: a node for one. */
  freed(nowMs: number, node?: string): void;
  /** What nodes say of these addresses changed (reports.ts). */
  reported(addresses: readonly string[], nowMs: number): void;
  /** StatefulSets of this key changed: its ordinals' addresses. */
  statefulSetChanged(key: string, nowMs: number): void;
  /** The calls to begin now. */
  next(nowMs: number, room: Room): Write[];
  ended(write: Write, outcome: Outcome, nowMs: number): void;
  /** When `next` would answer more, if nothing is heard before. */
  wakeAt(): number | undefined;
  /** Takes back all promises: this lock writer leads no longer. */
  close(): void;
  /** Pods that wait for a slot. */
  readonly waiting: number;
}

export interface AgendaOptions extends DeskOptions {
  readonly note?: (note: Note) => void;
}

/** What is freed is given out together: however many pods end in a moment, those that wait are looked at once. */
const WAKE_MS = 200;
/** Without any word of something freed; what nobody is told of, the age of samples for one, passes too. */
const WAKE_ANYWAY_MS = 10_000;
const WAKE = 'wake';
const WAKE_NODES = 'wake nodes';
/** More nodes at once concern everybody. */
const MOST_NODES = 32;
const TURN = 'turn';

export function agenda(planner: Planner, { note = () => {}, ...options }: AgendaOptions): Agenda {
  const books = emptyBooks();
  const alarms = alarm();
  const flying: Flight = flight(options.random ?? Math.random);
  let now = options.beganMs;
  let wokenMs = Number.NEGATIVE_INFINITY;
  /** Something was freed that may concern all; or on these nodes alone. */
  let anyFreed = false;
  const nodesFreed = new Set<string>();
  let nodesWokenMs = Number.NEGATIVE_INFINITY;
  const touch = ({ desk, key }: Job) => {
    if (desk === 'lock') locks.touch(key);
    else if (desk === 'pod') pods.touch(key);
    else addresses.touch(key);
  };
  const lands = landing(books, (promise) => planner.release(promise));
  const { attempt } = setbacks({ now: () => now, random: options.random ?? Math.random, note });
  const touchAt = (job: Job, atMs: number) => alarms.set(`${job.desk} ${job.key}`, atMs);
  const desk: Desk = {
    ...{ books, planner, flight: flying, claims: new Map(), options, touch, touchAt, note, attempt },
    now: () => now,
    land: lands.add,
    look(job, look) {
      const name = `${job.desk} ${job.key}`;
      return attempt(name, name, look, ({ untilMs }) => {
        touchAt(job, untilMs);
        return true;
      });
    },
  };
  const given = givens(desk);
  const pods = podDesk(desk, given);
  const addresses = addressDesk(desk, pods);
  const locks = lockDesk(desk, given, pods);

  function freed(node?: string): void {
    if (!pods.anyRefused) return;
    if (node === undefined || nodesFreed.size >= MOST_NODES) anyFreed = true;
    else nodesFreed.add(node);
    setWake();
  }

  function setWake(): void {
    if (nodesFreed.size > 0) alarms.set(WAKE_NODES, Math.max(now, nodesWokenMs + WAKE_MS));
    // One look at all after the other; and between them the same time for everything else.
    if (anyFreed && !pods.isLooking) alarms.set(WAKE, Math.max(now, wokenMs + WAKE_MS, pods.restsUntilMs));
  }

  function wake(): void {
    if (pods.isLooking) {
      anyFreed = true;
      return;
    }
    wokenMs = now;
    anyFreed = false;
    nodesFreed.clear();
    pods.wake();
  }

  /** At once, however long a look at all takes: whoever comes first must not find the room gone. */
  function wakeNodes(): void {
    if (nodesFreed.size === 0) return;
    nodesWokenMs = now;
    pods.wake(new Set(nodesFreed));
    nodesFreed.clear();
  }

  /** Touches all that an object's change may concern. */
  function changed(heard: Heard, old: unknown): void {
    switch (heard.kind) {
      case 'Pod': {
        const { object, key } = heard;
        pods.touch(key);
        for (const each of [object, old as PodFacts | undefined]) {
          const lock = each && lockOfPod(each);
          if (lock !== undefined) locks.touch(lock);
        }
        for (const { metadata } of books.addressesOfPod(object.uid)) addresses.touch(metadata.name);
        if (heard.gone || object.done || object.deleting) freed(object.node ?? object.pinned);
        return;
      }
      case 'Lock':
        if (heard.gone) given.orphan(heard.key);
        locks.touch(heard.key);
        if (heard.gone || concernsAddresses(old as LockObject | undefined, heard.object)) {
          for (const { metadata } of books.addressesOfLock(heard.key)) addresses.touch(metadata.name);
          freed();
        } else if (moved(heard.key, old as LockObject | undefined)) freed();
        return;
      case 'IPLock': {
        addresses.touch(heard.key);
        const claimant = desk.claims.get(heard.key);
        if (claimant?.desk === 'lock') locks.addressChanged(claimant.key, heard.key);
        else if (claimant !== undefined) touch(claimant);
        for (const each of [heard.object, old as IPLockObject | undefined]) {
          if (each === undefined) continue;
          const pod = each.spec.podUID === undefined ? undefined : books.podOf(each.spec.podUID);
          if (pod !== undefined) pods.touch(pod.key);
          // A pod that is its own owner waits for its address.
          pods.touch(each.spec.owner);
          const lock = lockOfAddress(each);
          if (lock !== undefined && claimant === undefined) locks.touch(lock);
        }
        // The last one that a rebuild made ends it.
        if (heard.gone || heard.object.spec.phase === 'Held' || planner.wiredAt(heard.key)?.asked) freed();
        return;
      }
      default:
        heard satisfies never;
    }
  }

  /** The addresses that a Lock lists elsewhere, or no more. @returns whether there are any */
  function moved(key: string, old: LockObject | undefined): boolean {
    let any = false;
    for (const { address, node } of slotsOf(old)) {
      const now = address === undefined ? undefined : books.listedAt(address);
      if (address === undefined || (now?.lock === key && now.node === node)) continue;
      addresses.touch(address);
      any = true;
    }
    return any;
  }

  function hear(heard: Heard, source: Source): void {
    const shelf = books[SHELVES[heard.kind]] as Books['pods'];
    const object = heard.object as PodFacts;
    if (heard.kind === 'Pod' && !concernsWriter(heard.object) && shelf.get(heard.key) === undefined) {
      // Another scheduler's: what it leaves is room all the same.
      if (heard.gone || heard.object.done) freed(heard.object.node);
      return;
    }
    const old = shelf.get(heard.key);
    const isNews = heard.gone ? shelf.gone(heard.key, uidOf(heard), undefined) : shelf.put(heard.key, object, source);
    if (isNews) changed(heard, old);
    if (source === 'watch' && heard.kind !== 'IPLock') lands.told(heard.kind, heard.key);
  }

  function answered({ call }: Write, outcome: Outcome): void {
    const key = 'object' in call ? keyOf(call.object.metadata) : 'id' in call ? keyOf(call.id) : '';
    if (outcome.is === 'done' && call.do === 'delete') {
      // A pod stays until the kubelet, or the API server for one that never ran, lets it go: the watch says so.
      if (call.kind === 'Pod') return;
      const shelf = books[SHELVES[call.kind]] as unknown as Books['pods'];
      const old = shelf.get(key) as LockObject & IPLockObject & PodFacts;
      if (call.kind === 'IPLock') planner.forget(key, call.uid);
      if (shelf.gone(key, call.uid, call.resourceVersion)) changed({ kind: call.kind, key, object: old, gone: true }, old);
      return;
    }
    if (call.do === 'template') return;
    if (outcome.is === 'done' && outcome.object !== undefined) {
      const object = outcome.object as PodFacts & LockObject & IPLockObject;
      const podKey = call.kind === 'Pod' ? object.key : key;
      // Asked for one pod, answered with another of its name: that one is gone.
      if ((call.do === 'read' || call.do === 'find') && call.uid !== undefined && object.uid !== call.uid) bury(podKey, call.uid);
      hear({ kind: call.kind, key: podKey, object } as Heard, 'answer');
      // The inventory need not wait for the watch: an address that turned out to be taken must not be chosen again, one that is Held
      // now is its owner's next one, and the room of a plan that was taken back is there for the next plan.
      if (call.kind !== 'Pod' && books[SHELVES[call.kind]].get(key) === object) planner.learn(call.kind, key, object);
    } else if (outcome.is === 'gone' || outcome.is === 'done') {
      const uid = call.do === 'find' ? call.uid : uidIn(call);
      if (uid !== undefined) bury(key, uid, call.kind);
    }
  }

  /** There is no such object. */
  function bury(key: string, uid: string, kind: 'Pod' | 'Lock' | 'IPLock' = 'Pod'): void {
    const shelf = books[SHELVES[kind]] as Books['pods'];
    const old = shelf.get(key) as LockObject & IPLockObject & PodFacts;
    if (kind === 'IPLock') planner.forget(key, uid);
    if (shelf.gone(key, uid)) changed({ kind, key, object: old, gone: true }, old);
    else if (kind === 'Pod') for (const { metadata } of books.addressesOfPod(uid)) addresses.touch(metadata.name);
  }

  function uidIn(call: Write['call']): string | undefined {
    if ('uid' in call && call.uid !== undefined) return call.uid;
    if ('object' in call) return call.object.metadata.uid;
    return call.do === 'patch' ? (call.patch as { metadata: { uid: string } }).metadata.uid : undefined;
  }

  function readDoubts(): void {
    for (const [object, { job, call }] of flying.doubts()) {
      if (!flying.mayRead(job, object, now)) continue;
      const id = 'object' in call ? (call.object.metadata as { namespace?: string; name: string }) : 'id' in call ? call.id : undefined;
      if (id === undefined || call.do === 'find' || call.do === 'template') continue;
      const uid = uidIn(call);
      const read = { do: 'read', kind: call.kind, id: { ...(id.namespace && { namespace: id.namespace }), name: id.name }, uid } as const;
      flying.begin({ job, lane: 'quick', object, call: read });
    }
  }

  return {
    books,
    hear(heard, source, nowMs) {
      now = nowMs;
      hear(heard, source);
    },
    freed(nowMs, node) {
      now = nowMs;
      if (node !== undefined) {
        pods.nodeChanged(node);
        addresses.nodeChanged(node);
        locks.nodeChanged(node);
      }
      freed(node);
    },
    reported(changed, nowMs) {
      now = nowMs;
      for (const address of changed) {
        addresses.touch(address);
        const claimant = desk.claims.get(address);
        if (claimant !== undefined) touch(claimant);
      }
    },
    statefulSetChanged(key, nowMs) {
      now = nowMs;
      for (const { metadata } of books.heldOfStatefulSet(key)) addresses.touch(metadata.name);
    },
    next(nowMs, room) {
      now = nowMs;
      for (const name of alarms.due(now)) {
        if (name === WAKE) wake();
        else if (name === WAKE_NODES) wakeNodes();
        else if (name !== TURN) {
          const space = name.indexOf(' ');
          touch({ desk: name.slice(0, space) as Job['desk'], key: name.slice(space + 1) });
        }
      }
      const calls = flying.open(room, now);
      readDoubts();
      for (const job of flying.turns()) touch(job);
      locks.step();
      pods.step();
      addresses.step();
      if (flying.hasTurn) alarms.set(TURN, now);
      if (pods.anyRefused) alarms.set(WAKE, Math.max(now, wokenMs, pods.restsUntilMs) + WAKE_ANYWAY_MS);
      setWake();
      return calls;
    },
    ended(write, outcome, nowMs) {
      now = nowMs;
      const restsUntil = flying.end(write, outcome, now);
      answered(write, outcome);
      if (write.job.desk === 'lock') locks.ended(write, outcome);
      if (restsUntil !== undefined && restsUntil > now) alarms.set(`${write.job.desk} ${write.job.key}`, restsUntil);
      touch(write.job);
      // Whoever else waited for this object.
      const [kind, key] = write.object.split(' ') as [string, string];
      if (kind === 'IPLock') addresses.touch(key);
      else if (kind === 'Lock') locks.touch(key);
      else pods.touch(key);
      const claimant = kind === 'IPLock' ? desk.claims.get(key) : undefined;
      if (claimant !== undefined) touch(claimant);
      if (outcome.is === 'refused')
        note({
          note: 'log',
          level: 'warn',
          sentence: 'the API server refused',
          fields: { object: objectOf(kind as 'Lock', key), do: write.call.do, reason: outcome.reason, message: outcome.message },
        });
    },
    wakeAt: () => alarms.next(),
    close() {
      locks.close();
      pods.close();
      lands.close();
    },
    get waiting() {
      return pods.waiting;
    },
  };
}

const SHELVES = { Pod: 'pods', Lock: 'locks', IPLock: 'ipLocks' } as const;

const keyOf = ({ namespace, name }: { namespace?: string; name?: string }) =>
  namespace === undefined ? (name ?? '') : `${namespace}/${name}`;

const uidOf = (heard: Heard): string => (heard.kind === 'Pod' ? heard.object.uid : heard.object.metadata.uid);

/** Whether its addresses may have to go, or to stay, by this change. */
function concernsAddresses(old: LockObject | undefined, { status }: LockObject): boolean {
  return old?.status?.phase !== status?.phase || old?.status?.slots?.length !== status?.slots?.length;
}
