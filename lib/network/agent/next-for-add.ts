/**
 * What to do next for an ADD: one step, after which it is asked again. Pure.
 *
 * What keeps an address with one owner: before there is a link the IPLock says that there may be one, so that the lock writer gives the
 * address to nobody else. The lock writer has said so itself where it gave it (`Wired` `Unknown`); else it is written here (`bind`). And
 * no link is made while another sandbox of this node may have it.
 */
import type { IPLock } from '../../api/kinds.ts';
import { PROBED, PROBED_REASONS } from '../../api/network.ts';
import type { AddressLock } from '../wiring/place.ts';
import { type Refusal, refuse } from '../wiring/refusal.ts';
import type { PodName } from './call.ts';

export type AddStep =
  /** Something is on its way: what is known, the probe's word, another sandbox's end. */
  | { readonly do: 'wait' }
  /** Ask the API server itself: the pod is bound, so its IPLock is there, and what is watched may be late. */
  | { readonly do: 'find' }
  /** Take down what a sandbox has that is no more, and come again. */
  | { readonly do: 'collect'; readonly key: string }
  | { readonly do: 'bind' }
  | { readonly do: 'wire' }
  | ({ readonly do: 'refuse' } & Refusal);

export interface Known {
  readonly pod: PodName;
  /** Whether everything of this node was read once, since the agent began. */
  readonly synced: boolean;
  /** Since the call came. */
  readonly waitedMs: number;
  /** The IPLock that names the pod. */
  readonly lock?: AddressLock & Pick<IPLock, 'status'>;
  /** Whether the API server was asked for it. */
  readonly asked: boolean;
  /** Whether this call has written that the address is on this sandbox. What is watched, or was written before, does not count. */
  readonly bound: boolean;
  /** Whether the IPLock, as it is known, says that the node may wire the pod, and no write of this node can change that any more. */
  readonly given: boolean;
  /** Why it can't be wired; undefined: it can, as far as links and pools go. */
  readonly refusal?: Refusal;
  /** Whether addresses are looked for on the wire here. */
  readonly probes: boolean;
  /** Others that the journal has with this address. `gone`: the runtime doesn't know its sandbox any more. */
  readonly rivals: readonly { readonly key: string; readonly gone: boolean }[];
}

/** An agent that has just begun reads a few hundred objects. */
export const READ_MS = 10_000;
/** The watch is late by milliseconds; to ask costs the API server a look at every IPLock. */
const WATCH_MS = 500;
/** A pod without an IPLock shall hear of it soon, and is tried again by the kubelet. */
export const LOCK_MS = 3_000;
/** A probe takes about two seconds, from when the address was locked: usually long before this. */
export const PROBE_MS = 3_000;
/** The kubelet ends the old sandbox of a pod before it makes a new one; DEL takes a moment. */
export const RIVAL_MS = 10_000;

/** Somebody else writes it each time, or the watch doesn't hear that it is gone. */
export const BIND_MS = 15_000;

export function nextForAdd(known: Known): AddStep {
  const { pod, lock, waitedMs, rivals } = known;
  if (!known.synced) return waitedMs < READ_MS ? { do: 'wait' } : unread();
  if (lock === undefined) {
    if (!known.asked) return waitedMs < WATCH_MS ? { do: 'wait' } : { do: 'find' };
    return waitedMs < LOCK_MS || known.refusal === undefined ? { do: 'wait' } : { do: 'refuse', ...known.refusal };
  }
  if (known.refusal !== undefined) return { do: 'refuse', ...known.refusal };
  const probed = conditionOf(lock, PROBED);
  if (lock.spec.phase === 'Locked' && !known.bound) {
    if (known.probes && probed === undefined && waitedMs < PROBE_MS) return { do: 'wait' };
    if (probed?.status === 'False' && probed.reason === PROBED_REASONS.conflict) return conflict(lock.metadata.name, probed.message, pod);
  }
  const gone = rivals.find((rival) => rival.gone);
  if (gone !== undefined) return { do: 'collect', key: gone.key };
  if (rivals.length > 0) return waitedMs < RIVAL_MS ? { do: 'wait' } : stillWired(lock.metadata.name, rivals);
  if (known.bound || known.given) return { do: 'wire' };
  return waitedMs < BIND_MS ? { do: 'bind' } : unbound(lock.metadata.name);
}

type Condition = NonNullable<NonNullable<IPLock['status']>['conditions']>[number];

export const conditionOf = ({ status }: Pick<IPLock, 'status'>, type: string): Condition | undefined =>
  status?.conditions?.find((one) => one.type === type);

function conflict(ip: string, message: string | undefined, { namespace, name }: PodName): AddStep {
  const who = message ?? 'another machine answers for it';
  return {
    do: 'refuse',
    ...refuse(
      'Conflict',
      `${ip} of pod ${namespace}/${name}: ${who}. The lock writer gives the pod another address on this node; the pod start is tried again. See: gala who ${ip}.`,
    ),
  };
}

function stillWired(ip: string, rivals: Known['rivals']): AddStep {
  return {
    do: 'refuse',
    ...refuse(
      'StillWired',
      `${ip} is on a link of sandbox ${rivals.map(({ key }) => key).join(', ')}, which the runtime still has; the pod start is tried again. If it stays: crictl inspectp, crictl stopp.`,
    ),
  };
}

function unbound(ip: string): AddStep {
  return {
    do: 'refuse',
    ...refuse(
      'TryLater',
      `IPLock ${ip} changes all the time, or is gone and the watch has not said so. The pod start is tried again. See: gala who ${ip}.`,
    ),
  };
}

function unread(): AddStep {
  return {
    do: 'refuse',
    ...refuse(
      'TryLater',
      `gala cni has not read the addresses of this node yet: the API server does not answer, or not in full. The pod start is tried again. See the agent's log, and /readyz on 127.0.0.1.`,
    ),
  };
}
