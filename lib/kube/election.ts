/** Lease election: one leader at a time, by client-go's rules. The rules are in campaign.ts; this is their shell. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { assertRules, type LeaseSpec, leadsUntil, look, move, RULES, released, retryInMs, type Sight } from './campaign.ts';
import type { Api } from './client.ts';
import { type Clock, monotonic, pause } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from './error.ts';
import { keyOf, LEASES } from './kinds.ts';
import { type Log, silent } from './log.ts';

export interface ElectOptions {
  readonly namespace: string;
  readonly name: string;
  /** Different in every process: host name and a random part. @default that */
  readonly identity?: string;
  /** Others may take over so long after they saw the last renewal. @default 15_000 */
  readonly leaseMs?: number;
  /** The leader gives up so long after its last successful renewal began. @default 10_000 */
  readonly renewMs?: number;
  /** Between tries. @default 2_000 */
  readonly retryMs?: number;
  /** Runs while leading; must end soon after `signal` aborts. The next campaign waits for it. */
  readonly onLead: (signal: AbortSignal) => Promise<void>;
  /** Told when leading has ended and onLead has returned. */
  readonly onLost?: () => void;
  /** Told whom the Lease names, at each change. */
  readonly onLeader?: (identity: string) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Election {
  readonly identity: string;
  /** By the clock at this very moment: false as soon as the renewal deadline has passed, however late timers run. */
  isLeader(): boolean;
  /** Whom the Lease named when it was last read. */
  leader(): string | undefined;
  /** Ends leading, waits for onLead, releases the Lease so that another need not wait. */
  stop(): Promise<void>;
  /** Resolves after stop; rejects when onLead threw, the Lease released. */
  readonly done: Promise<void>;
}

export function elect(api: Api, options: ElectOptions): Election {
  const { namespace, name, identity = `${hostname()}_${randomUUID()}`, onLead, clock = monotonic, random = Math.random } = options;
  const { leaseMs = RULES.leaseMs, renewMs = RULES.renewMs, retryMs = RULES.retryMs } = options;
  const rules = { leaseMs, renewMs, retryMs };
  assertRules(rules);
  const log = (options.log ?? silent).with({ lease: keyOf({ namespace, name }), identity });
  const stopping = new AbortController();
  let seen: Sight | undefined;
  /** To write on what was read. */
  let resourceVersion: string | undefined;
  let until = Number.NEGATIVE_INFINITY;
  const isLeader = () => clock.now() < until;

  function saw(lease: Stored | undefined): void {
    const before = seen?.spec.holderIdentity;
    seen = lease?.spec ? look(seen, lease.spec, clock.now()) : undefined;
    resourceVersion = lease?.metadata.resourceVersion;
    const holder = seen?.spec.holderIdentity;
    if (!holder || holder === before) return;
    log.info('leader', { leader: holder });
    options.onLeader?.(holder);
  }

  /** Reads the Lease, and takes or renews it when the rules say so. @returns whether it is ours now */
  async function tryOnce(timeoutMs: number): Promise<boolean> {
    // The leader's last write is what there is; everybody else looks first.
    if (!isLeader() || !resourceVersion) await read(timeoutMs);
    const began = clock.now();
    const next = move(seen, identity, rules, began, new Date());
    if (next.do === 'wait') {
      until = Number.NEGATIVE_INFINITY;
      return false;
    }
    const metadata = { namespace, name, ...(next.do === 'create' ? {} : { resourceVersion }) };
    const draft = { metadata, spec: next.spec };
    // Whatever goes wrong, the Lease is read before the next try: somebody wrote first, or an answer was lost.
    resourceVersion = undefined;
    saw(next.do === 'create' ? await api.create(LEASES, draft, { timeoutMs }) : await api.update(LEASES, draft, { timeoutMs }));
    until = leadsUntil(began, rules);
    return isLeader();
  }

  async function read(timeoutMs: number): Promise<void> {
    try {
      saw(await api.get(LEASES, { namespace, name }, { timeoutMs, ...(isLeader() ? {} : { signal: stopping.signal }) }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      saw(undefined);
    }
  }

  async function attempt(timeoutMs: number): Promise<boolean> {
    try {
      return await tryOnce(timeoutMs);
    } catch (error) {
      const ordinary = stopping.signal.aborted || isConflict(error) || isAlreadyExists(error);
      log[ordinary ? 'debug' : 'warn']('the Lease was not written', { error, leading: isLeader() });
      return false;
    }
  }

  /** Renews until the deadline passes, another one has it, or `signal` says that it is over. */
  async function renew(signal: AbortSignal): Promise<void> {
    while (isLeader() && !signal.aborted) {
      await pause(Math.min(retryMs, until - clock.now()), signal, clock);
      // No call outlasts the deadline: its answer would be of no use.
      if (isLeader() && !signal.aborted) await attempt(Math.max(1, until - clock.now()));
    }
  }

  async function lead(): Promise<void> {
    log.info('leading');
    const leading = new AbortController();
    const over = new AbortController();
    let fault: { error: unknown } | undefined;
    const work = (async () => await onLead(leading.signal))().catch((error: unknown) => {
      if (leading.signal.aborted) log.debug('cut short by the end of leading', { error });
      else fault = { error };
      if (fault) over.abort();
    });
    const stop = () => {
      leading.abort();
      // The Lease is renewed until the work has ended: nobody else begins while it cleans up.
      void work.then(() => over.abort());
    };
    stopping.signal.addEventListener('abort', stop, { once: true });
    await renew(over.signal);
    const kept = isLeader();
    if (!kept) log.warn('no longer leading');
    leading.abort();
    const cancel = clock.after(leaseMs, () => log.error('leading has ended and onLead goes on: no campaign before it ends'));
    await work;
    cancel();
    stopping.signal.removeEventListener('abort', stop);
    if (kept) await release();
    options.onLost?.();
    if (fault) throw fault.error;
  }

  async function release(): Promise<void> {
    // The last renewal failed, or its answer was lost.
    if (!resourceVersion) await read(RELEASE_MS).catch(() => {});
    until = Number.NEGATIVE_INFINITY;
    if (seen?.spec.holderIdentity !== identity || !resourceVersion) return;
    const draft = { metadata: { namespace, name, resourceVersion }, spec: released(seen.spec, new Date()) };
    await api.update(LEASES, draft, { timeoutMs: RELEASE_MS }).then(
      () => log.info('released'),
      (error) => log.warn('not released: others wait until it has run out', { error }),
    );
  }

  async function campaign(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (await attempt(renewMs)) await (stopping.signal.aborted ? release() : lead());
      else await pause(retryInMs(rules, random), stopping.signal, clock);
    }
  }

  const done = campaign();
  done.catch(() => {});
  return {
    ...{ identity, isLeader, done },
    leader: () => seen?.spec.holderIdentity || undefined,
    async stop() {
      stopping.abort();
      await done.catch(() => {});
    },
  };
}

interface Stored {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: LeaseSpec;
}

const RELEASE_MS = 5_000;
