/** The condition `Wired` of an IPLock, among the others that it has. Pure. */
import type { IPLock } from '../../api/kinds.ts';
import { WIRED, WIRED_REASONS } from '../../api/network.ts';

type Status = NonNullable<IPLock['status']>;

/**
 * What is written before a sandbox is wired names it: so it is a write each time, and one that was on its way meanwhile meets another
 * version and comes to nothing.
 * @param containerId of the sandbox that may have the address from now on; undefined: no link of the node has it
 * @param now for people: when the status last changed
 * @returns all conditions: a merge patch replaces the whole list
 */
export function statusWith({ status }: Pick<IPLock, 'status'>, containerId: string | undefined, now: Date): Status {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== WIRED);
  const said =
    containerId !== undefined
      ? ({ status: 'True', reason: WIRED_REASONS.wired, message: wiredMessage(containerId) } as const)
      : ({ status: 'False', reason: WIRED_REASONS.down, message: 'No link of the node has it.' } as const);
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  return { ...status, conditions: [...others, { type: WIRED, ...said, lastTransitionTime: at }] };
}

/** Whose word it is. */
export const wiredMessage = (containerId: string): string => `A link of sandbox ${containerId} has it, or may have it.`;

/**
 * Whether the IPLock as it is lets its node wire the pod without another word: the lock writer has given it so, or an agent that knows of
 * that has said the same. Of one that doesn't, an end of the last sandbox may be on its way.
 */
export function isGiven(lock: Pick<IPLock, 'status'>): boolean {
  const said = lock.status?.conditions?.find(({ type }) => type === WIRED);
  if (said?.status === 'Unknown') return said.reason === WIRED_REASONS.given;
  return said?.status === 'True' && said.reason === WIRED_REASONS.wired;
}
