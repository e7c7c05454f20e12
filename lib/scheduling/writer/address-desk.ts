/** The agenda's part for addresses: asks sweep.ts about each IPLock that something changed around, and has its answer written. */
import { OWNER_KIND_ANNOTATION, POD_ANNOTATION, WAS_HELD_ANNOTATION } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import { isOff } from '../node.ts';
import { type Books, type IPLockObject, lockOfAddress, lockOfPod } from './books.ts';
import type { Desk } from './desk.ts';
import { amissOn, isShut, wiredBy } from './found-out.ts';
import { held, movedTo, quarantined, rebuiltIPLock } from './ip-lock.ts';
import { type Refusal, sayAmiss, sayConflict, sayKept } from './refusal.ts';
import type { Report } from './reports.ts';
import { slotNumber } from './slots.ts';
import { statefulSetOf } from './stateful-set.ts';
import { type Around, type SweepStep, sweep } from './sweep.ts';
import { type Call, type Job, objectOf } from './write.ts';

export interface AddressDesk {
  touch(address: string): void;
  /** A node changed: addresses that are kept because of it. */
  nodeChanged(node: string): void;
  /** Works off what was touched, as far as there is room for writes. */
  step(): void;
}

export interface Takers {
  /** Whether the pod, which waits, is about to take the address that already names it. */
  takes(pod: PodFacts, ipLock: IPLockObject): boolean;
}

/** After a pod that the caches have never seen turned out to be there: they will have it soon. */
const CACHE_LAG_MS = 2_000;
/** What is kept is told again before its event is forgotten: kube-apiserver keeps events for an hour (--event-ttl). */
const TOLD_MS = 1_800_000;

/** Of an address that is kept for a pod. */
interface Kept {
  readonly podUID: string;
  readonly node: string;
  readonly sinceMs: number;
  toldMs?: number;
}

export function addressDesk(desk: Desk, takers: Takers): AddressDesk {
  const { books, planner, flight, claims, options } = desk;
  const dirty = new Set<string>();
  /** Since when an address was seen Held, and of no Lock. */
  const heldSince = new Map<string, number>();
  /** By address: the pod that it names, as long as that has been on no node. */
  const unbound = new Map<string, string>();
  const kept = new Map<string, Kept>();
  /** By address: what was told of it to its pod. */
  const told = new Map<string, string>();

  function around(address: string, ipLock: IPLockObject): Around {
    const { spec, metadata } = ipLock;
    const lock = lockState(ipLock, books);
    const ownerKind = metadata.annotations?.[OWNER_KIND_ANNOTATION];
    const set = ownerKind === 'StatefulSet' ? statefulSetOf(spec.owner) : undefined;
    const node = planner.node(spec.node);
    const listed = lock === 'wants' ? books.listedAt(address)?.node : undefined;
    return {
      claimed: claims.has(address),
      ...{ lock, ownerKind, pod: podState(ipLock), stranded: isStranded(address, ipLock) },
      ...(listed !== undefined && listed !== spec.node && { listedOn: listed }),
      off: node !== undefined && isOff(node),
      reignMs: desk.now() - options.beganMs,
      wasHeld: metadata.annotations?.[WAS_HELD_ANNOTATION] === 'true',
      statefulSet: set === undefined ? undefined : planner.statefulSet(set),
      heldMs: heldMs(address, spec.phase === 'Held' && lock === 'none'),
      looseHoldMs: options.looseHoldMs,
    };
  }

  function isStranded(address: string, ipLock: IPLockObject): boolean {
    const { node, podUID } = ipLock.spec;
    if (podUID === undefined || planner.node(node) !== undefined) return false;
    return unbound.get(address) !== podUID || wiredBy(ipLock) === 'may be';
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
      for (const known of [heldSince, kept, told]) known.delete(address);
      const report = planner.wiredAt(address);
      return report?.asked ? rebuild(report) : true;
    }
    tellAmiss(address, ipLock);
    const job: Job = { desk: 'address', key: address };
    const object = objectOf('IPLock', address);
    // Its end touches it again.
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    const { name, uid, resourceVersion } = ipLock.metadata;
    const write = (call: Call, about = object) => flight.begin({ job, lane: 'bulk', object: about, call });
    const step = sweep(ipLock, around(address, ipLock));
    if (step.do !== 'keep') kept.delete(address);
    switch (step.do) {
      case 'nothing':
        return true;
      case 'wait':
        desk.touchAt(job, desk.now() + step.ms);
        return true;
      case 'ask':
        return ask(ipLock, job);
      case 'keep':
        return keepAsItIs(ipLock, job, step);
      case 'hold':
        return write({ do: 'update', kind: 'IPLock', object: held(ipLock, step) });
      case 'move':
        return write({ do: 'update', kind: 'IPLock', object: movedTo(ipLock, step.node) });
      case 'quarantine':
        if (!write({ do: 'update', kind: 'IPLock', object: quarantined(ipLock) })) return false;
        return tellConflict(address, ipLock, step.because);
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

  /** As its node told it, for whom it is there: what was promised to somebody else meanwhile gives way (AlreadyExists). */
  function rebuild({ node, ip, mac, pod: named, podUID }: Report): boolean {
    const job: Job = { desk: 'address', key: ip };
    const object = objectOf('IPLock', ip);
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    const known = books.podOf(podUID);
    const key = known && lockOfPod(known);
    const listed = key === undefined || books.listedAt(ip)?.lock !== key ? undefined : books.locks.get(key);
    const [namespace = '', name = ''] = named.split('/');
    const made = rebuiltIPLock(
      {
        ...{ address: ip, mac, node },
        owner: listed === undefined ? (known?.demand.owner ?? named) : `${namespace}/${listed.spec.owner}`,
        ...(listed && { lock: { namespace, name: listed.metadata.name } }),
        pod: { name, uid: podUID, term: options.term, ownerKind: known?.controller?.kind ?? 'Pod' },
      },
      options.wallClock?.() ?? new Date(),
    );
    if (!flight.begin({ job, lane: 'bulk', object, call: { do: 'create', kind: 'IPLock', object: made } })) return false;
    const fields = { ip, node, pod: named };
    desk.note({ note: 'log', level: 'info', sentence: 'address rebuilt: its node has it wired', fields });
    return true;
  }

  function keepAsItIs({ spec, metadata }: IPLockObject, job: Job, step: Extract<SweepStep, { readonly do: 'keep' }>): true {
    const { owner, node, podUID = '' } = spec;
    const address = job.key;
    const before = kept.get(address);
    const mine: Kept = before?.podUID === podUID ? before : { podUID, node, sinceMs: desk.now() };
    kept.set(address, mine);
    const tellAt = mine.toldMs === undefined ? mine.sinceMs + step.patienceMs : mine.toldMs + TOLD_MS;
    desk.touchAt(job, Math.min(desk.now() + step.ms, Math.max(desk.now() + 1, tellAt)));
    if (tellAt > desk.now()) return true;
    const fields = { ip: address, owner, node, because: step.because };
    if (mine.toldMs === undefined) desk.note({ note: 'log', level: 'warn', sentence: 'address kept: its pod is gone', fields });
    mine.toldMs = desk.now();
    tell('IPLock', address, metadata.uid, sayKept(spec, step.because));
    return true;
  }

  function tell(on: 'Lock' | 'Pod' | 'IPLock', key: string, uid: string, { reason, message }: Refusal): void {
    desk.note({ note: 'event', on, key, uid, reason, message, warning: true });
  }

  /** To whom it was for, and where people look it up. */
  function tellConflict(address: string, ipLock: IPLockObject, because: string): true {
    const { spec, metadata } = ipLock;
    const said = sayConflict(address, spec.node, because);
    const key = lockOfAddress(ipLock);
    const [pod, lock] = [books.podOf(spec.podUID ?? ''), books.locks.get(key ?? '')];
    tell('IPLock', address, metadata.uid, said);
    if (pod !== undefined) tell('Pod', pod.key, pod.uid, said);
    else if (lock !== undefined) tell('Lock', key as string, lock.metadata.uid, said);
    const fields = { ip: address, owner: spec.owner, node: spec.node, because };
    desk.note({ note: 'log', level: 'warn', sentence: 'address quarantined: another machine answers for it', fields });
    return true;
  }

  /** Its pod may be wired all the same: only people are told. What is so of the slots of a Lock stands in its status. */
  function tellAmiss(address: string, ipLock: IPLockObject): void {
    const amiss = amissOn(ipLock);
    const pod = amiss === undefined ? undefined : books.podOf(ipLock.spec.podUID ?? '');
    if (amiss === undefined || pod === undefined) {
      told.delete(address);
      return;
    }
    const news = `${pod.uid} ${amiss.reason}`;
    if (told.get(address) === news) return;
    told.set(address, news);
    tell('Pod', pod.key, pod.uid, sayAmiss(address, ipLock.spec.node, amiss));
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
    nodeChanged(name) {
      for (const [address, { node }] of kept) if (node === name) dirty.add(address);
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
  const order = (ipLock: IPLockObject) => {
    const { spec, metadata } = ipLock;
    const listed = books.listedAt(metadata.name);
    return [
      isShut(ipLock) ? 1 : 0,
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
