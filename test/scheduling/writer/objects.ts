/** Stored objects for the lock writer's cores, all but what matters filled in. */
import type { IPLockObject, LockObject } from '../../../lib/scheduling/writer/books.ts';
import type { Condition } from '../../../lib/scheduling/writer/found-out.ts';
import { type ALockOptions, type AnIPLockOptions, aLock, anIPLock, aUid } from '../builders.ts';

const meta = (more: object = {}) => ({ uid: aUid(), resourceVersion: '1', generation: 1, ...more });

export function aStoredLock(name = 'feed-api-1188', options: ALockOptions & { readonly metadata?: object } = {}): LockObject {
  const lock = aLock(name, options);
  return { ...lock, metadata: { ...lock.metadata, ...meta(options.metadata) } } as LockObject;
}

export interface AStoredIPLock extends AnIPLockOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly metadata?: object;
  /** By type: `True`, or the reason why not. */
  readonly says?: Readonly<Record<string, string>>;
}

export function aStoredIPLock(ip: string, { annotations, metadata, says, ...options }: AStoredIPLock = {}): IPLockObject {
  const ipLock = anIPLock(ip, options);
  const stored = { ...ipLock, metadata: { ...ipLock.metadata, ...meta({ annotations, ...metadata }) } } as IPLockObject;
  return says === undefined
    ? stored
    : { ...stored, status: { conditions: Object.entries(says).map(([type, said]) => saying(type, said)) } };
}

/** As the agent of the node writes it. */
export function saying(type: string, said: string): Condition {
  const status = said === 'True' ? 'True' : said === 'AnsweredForAll' || said === 'Given' ? 'Unknown' : 'False';
  const message = said === 'Conflict' ? '3c:fd:fe:11:22:33 answers for it' : said === 'GatewaySilent' ? 'the gateway does not answer' : '';
  return { type, status, reason: said === 'True' || said === 'False' ? type : said, message, lastTransitionTime: '2026-11-26T00:00:00Z' };
}
