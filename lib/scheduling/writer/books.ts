/**
 * Books: all that the lock writer knows about pods, Locks and IPLocks, with the looks-up that deciding needs. Pure; the agenda
 * writes in them what the watches say and what its own writes were answered.
 *
 * Only pods that ask for `gala-scheduler`, or bear a slot, are kept.
 */
import type { IPLock, Lock } from '../../api/kinds.ts';
import { SCHEDULER_NAME } from '../../api/scheduling.ts';
import type { Stored } from '../../kube/kinds.ts';
import type { PodFacts } from '../facts.ts';
import { type Shelf, shelf } from './shelf.ts';
import { statefulSetOf } from './stateful-set.ts';

export type LockObject = Stored<Lock>;
export type IPLockObject = Stored<IPLock>;

/** A slot that the status of a Lock lists, by its address. */
export interface ListedAt {
  /** `<namespace>/<name>` of the Lock. */
  readonly lock: string;
  readonly slot: number;
  readonly node: string;
}

export interface Books {
  readonly pods: Shelf<PodFacts>;
  readonly locks: Shelf<LockObject>;
  readonly ipLocks: Shelf<IPLockObject>;
  podOf(uid: string): PodFacts | undefined;
  /** Pods that name the Lock by annotation. */
  podsOfLock(lock: string): PodFacts[];
  /** IPLocks that name the Lock. */
  addressesOfLock(lock: string): IPLockObject[];
  /** IPLocks that name the pod. */
  addressesOfPod(uid: string): IPLockObject[];
  /** IPLocks of an owner, `<namespace>/<name>`. */
  addressesOfOwner(owner: string): IPLockObject[];
  /** Held IPLocks of owners that may be ordinals of the StatefulSet, `<namespace>/<name>`. */
  heldOfStatefulSet(key: string): IPLockObject[];
  /** The slot of a Planning or Ready Lock that lists the address. */
  listedAt(address: string): ListedAt | undefined;
}

export function books(): Books {
  const podByUid = new Map<string, string>();
  const podsByLock = sets();
  const ipsByLock = sets();
  const ipsByPod = sets();
  const ipsByOwner = sets();
  const heldBySet = sets();
  const listed = new Map<string, ListedAt>();

  const pods = shelf<PodFacts>({
    versionOf: (pod) => pod,
    onChange(key, old, pod) {
      if (old !== undefined && old.uid !== pod?.uid) podByUid.delete(old.uid);
      if (pod !== undefined) podByUid.set(pod.uid, key);
      if (old && lockOfPod(old) !== (pod && lockOfPod(pod))) podsByLock.remove(lockOfPod(old), key);
      if (pod) podsByLock.add(lockOfPod(pod), key);
    },
  });
  const locks = shelf<LockObject>({
    versionOf: ({ metadata }) => metadata,
    onChange(key, old, lock) {
      for (const { address } of slotsOf(old)) if (address !== undefined && listed.get(address)?.lock === key) listed.delete(address);
      for (const { address, slot, node } of slotsOf(lock)) if (address !== undefined) listed.set(address, { lock: key, slot, node });
    },
  });
  const ipLocks = shelf<IPLockObject>({
    versionOf: ({ metadata }) => metadata,
    onChange(ip, old, ipLock) {
      if (old) {
        ipsByLock.remove(lockOfAddress(old), ip);
        ipsByPod.remove(old.spec.podUID, ip);
        if (old.spec.owner !== ipLock?.spec.owner) ipsByOwner.remove(old.spec.owner, ip);
        heldBySet.remove(setOfHeld(old), ip);
      }
      if (ipLock) {
        ipsByLock.add(lockOfAddress(ipLock), ip);
        ipsByPod.add(ipLock.spec.podUID, ip);
        ipsByOwner.add(ipLock.spec.owner, ip);
        heldBySet.add(setOfHeld(ipLock), ip);
      }
    },
  });

  const all = <T>(keys: Iterable<string>, of: Shelf<T>) => [...keys].map((key) => of.get(key) as T);
  return {
    ...{ pods, locks, ipLocks },
    podOf: (uid) => pods.get(podByUid.get(uid) ?? ''),
    podsOfLock: (lock) => all(podsByLock.get(lock), pods),
    addressesOfLock: (lock) => all(ipsByLock.get(lock), ipLocks),
    addressesOfPod: (uid) => all(ipsByPod.get(uid), ipLocks),
    addressesOfOwner: (owner) => all(ipsByOwner.get(owner), ipLocks),
    heldOfStatefulSet: (key) => all(heldBySet.get(key), ipLocks),
    listedAt: (address) => listed.get(address),
  };
}

/** Whether the lock writer has to do with a pod at all. */
export function concernsWriter({ schedulerName, slot }: PodFacts): boolean {
  return schedulerName === SCHEDULER_NAME || slot !== undefined;
}

/** Key of the Lock that a pod names. */
export function lockOfPod({ namespace, lock }: PodFacts): string | undefined {
  return lock === undefined ? undefined : `${namespace}/${lock}`;
}

/** Key of the Lock that an IPLock names. */
export function lockOfAddress({ spec: { lock } }: IPLockObject): string | undefined {
  return lock === undefined ? undefined : `${lock.namespace}/${lock.name}`;
}

const setOfHeld = ({ spec: { phase, owner } }: IPLockObject) => (phase === 'Held' ? statefulSetOf(owner) : undefined);

/** The slots that a Lock promises: those of Planning and Ready ones. */
export function slotsOf(lock: LockObject | undefined): NonNullable<NonNullable<LockObject['status']>['slots']> {
  const status = lock?.status;
  return (status?.phase === 'Planning' || status?.phase === 'Ready' ? status.slots : undefined) ?? [];
}

const NONE: ReadonlySet<string> = new Set();

function sets() {
  const all = new Map<string, Set<string>>();
  return {
    get: (group: string): ReadonlySet<string> => all.get(group) ?? NONE,
    add(group: string | undefined, member: string): void {
      if (group === undefined) return;
      const members = all.get(group);
      if (members === undefined) all.set(group, new Set([member]));
      else members.add(member);
    },
    remove(group: string | undefined, member: string): void {
      if (group === undefined) return;
      const members = all.get(group);
      if (members?.delete(member) && members.size === 0) all.delete(group);
    },
  };
}
