/** A clock that stands still until it is moved. */
import FlatQueue from 'flatqueue';
import type { Clock } from '../../lib/kube/clock.ts';

export interface TestClock extends Clock {
  /** Moves on, and does on the way what was due, in its order, each at its time. */
  advance(ms: number): void;
  /** Timers that wait. */
  readonly waiting: number;
}

interface Timer {
  readonly act: () => void;
  cancelled: boolean;
}

export function aClock(start = 1_000): TestClock {
  // Those of one moment together, in the order they came: a heap keeps none.
  const due = new FlatQueue<Timer[]>();
  const moments = new Map<number, Timer[]>();
  let time = start;
  let waiting = 0;
  return {
    now: () => time,
    after(ms, act) {
      const timer = { act, cancelled: false };
      const at = time + Math.max(ms, 0);
      const moment = moments.get(at) ?? [];
      if (moment.length === 0) {
        moments.set(at, moment);
        due.push(moment, at);
      }
      moment.push(timer);
      waiting++;
      return () => {
        if (!timer.cancelled) waiting--;
        timer.cancelled = true;
      };
    },
    advance(ms) {
      const end = time + ms;
      for (let at = due.peekValue(); at !== undefined && at <= end; at = due.peekValue()) {
        const moment = due.pop()!;
        moments.delete(at);
        time = Math.max(time, at);
        for (const timer of moment) {
          if (timer.cancelled) continue;
          timer.cancelled = true;
          waiting--;
          timer.act();
        }
      }
      time = end;
    },
    get waiting() {
      return waiting;
    },
  };
}

/** So many times faster than time: backoffs and watchdogs take milliseconds. */
export const aFastClock = (times: number): Clock => ({
  now: () => performance.now() * times,
  after(ms, act) {
    const timer = setTimeout(act, ms / times);
    return () => clearTimeout(timer);
  },
});

/** Lets everything that is ready to run in this process run: several turns of the event loop. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
