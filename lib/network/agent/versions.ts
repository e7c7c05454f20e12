/**
 * Versions: whether an IPLock, as it is known, can still be changed by a write of this node that is on its way. Pure.
 *
 * A write of an agent carries the version that it was decided on. So what an agent before this one has sent meets a Conflict on every
 * version that it can't have read, and what this one has sent on every version that is newer. An ADD that trusts such a version needs no
 * write of its own.
 */
import { isKnown } from '../../kube/resource-version.ts';
import type { Lock } from './node-view.ts';

export interface Versions {
  /** Everything that was there when this process began: an agent before it may have read these. */
  began(locks: Iterable<Pick<Lock, 'metadata'>>): void;
  /** Before a write is sent, whatever comes of it. */
  writing(lock: Pick<Lock, 'metadata'>): void;
  /** Whether no write of this node can change it as it is. */
  isQuiet(lock: Pick<Lock, 'metadata'>): boolean;
}

export function versions(): Versions {
  /** By address. */
  const first = new Map<string, string>();
  const last = new Map<string, string>();
  return {
    began(locks) {
      for (const { metadata } of locks) first.set(metadata.name, metadata.resourceVersion);
    },
    writing({ metadata: { name, resourceVersion } }) {
      const before = last.get(name);
      if (before === undefined || isKnown(before, resourceVersion)) last.set(name, resourceVersion);
    },
    isQuiet({ metadata: { name, resourceVersion } }) {
      const written = last.get(name);
      return (
        first.get(name) !== resourceVersion && (written === undefined || (written !== resourceVersion && isKnown(written, resourceVersion)))
      );
    },
  };
}
