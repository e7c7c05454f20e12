/**
 * What is taken and serves nobody, by kind: what the lock writer will give back by itself (in hand), and what it should have
 * by now (leaked). The rules are its own (sweep.ts, slots.ts), asked from outside. Pure.
 */
import type { NodeNetwork } from '../api/kinds.ts';
import { PROBED } from '../api/network.ts';
import { OWNER_KIND_ANNOTATION, WAS_HELD_ANNOTATION } from '../api/scheduling.ts';
import type { StatefulSetFacts } from '../scheduling/facts.ts';
import { type Books, type IPLockObject, type LockObject, lockOfAddress } from '../scheduling/writer/books.ts';
import { conditionOf, wiredBy } from '../scheduling/writer/found-out.ts';
import { type Slot, slotsSeen } from '../scheduling/writer/slots.ts';
import { statefulSetOf } from '../scheduling/writer/stateful-set.ts';
import { type Around, sweep } from '../scheduling/writer/sweep.ts';
import { ageOf, counted, utcOf } from './amount.ts';

export const LEAKS = [
  'lock, no pod',
  'slot, pod gone',
  'Held address',
  'Bound, pod gone',
  'Bound, not wired',
  'address of nobody',
  'Quarantined',
  'somebody else answers',
  'plan, not finished',
  'slot, address missing',
] as const;
export type Leak = (typeof LEAKS)[number];

/** One of them: a slot, an address, a Lock. */
interface Found {
  readonly leak: Leak;
  /** `feed/feed-api-1188#17`, `10.110.2.37`. */
  readonly name: string;
  readonly ageMs: number;
  /** When it comes back by itself, at the latest; undefined: for ever, or as soon as the writer looks. */
  readonly dueMs?: number;
  readonly because: string;
  readonly leaked: boolean;
  /** Nobody but a person ends it. */
  readonly forPeople?: true;
}

export interface LeakRow {
  readonly leak: Leak;
  readonly count: number;
  /** Of these, what should be gone. */
  readonly leaked: number;
  readonly oldestMs: number;
  /** In how long all that comes back by itself has. */
  readonly backInMs?: number;
  readonly because: readonly string[];
  /** Some of them, the leaked ones first. */
  readonly names: readonly string[];
}

/** What `-o json` prints. */
export interface Leaks {
  /** RFC 3339. */
  readonly readAt: string;
  readonly leaked: number;
  readonly inHand: number;
  /** What waits for people, and is neither. */
  readonly forPeople: number;
  readonly rows: readonly LeakRow[];
}

/**
 * The writer looks at everything that changes at once, and at the rest by timers: a minute late is late. Ages are counted by the
 * clock of whoever asks; the writer's own begin when it sees a change, so that a new one begins anew.
 */
const GRACE_MS = 60_000;

/** What addresses are judged by, beside the books. */
export interface Places {
  readonly statefulSets: ReadonlyMap<string, StatefulSetFacts>;
  /** Whether there is a Node object of this name. */
  readonly hasNode: (name: string) => boolean;
  /** Whether its Node says that its machine is off. */
  readonly isOff: (name: string) => boolean;
  readonly isReady: (name: string) => boolean;
  /** Of NodeNetworks, as far as they could be listed. */
  readonly conflicts: readonly Conflict[];
}

/** What the agent of a node saw on the wire. */
export interface Conflict extends Pick<NonNullable<NonNullable<NodeNetwork['status']>['conflicts']>[number], 'ip' | 'mac' | 'seen'> {
  readonly node: string;
}

/** @param readAtMs when the books were read; Unix milliseconds */
export function leaksIn(books: Books, places: Places, readAtMs: number): Leaks {
  const found = [
    ...[...books.locks.keys()].flatMap((key) => ofLock(key, books.locks.get(key)!, books, places, readAtMs)),
    ...[...books.ipLocks.keys()].flatMap((address) => ofAddress(address, books.ipLocks.get(address)!, books, places, readAtMs)),
    ...places.conflicts.flatMap((conflict) => ofConflict(conflict, books, readAtMs)),
  ];
  const leaked = found.filter((one) => one.leaked).length;
  const forPeople = found.filter((one) => one.forPeople).length;
  const rows = LEAKS.flatMap((leak) =>
    rowOf(
      leak,
      found.filter((one) => one.leak === leak),
    ),
  );
  return { readAt: new Date(readAtMs).toISOString(), leaked, inHand: found.length - leaked - forPeople, forPeople, rows };
}

const FEW_NAMES = 5;

function rowOf(leak: Leak, found: readonly Found[]): LeakRow[] {
  if (found.length === 0) return [];
  const first = found.toSorted((a, b) => Number(b.leaked) - Number(a.leaked) || b.ageMs - a.ageMs);
  const due = found.flatMap(({ dueMs }) => dueMs ?? []);
  return [
    {
      leak,
      count: found.length,
      leaked: found.filter((one) => one.leaked).length,
      oldestMs: Math.max(...found.map(({ ageMs }) => ageMs)),
      ...(due.length === 0 ? {} : { backInMs: Math.max(0, ...due) }),
      because: [...new Set(first.map(({ because }) => because))],
      names: first.slice(0, FEW_NAMES).map(({ name }) => name),
    },
  ];
}

function ofLock(key: string, lock: LockObject, books: Books, places: Places, nowMs: number): Found[] {
  const createdMs = Date.parse(lock.metadata.creationTimestamp ?? '') || nowMs;
  const renewedMs = Math.max(createdMs, Date.parse(lock.spec.renewedAt ?? '') || 0);
  const { ttlSeconds, holdSeconds } = lock.spec;
  if (lock.status?.phase === 'Planning') {
    const ageMs = nowMs - renewedMs;
    return [{ leak: 'plan, not finished', name: key, ageMs, because: 'the lock writer finishes or undoes it', leaked: ageMs > GRACE_MS }];
  }
  return slotsSeen(key, lock, books).flatMap((slot): Found[] => {
    const name = `${key}#${slot.slot}`;
    const ipLock = slot.address === undefined ? undefined : books.ipLocks.get(slot.address);
    const sinceMs = writtenMs(ipLock);
    switch (slot.state) {
      case 'used':
        return [];
      case 'free': {
        const ageMs = nowMs - renewedMs;
        const dueMs = ttlSeconds * 1000 - ageMs;
        return [{ leak: 'lock, no pod', name, ageMs, dueMs, because: `TTL ${ageOf(ttlSeconds * 1000)}`, leaked: dueMs < -GRACE_MS }];
      }
      case 'leaving':
        if (ipLock !== undefined && wiredBy(ipLock) === 'may be') return [ofBound(name, ipLock, places, nowMs)];
        return [pastPod(name, slot, holdSeconds * 1000, nowMs - (sinceMs ?? nowMs))];
      case 'held':
        return [pastPod(name, slot, holdSeconds * 1000, nowMs - (sinceMs ?? nowMs))];
      case 'missing':
      case 'lost':
      case 'quarantined':
      case 'let go': {
        const ageMs = nowMs - renewedMs;
        return [
          {
            leak: 'slot, address missing',
            name,
            ageMs,
            because: 'the lock writer locks it anew, moves or drops the slot',
            leaked: ageMs > GRACE_MS,
          },
        ];
      }
      default:
        return slot.state satisfies never;
    }
  });
}

function pastPod(name: string, { state }: Slot, holdMs: number, ageMs: number): Found {
  const found = { leak: 'slot, pod gone' as const, name, ageMs };
  if (state === 'leaving') return { ...found, because: 'its address is being held', leaked: ageMs > GRACE_MS };
  if (holdMs === 0) return { ...found, because: 'held for ever', leaked: false };
  return { ...found, dueMs: holdMs - ageMs, because: `held ${ageOf(holdMs)} for the next pod`, leaked: ageMs > holdMs + GRACE_MS };
}

/** Its pod is gone, and its node has not said yet that nothing of it is left there. */
function ofBound(name: string, ipLock: IPLockObject, { hasNode, isReady }: Places, nowMs: number): Found {
  const { node } = ipLock.spec;
  const gone = hasNode(node) ? (isReady(node) ? undefined : 'NotReady') : 'no such Node';
  const because =
    gone === undefined ? `waits for ${node}` : `waits for ${node} (${gone}): when its machine is surely off, gala fence ${node}`;
  return { leak: 'Bound, pod gone', name, ageMs: nowMs - (writtenMs(ipLock) ?? nowMs), because, leaked: false };
}

/** Of an address that is nobody's yet, or free: what is Quarantined is told as that. */
function ofConflict({ ip, mac, node, seen }: Conflict, books: Books, nowMs: number): Found[] {
  if (books.ipLocks.get(ip)?.spec.phase === 'Quarantined') return [];
  const because = `${mac} answers for ${ip}, seen from ${node}`;
  return [{ leak: 'somebody else answers', name: ip, ageMs: nowMs - Date.parse(seen), because, leaked: false, forPeople: true }];
}

function ofQuarantined(address: string, ipLock: IPLockObject, nowMs: number): Found {
  const said = conditionOf(ipLock, PROBED)?.message;
  const because = `${said === undefined || said === '' ? 'another machine answered' : said}: find it, then gala ips free ${address}`;
  return { leak: 'Quarantined', name: address, ageMs: nowMs - (writtenMs(ipLock) ?? nowMs), because, leaked: false, forPeople: true };
}

function ofAddress(address: string, ipLock: IPLockObject, books: Books, places: Places, nowMs: number): Found[] {
  if (ipLock.spec.phase === 'Quarantined') return [ofQuarantined(address, ipLock, nowMs)];
  // Slots of a Lock were told with it.
  if (books.listedAt(address)?.lock === lockOfAddress(ipLock) && lockOfAddress(ipLock) !== undefined) return [];
  const ageMs = nowMs - (writtenMs(ipLock) ?? nowMs);
  const around = aroundOf(address, ipLock, books, places, ageMs);
  const step = sweep(ipLock, around);
  const { phase, owner } = ipLock.spec;
  const leak: Leak = phase === 'Held' ? 'Held address' : phase === 'Bound' ? 'Bound, pod gone' : 'address of nobody';
  if (isUnwired(ipLock, around)) return [{ leak: 'Bound, not wired', name: address, ageMs, because: UNWIRED, leaked: false }];
  switch (step.do) {
    // Somebody has it: only not who it is for.
    case 'quarantine':
      return [];
    case 'nothing':
      if (phase !== 'Held' || around.lock === 'undoing') return [];
      return [{ leak, name: address, ageMs, because: `for the ordinals of ${statefulSetOf(owner) ?? owner}`, leaked: false }];
    case 'wait':
      return [{ leak, name: address, ageMs, dueMs: step.ms, because: 'for the next pod of its owner', leaked: false }];
    case 'keep':
      if (phase === 'Bound') return [ofBound(address, ipLock, places, nowMs)];
      return [{ leak, name: address, ageMs, because: step.because, leaked: false }];
    case 'ask':
    case 'move':
    case 'hold':
      return [{ leak, name: address, ageMs, because: phase === 'Held' ? 'its Lock is gone' : 'its pod is gone', leaked: ageMs > GRACE_MS }];
    case 'free': {
      // Held until now: what it waited for is part of its age.
      const lateMs = step.because.startsWith('nobody came') ? ageMs - (around.looseHoldMs ?? HELD_MS) : ageMs;
      return [{ leak, name: address, ageMs, because: step.because, leaked: lateMs > GRACE_MS }];
    }
    default:
      return step satisfies never;
  }
}
const HELD_MS = 600_000;

/** Its pod lives, and nothing of it is on the node. */
const isUnwired = (ipLock: IPLockObject, { pod }: Around): boolean =>
  ipLock.spec.phase === 'Bound' && pod === 'has' && wiredBy(ipLock) === 'no';
const UNWIRED = 'its pod is there, and no link has it: kubectl describe pod says what its node waits for';

function aroundOf(
  address: string,
  { metadata, spec }: IPLockObject,
  books: Books,
  { statefulSets, hasNode, isOff }: Places,
  heldMs: number,
): Around {
  const { [OWNER_KIND_ANNOTATION]: ownerKind, [WAS_HELD_ANNOTATION]: wasHeld } = metadata.annotations ?? {};
  const statefulSet = ownerKind === 'StatefulSet' ? statefulSets.get(statefulSetOf(spec.owner) ?? '') : undefined;
  return {
    claimed: false,
    lock: lockAround(address, spec.lock && `${spec.lock.namespace}/${spec.lock.name}`, books),
    pod: podAround(spec.podUID, books),
    stranded: spec.podUID !== undefined && !hasNode(spec.node),
    off: isOff(spec.node),
    ...(ownerKind === undefined ? {} : { ownerKind }),
    // One that has long been at work: what only a new one waits for is over.
    reignMs: Number.POSITIVE_INFINITY,
    wasHeld: wasHeld === 'true',
    ...(statefulSet === undefined ? {} : { statefulSet }),
    heldMs,
  };
}

function lockAround(address: string, key: string | undefined, books: Books): Around['lock'] {
  if (key === undefined) return 'none';
  const phase = books.locks.get(key)?.status?.phase;
  if (phase === 'Planning') return 'undoing';
  if (phase === 'Ready') return books.listedAt(address)?.lock === key ? 'wants' : 'ended';
  return phase === 'Expired' ? 'ended' : 'gone';
}

function podAround(uid: string | undefined, books: Books): Around['pod'] {
  if (uid === undefined) return 'none';
  const pod = books.podOf(uid);
  // Pods and addresses were read one after the other: what came in between is not yet a leak, its age says.
  return pod === undefined || pod.done ? 'gone' : 'has';
}

/** When the API server last wrote it; without its fields' managers, when it was made. */
function writtenMs(ipLock: IPLockObject | undefined): number | undefined {
  const times = (ipLock?.metadata.managedFields ?? []).flatMap(({ time }) => time ?? []);
  const last = times.sort().at(-1) ?? ipLock?.metadata.creationTimestamp;
  return last === undefined ? undefined : Date.parse(String(last));
}

export function leaksText({ readAt, leaked, inHand, forPeople, rows }: Leaks): string {
  const readAtMs = Date.parse(readAt);
  const wide = Math.max(...LEAKS.map((leak) => leak.length));
  const lines = rows.map(({ leak, count, leaked, oldestMs, backInMs, because, names }) => {
    const back = backInMs === undefined ? '' : `: back by ${utcOf(readAtMs + backInMs)}`;
    const late = leaked === 0 ? '' : `   ${leaked} LEAKED: ${names.slice(0, leaked).join(', ')}`;
    return `  ${leak.padEnd(wide)}   ${String(count).padStart(5)}   oldest ${ageOf(oldestMs).padEnd(8)}   ${because.slice(0, 2).join(', ')}${back}${late}`;
  });
  const none = LEAKS.filter((leak) => !rows.some((row) => row.leak === leak));
  return [
    `read at ${utcOf(readAtMs)}`,
    ...lines,
    ...(none.length === 0 ? [] : [`  ${none.join(' · ')}     0`]),
    ...(leaked === 0 ? [] : [`${counted(leaked, 'thing')} should have come back: gala status says whether the lock writer works.`]),
    `${leaked} leaked, ${inHand} in hand${forPeople === 0 ? '' : `, ${forPeople} for people`}`,
  ].join('\n');
}
