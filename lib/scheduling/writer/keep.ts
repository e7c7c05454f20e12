/**
 * Keep: which slots a Ready Lock keeps, which are over, and when to look again. Pure; docs/locks.md numbers the rules.
 *
 * The answer is a whole status. It is written with the resourceVersion it was decided on: a renewal in the same instant wins,
 * and the slots are looked at again. Addresses follow the status, never the other way round (sweep.ts).
 */
import type { Lock } from '../../api/kinds.ts';
import type { LockObject } from './books.ts';
import type { Slot } from './slots.ts';

type Status = NonNullable<Lock['status']>;
export type ListedSlot = NonNullable<Status['slots']>[number];

/** On the lock writer's own monotonic clock. */
export interface Ages {
  /** Since it saw `renewedAt` change last, or the Lock first. */
  readonly renewedMs: number;
  /** Since it saw the slot without a pod first. */
  readonly restedMs: (slot: number) => number;
  /** Whether it saw a pod in the slot that was given it and isn't there any more. */
  readonly hadPod: (slot: number) => boolean;
}

/** Where a slot goes: because another machine answers for its address, its node is drained, or a person wants it elsewhere. */
export interface Place {
  readonly node: string;
  /** Where Gala owns the network. */
  readonly address?: string;
}

/**
 * @param node it may not leave: its pod is there
 * @returns undefined: there is none; `later`: enough was looked for at a time
 */
export type OtherPlace = (slot: Slot, node: string | undefined) => Place | 'later' | undefined;

/** @returns undefined: it stays; a number: it stays for now, and is looked at again after so many milliseconds */
export type NextPlace = (slot: Slot) => Place | number | undefined;

/** How soon another address is looked for again where there is none; and where others were looked at first. */
const AGAIN_MS = 10_000;
const LATER_MS = 100;

type Because = 'ttl' | 'hold' | 'lost' | 'quarantined' | 'let go';

export interface Kept {
  /** What the status should say; undefined: it says so already. */
  readonly status?: Pick<Status, 'phase' | 'slots' | 'counts'>;
  /** Slots that are over, with why. */
  readonly over: readonly { readonly slot: number; readonly because: Because }[];
  /** Slots that are listed with another address than before, or on another node. */
  readonly moved: readonly (Place & { readonly slot: number; readonly from: string | undefined })[];
  /** When some slot may be over, if nothing changes before. */
  readonly againInMs?: number;
}

/**
 * @param slots what became of the listed slots, in their order
 * @param unlisted slots that living pods bear and the status doesn't list
 */
export function keep(
  lock: LockObject,
  slots: readonly Slot[],
  unlisted: readonly ListedSlot[],
  ages: Ages,
  otherPlace: OtherPlace = () => undefined,
  nextPlace: NextPlace = () => undefined,
): Kept {
  const { ttlSeconds, holdSeconds } = lock.spec;
  const over: { slot: number; because: Because }[] = [];
  const moved: Kept['moved'][number][] = [];
  let againInMs = Number.POSITIVE_INFINITY;

  /** Undefined: it is over. */
  function judged(slot: Slot): ListedSlot | undefined {
    const { state, slot: number } = slot;
    if (state === 'lost' || state === 'let go') return drop(number, state);
    if (state === 'quarantined' || slot.shut) return elsewhere(slot);
    if (state === 'used' || state === 'missing') return listed(slot, false);
    const held = state !== 'free' || ages.hadPod(number);
    if (held && holdSeconds === 0) return onNext(slot, true);
    const left = held ? holdSeconds * 1000 - ages.restedMs(number) : ttlSeconds * 1000 - ages.renewedMs;
    // A pod that is gone leaves its slot first: its address must be Held before the slot can be over.
    if (left <= 0 && state !== 'leaving') return drop(number, held ? 'hold' : 'ttl');
    if (left > 0) againInMs = Math.min(againInMs, left);
    return onNext(slot, held);
  }

  /** One that waits for a pod goes where its next one can be. */
  function onNext(slot: Slot, held: boolean): ListedSlot {
    const place = slot.state === 'leaving' ? undefined : nextPlace(slot);
    if (typeof place === 'number') againInMs = Math.min(againInMs, place);
    if (place === undefined || typeof place === 'number') return listed(slot, held);
    const { slot: number, state, address: from } = slot;
    moved.push({ slot: number, from, ...place });
    return listed({ slot: number, state, ...place }, held);
  }

  function elsewhere(slot: Slot): ListedSlot | undefined {
    const { slot: number, node, address: from } = slot;
    const place = otherPlace(slot, slot.state === 'used' ? node : undefined);
    if (place === 'later') {
      againInMs = Math.min(againInMs, LATER_MS);
      return listed(slot, false);
    }
    if (place !== undefined) {
      moved.push({ slot: number, from, ...place });
      return listed({ ...slot, ...place }, false);
    }
    if (slot.state !== 'used') return drop(number, 'quarantined');
    // With a pod it stays a slot: another address of its node may be freed.
    againInMs = Math.min(againInMs, AGAIN_MS);
    return listed(slot, false);
  }

  function drop(slot: number, because: Because): undefined {
    over.push({ slot, because });
    return undefined;
  }

  const stay = slots.flatMap((slot) => judged(slot) ?? []);
  const all = unlisted.length === 0 ? stay : [...stay, ...unlisted].sort((a, b) => a.slot - b.slot);
  const counts = { planned: all.length, used: slots.filter(({ state }) => state === 'used').length + unlisted.length };
  const status = { phase: all.length === 0 ? ('Expired' as const) : ('Ready' as const), slots: all, counts };
  return {
    ...(says(lock.status, status) ? {} : { status }),
    ...{ over, moved },
    ...(againInMs < Number.POSITIVE_INFINITY && { againInMs }),
  };
}

const listed = ({ slot, node, address }: Slot, held: boolean): ListedSlot => ({
  ...{ slot, node },
  ...(address !== undefined && { address }),
  ...(held && { held }),
});

function says(now: Status | undefined, { phase, slots, counts }: Pick<Status, 'phase' | 'slots' | 'counts'>): boolean {
  if (now === undefined || now.phase !== phase || now.counts?.planned !== counts?.planned || now.counts?.used !== counts?.used)
    return false;
  const before = now.slots ?? [];
  return before.length === slots?.length && before.every((one, index) => same(one, slots[index]));
}

function same(a: ListedSlot, b: ListedSlot | undefined): boolean {
  return a.slot === b?.slot && a.node === b.node && a.address === b.address && (a.held ?? false) === (b.held ?? false);
}
