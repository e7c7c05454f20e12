/**
 * Reflector: a kind's objects, as the API server has them, kept in memory and kept true. It begins with a watch-list (or a
 * paged list where that is refused), goes on by watch and bookmarks, retries everything, and reads all anew when it must.
 */
import type { Api } from './client.ts';
import type { Clock } from './clock.ts';
import type { AnyObject, Kind } from './kinds.ts';
import type { Log } from './log.ts';

export interface ReflectOptions<T, S = T> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What to store of an object: the rest is forgotten before it takes memory. @default all but managedFields */
  readonly keep?: (object: T) => S;
  readonly signal: AbortSignal;
  readonly log?: Log;
  /** A watch that hears nothing for so long is ended and begun again; bookmarks come about every minute. @default 120_000 */
  readonly watchdogMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** What a listener is told, in order; never while another call of the same reflector is being told. */
export interface Handlers<S> {
  added?(object: S, key: string): void;
  updated?(old: S, object: S, key: string): void;
  deleted?(object: S, key: string): void;
  /** Once, when everything that was there has been told. */
  synced?(): void;
}

export interface Reflector<S> {
  readonly kind: Kind;
  hasSynced(): boolean;
  /** Resolves when everything was read once; rejects when it was stopped before. */
  readonly synced: Promise<void>;
  /** `namespace/name`, or the name of what has no namespace. */
  get(key: string): S | undefined;
  keys(): IterableIterator<string>;
  values(): IterableIterator<S>;
  list(): S[];
  readonly size: number;
  /** What is there already is told as `added`, before this returns. @returns stops listening */
  on(handlers: Handlers<S>): () => void;
  /** How long ago anything, a bookmark included, was heard; Infinity before the first word. */
  staleMs(now?: number): number;
  readonly resourceVersion: string | undefined;
  /** Resolves when the signal has ended it and its connection is closed. */
  readonly stopped: Promise<void>;
}

/** Begins at once; ends with `signal`. */
export function reflect<T extends AnyObject, S = T>(_api: Api, _kind: Kind<T>, _options: ReflectOptions<T, S>): Reflector<S> {
  throw new Error('not yet');
}
