/**
 * Slots: what became of each slot that a Lock lists, and who has it. Pure. The pod's annotation and the IPLock are the truth;
 * the Lock's status says what was planned.
 */

import type { PodFacts } from '../facts.ts';
import type { Books, IPLockObject, LockObject } from './books.ts';
import { lockOfAddress, lockOfPod, slotsOf } from './books.ts';
import { isLetGo, isShut } from './found-out.ts';

/**
 * `free`: no pod has ever had it. `used`: a living pod has it. `leaving`: its pod is gone, and its address not yet Held. `held`:
 * it waits for the next pod. `missing`: its IPLock isn't there. `lost`: its IPLock is somebody else's. `quarantined`: another machine
 * answers for its address. `let go`: it is Held, and a person says that nobody needs it.
 */
export type SlotState = 'free' | 'used' | 'leaving' | 'held' | 'missing' | 'lost' | 'quarantined' | 'let go';

export interface Slot {
  readonly slot: number;
  readonly node: string;
  readonly address?: string;
  readonly state: SlotState;
  /** UID of the pod that has it. */
  readonly pod?: string;
  /** Of a used one: another machine answers for its address, before its pod was wired. */
  readonly shut?: true;
}

export interface SlotsSeen {
  /** Where they were looked up already. */
  readonly users?: ReadonlyMap<number, PodFacts>;
  /** UID of the pod that is being given the slot at this moment. */
  readonly givenTo?: (slot: number) => string | undefined;
}

/** In the order of the status. */
export function slotsSeen(key: string, lock: LockObject, books: Books, { users = usersOf(key, books), givenTo }: SlotsSeen = {}): Slot[] {
  return slotsOf(lock).map(({ slot, node, address, held }) => {
    const pod = users.get(slot)?.uid ?? givenTo?.(slot);
    const ipLock = address === undefined ? undefined : books.ipLocks.get(address);
    const state = pod === undefined ? unused(key, ipLock, { node, address, held }) : 'used';
    // One that is only being given to a pod is taken back from it (next-for-pod.ts).
    const shut = users.has(slot) && ipLock !== undefined && isShut(ipLock);
    return { slot, node, ...(address !== undefined && { address }), state, ...(pod !== undefined && { pod }), ...(shut && { shut }) };
  });
}

function unused(
  key: string,
  ipLock: IPLockObject | undefined,
  { node, address, held }: { readonly node: string; readonly address?: string; readonly held?: boolean },
): SlotState {
  if (address === undefined) return held ? 'held' : 'free';
  if (ipLock === undefined) return 'missing';
  const { phase, podUID } = ipLock.spec;
  if (lockOfAddress(ipLock) !== key) return 'lost';
  if (isShut(ipLock)) return 'quarantined';
  if (phase === 'Held') return isLetGo(ipLock) ? 'let go' : 'held';
  if (podUID !== undefined) return 'leaving';
  // It has moved, and its address is on its way.
  return ipLock.spec.node === node ? 'free' : 'missing';
}

/** Living pods of a Lock by the slot that they bear: one each, however many say so. */
export function usersOf(key: string, books: Books): Map<number, PodFacts> {
  const users = new Map<number, PodFacts>();
  for (const pod of books.podsOfLock(key)) {
    const slot = slotNumber(pod);
    if (slot === undefined || pod.done) continue;
    const other = users.get(slot);
    if (other === undefined || before(pod, other)) users.set(slot, pod);
  }
  return users;
}

/**
 * Which of two pods keeps a slot that both bear: the one that is on a node, else the one whose UID sorts first. It takes two
 * lock writers at a time to come to that, and slots without addresses; the extender judges by the same order.
 */
export function before(pod: Pick<PodFacts, 'uid' | 'node'>, other: Pick<PodFacts, 'uid' | 'node'>): boolean {
  if ((pod.node === undefined) !== (other.node === undefined)) return pod.node !== undefined;
  return pod.uid < other.uid;
}

/**
 * Whether the slot of a pinned pod, or its address, is on another node or another pod's: then no node takes it, and none can be
 * repaired so that it does (verify.ts, V6, V7, V10).
 */
export function hasWrongSlot(pod: PodFacts, books: Books): boolean {
  const lock = lockOfPod(pod);
  const object = lock === undefined ? undefined : books.locks.get(lock);
  if (lock !== undefined && object?.status?.phase === 'Ready') {
    const slot = slotNumber(pod);
    if (!slotsOf(object).some((listed) => listed.slot === slot && listed.node === pod.pinned)) return true;
    if (slot !== undefined && usersOf(lock, books).get(slot)?.uid !== pod.uid) return true;
  }
  const addresses = books.addressesOfPod(pod.uid);
  return addresses.length > 0 && !addresses.some(({ spec }) => spec.node === pod.pinned && spec.phase !== 'Quarantined');
}

/** The number in the annotation, where it is one and the gate is gone: what stands there before is nobody's word. */
export function slotNumber({ gated, slot }: PodFacts): number | undefined {
  return gated || slot === undefined || !/^(0|[1-9][0-9]{0,3})$/.test(slot) ? undefined : Number(slot);
}
