/**
 * Reflector: a kind's objects, as the API server has them, kept in memory and kept true. It begins with a watch-list (or a
 * paged list where that is refused), goes on by watch and bookmarks, retries everything, and reads all anew when it must.
 */
import type { Api } from './client.ts';
import { type Clock, monotonic, pause } from './clock.ts';
import { ApiError } from './error.ts';
import { type AnyObject, type Kind, keyOf } from './kinds.ts';
import { type Log, reasonOf, silent } from './log.ts';
import { nextRead } from './next-read.ts';
import { isKnown } from './resource-version.ts';
import { type Entry, type Handlers, store } from './store.ts';
import { eachPage } from './verbs.ts';
import { type Ended, type WatchEvent, watch } from './watch.ts';

export type { Handlers } from './store.ts';

export interface ReflectOptions<T, S = T> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What to store of an object: the rest is forgotten before it takes memory. @default all but managedFields */
  readonly keep?: (object: T) => S;
  readonly signal: AbortSignal;
  /**
   * What a kind counts as that the API server does not have, until its CRD comes: `wait` leaves the reflector without
   * having synced, `empty` is synced and holds nothing. @default 'wait'
   */
  readonly missing?: 'wait' | 'empty';
  /** How often a missing kind is looked for. @default 30_000 */
  readonly missingMs?: number;
  /** How everything is read first. @default 'watch-list', and pages where the server refuses it */
  readonly begin?: 'watch-list' | 'pages';
  readonly log?: Log;
  /** A watch that hears nothing for so long is ended and begun again; bookmarks come about every minute. @default 120_000 */
  readonly watchdogMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
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
  /** Up to which everything has been told. */
  readonly resourceVersion: string | undefined;
  readonly counts: ReflectorCounts;
  /** Resolves when the signal has ended it and its connection is closed. */
  readonly stopped: Promise<void>;
}

/** Since it began. */
export interface ReflectorCounts {
  /** Events that changed something. */
  readonly events: number;
  /** Times that everything was read. */
  readonly reads: number;
  /** Watches begun. */
  readonly watches: number;
  /** Reads and watches that failed. */
  readonly faults: number;
}

/** The annotation of the bookmark that ends the initial events (KEP-3157; apimachinery, meta/v1/types.go). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
/** A watch lasts 5 to 10 minutes, so that after a restart of an API server its clients do not all stay with the other ones. */
const WATCH_SECONDS = 300;
/** A kind that was there and has objects is looked for twice before they count as gone. */
const LOOK_AGAIN_MS = 2_000;

/** Begins at once; ends with `signal`. */
export function reflect<T extends AnyObject, S = T>(api: Api, kind: Kind<T>, options: ReflectOptions<T, S>): Reflector<S> {
  const { namespace, labelSelector, fieldSelector, signal, missing = 'wait', missingMs = 30_000, watchdogMs = 120_000 } = options;
  const { keep = withoutManagedFields as (object: T) => unknown, clock = monotonic, random = Math.random } = options;
  const log = (options.log ?? silent).with({ kind: kind.kind, ...(namespace === undefined ? {} : { namespace }) });
  const known = store<S>(log);
  const counts = { events: 0, reads: 0, watches: 0, faults: 0 };
  const selection = { namespace, labelSelector, fieldSelector };
  let resourceVersion: string | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  const synced = Promise.withResolvers<void>();
  let inPages = options.begin === 'pages';
  const hear = () => {
    heardAt = clock.now();
  };

  /** What is stored of an object; of one that `keep` chokes on, what was stored before. */
  function entryOf(key: string, object: T): Entry<S> | undefined {
    const { uid, resourceVersion } = object.metadata;
    const old = known.entries.get(key);
    if (old?.resourceVersion === resourceVersion && old.uid === uid) return old;
    try {
      return { object: keep(object) as S, uid, resourceVersion };
    } catch (error) {
      log.error('keep failed', { key, error });
      return old;
    }
  }

  function tell(event: WatchEvent<T>): boolean {
    const version = event.object.metadata.resourceVersion;
    // One watch tells a kind's changes in their order: what is not newer than the last was told before.
    if (resourceVersion !== undefined && isKnown(version, resourceVersion)) return false;
    resourceVersion = version;
    if (event.type === 'BOOKMARK') return true;
    const key = keyOf(event.object.metadata);
    counts.events++;
    if (event.type === 'DELETED') known.remove(key);
    else {
      const entry = entryOf(key, event.object);
      if (entry && entry !== known.entries.get(key)) known.put(key, entry);
    }
    return true;
  }

  function replace(all: ReadonlyMap<string, Entry<S>>, version: string | undefined): void {
    counts.reads++;
    resourceVersion = version;
    known.replace(all);
    synced.resolve();
  }

  /** Follows from `resourceVersion`; without one, after everything that there is. */
  async function follow(progress: () => void): Promise<Ended> {
    let initial = resourceVersion === undefined ? new Map<string, Entry<S>>() : undefined;
    counts.watches++;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + random()));
    return await watch(api, kind, { ...selection, resourceVersion, timeoutSeconds, watchdogMs, clock, signal }, hear, (event) => {
      if (!initial) {
        if (tell(event)) progress();
        return;
      }
      const { metadata } = event.object;
      if (event.type === 'BOOKMARK') {
        if (metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') return;
        replace(initial, metadata.resourceVersion);
        initial = undefined;
        return;
      }
      const key = keyOf(metadata);
      const entry = event.type === 'DELETED' ? undefined : entryOf(key, event.object);
      if (entry) initial.set(key, entry);
      else initial.delete(key);
    });
  }

  /** Everything, in pages: only what is kept is held. */
  async function page(): Promise<Ended | undefined> {
    const all = new Map<string, Entry<S>>();
    const take = (items: readonly T[]) => {
      hear();
      for (const item of items) {
        const key = keyOf(item.metadata);
        const entry = entryOf(key, item);
        if (entry) all.set(key, entry);
      }
    };
    try {
      const version = await eachPage(api, kind, { ...selection, signal }, take, () => all.clear());
      replace(all, version);
      return undefined;
    } catch (error) {
      return error instanceof ApiError ? { how: 'refused', error } : { how: 'broken', error };
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    let lookedFor = 0;
    while (!signal.aborted) {
      const began = clock.now();
      let progress = false;
      const ended = resourceVersion === undefined && inPages ? await page() : await follow(() => (progress = true));
      if (signal.aborted) return;
      if (!ended) continue;
      const reading = { all: resourceVersion === undefined, watchList: !inPages, failures, progress, lastedMs: clock.now() - began };
      const next = nextRead(ended, reading, random);
      failures = next.failures;
      if (ended.how !== 'closed') counts.faults++;
      if (next.inPages) inPages = true;
      if (next.read === 'anew') resourceVersion = undefined;
      lookedFor = next.missing ? lookedFor + 1 : 0;
      const waitMs = next.missing ? absent(lookedFor) : next.waitMs;
      if (!next.missing && waitMs > 0) complain(ended, next.read, waitMs, failures);
      if (waitMs > 0) await pause(waitMs, signal, clock);
    }
  }

  /** The server has no such kind, so it has no objects of it either. @returns when to look again */
  function absent(lookedFor: number): number {
    if (known.entries.size > 0 && lookedFor < 2) return LOOK_AGAIN_MS;
    if (missing === 'empty') hear();
    if (missing === 'empty' || known.synced) replace(new Map(), undefined);
    if (lookedFor <= 2) log.info('the API server has no such kind: waiting for its CRD', { apiVersion: kind.apiVersion });
    return missingMs * (0.75 + random() / 2);
  }

  /** The 1st, 2nd, 4th, 8th … failure in a row. */
  function complain(ended: Ended, read: 'on' | 'anew', waitMs: number, failures: number): void {
    if ((failures & (failures - 1)) !== 0) return;
    const error = 'error' in ended ? reasonOf(ended.error) : `the watch was ${ended.how}`;
    log.warn(read === 'on' ? 'watching again' : 'reading all again', { error, failures, waitMs: Math.round(waitMs) });
  }

  const stopped = run().finally(() => {
    // Nobody need wait for it: whoever does is told why it will not come.
    synced.promise.catch(() => {});
    synced.reject(new Error(`reflecting ${kind.plural}: stopped before everything was read`));
  });

  return {
    kind,
    synced: synced.promise,
    stopped,
    counts,
    hasSynced: () => known.synced,
    get: (key) => known.entries.get(key)?.object,
    keys: () => known.entries.keys(),
    *values() {
      for (const { object } of known.entries.values()) yield object;
    },
    list: () => Array.from(known.entries.values(), ({ object }) => object),
    get size() {
      return known.entries.size;
    },
    on: known.on,
    staleMs: (now = clock.now()) => now - heardAt,
    get resourceVersion() {
      return resourceVersion;
    },
  };
}

/** By default: who owns which field is half of many an object, and nobody asks a cache for it. */
function withoutManagedFields(object: AnyObject): AnyObject {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}
