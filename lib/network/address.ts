/** Address: what an IPLock says that a pool counts by. A number in place of the text, so that 50,000 of them are counted fast. Pure. */
import type { IPLock } from '../api/kinds.ts';
import { toNumber } from '../api/range.ts';

export interface Address {
  /** As an unsigned 32-bit number. */
  readonly number: number;
  readonly node: string;
  readonly phase: IPLock['spec']['phase'];
}

export function addressOf({ metadata, spec }: { readonly metadata: { readonly name: string }; readonly spec: IPLock['spec'] }): Address {
  return { number: toNumber(metadata.name), node: spec.node, phase: spec.phase };
}

/** On the node a pod has it, or is about to: the machine may answer for it. */
export const isOnNode = ({ phase }: Address): boolean => phase === 'Locked' || phase === 'Bound';

/** Whether nothing changed that anybody here asks about: an IPLock's conditions do not count. */
export const sameAddress = (a: Address, b: Address): boolean => a.phase === b.phase && a.node === b.node;
