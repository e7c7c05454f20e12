/** The inventory of some objects, and the question about them as stock and place take it. */
import { demandOf } from '../../lib/scheduling/demand.ts';
import { podFacts } from '../../lib/scheduling/facts.ts';
import { interning } from '../../lib/scheduling/intern.ts';
import { type Inventory, inventory } from '../../lib/scheduling/inventory.ts';
import { nodeFacts } from '../../lib/scheduling/node.ts';
import type { Ask } from '../../lib/scheduling/types.ts';
import type { ClusterObjects } from './random-cluster.ts';
import type { Question } from './random-question.ts';

type Step = (to: Inventory) => void;

/** One step for each object, in no order that matters. */
export function stepsOf({ nodes, pods, namespaces, hostPools, nodeNetworks, ipLocks }: ClusterObjects): Step[] {
  const intern = interning();
  return [
    ...Object.entries(namespaces).map(
      ([name, labels]): Step =>
        (to) =>
          to.set('Namespace', name, labels),
    ),
    ...hostPools.map(
      (it): Step =>
        (to) =>
          to.set('HostPool', it.metadata.name, it),
    ),
    ...nodeNetworks.map(
      (it): Step =>
        (to) =>
          to.set('NodeNetwork', it.metadata.name, it),
    ),
    ...ipLocks.map(
      (it): Step =>
        (to) =>
          to.set('IPLock', it.metadata.name, it),
    ),
    ...nodes.map(
      (it): Step =>
        (to) =>
          to.set('Node', it.metadata!.name!, nodeFacts(it)),
    ),
    ...pods.map((it): Step => {
      const facts = podFacts(it, intern);
      return (to) => to.set('Pod', facts.key, facts);
    }),
  ];
}

export function inventoryOf(objects: ClusterObjects, inOrder: (steps: Step[]) => Step[] = (steps) => steps): Inventory {
  const made = inventory();
  for (const step of inOrder(stepsOf(objects))) step(made);
  return made;
}

export function askOf({ namespace, owner, template, ...how }: Question): Ask {
  const { demand, problems } = demandOf(template, { namespace, owner });
  if (demand === undefined) throw new Error(`the question can't be read: ${JSON.stringify(problems)}`);
  return { demand, ...how };
}
