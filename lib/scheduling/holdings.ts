/**
 * Holdings: which living pods name a slot, and which addresses name a pod, by key. Follows the world's reflectors, so that
 * verifying a pod looks up and never searches.
 */
import type { PodFacts } from './facts.ts';
import type { World } from './world.ts';

export interface Holdings {
  /** Living pods that name this slot of the Lock `<namespace>/<name>`. */
  podsOf(lock: string, slot: string): readonly PodFacts[];
  /** Names of the IPLocks that name this pod: its addresses. */
  addressesOf(podUID: string): readonly string[];
}

export function holdings({ pods, ipLocks }: Pick<World, 'pods' | 'ipLocks'>): Holdings {
  const bySlot = groups<PodFacts>();
  const byPod = groups<string>();
  pods.on({
    added: (pod, key) => bySlot.add(slotKey(pod), key, pod),
    updated: (old, pod, key) => {
      bySlot.remove(slotKey(old), key);
      bySlot.add(slotKey(pod), key, pod);
    },
    deleted: (pod, key) => bySlot.remove(slotKey(pod), key),
  });
  ipLocks.on({
    added: ({ spec }, name) => byPod.add(spec.podUID, name, name),
    updated: (old, { spec }, name) => {
      byPod.remove(old.spec.podUID, name);
      byPod.add(spec.podUID, name, name);
    },
    deleted: ({ spec }, name) => byPod.remove(spec.podUID, name),
  });
  return { podsOf: (lock, slot) => bySlot.get(`${lock}#${slot}`), addressesOf: byPod.get };
}

/** Undefined: it holds none. A pod that is done uses nothing any more. */
function slotKey({ namespace, lock, slot, done }: PodFacts): string | undefined {
  return lock === undefined || slot === undefined || done ? undefined : `${namespace}/${lock}#${slot}`;
}

function groups<T>() {
  const all = new Map<string, Map<string, T>>();
  return {
    get: (group: string): readonly T[] => [...(all.get(group)?.values() ?? [])],
    add(group: string | undefined, key: string, value: T): void {
      if (group === undefined) return;
      const members = all.get(group);
      if (members === undefined) all.set(group, new Map([[key, value]]));
      else members.set(key, value);
    },
    remove(group: string | undefined, key: string): void {
      if (group === undefined) return;
      const members = all.get(group);
      if (members?.delete(key) && members.size === 0) all.delete(group);
    },
  };
}
