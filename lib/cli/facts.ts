/** Where facts come from: the cluster itself, read once with the rights of whoever asks. */
import type { Api } from '../kube/client.ts';
import { type ReadWorld, readWorld } from '../scheduling/read-world.ts';
import { factsOf } from './facts-of.ts';
import { say } from './output.ts';
import type { Facts } from './stock-answer.ts';
import type { Source } from './stock-text.ts';

export async function factsOfCluster(api: Api): Promise<{ readonly facts: Facts; readonly source: Source }> {
  const world = await readWorld(api);
  tellUnread(world);
  return {
    facts: factsOf(world.inventory),
    source: { from: 'cluster', name: api.url, by: 'library', ageSeconds: (Date.now() - world.readAtMs) / 1000 },
  };
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
