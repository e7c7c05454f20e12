/**
 * Work queue: keys to work on, each once however often it was added, never twice at the same time, again with a growing wait
 * when it fails, and not again when the failure is terminal.
 */
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

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

export interface WorkQueue {
  add(key: string): void;
  /** A shorter wait than one that runs already wins. */
  addAfter(key: string, ms: number): void;
  /** Waiting to be worked on now; without those that wait for their time. */
  readonly depth: number;
  readonly running: number;
  /** How often the key failed in a row. */
  failures(key: string): number;
  /** Resolves when nothing is being worked on or waits to be worked on now. */
  idle(): Promise<void>;
  /** Takes no more, aborts the signal of what runs, and resolves when that has ended. */
  stop(): Promise<void>;
}

export function workQueue(_options: QueueOptions): WorkQueue {
  throw new Error('not yet');
}
