/** StatefulSets, as far as their ordinals own addresses: owner `<namespace>/<set>-<ordinal>`. Pure. */
import type { StatefulSetFacts } from '../facts.ts';

/**
 * Key of the StatefulSet that an owner may be an ordinal of.
 * @example statefulSetOf('feed/redis-12') // 'feed/redis'
 */
export function statefulSetOf(owner: string): string | undefined {
  return /^(.+)-(0|[1-9][0-9]*)$/.exec(owner)?.[1];
}

/** Whether an update changes nothing that addresses depend on: most only tell how many of its pods are ready. */
export function hasSameOrdinals(a: StatefulSetFacts, b: StatefulSetFacts): boolean {
  return a.uid === b.uid && a.replicas === b.replicas && a.firstOrdinal === b.firstOrdinal;
}

/** Whether the ordinal that the owner is, is one of those that the StatefulSet has or will have. */
export function addressInRange(owner: string, { replicas, firstOrdinal }: StatefulSetFacts): boolean {
  const ordinal = Number(owner.slice(owner.lastIndexOf('-') + 1));
  return ordinal >= firstOrdinal && ordinal < firstOrdinal + replicas;
}
