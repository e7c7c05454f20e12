/** Controller: reflectors say which keys changed, the queue works on them, one key at a time, once everything is known. */
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Result, TerminalError, WorkQueue } from './queue.ts';
import type { Reflector } from './reflector.ts';

/** Says which keys to work on when an object of `reflector` came, changed (asked for old and new) or went. */
export interface Source {
  readonly synced: Promise<void>;
  listen(add: (key: string) => void): () => void;
}

export function source<S>(_reflector: Reflector<S>, _keysOf: (object: S, key: string) => Iterable<string>): Source {
  throw new Error('not yet');
}

export interface Context {
  readonly signal: AbortSignal;
  /** How often this key failed in a row before. */
  readonly failures: number;
  readonly log: Log;
}

export interface ControllerOptions {
  readonly name: string;
  /** Each change of an object here is work on its own key. */
  readonly for: Reflector<unknown> | readonly Reflector<unknown>[];
  /** Changes here are work on other keys. */
  readonly also?: readonly Source[];
  /** Level-triggered: read the state by its key, take a step. An object that is gone has a key too. */
  readonly reconcile: (key: string, context: Context) => Promise<Result | undefined> | Promise<void>;
  readonly concurrency?: number;
  readonly backoff?: Backoff;
  readonly onTerminal?: (key: string, error: TerminalError) => void;
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Controller {
  readonly queue: Pick<WorkQueue, 'add' | 'addAfter' | 'depth' | 'running' | 'idle'>;
  /** Resolves when all reflectors have synced and work has begun. */
  readonly started: Promise<void>;
  /** Resolves when the signal has ended it and nothing runs any more. */
  readonly stopped: Promise<void>;
}

export function controller(_options: ControllerOptions): Controller {
  throw new Error('not yet');
}
