/**
 * Claims: what counts on which node. A pod, a planned slot and a promise may be the same thing seen three times; they share a
 * key, and one of them counts: pods that have a node, else what was promised last, else what the Lock's status says.
 *
 *     `<namespace>/<lock>#<slot>`   the slot of a Lock: its pod, its plan, its promise
 *     `<namespace>/<pod>#loose`     a pod without a Lock, and its promise
 */
import { LOOSE } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import type { Demand } from '../types.ts';

export interface Claim {
  readonly what: 'pod' | 'slot' | 'promise';
  /** Of a pod: its key. */
  readonly pod: string | undefined;
  readonly demand: Demand;
  /** Where it counts; a pod that is neither bound nor pinned has none. */
  readonly node: string | undefined;
  /** Its pod is bound: its volumes exist, and capacity is told without them. */
  readonly bound: boolean;
  /** Its deletion has begun. */
  readonly deleting: boolean;
  /** Unix milliseconds; undefined: not running, so that no sample has seen it. */
  readonly startedMs: number | undefined;
  /** Whether a Lock keeps the place: as long as no pod has it, it is locked. */
  readonly ofLock: boolean;
  /** Counts now; and whether as a slot that no pod uses. Kept by this file alone. */
  counted: boolean;
  locked: boolean;
}

/** Told whenever something begins or ends to count. */
export interface Counting {
  count(claim: Claim): void;
  uncount(claim: Claim): void;
}

export interface Claims {
  setPod(pod: PodFacts, old: PodFacts | undefined): void;
  unsetPod(pod: PodFacts): void;
  setSlot(key: string, slot: Claim | undefined): void;
  setPromise(key: string, promise: Claim | undefined): void;
}

interface Entry {
  /** More than one where a pod goes while its successor is there. */
  readonly pods: Claim[];
  slot?: Claim;
  promise?: Claim;
}

export function claims(counting: Counting): Claims {
  const entries = new Map<string, Entry>();

  function at(key: string): Entry {
    const known = entries.get(key);
    if (known !== undefined) return known;
    const made: Entry = { pods: [] };
    entries.set(key, made);
    return made;
  }

  /** Brings what counts to what should. */
  function settle(key: string, entry: Entry, gone?: Claim): void {
    if (gone?.counted) uncount(gone);
    let placed = false;
    for (const pod of entry.pods) if (pod.node !== undefined) placed = true;
    const used = entry.pods.length > 0;
    for (const pod of entry.pods) put(pod, pod.node !== undefined, false);
    // A slot whose pod has no node yet goes on keeping its place.
    if (entry.promise) put(entry.promise, !placed, !used && entry.promise.ofLock);
    if (entry.slot) put(entry.slot, !placed && entry.promise === undefined, !used);
    if (!used && entry.slot === undefined && entry.promise === undefined) entries.delete(key);
  }

  function put(claim: Claim, counted: boolean, locked: boolean): void {
    if (claim.counted === counted && (!counted || claim.locked === locked)) return;
    if (claim.counted) uncount(claim);
    if (!counted) return;
    claim.counted = true;
    claim.locked = locked;
    counting.count(claim);
  }

  function uncount(claim: Claim): void {
    counting.uncount(claim);
    claim.counted = false;
  }

  function removePod(pod: PodFacts): void {
    const key = keyOf(pod);
    const entry = entries.get(key);
    const index = entry?.pods.findIndex((claim) => claim.pod === pod.key) ?? -1;
    if (entry === undefined || index === -1) return;
    const [claim] = entry.pods.splice(index, 1);
    settle(key, entry, claim);
  }

  return {
    setPod(pod, old) {
      if (old !== undefined && isSame(old, pod)) return;
      if (old !== undefined && (pod.done || keyOf(old) !== keyOf(pod))) removePod(old);
      if (pod.done) return;
      const key = keyOf(pod);
      const entry = at(key);
      const index = entry.pods.findIndex((claim) => claim.pod === pod.key);
      const before = index === -1 ? undefined : entry.pods[index];
      entry.pods[index === -1 ? entry.pods.length : index] = ofPod(pod);
      settle(key, entry, before);
    },
    unsetPod: removePod,
    setSlot(key, slot) {
      const entry = at(key);
      const before = entry.slot;
      entry.slot = slot;
      settle(key, entry, before);
    },
    setPromise(key, promise) {
      const entry = at(key);
      const before = entry.promise;
      entry.promise = promise;
      settle(key, entry, before);
    },
  };
}

/** The key of what a pod has, or will be given. */
export function keyOf({ key, namespace, lock, slot }: PodFacts): string {
  return lock !== undefined && slot !== undefined && slot !== LOOSE ? slotKey(`${namespace}/${lock}`, slot) : `${key}#${LOOSE}`;
}

/** @param lock `<namespace>/<name>` */
export const slotKey = (lock: string, slot: number | string): string => `${lock}#${slot}`;

/**
 * Where a pod counts: where it is bound, or where it is pinned. A pod behind Gala's gate counts nowhere yet, though its DaemonSet
 * has pinned it: it has no slot.
 */
export function nodeOf({ node, pinned, gated }: PodFacts): string | undefined {
  return node ?? (gated ? undefined : pinned);
}

function ofPod(pod: PodFacts): Claim {
  const { demand, deleting, startedMs } = pod;
  return {
    what: 'pod',
    pod: pod.key,
    demand,
    node: nodeOf(pod),
    bound: pod.node !== undefined,
    deleting,
    startedMs,
    ofLock: false,
    counted: false,
    locked: false,
  };
}

/** Whether nothing changed that counts: most of what a kubelet says of a pod. */
function isSame(a: PodFacts, b: PodFacts): boolean {
  return (
    a.demand === b.demand &&
    a.node === b.node &&
    a.pinned === b.pinned &&
    a.gated === b.gated &&
    a.lock === b.lock &&
    a.slot === b.slot &&
    a.done === b.done &&
    a.deleting === b.deleting &&
    a.startedMs === b.startedMs
  );
}

export function ofSlot(node: string, demand: Demand, what: 'slot' | 'promise', ofLock: boolean): Claim {
  return {
    what,
    pod: undefined,
    demand,
    node,
    bound: false,
    deleting: false,
    startedMs: undefined,
    ofLock,
    counted: false,
    locked: false,
  };
}
