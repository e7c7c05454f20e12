/**
 * The next step of a Lock, from its object and what this lock writer has of it in hand. Pure, level-triggered: the agenda takes
 * the step, and asks again. docs/locks.md numbers the rules of a Lock's life.
 */
import type { LockObject } from './books.ts';

export type LockStep =
  /** Nothing, before something changes or so long has gone by. */
  | { readonly do: 'wait'; readonly ms?: number }
  /** Read the template that `podFrom` names. */
  | { readonly do: 'read' }
  /** Find nodes and addresses, and write them as the plan. */
  | { readonly do: 'plan' }
  /** It can't be: say so. */
  | { readonly do: 'fail'; readonly reason: 'NameInUse' | 'NoSuchPod' | 'InternalError' | 'StatusRefused' }
  /** Take the plan back: write the status without it. Its addresses go after it, by the sweep. */
  | { readonly do: 'undo' }
  /** Create or take over the addresses that the plan lacks. */
  | { readonly do: 'lock' }
  /** All is there: say so. */
  | { readonly do: 'ready' }
  /** Look at the slots of a Ready Lock (keep.ts). */
  | { readonly do: 'keep' }
  /** Failed or Expired long enough ago. */
  | { readonly do: 'delete' };

/** What this lock writer has of the Lock in hand. */
export interface InHand {
  /** A plan of its own for this very object. */
  readonly plan?: {
    /** The status that the API server has is this plan's. */
    readonly written: boolean;
    /** Addresses that aren't locked yet. */
    readonly missing: number;
    /** It can't be completed: an address is taken, and its node has no other. */
    readonly broken: boolean;
  };
  /** Why no plan of it comes to anything: planning it threw, or the API server refuses its status again and again. */
  readonly hopeless?: 'InternalError' | 'StatusRefused';
  /** The pod template: the Lock's own, or the one that was read; `none`: what `podFrom` names is not there. */
  readonly template: 'known' | 'unread' | 'none';
  /** IPLocks that name it, for no pod: of an undone plan, or of a former Lock of this name. */
  readonly leftovers: number;
  /** Living pods that bear slots of a Lock of this name. */
  readonly bearers: number;
  /** How long it has been Failed or Expired, as far as this lock writer saw. */
  readonly overMs: number;
}

/** How long a Failed or Expired Lock answers whoever asks again by its name. */
export const ANSWERS_MS = 3_600_000;

export function nextForLock({ metadata, status }: LockObject, { plan, hopeless, template, leftovers, bearers, overMs }: InHand): LockStep {
  // Whoever deletes it foreground, or with a finalizer of their own, gets no new slots; those it has end with it.
  const leaving = metadata.deletionTimestamp !== undefined;
  const isPlanned = status?.phase === undefined || status.phase === 'Planning';
  if (hopeless !== undefined && isPlanned) return { do: 'fail', reason: hopeless };
  switch (status?.phase) {
    case undefined:
      if (plan !== undefined || leaving) return { do: 'wait' };
      // A former plan's addresses would be found taken by the next one.
      if (leftovers > 0) return { do: 'wait' };
      if (bearers > 0) return { do: 'fail', reason: 'NameInUse' };
      if (template === 'none') return { do: 'fail', reason: 'NoSuchPod' };
      return { do: template === 'known' ? 'plan' : 'read' };
    case 'Planning':
      // Not this writer's, or not as it wrote it: whoever planned this is gone, and its late writes must fail.
      if (plan === undefined || !plan.written || plan.broken || leaving) return { do: 'undo' };
      return { do: plan.missing > 0 ? 'lock' : 'ready' };
    case 'Ready':
      return leaving ? { do: 'wait' } : { do: 'keep' };
    default: {
      const left = ANSWERS_MS - overMs;
      return left > 0 ? { do: 'wait', ms: left } : { do: 'delete' };
    }
  }
}
