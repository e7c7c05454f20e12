/** Waiting for Locks: whoever waits for one is told when it is settled. One listener for all of them. */
import type { Lock } from '../../api/kinds.ts';
import type { Stored } from '../../kube/kinds.ts';
import type { Reflector } from '../../kube/reflector.ts';

export interface Waiting {
  /**
   * Resolves with the Lock when it is settled, or with undefined when it is gone or the signal came first.
   * @param lock as it was last read; an older one in the cache doesn't count
   */
  settled(lock: Stored<Lock>, signal: AbortSignal): Promise<Stored<Lock> | undefined>;
}

/** Ready, or never to be. */
export const isSettled = ({ status }: Pick<Lock, 'status'>): boolean => status?.phase !== undefined && status.phase !== 'Planning';

export function waitingFor(locks: Reflector<Stored<Lock>>): Waiting {
  const told = new Map<string, Set<(lock: Stored<Lock> | undefined) => void>>();
  const tell = (key: string, lock: Stored<Lock> | undefined) => {
    for (const one of told.get(key) ?? []) one(lock);
  };
  locks.on({
    added: (lock, key) => tell(key, lock),
    updated: (_old, lock, key) => tell(key, lock),
    deleted: (_lock, key) => tell(key, undefined),
  });

  return {
    settled({ metadata }, signal) {
      const key = `${metadata.namespace}/${metadata.name}`;
      return new Promise((resolve) => {
        const waiters = told.get(key) ?? new Set();
        told.set(key, waiters);
        const end = (lock: Stored<Lock> | undefined) => {
          waiters.delete(hear);
          if (waiters.size === 0) told.delete(key);
          signal.removeEventListener('abort', late);
          resolve(lock);
        };
        const late = () => end(undefined);
        const hear = (lock: Stored<Lock> | undefined) => {
          if (lock === undefined || lock.metadata.uid !== metadata.uid) end(undefined);
          else if (isSettled(lock)) end(lock);
        };
        waiters.add(hear);
        if (signal.aborted) return late();
        signal.addEventListener('abort', late, { once: true });
        // It may have settled between the caller's look and this one.
        const now = locks.get(key);
        if (now !== undefined && now.metadata.uid === metadata.uid && isSettled(now)) end(now);
      });
    },
  };
}
