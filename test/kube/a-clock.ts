/** A clock that stands still until it is moved. */
import FlatQueue from 'flatqueue';
import type { Clock } from '../../lib/kube/clock.ts';

export interface TestClock extends Clock {
  /** Moves on, and does on the way what was due, in its order, each at its time. */
  advance(ms: number): void;
  /** Timers that wait. */
  readonly waiting: number;
}

export function aClock(start = 1_000): TestClock {
  const due = new FlatQueue<{ act: () => void; cancelled: boolean }>();
  let time = start;
  let waiting = 0;
  return {
    now: () => time,
    after(ms, act) {
      const timer = { act, cancelled: false };
      due.push(timer, time + Math.max(ms, 0));
      waiting++;
      return () => {
        if (!timer.cancelled) waiting--;
        timer.cancelled = true;
      };
    },
    advance(ms) {
      const end = time + ms;
      for (let at = due.peekValue(); at !== undefined && at <= end; at = due.peekValue()) {
        const timer = due.pop()!;
        time = Math.max(time, at);
        if (timer.cancelled) continue;
        timer.cancelled = true;
        waiting--;
        timer.act();
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
