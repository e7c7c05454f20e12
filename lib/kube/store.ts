/**
 * Store: what is known of a kind's objects, and the listeners that are told each change. Pure, and told in the order things
 * happened: a change is in the store before anyone hears of it, and everybody has heard of it before the next.
 */
import type { Log } from './log.ts';

/** What a listener is told, in order; never while another call of the same reflector is being told. */
export interface Handlers<S> {
  added?(object: S, key: string): void;
  updated?(old: S, object: S, key: string): void;
  /** With the object as it was last told. */
  deleted?(object: S, key: string): void;
  /** Once, when everything that was there has been told. */
  synced?(): void;
}

export interface Entry<S> {
  readonly object: S;
  /** An object deleted and made again under its name is another one. */
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface Store<S> {
  readonly entries: ReadonlyMap<string, Entry<S>>;
  readonly synced: boolean;
  put(key: string, entry: Entry<S>): void;
  remove(key: string): void;
  /** Everything there is now: tells the difference, what went first. Nobody sees half of it, for it is told in one go. */
  replace(all: ReadonlyMap<string, Entry<S>>): void;
  on(handlers: Handlers<S>): () => void;
}

export function store<S>(log: Log): Store<S> {
  const entries = new Map<string, Entry<S>>();
  // Copied on each change: a listener that comes while something is told was given it with all the rest, and is not told again.
  let listeners: readonly Handlers<S>[] = [];
  let synced = false;

  /** A listener's mistake is its own: the others are told all the same. */
  const say = (handlers: Handlers<S>, tell: (handlers: Handlers<S>) => void, key?: string) => {
    try {
      tell(handlers);
    } catch (error) {
      log.error('a listener failed', { key, error, stack: error instanceof Error ? error.stack : undefined });
    }
  };
  const tellAll = (tell: (handlers: Handlers<S>) => void, key?: string) => {
    for (const handlers of listeners) say(handlers, tell, key);
  };

  function put(key: string, entry: Entry<S>): void {
    const old = entries.get(key);
    if (old && old.uid !== entry.uid) remove(key);
    entries.set(key, entry);
    if (old && old.uid === entry.uid) tellAll((each) => each.updated?.(old.object, entry.object, key), key);
    else tellAll((each) => each.added?.(entry.object, key), key);
  }

  function remove(key: string): void {
    const old = entries.get(key);
    if (!old) return;
    entries.delete(key);
    tellAll((each) => each.deleted?.(old.object, key), key);
  }

  return {
    entries,
    get synced() {
      return synced;
    },
    put,
    remove,
    replace(all) {
      for (const [key, { uid }] of entries) if (all.get(key)?.uid !== uid) remove(key);
      for (const [key, entry] of all) if (entries.get(key)?.resourceVersion !== entry.resourceVersion) put(key, entry);
      if (synced) return;
      synced = true;
      tellAll((each) => each.synced?.());
    },
    on(handlers) {
      for (const [key, { object }] of entries) say(handlers, (each) => each.added?.(object, key), key);
      if (synced) say(handlers, (each) => each.synced?.());
      listeners = [...listeners, handlers];
      return () => (listeners = listeners.filter((each) => each !== handlers));
    },
  };
}
