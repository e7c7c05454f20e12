/**
 * Whether this node is still the machine that its NodeNetwork is of. Pure. A machine that comes under the name of another finds that
 * one's addresses Bound on "its" node, and has none of their links: were it to say so, the lock writer would give away addresses that
 * the machine before it may still answer for.
 */
import type { NodeNetwork } from '../../api/kinds.ts';
import type { NodeFacts } from './node-view.ts';

type Machine = Pick<NodeNetwork['spec'], 'machineID' | 'providerID'>;

/** @returns why nothing is bound or released here now; undefined: it is the machine, or one of the two is not known */
export function otherMachine(
  node: string,
  facts: Pick<NodeFacts, 'machineID' | 'providerID'> | undefined,
  network: Machine | undefined,
): string | undefined {
  if (facts === undefined || network === undefined) return undefined;
  // A racked host has a machine id of its own; that of an instance may be the image's, and says nothing.
  const [field, is, was] =
    network.providerID === undefined
      ? (['machineID', facts.machineID, network.machineID] as const)
      : (['providerID', facts.providerID, network.providerID] as const);
  if (is === was) return undefined;
  return (
    `Node ${node} is machine ${is ?? 'unknown'}, and its NodeNetwork is of ${was ?? 'unknown'}: another machine has taken the name. Until ` +
    `gala controller has replaced the NodeNetwork no address is bound or given back here (${field}; see kubectl describe node ${node}).`
  );
}
