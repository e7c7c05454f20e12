/**
 * Next: which addresses to ask for now, and when to look again. Pure; time and chance come as values, and what is remembered goes
 * in and comes out. The rules are numbered on the page docs/probes.md.
 *
 * Only this process' own memory says that an address was asked for: a condition may be that of a former holder, and an agent that
 * has just begun does not know what it missed.
 */
import { WIRED } from '../../api/network.ts';
import { type Backoff, backoffMs } from '../../kube/backoff.ts';
import { type Ask, type Asked, holderOf, type Located, located, type Outcome, type ProbedLock, type Seen, together } from './ask.ts';
import { type Finding, onEc2 } from './finding.ts';
import { judged, type Trial } from './suspect.ts';

/** Of an address: when it is to be asked for again. */
export interface Remembered {
  readonly holder: string;
  readonly dueMs: number;
  /** How often in a row nothing final was heard. */
  readonly failures: number;
}
export type Memory = ReadonlyMap<string, Remembered>;

export interface Next {
  /** At most one a link. */
  readonly asks: readonly Ask[];
  /** What is known without asking. */
  readonly findings: readonly Finding[];
  /** Addresses that can't be asked for, and why. */
  readonly unaskable: ReadonlyMap<string, string>;
  readonly memory: Memory;
  /** Until the next one is due; undefined: none is, before something changes. */
  readonly waitMs?: number;
}

/** A Locked address may wait for its pod for an hour: who comes to the VLAN meanwhile is to be found before the pod is. */
export const FREE_MS = 300_000;
/** Somebody's address: the lock writer takes it out of use. Until then it may become free again. */
const CONFLICT: Backoff = { firstMs: 30_000, maxMs: 300_000 };
/** A rack's switch may take half a minute to trunk a VLAN (spanning tree). */
const SILENT: Backoff = { firstMs: 4_000, maxMs: 300_000 };
/** Another agent's probe is over within a second or two. */
const AGAIN: Backoff = { firstMs: 1_000, maxMs: 30_000 };
/** gala-probe could not ask: no carrier, a link that is missing. */
const FAILED: Backoff = { firstMs: 1_000, maxMs: 60_000 };

/**
 * @param busy links on which gala-probe is at work: what stands on them waits for it
 * @param nowMs on a clock that never goes back
 */
export function next(seen: Seen, memory: Memory, busy: ReadonlySet<string>, nowMs: number): Next {
  const wanted = new Map([...seen.locks].filter((lock) => isWanted(lock, seen.node)).map((lock) => [lock.metadata.name, lock]));
  // P2
  const kept = new Map([...memory].filter(([ip, { holder }]) => wanted.has(ip) && holderOf(wanted.get(ip)!) === holder));
  if (seen.pool.shape !== 'intranet') return withoutAsking(wanted, kept, nowMs);

  const byLink = new Map<string, Located[]>();
  const unaskable = new Map<string, string>();
  for (const [ip, lock] of wanted) {
    const place = located(lock, seen);
    if (typeof place === 'string') unaskable.set(ip, place);
    else byLink.set(place.link, [...(byLink.get(place.link) ?? []), place]);
  }
  const dueOf = ({ address }: Located): number => kept.get(address.ip)?.dueMs ?? nowMs;
  const idle = [...byLink].filter(([link]) => !busy.has(link));
  const asks = idle.flatMap(([, places]) => {
    // Whoever waits longest first, where one call does not take all.
    const [first, ...more] = places.filter((place) => dueOf(place) <= nowMs).sort((a, b) => dueOf(a) - dueOf(b));
    return first === undefined ? [] : [together([first, ...more])];
  });
  const asked = new Set(asks.map(({ link }) => link));
  const later = idle.filter(([link]) => !asked.has(link)).flatMap(([, places]) => places.map(dueOf));
  return {
    asks,
    findings: [],
    unaskable,
    memory: kept,
    ...(later.length === 0 ? {} : { waitMs: Math.max(0, Math.min(...later) - nowMs) }),
  };
}

/** P1. What the agent says is wired is the pod's own affair, and a sandbox of this node would answer. */
function isWanted({ spec, status }: ProbedLock, node: string): boolean {
  const isWired = status?.conditions?.some(({ type, status }) => type === WIRED && status === 'True') ?? false;
  return spec.phase === 'Locked' && spec.node === node && !isWired;
}

/** P8 */
function withoutAsking(wanted: ReadonlyMap<string, ProbedLock>, kept: Memory, nowMs: number): Next {
  const isDue = (ip: string) => (kept.get(ip)?.dueMs ?? nowMs) <= nowMs;
  const due = [...wanted].filter(([ip]) => isDue(ip));
  const memory = new Map(kept);
  // A failed write brings it back (`forgotten`).
  for (const [ip, lock] of due) memory.set(ip, { holder: holderOf(lock), dueMs: Number.POSITIVE_INFINITY, failures: 0 });
  return {
    asks: [],
    findings: due.map(([ip]) => onEc2(ip)),
    unaskable: new Map(),
    memory,
    ...untilFirst(
      [...memory.values()].map(({ dueMs }) => dueMs),
      nowMs,
    ),
  };
}

function untilFirst(dues: readonly number[], nowMs: number): Pick<Next, 'waitMs'> {
  const first = Math.min(...dues);
  return Number.isFinite(first) ? { waitMs: Math.max(0, first - nowMs) } : {};
}

export interface Learnt {
  readonly findings: readonly Finding[];
  readonly memory: Memory;
}

/**
 * What follows from an answer, for the addresses that are still locked as they were when it was asked.
 * @param seen as it is now
 * @param random in [0, 1)
 * @param trial of who answered (suspect.ts)
 */
export function learnt(ask: Ask, outcome: Outcome, seen: Seen, memory: Memory, nowMs: number, random: () => number, trial?: Trial): Learnt {
  const after = new Map(memory);
  const findings: Finding[] = [];
  const known = 'failed' in outcome ? undefined : judged(ask, outcome, trial);
  for (const address of unchanged(ask.addresses, seen)) {
    const { ip, holder } = address;
    const verdict = known?.get(address);
    const failures = (memory.get(ip)?.failures ?? 0) + 1;
    const waiting = (backoff: Backoff) => after.set(ip, { holder, failures, dueMs: nowMs + backoffMs(failures, backoff, random) });
    if (verdict === undefined) waiting(FAILED);
    else if (verdict === 'again') waiting(AGAIN);
    else {
      findings.push(verdict);
      if (verdict.condition.status === 'True') after.set(ip, { holder, failures: 0, dueMs: nowMs + FREE_MS });
      else waiting((verdict.conflict ?? verdict.everybody) === undefined ? SILENT : CONFLICT);
    }
  }
  return { findings, memory: after };
}

/** P7. Those that are locked as they were when they were asked for: what answers for another may be the pod that was wired meanwhile. */
export function unchanged(asked: readonly Asked[], seen: Seen): Asked[] {
  const now = new Map([...seen.locks].filter((lock) => isWanted(lock, seen.node)).map((lock) => [lock.metadata.name, holderOf(lock)]));
  return asked.filter(({ ip, holder }) => now.get(ip) === holder);
}

/** A finding that could not be written: it is asked for again, and found again. */
export function forgotten(memory: Memory, ip: string, nowMs: number): Memory {
  const before = memory.get(ip);
  if (before === undefined) return memory;
  const failures = before.failures + 1;
  return new Map(memory).set(ip, { ...before, failures, dueMs: nowMs + backoffMs(failures, FAILED, () => 1) });
}
