/** When to try again: which faults are worth it, and how long to wait. */
import type { Backoff } from './backoff.ts';

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

/** Calls until it works, a fault is not worth another try, or the tries are used up. */
export async function retrying<T>(_call: () => Promise<T>, _options: RetryOptions = {}): Promise<T> {
  throw new Error('not yet');
}

/**
 * Calls again while the answer is a conflict: `change` must read what it writes anew each time.
 * @example await onConflict(async () => api.update(CONFIGMAPS, bump(await api.get(CONFIGMAPS, id))));
 */
export async function onConflict<T>(_change: () => Promise<T>, _options: Omit<RetryOptions, 'maybeDone'> = {}): Promise<T> {
  throw new Error('not yet');
}
