/**
 * The lock writer: hears what the world's watches tell, asks the agenda what to do next, and does it, many calls at once. All that
 * is decided is decided in agenda.ts; here are the clock, the calls and the waiting. Runs in the one replica that leads.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { GROUP, VERSION } from '../../api/resource.ts';
import type { Api } from '../../kube/client.ts';
import { type Clock, monotonic } from '../../kube/clock.ts';
import type { Recorder } from '../../kube/events.ts';
import { idOf } from '../../kube/kinds.ts';
import { type Log, silent } from '../../kube/log.ts';
import { retrying } from '../../kube/retry.ts';
import { interning } from '../intern.ts';
import type { NodeFacts } from '../node.ts';
import type { World } from '../world.ts';
import { type Agenda, agenda, type Heard } from './agenda.ts';
import { perform } from './call.ts';
import { catchUp } from './catch-up.ts';
import type { Note } from './desk.ts';
import type { Room } from './flight.ts';
import { inventoryPlanner } from './inventory-planner.ts';
import { reports } from './reports.ts';
import { hasSameOrdinals } from './stateful-set.ts';
import { watchClaims } from './watch-claims.ts';
import type { Lane, Write } from './write.ts';

export interface WriterOptions {
  readonly api: Api;
  readonly world: World;
  readonly recorder: Recorder;
  /** By the clock at this very moment: asked right before each write. */
  readonly isLeader: () => boolean;
  /** Aborts when leading ends: no call begins after that. */
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Told of what was decided and refused, for metrics. */
  readonly onNote?: (note: Note) => void;
  /** Told how each call ended. */
  readonly onCall?: (write: Write, outcome: string) => void;
  /** Told when it begins to decide, and with nothing when it has ended. */
  readonly onWork?: (work: Pick<Agenda, 'waiting'> | undefined) => void;
  /** How long an address without a Lock is Held. @default 600_000 */
  readonly looseHoldMs?: number;
}

/**
 * Calls at once, by lane, so that a Lock of 5,000 addresses does not keep pods waiting. Fewer together than the client has
 * connections (64): those who ask the stock API are checked through them too.
 */
const ROOM: Room = { quick: 24, bulk: 30, slow: 4 };

/** Resolves when `signal` has ended it and no call is under way. */
export async function runWriter({ api, world, recorder, isLeader, signal, ...options }: WriterOptions): Promise<void> {
  const { log = silent, clock = monotonic, onNote = () => {}, onCall = () => {}, onWork = () => {}, looseHoldMs } = options;
  await Promise.race([world.synced, aborted(signal)]);
  if (signal.aborted) return;

  const intern = interning();
  const now = () => clock.now();
  const volumes = watchClaims(api, { signal, log, onChange: () => freed() });
  const told = reports();
  const work = agenda(
    inventoryPlanner(world.inventory, (key) => world.statefulSets.get(key), volumes, told),
    { term: randomUUID(), beganMs: now(), looseHoldMs, note },
  );
  const under: Record<Lane, number> = { quick: 0, bulk: 0, slow: 0 };
  let working = false;
  let soon: NodeJS.Immediate | undefined;
  let cancelLater = () => {};
  let landed = () => {};

  const stops = listen();
  try {
    const { inventory, pods } = world;
    const once = () => catchUp(work, { api, inventory, podsUpTo: pods.resourceVersion, intern, signal, now });
    await retrying(once, { signal, tries: Number.POSITIVE_INFINITY });
    log.info('the lock writer works', { pods: work.books.pods.size, locks: work.books.locks.size, addresses: work.books.ipLocks.size });
    working = true;
    onWork(work);
    kick();
    await aborted(signal);
  } catch (error) {
    // Leading ended while it was reading: another reads anew.
    if (!signal.aborted) throw error;
  } finally {
    working = false;
    for (const stop of stops) stop();
    if (soon !== undefined) clearImmediate(soon);
    cancelLater();
    while (under.quick + under.bulk + under.slow > 0)
      await new Promise<void>((resolve) => {
        landed = resolve;
      });
    onWork(undefined);
    work.close();
  }

  /** Looks once at all that was heard in this turn of the event loop. */
  function kick(): void {
    if (working && soon === undefined) soon = setImmediate(step);
  }

  function step(): void {
    soon = undefined;
    if (!working) return;
    cancelLater();
    const room = { quick: ROOM.quick - under.quick, bulk: ROOM.bulk - under.bulk, slow: ROOM.slow - under.slow };
    for (const write of work.next(now(), room)) void begin(write);
    const at = work.wakeAt();
    cancelLater = at === undefined ? () => {} : clock.after(Math.max(at - now(), 0), kick);
  }

  async function begin(write: Write): Promise<void> {
    under[write.lane]++;
    const outcome = await perform(write.call, { api, intern, isLeader, signal });
    under[write.lane]--;
    landed();
    onCall(write, outcome.is);
    if (outcome.is === 'undone' || outcome.is === 'doubtful')
      log.debug('a write is to be done again', { object: write.object, do: write.call.do, because: outcome.message });
    work.ended(write, outcome, now());
    kick();
  }

  function freed(node?: string): void {
    work.freed(now(), node);
    kick();
  }

  function listen(): (() => void)[] {
    const hear = (heard: Heard) => {
      work.hear(heard, 'watch', now());
      kick();
    };
    const follow = <K extends Heard['kind']>(kind: K, reflector: { on(handlers: object): () => void }) =>
      reflector.on({
        added: (object: unknown, key: string) => hear({ kind, key, object } as Heard),
        updated: (_old: unknown, object: unknown, key: string) => hear({ kind, key, object } as Heard),
        deleted: (object: unknown, key: string) => hear({ kind, key, object, gone: true } as Heard),
      });
    const node = (_: unknown, key: string) => freed(key);
    const any = () => freed();
    const network = (object: Parameters<typeof told.set>[1], key: string) => {
      work.reported(told.set(key, object), now());
      freed();
    };
    const statefulSet = (_: unknown, key: string) => {
      work.statefulSetChanged(key, now());
      kick();
    };
    return [
      follow('Lock', world.locks),
      follow('IPLock', world.ipLocks),
      follow('Pod', world.pods),
      world.nodes.on({ added: node, updated: (old, object, key) => (isSame(old, object) ? undefined : freed(key)), deleted: node }),
      world.hostPools.on({ added: any, updated: any, deleted: any }),
      world.nodeNetworks.on({
        added: network,
        updated: (_old, object, key) => network(object, key),
        deleted: (_object, key) => network(undefined, key),
      }),
      world.statefulSets.on({
        added: statefulSet,
        updated: (old, object, key) => (hasSameOrdinals(old, object) ? undefined : statefulSet(object, key)),
        deleted: statefulSet,
      }),
    ];
  }

  function note(said: Note): void {
    onNote(said);
    if (said.note === 'log') log[said.level](said.sentence, said.fields);
    if (said.note !== 'event') return;
    const apiVersion = said.on === 'Pod' ? 'v1' : `${GROUP}/${VERSION}`;
    const regarding = { apiVersion, kind: said.on, metadata: { ...idOf(said.key), uid: said.uid } };
    recorder.event(regarding, said.reason, said.message, said.warning ? 'Warning' : 'Normal');
  }
}

/** A kubelet says every few minutes that all is as it was. */
function isSame(a: NodeFacts, b: NodeFacts): boolean {
  const { ready, unschedulable, labels, taints, allocatable } = a;
  if (ready !== b.ready || unschedulable !== b.unschedulable) return false;
  return isDeepStrictEqual([labels, taints, allocatable], [b.labels, b.taints, b.allocatable]);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
