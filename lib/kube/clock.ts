/**
 * Time as the kit's parts are given it: a monotonic reading and timers, so that tests can drive both. Nobody's wall clock
 * decides anything; it is only written into objects for people to read.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls `act` once after `ms`; the answer cancels it. */
  after(ms: number, act: () => void): () => void;
}

/** A MicroTime has six digits after the point, no less (apimachinery, meta/v1/micro_time.go): for people, never compared. */
export const microTime = (time: Date): string => time.toISOString().replace('Z', '000Z');

/** setTimeout fires at once for anything longer (2^31 - 1 ms, 24.8 days). */
const LONGEST_MS = 2 ** 31 - 1;

/** This process' own clock. */
export const monotonic: Clock = {
  now: () => performance.now(),
  after(ms, act) {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      timer = setTimeout(() => (left > LONGEST_MS ? wait(left - LONGEST_MS) : act()), Math.min(Math.max(left, 0), LONGEST_MS));
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** Waits `ms`, or until `signal` aborts: then it ends early, without an error. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await sleepFor(Math.min(ms, LONGEST_MS), undefined, { signal }).catch(() => {});
}

/** Resolves when `signal` aborts, at once where it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits `ms`, or until `signal` aborts, by a clock that may be a test's. */
export function pause(ms: number, signal: AbortSignal | undefined, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
