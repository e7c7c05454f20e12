/**
 * Setback: a fault of Gala's own, while it decides about one Lock, pod or address, ends neither the lock writer nor what others wait
 * for. It is logged with its stack, and that one thing rests, longer after each fault. Pure but for its own state.
 */
import { type Backoff, backoffMs } from '../../kube/backoff.ts';
import { reasonOf } from '../../kube/log.ts';
import type { Note } from './desk.ts';

export interface Setback {
  readonly because: string;
  /** When it may be tried again. */
  readonly untilMs: number;
}

export interface Setbacks {
  /**
   * Does the work, unless it threw a moment ago.
   * @param about what is remembered: a shape of pods, or the name of one thing
   * @param what for people: the Lock, the pod
   * @param otherwise answers where the work threw, or rests for having thrown
   */
  attempt<T>(about: object | string, what: string, work: () => T, otherwise: (setback: Setback) => T): T;
}

export interface SetbackOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly note: (note: Note) => void;
}

const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 300_000 };
/** So long after it might have been tried again, a fault says nothing any more. */
const FORGET_MS = 600_000;

export function setbacks({ now, random, note }: SetbackOptions): Setbacks {
  /** In the order of their last fault. */
  const all = new Map<object | string, Setback & { readonly times: number }>();

  function threw(about: object | string, what: string, error: unknown): Setback {
    for (const [old, { untilMs }] of all) {
      if (untilMs + FORGET_MS > now()) break;
      all.delete(old);
    }
    const times = (all.get(about)?.times ?? 0) + 1;
    const setback = { because: reasonOf(error), times, untilMs: now() + backoffMs(times, BACKOFF, random) };
    all.delete(about);
    all.set(about, setback);
    const stack = error instanceof Error ? error.stack : undefined;
    note({ note: 'log', level: 'error', sentence: 'a fault of Gala', fields: { what, times, error: setback.because, stack } });
    return setback;
  }

  return {
    attempt(about, what, work, otherwise) {
      const resting = all.get(about);
      if (resting !== undefined && resting.untilMs > now()) return otherwise(resting);
      try {
        const done = work();
        if (resting !== undefined) all.delete(about);
        return done;
      } catch (error) {
        return otherwise(threw(about, what, error));
      }
    },
  };
}
