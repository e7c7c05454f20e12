/**
 * Shelf: objects of one kind as the API server last said them, by watch or in answer to a call, whichever is newer. Pure.
 *
 * The watch tells later what an answer has told already, and tells what was before it as well: whoever took each word as it
 * comes would see a Held address again that it had just locked. Resource versions of one kind are numbers that grow (KEP-5504,
 * stable in 1.35; etcd's revisions before that), so the older word is dropped.
 */

import { isKnown } from '../../kube/resource-version.ts';

/** `watch`: the reflector told it. `answer`: what a call of this process was answered. */
export type Source = 'watch' | 'answer';

/** How the shelf knows an object. */
export interface Version {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface Shelf<T> {
  get(key: string): T | undefined;
  keys(): IterableIterator<string>;
  values(): IterableIterator<T>;
  readonly size: number;
  /** Whether the watch has told what `get` answers, or something newer: who follows the same watch knows it too. */
  watched(key: string): boolean;
  /** @returns whether it is news */
  put(key: string, object: T, source: Source): boolean;
  /**
   * The object with this UID is gone: the watch said so, or there is no such object any more (`for good`); or this process
   * deleted it as it was at that version, and a finalizer may bring it back.
   * @returns whether it is news
   */
  gone(key: string, uid: string, asOf?: string): boolean;
  /** Whether an object with this UID is known to be gone for good: no UID comes twice. */
  isGone(uid: string): boolean;
}

export interface ShelfOptions<T> {
  readonly versionOf: (object: T) => Version;
  /** Told of each change, so that indexes follow. */
  readonly onChange?: (key: string, old: T | undefined, object: T | undefined) => void;
  /** How many UIDs that are gone are remembered. @default 50_000 */
  readonly remember?: number;
}

interface Entry<T> {
  readonly object: T;
  watched: boolean;
}

/** So that anything of that UID is older. */
const FOR_GOOD = '9'.repeat(40);

export function shelf<T>({ versionOf, onChange, remember = 50_000 }: ShelfOptions<T>): Shelf<T> {
  const entries = new Map<string, Entry<T>>();
  /** By UID: up to which version it is gone. In the order of their going. */
  const graves = new Map<string, string>();

  function bury(uid: string, upTo: string): void {
    graves.set(uid, upTo);
    if (graves.size > remember) graves.delete(graves.keys().next().value as string);
  }

  return {
    get: (key) => entries.get(key)?.object,
    keys: () => entries.keys(),
    *values() {
      for (const { object } of entries.values()) yield object;
    },
    get size() {
      return entries.size;
    },
    watched: (key) => entries.get(key)?.watched ?? true,

    put(key, object, source) {
      const { uid, resourceVersion } = versionOf(object);
      const grave = graves.get(uid);
      if (grave !== undefined && !newer(resourceVersion, grave)) return false;
      const entry = entries.get(key);
      if (entry !== undefined) {
        const known = versionOf(entry.object).resourceVersion;
        if (resourceVersion === known) {
          entry.watched ||= source === 'watch';
          return false;
        }
        if (!newer(resourceVersion, known)) return false;
      }
      entries.set(key, { object, watched: source === 'watch' });
      onChange?.(key, entry?.object, object);
      return true;
    },

    gone(key, uid, asOf) {
      const entry = entries.get(key);
      bury(uid, asOf ?? FOR_GOOD);
      if (entry === undefined || versionOf(entry.object).uid !== uid) return false;
      entries.delete(key);
      onChange?.(key, entry.object, undefined);
      return true;
    },

    isGone: (uid) => graves.get(uid) === FOR_GOOD,
  };
}

const newer = (version: string, than: string): boolean => !isKnown(version, than);
