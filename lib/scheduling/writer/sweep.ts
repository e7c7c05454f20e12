/**
 * Sweep: what is to be done with one IPLock now, so that no address stays taken for nobody, and none is taken from anybody.
 * Pure, level-triggered; docs/locks.md numbers the rules.
 *
 * Two doubts are settled before an address is let go. Whether its pod is gone: a pod that these caches have never seen may be
 * newer than they are, so it is asked for by name. Whether its Lock wants it: the Locks are read anew when a writer begins, and
 * from then on nobody else changes their status.
 */

import type { StatefulSetFacts } from '../facts.ts';
import type { IPLockObject } from './books.ts';
import { conflictOn, isFenced, isLetGo, wiredBy } from './found-out.ts';
import { addressInRange } from './stateful-set.ts';

export type SweepStep =
  | { readonly do: 'nothing' }
  /** Look again after so long. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Ask the API server for the pod. */
  | { readonly do: 'ask' }
  /** It stays as it is, however long that is: people are told after `patienceMs`, and it is looked at again after `ms`. */
  | { readonly do: 'keep'; readonly because: string; readonly ms: number; readonly patienceMs: number }
  /** Write it Quarantined. */
  | { readonly do: 'quarantine'; readonly because: string }
  /** Write it Held, of its Lock still or of nobody but its owner. */
  | { readonly do: 'hold'; readonly ofLock: boolean }
  /** Write it Held on the node where its slot is by now. */
  | { readonly do: 'move'; readonly node: string }
  | { readonly do: 'free'; readonly because: string };

/** How long an address without a Lock waits for its owner's next pod. */
export const LOOSE_HOLD_MS = 600_000;

/** No call is under way longer: kube-apiserver ends each after 60 s (--request-timeout), this client after 30 s. */
export const LATE_MS = 90_000;

/** A node that comes back touches no address by itself. */
const KEPT_MS = 60_000;

/** What is known around an IPLock. */
export interface Around {
  /** A plan or a pod in hand is about to use it. */
  readonly claimed: boolean;
  /**
   * What its Lock makes of it. `none`: it names none. `gone`: there is no such Lock, or it has no plan. `wants`: its plan lists
   * the address. `ended`: Ready without it, or Expired. `undoing`: it is Planning, and not by this writer.
   */
  readonly lock: 'none' | 'gone' | 'wants' | 'ended' | 'undoing';
  /** Where its Lock lists it, if that is another node than its own: the slot has moved. */
  readonly listedOn?: string;
  /**
   * The pod that it names. `has`: it lives and this is its address. `other`: it lives and has another. `waits`: it has none yet,
   * and can't be given this one. `done`: Succeeded or Failed, and its object is still there. `gone`: surely. `unknown`: never
   * heard of.
   */
  readonly pod: 'none' | 'has' | 'other' | 'waits' | 'done' | 'gone' | 'unknown';
  /**
   * Its Node object is gone, and its pod was on that node, or may have been: that it is done or gone is not that kubelet's word then.
   * PodGC says so of every pod of a node that is missing (kubernetes, pkg/controller/podgc, gcOrphaned: phase Failed, then deleted),
   * and the machine may be cut off and run it all the same.
   */
  readonly stranded: boolean;
  /** Its Node says that the machine is off: tainted out of service, and not Ready. One that is Ready speaks for itself. */
  readonly off: boolean;
  /** Kind of the controller of its pod, from its annotation; of loose ones. */
  readonly ownerKind?: string;
  /** How long this writer has been at work. */
  readonly reignMs: number;
  /** It was Held before a plan took it over. */
  readonly wasHeld: boolean;
  /** The StatefulSet whose ordinal its owner is, if there is one. */
  readonly statefulSet?: StatefulSetFacts;
  /** How long this writer has seen it Held. */
  readonly heldMs: number;
  /** How long it is Held where no Lock says. @default LOOSE_HOLD_MS */
  readonly looseHoldMs?: number;
}

export function sweep(ipLock: IPLockObject, around: Around): SweepStep {
  const { phase, podUID } = ipLock.spec;
  if (around.claimed) return { do: 'nothing' };
  const conflict = conflictOn(ipLock);
  if (conflict !== undefined) return { do: 'quarantine', because: conflict.message || 'another machine answers for it' };
  switch (phase) {
    case 'Quarantined':
      // Somebody else answers for it: only a person may say that it is free again.
      return isLetGo(ipLock) ? letGo(around) : { do: 'nothing' };
    case 'Held':
      return held(ipLock, around);
    case 'Locked':
      return podUID === undefined ? waiting(around) : withPod(ipLock, around);
    case 'Bound':
      return withPod(ipLock, around);
    default:
      return phase satisfies never;
  }
}

const LET_GO: SweepStep = { do: 'free', because: 'a person let it go' };

/** A pod that is pinned to a node without another free one has no address but this: then it names its pod until that has another. */
function letGo({ pod, reignMs }: Around): SweepStep {
  if (pod === 'has') return { do: 'nothing' };
  if (pod === 'unknown') return { do: 'ask' };
  return pod === 'waits' && reignMs < LATE_MS ? { do: 'wait', ms: LATE_MS - reignMs } : LET_GO;
}

/** Locked for the slot of a Lock whose pod hasn't come. */
function waiting({ lock, wasHeld, listedOn }: Around): SweepStep {
  switch (lock) {
    case 'wants':
      // It is made anew there (another-place.ts): a node that looks for it on its wire reads of it once, and of no other's.
      return listedOn === undefined ? { do: 'nothing' } : { do: 'free', because: `its slot has moved to ${listedOn}` };
    case 'undoing':
      return { do: 'nothing' };
    case 'gone':
      return wasHeld ? { do: 'hold', ofLock: false } : { do: 'free', because: 'its Lock is gone, or was never Ready' };
    case 'ended':
      return { do: 'free', because: 'its slot is over' };
    case 'none':
      return { do: 'free', because: 'it names neither a Lock nor a pod' };
    default:
      return lock satisfies never;
  }
}

function withPod(ipLock: IPLockObject, around: Around): SweepStep {
  const { pod, lock, ownerKind, reignMs, stranded } = around;
  if (pod === 'none' || pod === 'has') return { do: 'nothing' };
  if (pod === 'unknown') return { do: 'ask' };
  const off = around.off || (stranded && isFenced(ipLock));
  const wired = wiredBy(ipLock);
  // The one word on which it goes is that of the node that wired it, or that there is no such machine any more.
  if (wired === 'may be' && !off) return stranded ? STRANDED : STILL_WIRED;
  // Of an agent that doesn't say, or of somebody else's wiring: what a node has wired is for it to take down.
  const isTheirs = ipLock.spec.phase === 'Bound' && wired === 'unsaid' && !off;
  switch (pod) {
    case 'waits':
      // A late write of the lock writer before may give the pod its slot yet, and this is its address then.
      if (reignMs < LATE_MS) return { do: 'wait', ms: LATE_MS - reignMs };
      return ends(lock, ownerKind) ? { do: 'free', because: 'its pod is given another' } : { do: 'hold', ofLock: lock === 'wants' };
    case 'other':
      // Two writers gave one pod two slots.
      if (isTheirs) return { do: 'nothing' };
      return ends(lock, ownerKind) ? { do: 'free', because: 'its pod has another slot' } : { do: 'hold', ofLock: lock === 'wants' };
    case 'done':
      // It never runs again: a phase that is terminal stays, and a kubelet says it once the containers and the sandbox are down
      // (kubernetes, pkg/kubelet/status/status_manager.go, mergePodStatus: "resources the Kubelet exclusively owns must be released
      // prior to a pod being reported terminal").
      if (isTheirs) return { do: 'nothing' };
      return stranded && !off && wired !== 'no' ? STRANDED : leaves(lock, ownerKind, 'its pod is done');
    case 'gone':
      // Where nobody says when the sandbox is down, the object's end is all there is to know.
      return stranded && !off && wired !== 'no' ? STRANDED : leaves(lock, ownerKind, 'its pod is gone');
    default:
      return pod satisfies never;
  }
}

/** Until the node is back, or a person, who knows the machine to be off, says so (docs/locks.md). */
const STRANDED: SweepStep = { do: 'keep', because: 'its node is gone, and the machine may still use it', ms: KEPT_MS, patienceMs: 0 };

/** Most pods that go are unwired within seconds; those that are deleted by force, and those of a node that is lost, are not. */
const STILL_WIRED: SweepStep = {
  do: 'keep',
  because: 'its node has not said that it is wired no longer',
  ms: KEPT_MS,
  patienceMs: 60_000,
};

/** The one place where an address leaves a pod that had it. */
function leaves(lock: Around['lock'], ownerKind: string | undefined, because: string): SweepStep {
  if (ends(lock, ownerKind)) return { do: 'free', because: `${because}, and a ${ownerKind} holds none` };
  return { do: 'hold', ofLock: lock === 'wants' };
}

/** Pods of a Job or DaemonSet come anew, with whatever address. */
function ends(lock: Around['lock'], ownerKind: string | undefined): boolean {
  return lock === 'none' && (ownerKind === 'Job' || ownerKind === 'DaemonSet');
}

function held(ipLock: IPLockObject, { lock, listedOn, heldMs, statefulSet, looseHoldMs = LOOSE_HOLD_MS }: Around): SweepStep {
  // While its Lock lists it, the slot's own time counts (keep.ts); the address follows.
  if (lock === 'wants' && listedOn !== undefined) return { do: 'move', node: listedOn };
  if (lock === 'wants' || lock === 'undoing') return { do: 'nothing' };
  if (isLetGo(ipLock)) return LET_GO;
  if (lock === 'ended') return { do: 'free', because: 'its slot is over' };
  if (lock === 'gone') return { do: 'hold', ofLock: false };
  if (statefulSet !== undefined && addressInRange(ipLock.spec.owner, statefulSet)) return { do: 'nothing' };
  const left = looseHoldMs - heldMs;
  return left > 0 ? { do: 'wait', ms: left } : { do: 'free', because: `nobody came for it within ${looseHoldMs / 1000} s` };
}
