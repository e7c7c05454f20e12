/** Stored objects for the lock writer's cores, all but what matters filled in. */
import type { IPLockObject, LockObject } from '../../../lib/scheduling/writer/books.ts';
import { type ALockOptions, type AnIPLockOptions, aLock, anIPLock, aUid } from '../builders.ts';

const meta = (more: object = {}) => ({ uid: aUid(), resourceVersion: '1', generation: 1, ...more });

export function aStoredLock(name = 'feed-api-1188', options: ALockOptions & { readonly metadata?: object } = {}): LockObject {
  const lock = aLock(name, options);
  return { ...lock, metadata: { ...lock.metadata, ...meta(options.metadata) } } as LockObject;
}

export interface AStoredIPLock extends AnIPLockOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly metadata?: object;
}

export function aStoredIPLock(ip: string, { annotations, metadata, ...options }: AStoredIPLock = {}): IPLockObject {
  const ipLock = anIPLock(ip, options);
  return { ...ipLock, metadata: { ...ipLock.metadata, ...meta({ annotations, ...metadata }) } } as IPLockObject;
}
