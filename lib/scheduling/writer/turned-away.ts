/**
 * Turned away: Locks whose pods found the window full. When it has room again they are looked at in turn, whoever waits with the
 * highest priority first; meanwhile pods that come after theirs leave the room to them. Pure.
 */
import type { PodFacts } from '../facts.ts';

export interface TurnedAway {
  /** @param pod the first of those that went without */
  add(lock: string, pod: PodFacts): void;
  remove(lock: string): void;
  /** Whether a pod of another Lock comes before this one of `lock`. */
  isBefore(lock: string, pod: PodFacts, nowMs: number): boolean;
  /** There is room. @returns the Lock that is to be looked at now, and when to ask again */
  call(nowMs: number): { readonly lock?: string; readonly againMs: number } | undefined;
}

/** So long others leave it the room. A Lock that is looked at later waits for something of its own: a call, a rest. */
const CALL_MS = 200;

interface Entry {
  readonly pod: PodFacts;
  calledMs?: number;
}

/** @param compare less than 0: the first comes first */
export function turnedAway(compare: (a: PodFacts, b: PodFacts) => number): TurnedAway {
  const entries = new Map<string, Entry>();

  function drop(nowMs: number): void {
    for (const [lock, { calledMs }] of entries) if (calledMs !== undefined && calledMs + CALL_MS <= nowMs) entries.delete(lock);
  }

  return {
    add: (lock, pod) => void entries.set(lock, { pod }),
    remove: (lock) => void entries.delete(lock),
    isBefore(lock, pod, nowMs) {
      if (entries.size === 0) return false;
      drop(nowMs);
      for (const [other, entry] of entries) if (other !== lock && compare(entry.pod, pod) < 0) return true;
      return false;
    },
    call(nowMs) {
      if (entries.size === 0) return undefined;
      drop(nowMs);
      let first: readonly [lock: string, entry: Entry] | undefined;
      for (const each of entries) if (first === undefined || compare(each[1].pod, first[1].pod) < 0) first = each;
      if (first === undefined) return undefined;
      const [lock, entry] = first;
      const isCalled = entry.calledMs !== undefined;
      entry.calledMs ??= nowMs;
      return { ...(!isCalled && { lock }), againMs: entry.calledMs + CALL_MS };
    },
  };
}
