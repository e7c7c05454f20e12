/**
 * Flight: the calls that are under way, the objects that are in doubt, and the jobs that failed and rest. Pure.
 *
 * An object has one call at a time. When nobody knows how a call ended, its object is in doubt, and nothing is decided on it
 * before it has been read: then the books are right, and level-triggered work goes on from there.
 *
 * No namespace has more than half of the quick calls, and one whose writes hang has the slow ones alone: its end must not be waited
 * for by others.
 */
import { type Backoff, backoffMs } from '../../kube/backoff.ts';
import { hung } from './hung.ts';
import type { Call, Job, Lane, Outcome, Write } from './write.ts';

/** How many more calls may begin now. */
export type Room = Record<Lane, number>;

export interface Flight {
  /** Whether nothing may be decided on the object now. */
  busy(object: string): boolean;
  /** Whether the job waits for its time: its last call on the object failed a moment ago, or writes hang there. It is touched then. */
  resting(job: Job, object: string, nowMs: number): boolean;
  /** Whether an object in doubt may be read for the job: reads don't hang where writes do. */
  mayRead(job: Job, object: string, nowMs: number): boolean;
  /** How often the job's calls on the object failed in a row. */
  failures(job: Job, object: string): number;
  /** Takes a write along where there is room for it. */
  begin(write: Write): boolean;
  /** Whether a call of the lane may begin; on the object, where one is named. */
  hasRoom(lane: Lane, object?: string): boolean;
  /** Whether writes of its kind hang in its namespace. */
  hangs(object: string): boolean;
  /** Room for the calls that begin from now on, and their list. */
  open(room: Room, nowMs: number): Write[];
  /** Jobs that waited for others of their namespace, and whose turn it is. */
  turns(): Job[];
  /** Whether another turn may begin now. */
  readonly hasTurn: boolean;
  /** @returns when the job may be tried again, where it has to wait */
  end(write: Write, outcome: Outcome, nowMs: number): number | undefined;
  /** Objects in doubt, with the write that left them so. */
  doubts(): IterableIterator<[object: string, write: Write]>;
  /** Calls under way. */
  readonly size: number;
  /** Failures that are remembered. */
  readonly remembered: number;
}

/** The first try again is at once after a Conflict: what it was decided on has been read by then. */
const BACKOFF: Backoff = { firstMs: 50, maxMs: 30_000 };
/** Of the quick calls, for one namespace. */
const SHARE = 0.5;
const READS: readonly Call['do'][] = ['read', 'find', 'template'];
/** So long after it might have been tried again, nobody is going to: its object is gone, or its job. */
const FORGET_MS = 300_000;

export function flight(random: () => number): Flight {
  const under = new Map<string, { readonly lane: Lane; readonly atMs: number }>();
  /** Quick calls under way, of all and by namespace. */
  let quick = 0;
  const quickOf = new Map<string, number>();
  const doubts = new Map<string, Write>();
  /** In the order of the last failure. */
  const failures = new Map<string, { readonly count: number; readonly untilMs: number }>();
  const hanging = hung();
  let room: Room = { quick: 0, bulk: 0, slow: 0 };
  let now = 0;
  let most = 0;
  let list: Write[] = [];
  const laneOf = (lane: Lane, object: string): Lane => (lane === 'quick' && hanging.has(object) ? 'slow' : lane);

  const failedLately = (job: Job, object: string, nowMs: number) => (failures.get(nameOf(job, object))?.untilMs ?? 0) > nowMs;

  function hasRoom(lane: Lane, object: string): boolean {
    const own = laneOf(lane, object);
    return room[own] > 0 && (own !== 'quick' || (quickOf.get(namespaceOf(object)) ?? 0) < most);
  }

  function count(object: string, by: 1 | -1): void {
    quick += by;
    const namespace = namespaceOf(object);
    if (namespace === '') return;
    const left = (quickOf.get(namespace) ?? 0) + by;
    if (left === 0) quickOf.delete(namespace);
    else quickOf.set(namespace, left);
  }

  /** Takes it off the list of those under way. */
  function landed({ object, call }: Write, outcome: Outcome, nowMs: number): void {
    const flown = under.get(object);
    if (flown === undefined) return;
    under.delete(object);
    if (flown.lane === 'quick') count(object, -1);
    if (READS.includes(call.do)) return;
    const isLong = outcome.is !== 'undone' || outcome.retryAfterMs === undefined;
    hanging.ended(object, outcome.is === 'done' || outcome.is === 'gone', isLong ? nowMs - flown.atMs : 0, nowMs);
  }

  return {
    busy: (object) => under.has(object) || doubts.has(object),
    resting: (job, object, nowMs) => failedLately(job, object, nowMs) || !hanging.mayTry(job, object),
    mayRead: (job, object, nowMs) => !failedLately(job, object, nowMs),
    failures: (job, object) => failures.get(nameOf(job, object))?.count ?? 0,
    hasRoom: (lane, object) => (object === undefined ? room[lane] > 0 : hasRoom(lane, object)),
    hangs: hanging.has,
    open(given, nowMs) {
      room = { ...given };
      now = nowMs;
      most = Math.max(1, Math.ceil((room.quick + quick) * SHARE));
      list = [];
      return list;
    },
    turns: () => hanging.turns(room.slow),
    get hasTurn() {
      return room.slow > 0 && hanging.anyWaits;
    },
    begin(write) {
      const { object } = write;
      if (under.has(object) || !hasRoom(write.lane, object)) return false;
      const lane = laneOf(write.lane, object);
      room[lane]--;
      if (lane === 'quick') count(object, 1);
      under.set(object, { lane, atMs: now });
      list.push(lane === write.lane ? write : { ...write, lane });
      return true;
    },
    end(write, outcome, nowMs) {
      landed(write, outcome, nowMs);
      const name = nameOf(write.job, write.object);
      const isRead = write.call.do === 'read';
      if (outcome.is === 'done' || outcome.is === 'gone') {
        doubts.delete(write.object);
        // A read that succeeds says nothing about the write it was for.
        if (!isRead) failures.delete(name);
        return undefined;
      }
      if (outcome.is === 'doubtful' && !isRead) doubts.set(write.object, write);
      const count = (failures.get(name)?.count ?? 0) + 1;
      const wait = outcome.is === 'undone' && outcome.retryAfterMs !== undefined ? outcome.retryAfterMs : 0;
      const untilMs = outcome.is === 'doubtful' && count === 1 ? nowMs : nowMs + Math.max(wait, backoffMs(count, BACKOFF, random));
      failures.delete(name);
      failures.set(name, { count, untilMs });
      for (const [old, { untilMs }] of failures) {
        if (untilMs + FORGET_MS > nowMs) break;
        failures.delete(old);
      }
      return untilMs;
    },
    doubts: () => doubts.entries(),
    get size() {
      return under.size;
    },
    get remembered() {
      return failures.size;
    },
  };
}

/** Of a namespace; '': the object is of none. */
function namespaceOf(object: string): string {
  const end = object.indexOf('/');
  return end === -1 ? '' : object.slice(object.indexOf(' ') + 1, end);
}

const nameOf = ({ desk, key }: Job, object: string): string => `${desk} ${key} ${object}`;
