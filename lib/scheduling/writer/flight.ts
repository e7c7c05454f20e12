/**
 * Flight: the calls that are under way, the objects that are in doubt, and the jobs that failed and rest. Pure.
 *
 * An object has one call at a time. When nobody knows how a call ended, its object is in doubt, and nothing is decided on it
 * before it has been read: then the books are right, and level-triggered work goes on from there.
 */
import { type Backoff, backoffMs } from '../../kube/backoff.ts';
import type { Job, Lane, Outcome, Write } from './write.ts';

/** How many more calls may begin now. */
export type Room = Record<Lane, number>;

export interface Flight {
  /** Whether nothing may be decided on the object now. */
  busy(object: string): boolean;
  /** Whether the job's last call on the object failed a moment ago, and waits for its time. */
  resting(job: Job, object: string, nowMs: number): boolean;
  /** How often the job's calls on the object failed in a row. */
  failures(job: Job, object: string): number;
  /** Takes a write along where there is room for it. */
  begin(write: Write): boolean;
  /** Whether a call of the lane may begin. */
  hasRoom(lane: Lane): boolean;
  /** Room for the calls that begin from now on, and their list. */
  open(room: Room): Write[];
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
/** So long after it might have been tried again, nobody is going to: its object is gone, or its job. */
const FORGET_MS = 300_000;

export function flight(random: () => number): Flight {
  const under = new Set<string>();
  const doubts = new Map<string, Write>();
  /** In the order of the last failure. */
  const failures = new Map<string, { readonly count: number; readonly untilMs: number }>();
  let room: Room = { quick: 0, bulk: 0 };
  let list: Write[] = [];

  return {
    busy: (object) => under.has(object) || doubts.has(object),
    resting: (job, object, nowMs) => (failures.get(nameOf(job, object))?.untilMs ?? 0) > nowMs,
    failures: (job, object) => failures.get(nameOf(job, object))?.count ?? 0,
    hasRoom: (lane) => room[lane] > 0,
    open(given) {
      room = { ...given };
      list = [];
      return list;
    },
    begin(write) {
      if (room[write.lane] <= 0 || under.has(write.object)) return false;
      room[write.lane]--;
      under.add(write.object);
      list.push(write);
      return true;
    },
    end(write, outcome, nowMs) {
      under.delete(write.object);
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

const nameOf = ({ desk, key }: Job, object: string): string => `${desk} ${key} ${object}`;
