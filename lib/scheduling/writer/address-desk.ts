/** The agenda's part for addresses: asks sweep.ts about each IPLock that something changed around, and has its answer written. */
import { OWNER_KIND_ANNOTATION, POD_ANNOTATION, WAS_HELD_ANNOTATION } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import { type Books, type IPLockObject, lockOfAddress, lockOfPod } from './books.ts';
import type { Desk } from './desk.ts';
import { held } from './ip-lock.ts';
import { slotNumber } from './slots.ts';
import { statefulSetOf } from './stateful-set.ts';
import { type Around, sweep } from './sweep.ts';
import { type Call, type Job, objectOf } from './write.ts';

export interface AddressDesk {
  touch(address: string): void;
  /** Works off what was touched, as far as there is room for writes. */
  step(): void;
}

export interface Takers {
  /** Whether the pod, which waits, is about to take the address that already names it. */
  takes(pod: PodFacts, ipLock: IPLockObject): boolean;
}

/** After a pod that the caches have never seen turned out to be there: they will have it soon. */
const CACHE_LAG_MS = 2_000;

export function addressDesk(desk: Desk, takers: Takers): AddressDesk {
  const { books, planner, flight, claims, options } = desk;
  const dirty = new Set<string>();
  /** Since when an address was seen Held, and of no Lock. */
  const heldSince = new Map<string, number>();
  /** By address: the pod that it names, as long as that has been on no node. */
  const unbound = new Map<string, string>();
  /** By address: the pod for which people were told that it is kept. */
  const kept = new Map<string, string>();

  function around(address: string, ipLock: IPLockObject): Around {
    const { spec, metadata } = ipLock;
    const lock = lockState(ipLock, books);
    const ownerKind = metadata.annotations?.[OWNER_KIND_ANNOTATION];
    const set = ownerKind === 'StatefulSet' ? statefulSetOf(spec.owner) : undefined;
    return {
      claimed: claims.has(address),
      ...{ lock, ownerKind, pod: podState(ipLock), stranded: isStranded(address, ipLock) },
      reignMs: desk.now() - options.beganMs,
      wasHeld: metadata.annotations?.[WAS_HELD_ANNOTATION] === 'true',
      statefulSet: set === undefined ? undefined : planner.statefulSet(set),
      heldMs: heldMs(address, spec.phase === 'Held' && lock === 'none'),
      looseHoldMs: options.looseHoldMs,
    };
  }

  function isStranded(address: string, { spec: { node, podUID } }: IPLockObject): boolean {
    return podUID !== undefined && unbound.get(address) !== podUID && planner.node(node) === undefined;
  }

  /** At once, with every word on its pod: what is touched is looked at later, and then the pod may be gone. */
  function watchPod(address: string): void {
    const podUID = books.ipLocks.get(address)?.spec.podUID;
    const pod = podUID === undefined ? undefined : books.podOf(podUID);
    if (podUID === undefined || pod?.node !== undefined) unbound.delete(address);
    else if (pod !== undefined) unbound.set(address, podUID);
  }

  function heldMs(address: string, held: boolean): number {
    if (!held) heldSince.delete(address);
    else if (!heldSince.has(address)) heldSince.set(address, desk.now());
    return desk.now() - (heldSince.get(address) ?? desk.now());
  }

  function podState(ipLock: IPLockObject): Around['pod'] {
    const { podUID } = ipLock.spec;
    if (podUID === undefined) return 'none';
    const pod = books.podOf(podUID);
    if (pod === undefined) return books.pods.isGone(podUID) ? 'gone' : 'unknown';
    if (pod.done) return 'done';
    if (pod.gated) return takers.takes(pod, ipLock) ? 'has' : 'waits';
    return addressOf(pod, books) === ipLock.metadata.name ? 'has' : 'other';
  }

  /** @returns false: there is no room */
  function one(address: string): boolean {
    const ipLock = books.ipLocks.get(address);
    if (ipLock === undefined) {
      heldSince.delete(address);
      kept.delete(address);
      return true;
    }
    const job: Job = { desk: 'address', key: address };
    const object = objectOf('IPLock', address);
    // Its end touches it again.
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    const { name, uid, resourceVersion } = ipLock.metadata;
    const write = (call: Call, about = object) => flight.begin({ job, lane: 'bulk', object: about, call });
    const step = sweep(ipLock, around(address, ipLock));
    switch (step.do) {
      case 'nothing':
        return true;
      case 'wait':
        desk.touchAt(job, desk.now() + step.ms);
        return true;
      case 'ask':
        return ask(ipLock, job);
      case 'keep':
        desk.touchAt(job, desk.now() + step.ms);
        return tellKept(address, ipLock, step.because);
      case 'hold':
        return write({ do: 'update', kind: 'IPLock', object: held(ipLock, step) });
      case 'free':
        if (!write({ do: 'delete', kind: 'IPLock', id: { name }, uid, resourceVersion })) return false;
        desk.note({
          note: 'log',
          level: 'info',
          sentence: 'address freed',
          fields: { ip: address, owner: ipLock.spec.owner, because: step.because },
        });
        return true;
      default:
        return step satisfies never;
    }
  }

  function tellKept(address: string, { spec: { owner, node, podUID = '' } }: IPLockObject, because: string): true {
    if (kept.get(address) === podUID) return true;
    kept.set(address, podUID);
    const fields = { ip: address, owner, node, because };
    desk.note({ note: 'log', level: 'warn', sentence: 'address kept: its pod is gone, and its node too', fields });
    return true;
  }

  function ask({ spec, metadata }: IPLockObject, job: Job): boolean {
    const uid = spec.podUID as string;
    const namespace = spec.owner.slice(0, spec.owner.indexOf('/'));
    const name = metadata.annotations?.[POD_ANNOTATION];
    const object = objectOf('Pod', `${namespace}/${name ?? uid}`);
    if (flight.busy(object) || flight.resting(job, object, desk.now())) {
      desk.touchAt(job, desk.now() + CACHE_LAG_MS);
      return true;
    }
    const call: Call =
      name === undefined ? { do: 'find', kind: 'Pod', namespace, uid } : { do: 'read', kind: 'Pod', id: { namespace, name }, uid };
    return flight.begin({ job, lane: 'bulk', object, call });
  }

  return {
    touch(address) {
      watchPod(address);
      dirty.add(address);
    },
    step() {
      for (const address of dirty) {
        if (!desk.look({ desk: 'address', key: address }, () => one(address))) return;
        dirty.delete(address);
      }
    },
  };
}

/** What the Lock that an IPLock names makes of it (sweep.ts, Around.lock). */
function lockState(ipLock: IPLockObject, books: Books): Around['lock'] {
  const key = lockOfAddress(ipLock);
  if (key === undefined) return 'none';
  switch (books.locks.get(key)?.status?.phase) {
    case 'Planning':
      return 'undoing';
    case 'Ready':
      return books.listedAt(ipLock.metadata.name)?.lock === key ? 'wants' : 'ended';
    case 'Expired':
      return 'ended';
    default:
      return 'gone';
  }
}

/**
 * The one address of a pod that has its slot, of those that name it: the one that its Lock lists for it; else a wired one, one on
 * its node, the oldest, the lowest.
 */
function addressOf(pod: PodFacts, books: Books): string | undefined {
  const all = books.addressesOfPod(pod.uid);
  if (all.length <= 1) return all[0]?.metadata.name;
  const [key, slot, node] = [lockOfPod(pod), slotNumber(pod), pod.node ?? pod.pinned];
  const order = ({ spec, metadata }: IPLockObject) => {
    const listed = books.listedAt(metadata.name);
    return [
      listed !== undefined && listed.lock === key && listed.slot === slot ? 0 : 1,
      spec.phase === 'Bound' ? 0 : 1,
      spec.node === node ? 0 : 1,
      metadata.creationTimestamp ?? '',
      metadata.name,
    ];
  };
  return all.sort((a, b) => compare(order(a), order(b)))[0]?.metadata.name;
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value < (b[index] as string | number) ? -1 : 1;
  return 0;
}
