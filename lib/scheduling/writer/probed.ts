/**
 * The condition Probed of a Lock: whether its addresses, those that wait for a pod, were looked for on the wire. Pure; made of what the agents
 * say on its IPLocks. Without agents that look there is none.
 */
import type { Lock } from '../../api/kinds.ts';
import { PROBED, PROBED_REASONS } from '../../api/network.ts';
import type { Books } from './books.ts';
import type { DeskOptions } from './desk.ts';
import { type Condition, conditionOf } from './found-out.ts';
import { ended } from './refusal.ts';
import type { Slot } from './slots.ts';

type Status = NonNullable<Lock['status']>;

export const probedBefore = (status: Status | undefined): Condition | undefined => status?.conditions?.find(({ type }) => type === PROBED);

/** @returns the one that the status has, where it says so already */
export function probed(
  slots: readonly Slot[],
  { ipLocks }: Pick<Books, 'ipLocks'>,
  status: Status | undefined,
  { wallClock }: Pick<DeskOptions, 'wallClock'>,
): Condition | undefined {
  const before = probedBefore(status);
  const found = tally(slots, ipLocks);
  // Where all are wired or Held, what was found before is no news.
  if (found.all === 0 || (before === undefined && !found.any)) return before;
  const now = found.amiss ?? (found.said === found.all ? ALL : SOME);
  const message =
    found.amiss === undefined ? `${found.said} of ${found.all} addresses that wait for a pod were looked for` : found.amiss.message;
  const { status: is, reason } = now;
  if (before?.status === is && before.reason === reason && before.message === message) return before;
  const lastTransitionTime = before?.status === is ? before.lastTransitionTime : (wallClock?.() ?? new Date()).toISOString();
  return { type: PROBED, status: is, reason, message, lastTransitionTime };
}

const ALL = { status: 'True', reason: PROBED_REASONS.free } as const;
const SOME = { status: 'Unknown', reason: 'Probing' } as const;

function tally(slots: readonly Slot[], ipLocks: Books['ipLocks']) {
  let [all, said, silent] = [0, 0, 0];
  let first: { readonly status: 'False' | 'Unknown'; readonly reason: string; readonly sentence: string } | undefined;
  for (const { state, shut, address, node } of slots) {
    if (address === undefined) continue;
    const ipLock = ipLocks.get(address);
    const isLocked = ipLock?.spec.phase === 'Locked';
    // Another address comes in its place, and is looked for.
    if (!isLocked && state !== 'missing' && state !== 'quarantined' && !shut) continue;
    all++;
    const found = ipLock === undefined || !isLocked || shut || state === 'quarantined' ? undefined : conditionOf(ipLock, PROBED);
    if (found?.status === 'True') said++;
    // `Unknown` is an agent's word too: it has looked, and can't tell.
    if (found?.status !== 'False' && found?.status !== 'Unknown') continue;
    silent++;
    if (first?.status === 'False' || (first !== undefined && found.status === 'Unknown')) continue;
    first = { status: found.status, reason: found.reason, sentence: ended(`${address} on ${node}: ${found.message || found.reason}`) };
  }
  const more = silent > 1 ? ` And ${silent - 1} more.` : '';
  const amiss = first && ({ status: first.status, reason: first.reason, message: `${first.sentence}${more}`.slice(0, 1024) } as const);
  return { all, said, any: said + silent > 0, amiss };
}
