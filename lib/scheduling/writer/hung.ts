/**
 * Hung: the namespaces whose writes don't come back, as under a webhook that doesn't answer, kind by kind. Pure. What is to be
 * written there takes turns on a few places of its own (the lane `slow`), one namespace after the other, until one write comes back done:
 * else three hundred pods of one namespace would have the places of all.
 */
import type { Job } from './write.ts';

export interface Hung {
  has(object: string): boolean;
  /** A write on the object ended. */
  ended(object: string, wasDone: boolean, tookMs: number, nowMs: number): void;
  /** Whether the job may write the object now. Else its turn comes: `turns` names it. */
  mayTry(job: Job, object: string): boolean;
  /** Whose turn it is now, at most so many; and those of namespaces where writes come back again. They are touched. */
  turns(most: number): Job[];
  /** Whether any waits for its turn. */
  readonly anyWaits: boolean;
}

/** A write takes some ten milliseconds. One that failed after so long kept a place from others. */
const LONG_MS = 1_000;
/** Nothing was tried there for so long: its pods are gone. */
const FORGET_MS = 300_000;

interface Group {
  lastMs: number;
  /** By name, in turn. */
  readonly jobs: Map<string, Job>;
}

export function hung(): Hung {
  /** By kind and namespace; in the order of their turns. */
  const groups = new Map<string, Group>();
  const may = new Set<string>();
  let released: Job[] = [];
  /** Most of the time none is hung, and nothing is spelt out. */
  const groupOf = (object: string) => (groups.size === 0 ? undefined : groups.get(nameOfGroup(object)));

  function forget(nowMs: number): void {
    for (const [name, { lastMs, jobs }] of groups) if (jobs.size === 0 && lastMs + FORGET_MS < nowMs) groups.delete(name);
  }

  return {
    has: (object) => groupOf(object) !== undefined,
    ended(object, wasDone, tookMs, nowMs) {
      // Of a namespace only: what is of none can keep no namespace from others.
      if (!object.includes('/')) return;
      const group = groupOf(object);
      if (wasDone) {
        if (group === undefined) return;
        released.push(...group.jobs.values());
        groups.delete(nameOfGroup(object));
      } else if (group !== undefined) group.lastMs = nowMs;
      else if (tookMs >= LONG_MS) {
        forget(nowMs);
        groups.set(nameOfGroup(object), { lastMs: nowMs, jobs: new Map() });
      }
    },
    mayTry(job, object) {
      const group = groupOf(object);
      if (group === undefined) return true;
      const name = `${job.desk} ${job.key}`;
      if (may.has(name)) return true;
      group.jobs.set(name, job);
      return false;
    },
    turns(most) {
      may.clear();
      const jobs = released;
      released = [];
      for (let left = most; left > 0; ) {
        const before = left;
        for (const [group, { jobs: waiting, ...rest }] of [...groups]) {
          const [first] = waiting;
          if (first === undefined || left === 0) continue;
          const [name, job] = first;
          waiting.delete(name);
          may.add(name);
          jobs.push(job);
          left--;
          // Its next turn comes after that of the others.
          groups.delete(group);
          groups.set(group, { ...rest, jobs: waiting });
        }
        if (left === before) break;
      }
      return jobs;
    },
    get anyWaits() {
      for (const { jobs } of groups.values()) if (jobs.size > 0) return true;
      return false;
    },
  };
}

/** @example nameOfGroup('Pod feed/api-0') // 'Pod feed' */
const nameOfGroup = (object: string): string => object.slice(0, Math.max(object.indexOf('/'), 0));
