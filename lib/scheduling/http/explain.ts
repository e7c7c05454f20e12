/** Why a pod waits, over HTTP: what the lock writer decides by, host by host, as `gala explain pod` tells it. Changes nothing. */
import type { Lock } from '../../api/kinds.ts';
import { explainPod } from '../explain-pod.ts';
import type { PodFacts } from '../facts.ts';
import type { Inventory } from '../inventory.ts';
import { type Books, books, type IPLockObject, type LockObject, lockOfAddress, lockOfPod } from '../writer/books.ts';
import type { Asked, Handler } from './api.ts';
import { problem, type Reply } from './problem.ts';
import type { ExplainAnswer } from './schemas.ts';
import { type DeepReadonly, type StockOptions, tooOld } from './stock.ts';

export interface ExplainOptions extends Pick<StockOptions, 'ages' | 'tick'> {
  readonly inventory: Inventory;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

export function explainHandler({ inventory, ages, tick = () => {}, now = Date.now }: ExplainOptions): Handler {
  return {
    access: ({ params: { namespace = '', name } }) => ({ resource: 'pods', verb: 'get', namespace, name }),
    async handle({ params: { namespace, name } }: Asked): Promise<Reply> {
      const stale = tooOld(ages());
      if (stale !== undefined) return stale;
      const pod = inventory.objects('Pod').get(`${namespace}/${name}`);
      if (pod === undefined) return problem('no-such-object', `There is no pod ${namespace}/${name}.`);
      tick();
      const known = { inventory, books: booksOfLock(lockOfPod(pod), inventory), nowMs: now(), claims: UNREAD };
      const explained = explainPod(pod, known);
      const { snapshotMs, samplesMs } = ages();
      const age = { snapshotAgeSeconds: snapshotMs / 1000, ...(samplesMs === undefined ? {} : { samplesAgeSeconds: samplesMs / 1000 }) };
      return { status: 200, body: { ...explained, ...age } satisfies DeepReadonly<ExplainAnswer> };
    },
  };
}

/** Who may look at a pod may not look at its claims by that. */
const UNREAD = { unread: 'the API reads none; gala explain pod does, with your rights' };

/** As much of the books as one Lock needs: those of all are the lock writer's, and large. */
function booksOfLock(key: string | undefined, inventory: Inventory): Books {
  const book = books();
  const lock = key === undefined ? undefined : (inventory.objects('Lock').get(key) as (LockObject & Lock) | undefined);
  if (key === undefined || lock === undefined) return book;
  book.locks.put(key, lock, 'watch');
  for (const [name, pod] of inventory.objects('Pod')) if (isOf(pod, key)) book.pods.put(name, pod, 'watch');
  for (const [address, it] of inventory.objects('IPLock')) {
    const ipLock = it as IPLockObject;
    if (lockOfAddress(ipLock) === key) book.ipLocks.put(address, ipLock, 'watch');
  }
  return book;
}

const isOf = (pod: PodFacts, lock: string): boolean => pod.lock !== undefined && lockOfPod(pod) === lock;
