/**
 * Catch-up: what a lock writer reads anew when its term begins. Its caches may be behind what the former one wrote last; a Lock that
 * looks unanswered and is Ready, or a pod that looks as if it waited and is pinned, would be decided a second time.
 */
import { Lock } from '../../api/kinds.ts';
import { SCHEDULER_NAME } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { monotonic } from '../../kube/clock.ts';
import { unlessMissing } from '../../kube/error.ts';
import { idOf, kindOf, PODS } from '../../kube/kinds.ts';
import { isKnown } from '../../kube/resource-version.ts';
import { watch } from '../../kube/watch.ts';
import { podFacts } from '../facts.ts';
import type { Intern } from '../intern.ts';
import type { Inventory } from '../inventory.ts';
import type { Agenda, Heard } from './agenda.ts';
import { slotsOf } from './books.ts';

export interface CatchUpOptions {
  readonly api: Api;
  readonly inventory: Pick<Inventory, 'set'>;
  /** Up to which the caches' watch has told everything about pods. */
  readonly podsUpTo: string | undefined;
  readonly intern: Intern;
  readonly signal: AbortSignal;
  /** On the agenda's clock. */
  readonly now: () => number;
}

type StoredPod = NonNullable<(typeof PODS)['stored']>;

/** Pods that are read one by one at the same time. */
const AT_ONCE = 16;
const OURS = `spec.schedulerName=${SCHEDULER_NAME}`;

export async function catchUp(
  { books, hear }: Pick<Agenda, 'books' | 'hear'>,
  { api, inventory, podsUpTo, intern, signal, now }: CatchUpOptions,
): Promise<void> {
  const answer = (heard: Heard) => {
    if (!heard.gone) inventory.set(heard.kind, heard.key, heard.object as never);
    hear(heard, 'answer', now());
  };
  const locks = await unlessMissing(api.list(kindOf(Lock), { signal }));
  for (const object of locks?.items ?? []) answer({ kind: 'Lock', key: `${object.metadata.namespace}/${object.metadata.name}`, object });
  // A bound pod has had all that is decided about it; 50,000 of them need not be read again.
  const unbound = await api.list(PODS, { fieldSelector: `spec.nodeName=,${OURS}`, signal });
  const read = new Set<string>();
  const pod = (object: StoredPod, gone = false) => {
    const facts = podFacts(object as never, intern);
    read.add(facts.key);
    answer({ kind: 'Pod', key: facts.key, object: facts, gone });
  };
  for (const object of unbound.items) pod(object);
  // What the caches take for unbound and is not among them has been bound meanwhile, or is gone.
  const doubtful = [...books.pods.values()].filter(({ key, node }) => node === undefined && !read.has(key));
  for (let from = 0; from < doubtful.length; from += AT_ONCE)
    await Promise.all(
      doubtful.slice(from, from + AT_ONCE).map(async (known) => {
        const object = await unlessMissing(api.get(PODS, idOf(known.key), { signal }));
        if (object !== undefined) pod(object);
        else answer({ kind: 'Pod', key: known.key, object: known, gone: true });
      }),
    );
  // A pod that was made and bound where the caches have not come to yet: its IPLock tells whose slot is whose. Where slots have no
  // address nothing does but the pod.
  const untold = [...books.locks.values()].some((lock) => slotsOf(lock).some(({ address }) => address === undefined));
  if (untold && !(await caughtUp(podsUpTo, unbound.resourceVersion, { api, signal }, pod)))
    for (const object of (await api.list(PODS, { fieldSelector: OURS, signal })).items) pod(object);
}

/** kube-apiserver says how far it is two seconds before a watch is to end (apiserver, storage/cacher, nextBookmarkTime). */
const PROOF_SECONDS = 3;

/**
 * Tells what happened to pods since the caches' watch was last heard.
 * @returns whether all up to `to` was told
 */
async function caughtUp(
  from: string | undefined,
  to: string,
  { api, signal }: Pick<CatchUpOptions, 'api' | 'signal'>,
  tell: (pod: StoredPod, gone: boolean) => void,
): Promise<boolean> {
  if (from === undefined) return false;
  if (isKnown(to, from)) return true;
  const enough = new AbortController();
  const until = { signal: AbortSignal.any([signal, enough.signal]), watchdogMs: PROOF_SECONDS * 2_000, clock: monotonic };
  await watch(
    api,
    PODS,
    { fieldSelector: OURS, resourceVersion: from, timeoutSeconds: PROOF_SECONDS, ...until },
    () => {},
    ({ type, object }) => {
      if (type !== 'BOOKMARK') tell(object, type === 'DELETED');
      if (isKnown(to, object.metadata.resourceVersion)) enough.abort();
    },
  );
  return enough.signal.aborted;
}
