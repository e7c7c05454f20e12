/**
 * Given: which slot each pod is being given, from the decision until the watch tells that it has it. In memory alone: a lock writer
 * that ends leaves either nothing, or an IPLock that names the pod, by which the next one goes on.
 */
import { LOOSE } from '../../api/scheduling.ts';
import type { Desk } from './desk.ts';
import type { Given } from './next-for-pod.ts';
import type { Job } from './write.ts';

export interface Givens {
  get(pod: string): Given | undefined;
  /** UID of the pod that is being given the slot of a Lock. */
  of(lock: string, slot: number): string | undefined;
  /** The decision: from now on nobody else gets it. */
  give(pod: string, given: Given): void;
  /** It isn't to be. */
  drop(pod: string): void;
  /** The API server has it. Promises last until the watch says so. */
  settle(pod: string): void;
  /** It keeps what it was given, and isn't counted among those that are being given slots: others must not wait for it. */
  stall(pod: string): void;
  /** The Lock is gone, and its slots keep no room any more: those that are being given to pods do so themselves. */
  orphan(lock: string): void;
  /** How many loose pods are being given slots; and how many of Locks. Without those that are stalled. */
  readonly loose: number;
  readonly locked: number;
  close(): void;
}

/** The key of a loose pod's promise, as the inventory knows it. */
export const looseKey = (pod: string): string => `${pod}#${LOOSE}`;

export function givens({ books, claims, planner, land, touch }: Desk): Givens {
  const byPod = new Map<string, Given>();
  const bySlot = new Map<string, string>();
  const stalled = { loose: new Set<string>(), locked: new Set<string>() };
  /** Pods whose room is promised to themselves: loose ones, and those whose Lock is gone. */
  const promised = new Set<string>();
  const lockKey = ({ lock }: Given) => (lock === undefined ? undefined : `${lock.namespace}/${lock.name}`);
  const slotKey = (given: Given) => (given.lock === undefined ? undefined : `${lockKey(given)}#${given.slot}`);

  function remove(pod: string): Given | undefined {
    const given = byPod.get(pod);
    if (given === undefined) return undefined;
    byPod.delete(pod);
    stalled.loose.delete(pod);
    stalled.locked.delete(pod);
    const key = slotKey(given);
    if (key !== undefined) bySlot.delete(key);
    if (given.address !== undefined) {
      claims.delete(given.address);
      touch({ desk: 'address', key: given.address });
    }
    const lock = lockKey(given);
    if (lock !== undefined) touch({ desk: 'lock', key: lock });
    return given;
  }

  function drop(pod: string): void {
    remove(pod);
    if (promised.delete(pod)) planner.release(looseKey(pod));
  }

  return {
    get: (pod) => byPod.get(pod),
    of: (lock, slot) => bySlot.get(`${lock}#${slot}`),
    give(pod, given) {
      remove(pod);
      byPod.set(pod, given);
      if (given.slot === LOOSE) promised.add(pod);
      const job: Job = { desk: 'pod', key: pod };
      const key = slotKey(given);
      if (key !== undefined) bySlot.set(key, given.uid);
      if (given.address !== undefined) claims.set(given.address, job);
    },
    drop,
    settle(pod) {
      remove(pod);
      if (promised.delete(pod)) land(looseKey(pod), { pod });
    },
    orphan(lock) {
      for (const [pod, given] of byPod) {
        const demand = books.pods.get(pod)?.demand;
        if (lockKey(given) !== lock || demand === undefined) continue;
        planner.promise(looseKey(pod), { node: given.node, demand });
        promised.add(pod);
      }
      // Pinned, and the inventory hears of it by the watch.
      for (const { key, gated, demand, node, pinned } of books.podsOfLock(lock)) {
        const at = node ?? pinned;
        if (gated || at === undefined || books.pods.watched(key)) continue;
        planner.promise(looseKey(key), { node: at, demand });
        land(looseKey(key), { pod: key });
      }
    },
    stall(pod) {
      const given = byPod.get(pod);
      if (given !== undefined) stalled[given.slot === LOOSE ? 'loose' : 'locked'].add(pod);
    },
    get loose() {
      return byPod.size - bySlot.size - stalled.loose.size;
    },
    get locked() {
      return bySlot.size - stalled.locked.size;
    },
    close() {
      for (const pod of [...byPod.keys()]) drop(pod);
    },
  };
}
