/** An inventory as facts to count by, and as the books that the lock writer would have of it. Pure. */
import type { Inventory } from '../scheduling/inventory.ts';
import { type Books, books, type IPLockObject, type LockObject } from '../scheduling/writer/books.ts';
import type { Facts } from './stock-answer.ts';

export function factsOf(all: Inventory): Facts {
  const of = <K extends 'HostPool' | 'NodeNetwork' | 'IPLock'>(kind: K) => [...all.objects(kind).values()];
  return { terrain: all, hostPools: of('HostPool'), nodeNetworks: of('NodeNetwork'), ipLocks: of('IPLock') };
}

export function booksOf(all: Inventory): Books {
  const book = books();
  for (const [key, pod] of all.objects('Pod')) book.pods.put(key, pod, 'watch');
  for (const [key, lock] of all.objects('Lock')) book.locks.put(key, lock as LockObject, 'watch');
  for (const [key, ipLock] of all.objects('IPLock')) book.ipLocks.put(key, ipLock as IPLockObject, 'watch');
  return book;
}
