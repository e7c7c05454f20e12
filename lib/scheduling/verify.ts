/**
 * Verify: whether a pod that kube-scheduler is about to put on a node holds a slot there. Pure; the extender calls it, first
 * with what the caches hold and, when these say no, once more with what the API server says.
 *
 * It decides nothing that the lock writer has not decided before: pod, slot, Lock and address are compared, and where two of
 * them disagree the pod waits. A refusal is a sentence of `kubectl describe pod` ("0/1 nodes are available: 1 …"); kube-scheduler
 * counts nodes by equal sentences, so the same reason has the same words on every node. docs/stock-api.md lists the rules.
 */
import type { IPLock, Lock } from '../api/kinds.ts';
import { GATE, LOCK_ANNOTATION, LOOSE, SLOT_ANNOTATION } from '../api/scheduling.ts';
import type { PodFacts } from './facts.ts';
import { before } from './writer/slots.ts';

/** A pod, as far as verifying goes. */
export interface ScheduledPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly hostNetwork: boolean;
  /** Annotation `gala.internal/lock`. */
  readonly lock?: string;
  /** Annotation `gala.internal/slot`. */
  readonly slot?: string;
  /** The one node that its required affinity names. */
  readonly pinned?: string;
}

/** An IPLock, with the address it is named after. */
export type AddressLock = Pick<IPLock, 'spec'> & { readonly metadata: { readonly name: string } };

/** What is known of the world around one pod. */
export interface Known {
  /** UID of the pod that has this name now; undefined: there is none. */
  readonly uid: string | undefined;
  /** The Lock that the pod names; undefined: there is none, or it names none. */
  readonly lock: Pick<Lock, 'status'> | undefined;
  /** Other living pods that name the same slot of the same Lock: name, and whether they are on a node already. */
  readonly rivals: readonly Pick<PodFacts, 'name' | 'uid' | 'node'>[];
  /** Whether pods on a node take an address from Gala; undefined: the node isn't known. */
  readonly addressFromGala: (node: string) => boolean | undefined;
  /** IPLocks that name the pod's UID, and the one of the slot's own address. */
  readonly addresses: readonly AddressLock[];
}

/** No reason: it may be bound there. */
export type Verdict = { readonly reason?: undefined } | { readonly reason: string; readonly rule: Rule };

export type Rule = 'V1' | 'V2' | 'V3' | 'V4' | 'V5' | 'V6' | 'V7' | 'V8' | 'V9' | 'V10';

const AGAIN = 'delete the pod, and the one that takes its place gets a slot';
const yes: Verdict = {};
const no = (rule: Rule, reason: string): Verdict => ({ rule, reason: `gala: ${reason}` });

/**
 * @returns a verdict for each name in `nodes`, in their order
 * @example verify(aPod({ slot: 'loose', pinned: 'r12-01' }), ['r12-01'], known) // [{}]
 */
export function verify(pod: ScheduledPod, nodes: readonly string[], known: Known): Verdict[] {
  const all = ofPod(pod, known);
  if (all !== undefined) return nodes.map(() => all);
  const found = slotOf(known.lock, pod.slot);
  return nodes.map(
    (node) => (pod.slot === LOOSE ? ofLooseSlot(pod, node) : ofLockedSlot(pod, node, found)) ?? ofAddress(pod, node, known, found),
  );
}

/** What stands against the pod wherever it goes. */
function ofPod(pod: ScheduledPod, { uid, lock, rivals }: Known): Verdict | undefined {
  const { slot } = pod;
  if (slot === undefined) return no('V1', `the pod holds no slot, and did not wait behind the scheduling gate ${GATE} for one; ${AGAIN}`);
  if (slot !== LOOSE && !/^(0|[1-9][0-9]{0,8})$/.test(slot))
    return no('V2', `${SLOT_ANNOTATION} is '${slot.slice(0, 30)}', neither a slot's number nor ${LOOSE}; ${AGAIN}`);
  if (uid !== pod.uid)
    return uid === undefined ? no('V3', 'the pod is gone') : no('V3', 'another pod has its name by now; kube-scheduler will see it');
  if (slot === LOOSE) {
    if (pod.lock === undefined) return undefined;
    return no('V2', `the pod names a Lock by ${LOCK_ANNOTATION} and holds a loose slot; ${AGAIN}`);
  }
  if (pod.lock === undefined) return no('V2', `the pod holds slot ${slot} and names no Lock by ${LOCK_ANNOTATION}; ${AGAIN}`);
  const key = `${pod.namespace}/${pod.lock}`;
  if (lock === undefined) return no('V4', `Lock ${key} is gone; ${AGAIN}, once the Lock is there again`);
  const phase = lock.status?.phase ?? 'Planning';
  if (phase !== 'Ready') return no('V5', phase === 'Planning' ? `Lock ${key} is not Ready yet` : `Lock ${key} is ${phase}; ${AGAIN}`);
  // kube-scheduler asks about pods that are on no node yet.
  const rival = rivals.find((other) => before(other, { uid: pod.uid }));
  return rival && no('V7', `slot ${slot} of Lock ${key} is also that of pod ${rival.name}; ${AGAIN}`);
}

function ofLooseSlot({ pinned }: ScheduledPod, node: string): Verdict | undefined {
  if (pinned === undefined) return no('V8', `the pod holds a loose slot and is pinned to no node; ${AGAIN}`);
  return pinned === node ? undefined : no('V8', `the pod's slot is on ${pinned}`);
}

function ofLockedSlot({ namespace, lock, slot }: ScheduledPod, node: string, found: Slot | undefined): Verdict | undefined {
  if (found === undefined) return no('V6', `Lock ${namespace}/${lock} has no slot ${slot} any more; ${AGAIN}`);
  return found.node === node ? undefined : no('V6', `slot ${slot} of Lock ${namespace}/${lock} is on ${found.node}`);
}

type Slot = NonNullable<NonNullable<Lock['status']>['slots']>[number];

/** The slot of a Lock by its number, as the annotation has it. */
export function slotOf(lock: Known['lock'], slot: string | undefined): Slot | undefined {
  const number = Number(slot);
  return lock?.status?.slots?.find((one) => one.slot === number);
}

function ofAddress(pod: ScheduledPod, node: string, { addressFromGala, addresses }: Known, slot: Slot | undefined): Verdict {
  if (pod.hostNetwork) return yes;
  const wanted = addressFromGala(node);
  if (wanted === undefined) return no('V9', 'the node is not known to Gala yet');
  if (!wanted) return yes;
  const planned = slot?.address;
  const own = addresses.filter(({ metadata, spec }) => spec.podUID === pod.uid && (planned === undefined || metadata.name === planned));
  // One that was Quarantined before it was wired has another beside it.
  const mine = own.find(({ spec }) => spec.phase !== 'Quarantined') ?? own[0];
  const found = mine ?? addresses.find(({ metadata }) => metadata.name === planned);
  if (found === undefined)
    return no('V10', `no address is locked for the pod${planned === undefined ? '' : ` (its slot has ${planned})`}; ${AGAIN}`);
  return ofIPLock(found, pod, node);
}

function ofIPLock({ metadata: { name }, spec }: AddressLock, pod: ScheduledPod, node: string): Verdict {
  if (spec.podUID === undefined) return no('V10', `address ${name} of its slot is ${spec.phase} and not the pod's; ${AGAIN}`);
  if (spec.podUID !== pod.uid) return no('V10', `address ${name} of its slot is that of another pod, UID ${spec.podUID}; ${AGAIN}`);
  if (spec.node !== node) return no('V10', `the pod's address ${name} is on ${spec.node}`);
  if (spec.phase === 'Quarantined') return no('V10', `the pod's address ${name} is Quarantined: somebody else answers for it; ${AGAIN}`);
  return yes;
}
