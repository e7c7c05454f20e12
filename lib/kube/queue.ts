/**
 * Work queue: keys to work on, each once however often it was added, never twice at the same time, again with a growing wait
 * when it fails, and not again when the failure is terminal.
 */
import { type Backoff, backoffMs } from './backoff.ts';
import { type Clock, monotonic } from './clock.ts';
import { ApiError, isConflict } from './error.ts';
import { type Log, silent } from './log.ts';

/** Trying again will not help: the key is left alone until somebody adds it. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export interface Result {
  /** Works on the key again after so long; nothing: when it is added. */
  readonly againInMs?: number;
}

export interface QueueOptions {
  /** For metrics and log lines. @default 'queue' */
  readonly name?: string;
  /** Keys worked on at the same time. @default 1 */
  readonly concurrency?: number;
  readonly work: (key: string, signal: AbortSignal) => Promise<Result | undefined> | Promise<void>;
  /** Per key, from its first failure. @default 5 ms to 60 s */
  readonly backoff?: Backoff;
  readonly onTerminal?: (key: string, error: TerminalError) => void;
  /** Told of each other failure. */
  readonly onRetry?: (key: string, error: unknown, waitMs: number) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Since it began. */
export interface QueueCounts {
  /** Times that a key was worked on, however it ended. */
  readonly worked: number;
  readonly failed: number;
  readonly terminal: number;
  /** Time spent on keys, one after the other. */
  readonly workedMs: number;
}

export interface WorkQueue {
  /** Once more, if the key is being worked on: what it saw may be old. Ends a wait of the key. */
  add(key: string): void;
  /** One wait a key: a shorter one than what runs already wins. */
  addAfter(key: string, ms: number): void;
  /** Waiting to be worked on now; without those that wait for their time. */
  readonly depth: number;
  readonly running: number;
  /** How often the key failed in a row. */
  failures(key: string): number;
  readonly counts: QueueCounts;
  /** Resolves when nothing is being worked on or waits to be worked on now. */
  idle(): Promise<void>;
  /** Takes no more, aborts the signal of what runs, and resolves when that has ended. */
  stop(): Promise<void>;
}

const BACKOFF: Backoff = { firstMs: 5, maxMs: 60_000 };

export function workQueue(options: QueueOptions): WorkQueue {
  const { name = 'queue', concurrency = 1, work, backoff = BACKOFF, clock = monotonic, random } = options;
  const log = (options.log ?? silent).with({ queue: name });
  // In the order they came; a key is in one of `ready` and `running`, and in `again` only while it is in `running`.
  const ready = new Set<string>();
  const running = new Set<string>();
  const again = new Set<string>();
  const waiting = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  const failures = new Map<string, number>();
  const counts = { worked: 0, failed: 0, terminal: 0, workedMs: 0 };
  const ending = new AbortController();
  let idlers: (() => void)[] = [];
  let pumping = false;

  function add(key: string): void {
    if (ending.signal.aborted) return;
    waiting.get(key)?.cancel();
    waiting.delete(key);
    if (running.has(key)) again.add(key);
    else ready.add(key);
    pump();
  }

  function addAfter(key: string, ms: number): void {
    if (!(ms > 0)) {
      add(key);
      return;
    }
    const at = clock.now() + ms;
    const before = waiting.get(key);
    if (ending.signal.aborted || ready.has(key) || again.has(key) || (before && before.at <= at)) return;
    before?.cancel();
    waiting.set(key, { at, cancel: clock.after(ms, () => add(key)) });
  }

  /** In the next turn of the event loop: whoever adds a key is not the one who works on it, and calls get their turn between. */
  function pump(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      for (const key of ready) {
        if (running.size >= concurrency) break;
        ready.delete(key);
        running.add(key);
        void workOn(key);
      }
    });
  }

  async function workOn(key: string): Promise<void> {
    const began = clock.now();
    try {
      const result = await work(key, ending.signal);
      failures.delete(key);
      if (result?.againInMs !== undefined) addAfter(key, result.againInMs);
    } catch (error) {
      // What is cut short by the end is no failure.
      if (!ending.signal.aborted) failed(key, error);
    }
    counts.worked++;
    counts.workedMs += clock.now() - began;
    running.delete(key);
    if (again.delete(key)) add(key);
    if (ready.size > 0) pump();
    else if (running.size === 0) rest();
  }

  function failed(key: string, error: unknown): void {
    if (error instanceof TerminalError) {
      counts.terminal++;
      failures.delete(key);
      told(key, () => {
        if (options.onTerminal) options.onTerminal(key, error);
        else log.error('given up', { key, error });
      });
      return;
    }
    counts.failed++;
    const times = (failures.get(key) ?? 0) + 1;
    failures.set(key, times);
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const waitMs = Math.max(backoffMs(times, backoff, random), asked);
    addAfter(key, waitMs);
    told(key, () => {
      if (options.onRetry) options.onRetry(key, error, waitMs);
      else log[isConflict(error) ? 'debug' : 'warn']('trying again', { key, error, failures: times, waitMs: Math.round(waitMs) });
    });
  }

  /** Whoever is told must not keep the queue from going on. */
  function told(key: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      log.error('a listener failed', { key, error });
    }
  }

  function rest(): void {
    const resolve = idlers;
    idlers = [];
    for (const each of resolve) each();
  }

  const idle = () =>
    new Promise<void>((resolve) => {
      if (ready.size + running.size === 0) resolve();
      else idlers.push(resolve);
    });

  return {
    ...{ add, addAfter, idle, counts },
    get depth() {
      return ready.size + again.size;
    },
    get running() {
      return running.size;
    },
    failures: (key) => failures.get(key) ?? 0,
    async stop() {
      ending.abort();
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
      ready.clear();
      again.clear();
      if (running.size === 0) rest();
      await idle();
    },
  };
}
