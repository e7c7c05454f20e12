/** Asking: says on IPLocks what a person wants of them, and waits until the lock writer, who alone does it, has done it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { IPLock } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { isConflict, isNotFound, unlessMissing } from '../kube/error.ts';
import { kindOf } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { type Freeable, freeableOf } from './ips-freeing.ts';
import { say } from './output.ts';

const IPLOCKS = kindOf(IPLock);
/** Calls at a time. */
const AT_ONCE = 16;

/** `waiting`: asked for, and not done yet. `taken`: it is somebody's meanwhile, and is not done. */
type State = 'done' | 'taken' | 'waiting';

export interface Wish {
  readonly annotations: Readonly<Record<string, string>>;
  /** @param there the IPLock as it is now, if there is one */
  readonly stateOf: (there: Freeable | undefined, one: Freeable) => State;
  /** What it is to be gone before it could be asked for. */
  readonly gone: 'done' | 'taken';
  /** `free`, `moved` */
  readonly word: string;
}

export interface Asked {
  /** With where it was seen last; undefined: it is gone, or this is a dry run. */
  readonly done: readonly { readonly one: Freeable; readonly there?: Freeable }[];
  readonly taken: readonly Freeable[];
  readonly waiting: readonly Freeable[];
}

export interface AskOptions {
  readonly timeoutMs: number;
  /** The API server checks it, and stores nothing. */
  readonly dryRun: boolean;
}

export async function askFor(api: Api, all: readonly Freeable[], wish: Wish, { timeoutMs, dryRun }: AskOptions): Promise<Asked> {
  const asked = await each(all, (one) => ask(api, one, wish, dryRun));
  const of = (state: State) => all.filter((_, index) => asked[index] === state);
  const done = of('done').map((one) => ({ one }));
  if (dryRun) return { done: [...of('waiting').map((one) => ({ one })), ...done], taken: of('taken'), waiting: [] };
  const seen = await waited(api, of('waiting'), wish, timeoutMs, all.length);
  return { done: [...done, ...seen.done], taken: [...of('taken'), ...seen.taken], waiting: seen.waiting };
}

/** What was decided on is what is asked for: whoever wrote meanwhile is looked at anew. */
async function ask(api: Api, one: Freeable, { annotations, stateOf, gone }: Wish, dryRun: boolean): Promise<State> {
  let now = one;
  for (let tries = 1; ; tries++) {
    const { address: name, uid, resourceVersion } = now;
    try {
      await api.patch(IPLOCKS, { name }, { metadata: { uid, resourceVersion, annotations } }, { dryRun });
      return 'waiting';
    } catch (error) {
      if (isNotFound(error)) return gone;
      if (!isConflict(error) || tries === MOST_TRIES) throw error;
    }
    const there = await unlessMissing(api.get(IPLOCKS, { name }));
    if (there === undefined || there.metadata.uid !== one.uid) return gone;
    now = freeableOf(there);
    const state = stateOf(now, one);
    if (state !== 'waiting') return state;
  }
}
/** An IPLock that is written more often in a row is written by something that is broken. */
const MOST_TRIES = 5;

async function waited(api: Api, asked: readonly Freeable[], { stateOf, word }: Wish, timeoutMs: number, all: number): Promise<Asked> {
  const until = performance.now() + timeoutMs;
  const done: { one: Freeable; there?: Freeable }[] = [];
  const taken: Freeable[] = [];
  let waiting = asked;
  for (let waitMs = 50; waiting.length > 0; waitMs = Math.min(1000, waitMs * 1.5)) {
    await sleep(Math.min(waitMs, Math.max(1, until - performance.now())));
    const seen = await seenNow(api, waiting);
    const before = waiting.length;
    const of = (state: State) => waiting.filter((one) => stateOf(seen.get(one.address), one) === state);
    done.push(...of('done').map((one) => ({ one, there: seen.get(one.address) })));
    taken.push(...of('taken'));
    waiting = of('waiting');
    if (all > 1 && waiting.length > 0 && waiting.length < before) say(`${done.length} of ${all} ${word}`);
    if (performance.now() >= until) break;
  }
  return { done, taken, waiting };
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
