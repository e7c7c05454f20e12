/** A clock that stands still until a test moves it: what takes EC2 minutes takes a test nothing, and happens when it says so. */
export interface VirtualClock {
  /** Virtual milliseconds since the start. */
  now(): number;
  /** Lets time pass; resolves when all that happens in it has happened, hooks included. */
  advance(ms: number): Promise<void>;
  /** Lets it pass by itself, `speed` times as fast as this machine's, for programs that wait by their own clock. @default 1 */
  run(speed?: number): void;
  pause(): void;
}

/** How often a running clock is moved. */
const TICK_MS = 50;

/** @param moved is called whenever time has passed; the clock goes on when it resolves */
export function virtualClock(moved: () => Promise<void>): VirtualClock & { reached(at: number): Promise<void> } {
  let now = 0;
  let timer: NodeJS.Timeout | undefined;
  let waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  const clock = {
    now: () => now,
    advance: async (ms: number) => {
      if (!(ms >= 0)) throw new RangeError(`advance by ${ms}: time passes by 0 or more milliseconds`);
      now += ms;
      await moved();
      const due = waiting.filter(({ at }) => at <= now);
      waiting = waiting.filter(({ at }) => at > now);
      for (const { resolve } of due) resolve();
    },
    run: (speed = 1) => {
      clock.pause();
      let last = performance.now();
      let busy = false;
      timer = setInterval(async () => {
        if (busy) return;
        busy = true;
        const at = performance.now();
        const passed = (at - last) * speed;
        last = at;
        await clock.advance(passed).finally(() => {
          busy = false;
        });
      }, TICK_MS);
      timer.unref();
    },
    pause: () => {
      clearInterval(timer);
      timer = undefined;
    },
    reached: (at: number) => (at <= now ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ at, resolve }))),
  };
  return clock;
}
