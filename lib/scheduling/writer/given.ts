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
  /** How many loose pods are being given slots; and how many of Locks. Without those that are stalled. */
  readonly loose: number;
  readonly locked: number;
  close(): void;
}

/** The key of a loose pod's promise, as the inventory knows it. */
export const looseKey = (pod: string): string => `${pod}#${LOOSE}`;

export function givens({ claims, planner, land, touch }: Desk): Givens {
  const byPod = new Map<string, Given>();
  const bySlot = new Map<string, string>();
  const stalled = { loose: new Set<string>(), locked: new Set<string>() };
  const slotKey = ({ lock, slot }: Given) => (lock === undefined ? undefined : `${lock.namespace}/${lock.name}#${slot}`);

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
    if (given.lock !== undefined) touch({ desk: 'lock', key: `${given.lock.namespace}/${given.lock.name}` });
    return given;
  }

  function drop(pod: string): void {
    const given = remove(pod);
    if (given?.slot === LOOSE) planner.release(looseKey(pod));
  }

  return {
    get: (pod) => byPod.get(pod),
    of: (lock, slot) => bySlot.get(`${lock}#${slot}`),
    give(pod, given) {
      remove(pod);
      byPod.set(pod, given);
      const job: Job = { desk: 'pod', key: pod };
      const key = slotKey(given);
      if (key !== undefined) bySlot.set(key, given.uid);
      if (given.address !== undefined) claims.set(given.address, job);
    },
    drop,
    settle(pod) {
      const given = remove(pod);
      if (given?.slot === LOOSE) land(looseKey(pod), { pod, address: given.address });
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
