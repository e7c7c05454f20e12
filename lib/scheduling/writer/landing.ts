/**
 * Landing: promises whose objects the API server has, and the watches haven't told yet. The inventory follows the watches; until it
 * counts what was promised, the promise does. Addresses it knows from the answers (agenda.ts): a promise that waited for their watch
 * as well would keep a Held one from its owner's next pod.
 */
import type { Books } from './books.ts';

export interface Seen {
  readonly lock?: string;
  readonly pod?: string;
}

export interface Landing {
  add(promise: string, seen: Seen): void;
  /** The watch told of an object. */
  told(kind: 'Pod' | 'Lock', key: string): void;
  /** Releases all. */
  close(): void;
}

export function landing(books: Books, release: (promise: string) => void): Landing {
  const flying = new Map<string, Seen>();
  const by = new Map<string, Set<string>>();
  const names = ({ lock, pod }: Seen) => [...(lock === undefined ? [] : [`Lock ${lock}`]), ...(pod === undefined ? [] : [`Pod ${pod}`])];
  const landed = ({ lock, pod }: Seen) =>
    (lock === undefined || books.locks.watched(lock)) && (pod === undefined || books.pods.watched(pod));

  function end(promise: string, seen: Seen): void {
    flying.delete(promise);
    for (const name of names(seen)) {
      const promises = by.get(name);
      promises?.delete(promise);
      if (promises?.size === 0) by.delete(name);
    }
    release(promise);
  }

  return {
    add(promise, seen) {
      flying.set(promise, seen);
      if (landed(seen)) return end(promise, seen);
      for (const name of names(seen)) {
        const promises = by.get(name);
        if (promises === undefined) by.set(name, new Set([promise]));
        else promises.add(promise);
      }
    },
    told(kind, key) {
      for (const promise of [...(by.get(`${kind} ${key}`) ?? [])]) {
        const seen = flying.get(promise);
        if (seen !== undefined && landed(seen)) end(promise, seen);
      }
    },
    close() {
      for (const [promise, seen] of [...flying]) end(promise, seen);
    },
  };
}
