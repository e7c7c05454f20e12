/** Letting addresses go: asks the lock writer by an annotation, and waits until the IPLocks are gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { IPLock } from '../api/kinds.ts';
import { FREE_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { isConflict, isNotFound, unlessMissing } from '../kube/error.ts';
import { kindOf } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { type FreeAnswer, type Freeable, freeableOf, freeRow, mayBeFreed } from './ips-freeing.ts';
import { say } from './output.ts';

const IPLOCKS = kindOf(IPLock);
/** Calls at a time. */
const AT_ONCE = 16;

type Done = Pick<FreeAnswer, 'freed' | 'taken' | 'waiting'>;

export interface LetGoOptions {
  readonly timeoutMs: number;
  /** The API server checks it, and stores nothing. */
  readonly dryRun: boolean;
}

export async function letGo(api: Api, freeable: readonly Freeable[], { timeoutMs, dryRun }: LetGoOptions): Promise<Done> {
  const asked = await each(freeable, (one) => ask(api, one, dryRun));
  const of = (what: Asked) => freeable.filter((_, index) => asked[index] === what);
  if (dryRun) return { freed: [...of('asked'), ...of('free')].map(freeRow), taken: of('taken').map(freeRow), waiting: [] };
  const seen = await waited(api, of('asked'), timeoutMs, freeable.length);
  return {
    freed: [...of('free'), ...seen.free].map(freeRow),
    taken: [...of('taken'), ...seen.taken].map(freeRow),
    waiting: seen.waiting.map(freeRow),
  };
}

type Asked = 'asked' | 'free' | 'taken';

/** What was decided on is what is asked for: whoever wrote meanwhile is looked at anew. */
async function ask(api: Api, one: Freeable, dryRun: boolean): Promise<Asked> {
  let now = one;
  for (let tries = 1; ; tries++) {
    const { address: name, uid, resourceVersion } = now;
    try {
      await api.patch(IPLOCKS, { name }, { metadata: { uid, resourceVersion, annotations: { [FREE_ANNOTATION]: 'true' } } }, { dryRun });
      return 'asked';
    } catch (error) {
      if (isNotFound(error)) return 'free';
      if (!isConflict(error) || tries === MOST_TRIES) throw error;
    }
    const there = await unlessMissing(api.get(IPLOCKS, { name }));
    if (there === undefined || there.metadata.uid !== one.uid) return 'free';
    now = freeableOf(there);
    if (!mayBeFreed(now)) return 'taken';
  }
}
/** An IPLock that is written more often in a row is written by something that is broken. */
const MOST_TRIES = 5;

interface Waited {
  readonly free: readonly Freeable[];
  readonly taken: readonly Freeable[];
  readonly waiting: readonly Freeable[];
}

async function waited(api: Api, asked: readonly Freeable[], timeoutMs: number, all: number): Promise<Waited> {
  const until = performance.now() + timeoutMs;
  const free: Freeable[] = [];
  const taken: Freeable[] = [];
  let waiting = asked;
  for (let waitMs = 50; waiting.length > 0; waitMs = Math.min(1000, waitMs * 1.5)) {
    await sleep(Math.min(waitMs, Math.max(1, until - performance.now())));
    const there = await seenNow(api, waiting);
    const before = waiting.length;
    const isFree = ({ address, uid }: Freeable) => there.get(address)?.uid !== uid;
    const isTaken = (one: Freeable) => !isFree(one) && !mayBeFreed(there.get(one.address)!);
    free.push(...waiting.filter(isFree));
    taken.push(...waiting.filter(isTaken));
    waiting = waiting.filter((one) => !isFree(one) && !isTaken(one));
    if (all > 1 && waiting.length > 0 && waiting.length < before) say(`${free.length} of ${all} free`);
    if (performance.now() >= until) break;
  }
  return { free, taken, waiting };
}

/** Beyond that many one list is less work for the API server than a call for each. */
const FEW = 32;

async function seenNow(api: Api, waiting: readonly Freeable[]): Promise<ReadonlyMap<string, Freeable>> {
  const found = new Map<string, Freeable>();
  if (waiting.length <= FEW) {
    for (const there of await each(waiting, ({ address: name }) => unlessMissing(api.get(IPLOCKS, { name }))))
      if (there !== undefined) found.set(there.metadata.name, freeableOf(there));
    return found;
  }
  const wanted = new Set(waiting.map(({ address }) => address));
  await eachPage(
    api,
    IPLOCKS,
    {},
    (page) => {
      for (const there of page) if (wanted.has(there.metadata.name)) found.set(there.metadata.name, freeableOf(there));
    },
    () => found.clear(),
  );
  return found;
}

/** In their order, some at a time. */
export const each = <T, R>(items: readonly T[], does: (item: T) => Promise<R>): Promise<R[]> => pLimit(AT_ONCE).map(items, does);
