/**
 * Prober: has the Locked addresses of a node asked for on the wire, and what was found written into their IPLocks, for as long as the
 * agent runs. Looks, asks next.ts, does it, and looks again: on every change, when something is due, and when an answer has come.
 */
import { type Clock, monotonic } from '../../kube/clock.ts';
import { type Log, reasonOf, silent } from '../../kube/log.ts';
import type { Ask, Outcome, ProbedLock, Seen } from './ask.ts';
import { type Finding, statusProbed } from './finding.ts';
import { forgotten, learnt, type Memory, next, unchanged } from './next.ts';
import { suspectIn, type Trial } from './suspect.ts';

export interface ProberOptions<L extends ProbedLock> {
  /** As it is now; undefined: not everything was read yet. */
  readonly seen: () => (Omit<Seen, 'locks'> & { readonly locks: Iterable<L> }) | undefined;
  /** Asks on the wire; never rejects (probe.ts). */
  readonly ask: (ask: Ask) => Promise<Outcome>;
  /** Writes the status if the IPLock is still this version; rejects otherwise. */
  readonly write: (lock: L, status: NonNullable<L['status']>) => Promise<unknown>;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** The wall clock, for people: conditions. */
  readonly date?: () => Date;
  readonly log?: Log;
  /** Told of each finding, news or not, before it is written: a metric, `status.conflicts` of the NodeNetwork. */
  readonly onFinding?: (finding: Finding) => void;
}

export interface Prober {
  /** Something changed. */
  touch(): void;
  /** Links on which it is asked at the moment. */
  readonly busy: ReadonlySet<string>;
}

export function prober<L extends ProbedLock>(options: ProberOptions<L>): Prober {
  const { seen, ask, write, signal, clock = monotonic, random = Math.random, date = () => new Date(), log = silent, onFinding } = options;
  const busy = new Set<string>();
  /** Asked for at the moment, by link: those that have been locked all the while. A pod may have come and gone between two answers. */
  const asked = new Map<string, Ask['addresses']>();
  /** What was logged of addresses, and of links: each is told once. */
  const told = { ip: new Map<string, string>(), link: new Map<string, string>() };
  let memory: Memory = new Map();
  let isDue = false;
  let cancel = () => {};

  function touch(): void {
    if (isDue || signal.aborted) return;
    isDue = true;
    // Of many changes at once one look, and one call of gala-probe.
    queueMicrotask(() => {
      isDue = false;
      look();
    });
  }

  function look(): void {
    cancel();
    const now = signal.aborted ? undefined : seen();
    if (now === undefined) return;
    for (const [link, addresses] of asked) asked.set(link, unchanged(addresses, now));
    const step = next(now, memory, busy, clock.now());
    memory = step.memory;
    for (const [ip, because] of step.unaskable) tell('ip', ip, because);
    for (const ip of told.ip.keys()) if (!step.unaskable.has(ip)) told.ip.delete(ip);
    void settle(step.findings);
    for (const one of step.asks) void askFor(one);
    if (step.waitMs !== undefined) cancel = clock.after(step.waitMs, touch);
  }

  async function askFor(one: Ask): Promise<void> {
    busy.add(one.link);
    asked.set(one.link, one.addresses);
    const outcome = await heard(one);
    const trial = await tried(one, outcome);
    busy.delete(one.link);
    const addresses = asked.get(one.link) ?? [];
    asked.delete(one.link);
    if (signal.aborted) return;
    if ('failed' in outcome) tell('link', one.link, outcome.failed);
    else told.link.delete(one.link);
    const now = seen();
    if (now !== undefined) {
      const { findings, memory: after } = learnt({ ...one, addresses }, outcome, now, memory, clock.now(), random, trial);
      memory = after;
      await settle(findings);
    }
    touch();
  }

  const heard = (one: Ask) => ask(one).catch((error: unknown): Outcome => ({ failed: reasonOf(error) }));

  /** Whoever answered, before it is said of anything that it is taken. */
  async function tried(one: Ask, outcome: Outcome): Promise<Trial | undefined> {
    const now = signal.aborted ? undefined : seen();
    const second = now && suspectIn(one, outcome, now, random);
    return second && { ask: second, outcome: await heard(second) };
  }

  async function settle(findings: readonly Finding[]): Promise<void> {
    if (findings.length === 0) return;
    const locks = new Map([...(seen()?.locks ?? [])].map((lock) => [lock.metadata.name, lock]));
    await Promise.all(findings.map((finding) => put(finding, locks.get(finding.ip))));
  }

  async function put(finding: Finding, lock: L | undefined): Promise<void> {
    if (lock === undefined) return;
    onFinding?.(finding);
    const status = statusProbed(lock, finding, date());
    if (status === undefined) return;
    try {
      await write(lock, status);
    } catch (error) {
      log.warn('what was found on the wire could not be written', { ip: finding.ip, because: reasonOf(error) });
      memory = forgotten(memory, finding.ip, clock.now());
      touch();
    }
  }

  function tell(kind: 'ip' | 'link', name: string, because: string): void {
    if (told[kind].get(name) === because) return;
    told[kind].set(name, because);
    log.warn('what is locked could not be looked for on the wire', { [kind]: name, because });
  }

  signal.addEventListener('abort', () => cancel(), { once: true });
  touch();
  return { touch, busy };
}
