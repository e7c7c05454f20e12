/**
 * Call: does one write of the agenda at the API server, and says how it ended in the agenda's own words. Decides nothing.
 */
import { IPLock, Lock } from '../../api/kinds.ts';
import type { Api } from '../../kube/client.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound, NoAnswer } from '../../kube/error.ts';
import { type Id, kindOf, PODS } from '../../kube/kinds.ts';
import { reasonOf } from '../../kube/log.ts';
import { podFacts } from '../facts.ts';
import type { Intern } from '../intern.ts';
import { type PodFrom, podTemplateOf } from '../pod-template.ts';
import type { IPLockObject, LockObject } from './books.ts';
import type { Call, Outcome } from './write.ts';

export interface CallOptions {
  readonly api: Api;
  readonly intern: Intern;
  /** Asked right before each write: whoever leads no longer writes nothing. */
  readonly isLeader: () => boolean;
  readonly signal: AbortSignal;
}

const KIND = { IPLock: kindOf(IPLock), Lock: kindOf(Lock), Pod: PODS } as const;
const READS: readonly Call['do'][] = ['read', 'find', 'template'];
/** Well under the time a Lease lasts: what is sent while leading is answered, or given up, before another leads. */
const TIMEOUT_MS = 5_000;
/** A whole namespace is read for one pod; and a lock writer that is stopped waits for it, 20 s at most. */
const FIND_MS = 10_000;

/** Never throws. */
export async function perform(call: Call, { isLeader, signal, ...options }: CallOptions): Promise<Outcome> {
  if (signal.aborted || !isLeader()) return { is: 'undone', message: 'this lock writer leads no longer' };
  try {
    return await done(call, options);
  } catch (error) {
    return failed(call, error);
  }
}

async function done(call: Call, { api, intern }: Pick<CallOptions, 'api' | 'intern'>): Promise<Outcome> {
  const within = { timeoutMs: TIMEOUT_MS };
  const facts = (pod: unknown) => podFacts(pod as never, intern);
  switch (call.do) {
    case 'create':
      return { is: 'done', object: kept(await api.create(KIND.IPLock, call.object as never, within)) };
    case 'update':
      return { is: 'done', object: kept(await api.update(KIND.IPLock, call.object as never, within)) };
    case 'status':
      return { is: 'done', object: kept(await api.updateStatus(KIND.Lock, call.object as never, within)) };
    case 'patch':
      return { is: 'done', object: facts(await api.patch(PODS, call.id, call.patch, within)) };
    case 'delete': {
      const { uid, resourceVersion } = call;
      await api.delete(KIND[call.kind] as typeof PODS, call.id, { ...within, preconditions: { uid, resourceVersion } });
      return { is: 'done' };
    }
    case 'read':
      return { is: 'done', object: await read(call.kind, call.id) };
    case 'find': {
      const { items } = await api.list(PODS, { namespace: call.namespace, timeoutMs: FIND_MS });
      const found = items.find(({ metadata }) => metadata.uid === call.uid);
      return found === undefined ? { is: 'gone' } : { is: 'done', object: facts(found) };
    }
    case 'template': {
      const template = await podTemplateOf(api, call.namespace, call.podFrom as PodFrom, within);
      return template === undefined ? { is: 'gone' } : { is: 'done', template };
    }
    default:
      return call satisfies never;
  }

  async function read(kind: keyof typeof KIND, id: Id): Promise<IPLockObject | LockObject | ReturnType<typeof facts>> {
    if (kind === 'Pod') return facts(await api.get(PODS, id, within));
    return kept((await api.get(KIND[kind] as (typeof KIND)['Lock'], id, within)) as LockObject);
  }
}

/** As a watch keeps it: half of a small object is who owns which field. An update that leaves that out leaves it as it is. */
function kept<T extends IPLockObject | LockObject>({ metadata: { managedFields: _, ...metadata }, ...rest }: T): T {
  return { ...rest, metadata } as T;
}

function failed(call: Call, error: unknown): Outcome {
  const message = reasonOf(error);
  const isRead = READS.includes(call.do);
  if (isNotFound(error) && call.do !== 'create') return { is: 'gone' };
  if (isConflict(error) || isAlreadyExists(error)) return { is: 'doubtful', message };
  if (error instanceof NoAnswer) return error.maybeDone && !isRead ? { is: 'doubtful', message } : { is: 'undone', message };
  if (!(error instanceof ApiError)) return isRead ? { is: 'undone', message } : { is: 'doubtful', message };
  const { status, reason, retryAfterSeconds } = error;
  if (status === 429) return { is: 'undone', message, ...(retryAfterSeconds && { retryAfterMs: retryAfterSeconds * 1000 }) };
  // The API server may answer 500 or 504 for what etcd has done all the same.
  if (status >= 500) return isRead ? { is: 'undone', message } : { is: 'doubtful', message };
  // Its token is renewed by the client; a role that is not there yet comes with the next apply.
  if (status === 401) return { is: 'undone', message };
  return { is: 'refused', reason, message };
}
