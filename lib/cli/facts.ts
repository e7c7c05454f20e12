/** Where facts come from: the cluster itself, read once with the rights of whoever asks. */
import type { Api } from '../kube/client.ts';
import type { Inventory } from '../scheduling/inventory.ts';
import { type ReadWorld, readWorld } from '../scheduling/read-world.ts';
import { type Books, books, type IPLockObject, type LockObject } from '../scheduling/writer/books.ts';
import { say } from './output.ts';
import type { Facts } from './stock-answer.ts';
import type { Source } from './stock-text.ts';

export interface FactsFrom {
  readonly facts: Facts;
  readonly source: Source;
}

export async function factsOfCluster(api: Api): Promise<FactsFrom> {
  const world = await readWorld(api);
  tellUnread(world);
  return {
    facts: factsOf(world.inventory),
    source: { from: 'cluster', name: api.url, by: 'library', ageSeconds: (Date.now() - world.readAtMs) / 1000 },
  };
}

export function factsOf(all: Inventory): Facts {
  const of = <K extends 'HostPool' | 'NodeNetwork' | 'IPLock'>(kind: K) => [...all.objects(kind).values()];
  return { terrain: all, hostPools: of('HostPool'), nodeNetworks: of('NodeNetwork'), ipLocks: of('IPLock') };
}

/** The books that the lock writer would have of the same facts. */
export function booksOf(all: Inventory): Books {
  const book = books();
  for (const [key, pod] of all.objects('Pod')) book.pods.put(key, pod, 'watch');
  for (const [key, lock] of all.objects('Lock')) book.locks.put(key, lock as LockObject, 'watch');
  for (const [key, ipLock] of all.objects('IPLock')) book.ipLocks.put(key, ipLock as IPLockObject, 'watch');
  return book;
}

/** What a kind is good for; without it that part is not counted. A kind that isn't there is a feature that is off. */
const GOOD_FOR: Readonly<Record<string, string>> = {
  CSIStorageCapacity: 'space for volumes',
  HostPool: 'pools and addresses',
  IPLock: 'taken addresses',
  Lock: 'slots that are locked',
  Namespace: 'affinity by labels of namespaces',
  NodeNetwork: 'ENI slots',
  StatefulSet: 'ordinals that come back for their addresses',
};

export function tellUnread({ unread }: Pick<ReadWorld, 'unread'>): void {
  const forbidden = unread
    .filter(({ because }) => because === 'forbidden')
    .map(({ kind }) => `${kind} (${GOOD_FOR[kind] ?? 'what it holds'})`);
  if (forbidden.length > 0)
    say(`Not counted, for you may not list it: ${forbidden.join(', ')}. The ClusterRole gala-operator may: docs/constructs/roles.md.`);
}
