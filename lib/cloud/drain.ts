/** Drain: which pods must go before an instance is terminated, and whether all have. Pure. */

/** A pod as a drain looks at it. */
export interface PodThere {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownedBy?: readonly string[];
  /** When it is to be gone at the latest, its grace included; wall clock, milliseconds. */
  readonly deletedAt?: number;
}

export interface Drain {
  /** To be evicted now; a budget may hold each. */
  readonly evict: readonly PodThere[];
  /** Pods that end. */
  readonly ending: readonly PodThere[];
}

/** So long after its grace a pod that ends holds nothing any more: its kubelet answers to nobody, and the instance is to go. */
export const STUCK_MS = 120_000;

/** @param nowMs wall clock: deletionTimestamp is the API server's */
export function drainOf(pods: readonly PodThere[], nowMs: number): Drain {
  const mine = pods.filter((pod) => !staysAnyway(pod));
  return {
    evict: mine.filter(({ deletedAt }) => deletedAt === undefined),
    ending: mine.filter(({ deletedAt }) => deletedAt !== undefined && nowMs - deletedAt < STUCK_MS),
  };
}

/** As `kubectl drain` has it: a DaemonSet's would come back, a static one is a file's, and one that is done needs no node. */
const staysAnyway = ({ phase, annotations, ownedBy = [] }: PodThere): boolean =>
  phase === 'Succeeded' ||
  phase === 'Failed' ||
  ownedBy.includes('DaemonSet') ||
  annotations?.['kubernetes.io/config.mirror'] !== undefined;
