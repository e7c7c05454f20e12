/** The condition `Wired` of an IPLock, among the others that it has. Pure. */
import type { IPLock } from '../../api/kinds.ts';
import { WIRED } from '../../api/network.ts';

type Status = NonNullable<IPLock['status']>;

/**
 * @param now for people: when the status last changed
 * @returns all conditions: a merge patch replaces the whole list
 */
export function statusWith({ status }: Pick<IPLock, 'status'>, isWired: boolean, now: Date): Status {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== WIRED);
  const said = isWired
    ? ({ status: 'True', reason: 'OnTheNode', message: 'A link of the node has it, or may have it.' } as const)
    : ({ status: 'False', reason: 'TakenDown', message: 'No link of the node has it.' } as const);
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  return { ...status, conditions: [...others, { type: WIRED, ...said, lastTransitionTime: at }] };
}
