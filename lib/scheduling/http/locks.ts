/**
 * Locks over HTTP: a thin layer over the objects. What is made here is what `kubectl apply` would make; planning, expiry and
 * everything else that becomes of it is the lock writer's.
 */
import { Lock } from '../../api/kinds.ts';
import type { Problem } from '../../api/problem.ts';
import { REQUESTED_BY } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound, unlessMissing } from '../../kube/error.ts';
import type { Id, Stored } from '../../kube/kinds.ts';
import { kindOf } from '../../kube/kinds.ts';
import { otherFields } from '../same-question.ts';
import type { Asked, Handler } from './api.ts';
import type { OperationId } from './operations.ts';
import { badInput, problem, type Reply } from './problem.ts';
import type { Question } from './question.ts';
import type { LockQuestion } from './schemas.ts';
import { isSettled, type Waiting } from './settling.ts';

type LockOperation = Extract<OperationId, 'createLock' | 'getLock' | 'deleteLock' | 'renewLock'>;
type StoredLock = Stored<Lock>;

export interface LockHandlersOptions {
  readonly api: Api;
  readonly waiting: Waiting;
  /** What stands against the pods of a Lock that is to be made; undefined: nothing that is known. */
  readonly unfit: (asked: LockQuestion) => Reply | undefined;
  /** For `renewedAt`, which people read. @default the wall clock */
  readonly now?: () => Date;
}

const LOCKS = kindOf(Lock);
/** Of a name that is taken and free again, of an object that changes under our hands. */
const TRIES = 5;

export function lockHandlers({ api, waiting, unfit, now = () => new Date() }: LockHandlersOptions): Record<LockOperation, Handler> {
  return {
    createLock: {
      access: ({ body }) => ({ verb: 'create', namespace: (body as LockQuestion).metadata.namespace }),
      extraMs: waitMs,
      handle: create,
    },
    getLock: {
      access: ({ params }) => ({ verb: 'get', ...idIn(params) }),
      extraMs: waitMs,
      handle: async (asked) => {
        const lock = await found(idIn(asked.params), asked.signal);
        return lock === undefined ? noLock(idIn(asked.params)) : waited(lock, asked, 200);
      },
    },
    deleteLock: { access: ({ params }) => ({ verb: 'delete', ...idIn(params) }), handle: remove },
    renewLock: { access: ({ params }) => ({ verb: 'patch', ...idIn(params) }), handle: renew },
  };

  async function create(asked: Asked): Promise<Reply> {
    const question = asked.body as LockQuestion;
    const wrong = twoTemplates(question.spec) ?? unfit(question);
    if (wrong !== undefined) return wrong;
    const { metadata, spec } = question;
    const annotations = { ...metadata.annotations, [REQUESTED_BY]: asked.caller.username };
    for (let tries = 1; ; tries++) {
      try {
        const made = await api.create(LOCKS, { metadata: { ...metadata, annotations }, spec }, { signal: asked.signal });
        return await waited(made, asked, 201);
      } catch (error) {
        if (!isAlreadyExists(error)) return refusedBy(error);
      }
      const there = await found(metadata, asked.signal);
      if (there !== undefined) {
        // Its name is no secret: the API server says that much to whoever may create. What it asks and has got, it says to who may get it.
        const why = await asked.mayNot({ verb: 'get', namespace: metadata.namespace, name: metadata.name });
        if (why !== undefined) return problem('forbidden', `Lock ${metadata.namespace}/${metadata.name} is there already, and ${why}`);
        const others = otherFields(spec, there.spec);
        return others.length === 0 ? waited(there, asked, 200) : anotherQuestion(metadata, others);
      }
      if (tries === TRIES) return problem('unavailable', `Lock ${metadata.namespace}/${metadata.name} came and went ${TRIES} times.`);
    }
  }

  async function remove({ params, signal }: Asked): Promise<Reply> {
    const id = idIn(params);
    for (let tries = 1; ; tries++) {
      const lock = await found(id, signal);
      if (lock === undefined) return noLock(id);
      const used = lock.status?.counts?.used ?? 0;
      if (used > 0)
        return problem(
          'in-use',
          `${used} of ${lock.status?.counts?.planned ?? lock.spec.count} slots of Lock ${id.namespace}/${id.name} have pods.`,
        );
      const { uid, resourceVersion } = lock.metadata;
      try {
        // As it was when nothing used it: a pod that takes a slot in this moment changes the Lock.
        await api.delete(LOCKS, id, { preconditions: { uid, resourceVersion }, signal });
        return ok(lock);
      } catch (error) {
        if (isNotFound(error)) return noLock(id);
        if (!isConflict(error)) return refusedBy(error);
        if (tries === TRIES)
          return problem('unavailable', `Lock ${id.namespace}/${id.name} changed ${TRIES} times meanwhile; nothing was deleted.`);
      }
    }
  }

  async function renew({ params, signal }: Asked): Promise<Reply> {
    const id = idIn(params);
    try {
      const lock = await api.patch(LOCKS, id, { spec: { renewedAt: now().toISOString() } }, { signal });
      return ended(lock) ?? ok(lock);
    } catch (error) {
      return isNotFound(error) ? noLock(id) : refusedBy(error);
    }
  }

  async function found(id: Id, signal: AbortSignal): Promise<StoredLock | undefined> {
    return unlessMissing(api.get(LOCKS, id, { signal }));
  }

  /** The Lock, once it is settled where that was asked for. */
  async function waited(lock: StoredLock, { query, signal }: Asked, status: number): Promise<Reply> {
    if (query.wait === undefined) return ok(lock, status);
    if (isSettled(lock)) return ended(lock) ?? ok(lock, status);
    const time = AbortSignal.any([signal, AbortSignal.timeout(Number(query.timeoutSeconds) * 1000)]);
    const settled = await waiting.settled(lock, time);
    if (settled !== undefined) return ended(settled) ?? ok(settled, status);
    if (time.aborted) return { ...ok((await found(idOf(lock), signal)) ?? lock, 202), headers: { 'retry-after': '1' } };
    return noLock(idOf(lock));
  }
}

const ok = (lock: StoredLock, status = 200): Reply => ({ status, body: withoutFields(lock) });

/** managedFields are as long as the rest, and nobody's business here. */
function withoutFields({ metadata: { managedFields: _, ...metadata }, ...lock }: StoredLock): object {
  return { ...lock, metadata };
}

const waitMs = ({ query }: Question): number => (query.wait === undefined ? 0 : Number(query.timeoutSeconds) * 1000);
const idIn = ({ namespace = '', name = '' }: Question['params']) => ({ namespace, name });
const idOf = ({ metadata: { namespace = '', name } }: StoredLock) => ({ namespace, name });

const noLock = ({ namespace, name }: Id): Reply => problem('no-such-object', `There is no Lock ${namespace}/${name}.`);

/** A Lock that holds nothing, and never will. */
function ended(lock: StoredLock): Reply | undefined {
  const { phase, reasons = [], counts } = lock.status ?? {};
  const { namespace, name } = idOf(lock);
  const members = { lock: withoutFields(lock) };
  if (phase === 'Expired')
    return problem('expired', `Lock ${namespace}/${name} has expired: no pod came in time, or all have gone.`, { members });
  if (phase !== 'Failed') return undefined;
  const why = reasons.map(({ reason, nodes, message }) => message ?? `${reason} on ${nodes} nodes`).join('; ');
  const found = counts === undefined ? '' : ` ${counts.planned} were found.`;
  return problem('not-enough', `Lock ${namespace}/${name} wants ${lock.spec.count} slots.${found}${why === '' ? '' : ` ${why}.`}`, {
    members,
  });
}

function anotherQuestion({ namespace, name }: Id, problems: readonly Problem[]): Reply {
  return problem('another-question', `Lock ${namespace}/${name} is there and asks something else.`, { problems });
}

/** The rule of the kind that CEL has and a schema can't say. */
export function twoTemplates({ template, podFrom }: Pick<LockQuestion['spec'], 'template' | 'podFrom'>, path = 'spec'): Reply | undefined {
  if ((template === undefined) !== (podFrom === undefined)) return undefined;
  const what = template === undefined ? 'neither template nor podFrom is given' : 'template and podFrom are both given';
  const wrong: Problem = {
    path,
    what,
    allowed: 'one of the two',
    remedy: 'Give the template, or name the object that has it.',
    severity: 'error',
  };
  return badInput([wrong]);
}

/** What the API server says of a write: a rule, a policy, a quota, a namespace that is not there. Anything else is thrown on. */
function refusedBy(error: unknown): Reply {
  if (!(error instanceof ApiError)) throw error;
  const { status, reason, message, details } = error;
  if (status === 404) return problem('no-such-object', `${message}.`);
  // Of 403 only policies and quotas are the caller's: whether we may at all is RBAC's, and ours to have.
  const ours = status === 403 && /^.*is forbidden: User "/.test(message);
  if (ours || ![400, 403, 409, 422].includes(status)) throw error;
  const causes = details?.causes ?? [];
  const problems = causes.map(({ field = '', message: what = reason }): Problem => ({ path: field, what, severity: 'error' }));
  return problem('refused', `${message}.`, problems.length === 0 ? {} : { problems });
}
