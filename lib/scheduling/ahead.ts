/**
 * Ahead: what a write of this process was answered, before the watch tells it. Between the two the watch may still tell what was
 * before, and an answer may come after the watch has told that the object is gone: neither takes back what is newer. Pure.
 *
 * Resource versions of one kind are numbers that grow (KEP-5504), so that the newer of two words is known.
 */
import { isKnown } from '../kube/resource-version.ts';

export interface Version {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A kind as its watch tells it. */
export interface Watched {
  /** The version that the watch told of an object. */
  get(key: string): Version | undefined;
  /** Up to which everything was told; undefined before the first word. */
  readonly resourceVersion: string | undefined;
}

export interface Ahead {
  /** @returns whether the answer is news */
  answered(key: string, version: Version): boolean;
  /** This process deleted the object as it was at that version. @returns whether what is known of it ends with it */
  deleted(key: string, version: Version): boolean;
  /** The watch tells an object. @returns whether it is news */
  told(key: string, version: Version): boolean;
  /** The watch tells that an object is gone. @returns whether what was answered is gone with it */
  gone(key: string, uid: string): boolean;
  /** Keys whose answered object the watch will never tell: it has passed them, and they are not there. */
  passed(): string[];
}

export function ahead(watched: Watched): Ahead {
  const answers = new Map<string, Version>();
  /** Objects that this process deleted: what the watch still tells of them, and of those before them, is old. */
  const graves = new Map<string, Version>();
  const isBuried = (key: string, { resourceVersion }: Version) => isKnown(resourceVersion, graves.get(key)?.resourceVersion ?? '');

  return {
    answered(key, version) {
      if (isBuried(key, version)) return false;
      const known = watched.get(key);
      const upTo = known?.resourceVersion ?? watched.resourceVersion;
      if (upTo !== undefined && isKnown(version.resourceVersion, upTo)) return false;
      const before = answers.get(key);
      if (before !== undefined && isKnown(version.resourceVersion, before.resourceVersion)) return false;
      answers.set(key, version);
      return true;
    },
    deleted(key, version) {
      const known = answers.get(key) ?? watched.get(key);
      // Another one of its name came after it.
      if (known !== undefined && known.uid !== version.uid && !isKnown(known.resourceVersion, version.resourceVersion)) return false;
      answers.delete(key);
      const upTo = watched.resourceVersion;
      if (upTo === undefined || !isKnown(version.resourceVersion, upTo)) graves.set(key, version);
      return true;
    },
    told(key, version) {
      if (isBuried(key, version)) return false;
      const { resourceVersion } = version;
      const answer = answers.get(key);
      if (answer === undefined) return true;
      // The answer's own echo is no news either, and ends the wait for it.
      if (isKnown(answer.resourceVersion, resourceVersion)) answers.delete(key);
      return !isKnown(resourceVersion, answer.resourceVersion);
    },
    gone(key, uid) {
      const answer = answers.get(key);
      if (answer === undefined) return true;
      // No UID comes twice: what was answered of another one came after.
      if (answer.uid !== uid) return false;
      answers.delete(key);
      return true;
    },
    passed() {
      const upTo = watched.resourceVersion;
      if (upTo === undefined) return [];
      // The watch has told all that they were there to pass over.
      for (const [key, { resourceVersion }] of graves) if (isKnown(resourceVersion, upTo)) graves.delete(key);
      const done = [...answers].filter(([, { resourceVersion }]) => isKnown(resourceVersion, upTo));
      for (const [key] of done) answers.delete(key);
      return done.flatMap(([key]) => (watched.get(key) === undefined ? [key] : []));
    },
  };
}
