/** When to try again: which faults are worth it, and how long to wait. */
import { type Backoff, backoffMs } from './backoff.ts';
import { sleep } from './clock.ts';
import { ApiError, isConflict, NoAnswer } from './error.ts';

export interface RetryOptions {
  /** How often at most, the first try included. @default 8 */
  readonly tries?: number;
  /** @default 100 ms to 10 s */
  readonly backoff?: Backoff;
  /** Ends waiting: the last error is thrown. */
  readonly signal?: AbortSignal;
  /**
   * After a reset, a timeout or a 5xx the call may have been done all the same. `retry` suits whatever names its object
   * (a second create answers AlreadyExists, a second update Conflict); `throw` suits `generateName`. @default 'retry'
   */
  readonly maybeDone?: 'retry' | 'throw';
  /** Told before each wait. */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
  readonly random?: () => number;
}

const TRIES = 8;
const FAULTS: Backoff = { firstMs: 100, maxMs: 10_000 };
/** Whoever wrote first is done at once; client-go begins at 10 ms too (util/retry). */
const CONFLICTS: Backoff = { firstMs: 10, maxMs: 1_000 };

/** Calls until it works, a fault is not worth another try, or the tries are used up. */
export async function retrying<T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  return await again(call, (error) => isPassing(error, options.maybeDone ?? 'retry'), FAULTS, options);
}

/**
 * Calls again while the answer is a conflict: `change` must read what it writes anew each time.
 * @example await onConflict(async () => api.update(CONFIGMAPS, bump(await api.get(CONFIGMAPS, id))));
 */
export async function onConflict<T>(change: () => Promise<T>, options: Omit<RetryOptions, 'maybeDone'> = {}): Promise<T> {
  return await again(change, isConflict, CONFLICTS, options);
}

/** Whether a fault is of the moment: too many requests, a server in trouble, no answer. */
export function isPassing(error: unknown, maybeDone: 'retry' | 'throw' = 'retry'): boolean {
  if (error instanceof NoAnswer) return !error.aborted && (!error.maybeDone || maybeDone === 'retry');
  if (!(error instanceof ApiError)) return false;
  // 429 is answered before anything is done (apiserver/pkg/server/filters); a 5xx may come after.
  return error.status === 429 || (error.status >= 500 && error.status !== 501 && maybeDone === 'retry');
}

async function again<T>(call: () => Promise<T>, worth: (error: unknown) => boolean, usual: Backoff, options: RetryOptions): Promise<T> {
  const { tries = TRIES, backoff = usual, signal, onRetry, random } = options;
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (failures >= tries || signal?.aborted || !worth(error)) throw error;
      const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      const waitMs = Math.max(backoffMs(failures, backoff, random), asked);
      onRetry?.(error, waitMs);
      await sleep(waitMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
