/**
 * Catch-up: what a lock writer reads anew when its term begins. Its caches may be behind what the former one wrote last; a Lock that
 * looks unanswered and is Ready, or a pod that looks as if it waited and is pinned, would be decided a second time.
 */
import { Lock } from '../../api/kinds.ts';
import { SCHEDULER_NAME } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { unlessMissing } from '../../kube/error.ts';
import { idOf, kindOf, PODS } from '../../kube/kinds.ts';
import { podFacts } from '../facts.ts';
import type { Intern } from '../intern.ts';
import type { Inventory } from '../inventory.ts';
import type { Agenda, Heard } from './agenda.ts';

/** Pods that are read one by one at the same time. */
const AT_ONCE = 16;

export async function catchUp(
  { books, hear }: Pick<Agenda, 'books' | 'hear'>,
  inventory: Pick<Inventory, 'set'>,
  { api, intern, signal, now }: { api: Api; intern: Intern; signal: AbortSignal; now: () => number },
): Promise<void> {
  const answer = (heard: Heard) => {
    if (!heard.gone) inventory.set(heard.kind, heard.key, heard.object as never);
    hear(heard, 'answer', now());
  };
  const locks = await unlessMissing(api.list(kindOf(Lock), { signal }));
  for (const object of locks?.items ?? []) answer({ kind: 'Lock', key: `${object.metadata.namespace}/${object.metadata.name}`, object });
  // A bound pod has had all that is decided about it; 50,000 of them need not be read again.
  const unbound = await api.list(PODS, { fieldSelector: `spec.nodeName=,spec.schedulerName=${SCHEDULER_NAME}`, signal });
  const read = new Set<string>();
  const pod = (object: (typeof unbound.items)[number]) => {
    const facts = podFacts(object as never, intern);
    read.add(facts.key);
    answer({ kind: 'Pod', key: facts.key, object: facts });
  };
  unbound.items.forEach(pod);
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
}
