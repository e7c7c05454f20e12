/**
 * Writes: what the agenda wants done, one call each, and how it ended. Plain data, so that a test can do them in any order,
 * lose their answers, or stop between any two.
 */
import type { Draft, Id } from '../../kube/kinds.ts';
import type { PodFacts } from '../facts.ts';
import type { IPLockObject, LockObject } from './books.ts';

/** Who asked for it, and is asked again when it has ended. */
export interface Job {
  readonly desk: 'lock' | 'pod' | 'address';
  readonly key: string;
}

/**
 * `quick`: pods and statuses. `bulk`: the addresses of Locks, and the sweep. `slow`: quick ones of namespaces whose writes hang
 * (hung.ts). None waits for another's turn.
 */
export type Lane = 'quick' | 'bulk' | 'slow';

export type Call =
  | { readonly do: 'create'; readonly kind: 'IPLock'; readonly object: Draft<IPLockObject> }
  | { readonly do: 'update'; readonly kind: 'IPLock'; readonly object: Draft<IPLockObject> }
  | { readonly do: 'status'; readonly kind: 'Lock'; readonly object: Draft<LockObject> }
  | { readonly do: 'patch'; readonly kind: 'Pod'; readonly id: Id; readonly patch: Record<string, unknown> }
  | {
      readonly do: 'delete';
      readonly kind: 'IPLock' | 'Lock' | 'Pod';
      readonly id: Id;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** `uid`: the one it is asked for; another of that name is none. */
  | { readonly do: 'read'; readonly kind: 'IPLock' | 'Lock' | 'Pod'; readonly id: Id; readonly uid?: string }
  /** A pod by its UID alone, among those of the namespace. */
  | { readonly do: 'find'; readonly kind: 'Pod'; readonly namespace: string; readonly uid: string }
  /** The pod template that a Lock's `podFrom` names. */
  | {
      readonly do: 'template';
      readonly kind: 'Lock';
      readonly namespace: string;
      readonly podFrom: { readonly kind: string; readonly name: string };
    };

export interface Write {
  readonly job: Job;
  readonly lane: Lane;
  /** The object it is about, `IPLock 10.110.2.37`: one call at a time. */
  readonly object: string;
  readonly call: Call;
}

export type Outcome =
  | { readonly is: 'done'; readonly object?: IPLockObject | LockObject | PodFacts; readonly template?: unknown }
  /** There is no such object. */
  | { readonly is: 'gone' }
  /** The API server said no, and will say so again. */
  | { readonly is: 'refused'; readonly reason: string; readonly message: string }
  /** What was decided on is no longer so (Conflict, AlreadyExists), or nobody knows whether it was done: read, and decide anew. */
  | { readonly is: 'doubtful'; readonly message: string }
  /** It surely wasn't done: not sent, no longer leading, too many requests. */
  | { readonly is: 'undone'; readonly message: string; readonly retryAfterMs?: number };

export const objectOf = (kind: 'IPLock' | 'Lock' | 'Pod', key: string): string => `${kind} ${key}`;
