/**
 * Facts: as much of an object as the inventory and the lock writer keep. 50,000 whole pods would be some 400 MB; their facts are
 * a tenth, because pods of one template share one Demand.
 */
import type { Demand } from './types.ts';

/** A pod, as far as anybody here needs to know it. */
export interface PodFacts {
  /** `<namespace>/<name>` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Shared by all pods of the same shape; its `owner` is that of owner.ts. */
  readonly demand: Demand;
  /** What of it could not be read, with its path: such a pod never gets a slot. */
  readonly unreadable?: string;
  readonly schedulerName: string;
  /** Waits behind Gala's own scheduling gate. */
  readonly gated: boolean;
  /** Waits behind somebody else's gate: it gets no slot before that is gone. */
  readonly gatedByOthers: boolean;
  /** `spec.nodeName`. */
  readonly node?: string;
  /** The one node that its required affinity names by `metadata.name`. */
  readonly pinned?: string;
  /** Annotation `gala.internal/lock`. */
  readonly lock?: string;
  /** Annotation `gala.internal/slot`. */
  readonly slot?: string;
  /** Succeeded or Failed: it uses nothing any more. */
  readonly done: boolean;
  /** Its deletion has begun; it uses what it has until it is gone. */
  readonly deleting: boolean;
  /** `spec.priority`: of pods that wait, the higher ones are given slots first. 0 where left out. */
  readonly priority?: number;
  /** What kube-scheduler says in the condition PodScheduled (status False, reason Unschedulable) since it looked last. */
  readonly unschedulable?: string;
  readonly controller?: { readonly kind: string; readonly name: string; readonly uid: string };
  /** Unix milliseconds, for an order among pods and for people. */
  readonly createdMs: number;
}

/** A StatefulSet: which of its ordinals may come back for their addresses. */
export interface StatefulSetFacts {
  readonly key: string;
  readonly uid: string;
  readonly replicas: number;
  /** `spec.ordinals.start`. */
  readonly firstOrdinal: number;
}
