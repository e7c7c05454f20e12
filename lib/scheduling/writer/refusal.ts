/**
 * Refusals: why a pod waits, as its event says it: one word for programs, a sentence for people, and what to do now. Pure.
 * What a node lacks is said by why.ts; here is what a Lock has against a pod.
 */
import { LOCK_ANNOTATION, REMADE_ANNOTATION } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import type { Demand, Limit, Placement } from '../types.ts';
import { whyOf } from '../why.ts';
import type { IPLockObject, LockObject } from './books.ts';
import type { Condition } from './found-out.ts';
import type { Slot } from './slots.ts';

export interface Refusal {
  /** CamelCase, as events and conditions have it. */
  readonly reason: string;
  readonly message: string;
  /** It passes by itself, in a moment: nobody is told before that has gone by. */
  readonly passes?: boolean;
}

export const isRefusal = (answer: object): answer is Refusal => 'reason' in answer && 'message' in answer;

const nameOf = ({ namespace, lock }: PodFacts) => `Lock ${namespace}/${lock}`;

export function sayNoLock(pod: PodFacts): Refusal {
  return {
    reason: 'NoSuchLock',
    message: `${nameOf(pod)} does not exist, and the pod's annotation ${LOCK_ANNOTATION} names it. Make it (gala lock), or delete the pod and leave the annotation out.`,
  };
}

export function sayLockNotReady(pod: PodFacts, { status }: LockObject): Refusal {
  const name = nameOf(pod);
  switch (status?.phase) {
    case 'Failed': {
      const why = (status.reasons ?? []).map(({ reason, message }) => message ?? reason).join('; ');
      return {
        reason: 'LockFailed',
        message: `${name} found no slots${why === '' ? '' : `: ${why}`}. Lock under another name, and make the pods with that one.`,
      };
    }
    case 'Expired':
      return { reason: 'LockExpired', message: `the slots of ${name} are over. Lock under another name, and make the pods with that one.` };
    default:
      return {
        reason: 'LockNotReady',
        message: `${name} is ${status?.phase ?? 'not planned yet'}; the pod gets its slot once it is Ready.`,
      };
  }
}

export function sayNoSlot(pod: PodFacts, { spec }: LockObject, slots: readonly Slot[]): Refusal {
  const used = slots.filter(({ state }) => state === 'used').length;
  const leaving = slots.filter(({ state }) => state === 'leaving').length;
  const missing = slots.filter(({ state }) => state === 'missing' || state === 'quarantined').length;
  const parts = [
    `${used} used`,
    ...(leaving > 0 ? [`${leaving} whose pods are leaving`] : []),
    ...(missing > 0 ? [`${missing} without their address yet`] : []),
  ];
  return {
    reason: 'NoSlot',
    message: `0 of ${slots.length} slots of ${nameOf(pod)} are free: ${parts.join(', ')}; ${spec.count} were asked for. Lock more under another name, or delete pods.`,
  };
}

export function sayNotOn(pod: PodFacts, _lock: LockObject, node: string, limit: Limit): Refusal {
  return {
    reason: 'SlotsRejectPod',
    message: `${nameOf(pod)} has free slots, and none on a node that takes this pod: ${node}: ${whyOf(limit).sentence}. Give the pod the template that was locked, or repair the nodes (gala explain pod ${pod.namespace}/${pod.name}).`,
  };
}

export function sayBelow(pod: PodFacts, _lock: LockObject, supply: string, asked: number, promised: number): Refusal {
  return {
    reason: 'AboveSlot',
    message: `the pod asks ${supply} ${asked}; a slot of ${nameOf(pod)} promises ${promised}. Make the pod as small as the locked template, or lock anew with the larger one.`,
  };
}

export function sayHostNetwork(pod: PodFacts, _lock: LockObject): Refusal {
  const own = pod.demand.address ? 'needs an address' : "is on the host's network";
  return {
    reason: 'OtherNetwork',
    message: `the pod ${own}, and the template of ${nameOf(pod)} ${pod.demand.address ? "is on the host's network" : 'needs one'}. Set hostNetwork alike in both.`,
  };
}

export function sayUnreadable(pod: PodFacts): Refusal {
  return { reason: 'Unreadable', message: `the pod can't be counted: ${pod.unreadable}. Correct its template.` };
}

/** Of a pod or Lock that comes while the IPLocks are made anew. */
export function sayRebuilding(waitsFor: string): Refusal {
  return {
    reason: 'Rebuilding',
    message: `the IPLocks are being rebuilt from what the nodes have wired, and nobody gets an address before that is done: ${waitsFor}. It goes on by itself then; gala ips rebuild says how far it is.`,
  };
}

/** Of an address that is this pod's by its IPLock, or was to be, and another pod's by the word of a node. */
export function sayWiredElsewhere(address: string, { node, pod }: { readonly node: string; readonly pod: string }): Refusal {
  return {
    reason: 'WiredElsewhere',
    message: `${address} is this pod's by its IPLock, and node ${node} says that pod ${pod} has it. It is this pod's once that one is taken down there; see kubectl get nodenetwork ${node} -o yaml.`,
  };
}

/** Of Gala's own. */
export function sayFault(because: string): Refusal {
  return {
    reason: 'InternalError',
    message: `a fault of Gala: ${because}. It is tried again, less and less often; the log of the lock writer says more, and belongs into a report of the fault.`,
  };
}

/**
 * Of a bare pod or an ordinal, whose own address is that of the pod of its name before it.
 * @param there the node of that one; undefined: it is gone
 */
export function sayAddressNotBack(
  address: string,
  { owner, node, podUID }: IPLockObject['spec'],
  there: { readonly ready: boolean } | undefined,
): Refusal {
  const isUp = there?.ready === true;
  const remedy = isUp
    ? `It is this pod's once that one is gone from node ${node}.`
    : `Node ${node} is ${there === undefined ? 'gone' : 'not Ready'}, and its machine may still use the address. ${orFence(node)}`;
  return {
    reason: 'AddressNotBack',
    message: `its own address ${address} is still that of pod ${owner} before it, UID ${podUID}. ${remedy}`,
    passes: isUp,
  };
}

/** Only who can see the machine knows that it is off. */
const orFence = (node: string): string => `Let the node come back, or see to it that the machine is off, and say so: gala fence ${node}`;

/** Of an address whose pod is gone, and that nobody gets. */
export function sayKept({ owner, node, podUID }: IPLockObject['spec'], because: string): Refusal {
  return {
    reason: 'AddressKept',
    message: `its pod of ${owner}, UID ${podUID}, is gone from the API; on node ${node}, ${because}. ${orFence(node)}`,
  };
}

/** @param to the node that was asked for; undefined: any other */
export function sayNotMoved(address: string, lock: string, node: string, to: string | undefined): Refusal {
  const where = to === undefined ? `no other node has` : `${to} does not have`;
  return {
    reason: 'NotMoved',
    message: `${where} its VLAN, and room for a slot of Lock ${lock} within its caps. ${address} stays on ${node}, and is tried again; gala stock says what nodes lack.`,
  };
}

/** @param said the agent's sentence, which names the MAC address */
export function sayConflict(address: string, node: string, said: string): Refusal {
  const remedy = `Nobody gets ${address} before it is let go: find that machine, then gala ips free ${address}`;
  return { reason: 'AddressConflict', message: `${address} on node ${node} is Quarantined: ${ended(said)} ${remedy}` };
}

/** Of a pod whose address is somebody else's before it was wired. */
export function sayNoOtherAddress(node: string, shut: readonly string[]): Refusal {
  const remedy = `It gets the next one that is freed; or delete the pod, and the one that takes its place is placed anew.`;
  return {
    reason: 'AddressConflict',
    message: `somebody else answers for its address ${shut.join(', ')}, and node ${node} has no other that is free. ${remedy}`,
  };
}

/** What its agent found, beside that nobody else has the address. */
export function sayAmiss(address: string, node: string, { reason, message }: Condition): Refusal {
  return { reason, message: `${address} on node ${node}: ${ended(message || reason)} The pod is wired all the same.` };
}

export const ended = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);

/** Of a pod that has its slot, and that its node doesn't take. */
export function sayRefusedByNode({ controller }: PodFacts, because: string, everywhere = false): Refusal {
  return { reason: 'NodeRefusesPod', message: `${because}. Its node can't be changed any more, and ${remedyFor(controller, everywhere)}` };
}

/** @param everywhere nodes enough said the same of pods of the controller */
function remedyFor(controller: PodFacts['controller'], everywhere: boolean): string {
  if (controller === undefined) return 'no controller makes another pod: delete it and make it anew, or repair the node.';
  const { group, kind, name } = controller;
  if (kind === 'DaemonSet') return `DaemonSet ${name} would make the next one for the same node: repair the node.`;
  if (kind === 'Job' && group === 'batch')
    return `Job ${name} would count its deletion as a failure (backoffLimit): repair the node, or delete the pod yourself.`;
  if (everywhere) return `other nodes said the same of pods of ${kind} ${name}: mend what the sentence names. The pod is bound then.`;
  return `whether ${kind} ${name} makes another one is not known: repair the node, or delete the pod yourself. Where it does, annotate its pods with ${REMADE_ANNOTATION}: 'true'.`;
}

export function sayClaimsUnread(): Refusal {
  const remedy = 'It is tried again; where that lasts, let the lock writer list and watch PersistentVolumeClaims and PersistentVolumes.';
  return { reason: 'VolumeClaimsUnread', message: `the claims of its volumes have not been read yet. ${remedy}`, passes: true };
}

export function sayNoClaim(claim: string): Refusal {
  const remedy = 'The pod gets its slot when it is there; else correct the name in its volumes.';
  // Pods and claims are two watches: the one may be ahead of the other.
  return { reason: 'NoVolumeClaim', message: `PersistentVolumeClaim ${claim} does not exist. ${remedy}`, passes: true };
}

export function sayClaimLeaves(claim: string): Refusal {
  const remedy = 'The pod gets its slot when another of that name is there; pods that still use this one keep it.';
  return { reason: 'VolumeClaimTerminating', message: `PersistentVolumeClaim ${claim} is being deleted. ${remedy}` };
}

export function sayNotBound(claim: string, volume: string): Refusal {
  const remedy = 'The pod gets its slot when it is: kubectl describe persistentvolumeclaim says what keeps it.';
  return { reason: 'VolumeNotBound', message: `PersistentVolumeClaim ${claim} is not bound to its volume ${volume} yet. ${remedy}` };
}

export function sayNoVolume(claim: string, volume: string | undefined): Refusal {
  const remedy = `The pod gets its slot when it is; kubectl get persistentvolume ${volume} says whether it is there.`;
  return {
    reason: 'NoVolume',
    message: `PersistentVolume ${volume}, which PersistentVolumeClaim ${claim} is bound to, is not known. ${remedy}`,
    passes: true,
  };
}

/** @param demand of the pod, with what its claims say */
export function sayTied({ reason, message }: Refusal, pod: PodFacts, demand: Demand): Refusal {
  if (demand.nodeTerms === pod.demand.nodeTerms) return { reason, message };
  return { reason, message: `${message} Its volumes are reachable from some nodes only: PersistentVolumeClaim ${pod.claims?.join(', ')}.` };
}

/** @param nodes that refused pods of its controller lately */
export function sayKeptAway({ reason, message }: Refusal, nodes: readonly string[]): Refusal {
  if (nodes.length === 0) return { reason, message };
  const names = nodes.length > TOLD ? `${nodes.slice(0, TOLD).join(', ')}, …` : nodes.join(', ');
  return {
    reason,
    message: `${message} For some minutes it gets no slot on ${names}: kube-scheduler or the node refused pods of its controller there.`,
  };
}

/** That sentence in an event, for who reads it again. */
export const KEPT_AWAY = /For some minutes it gets no slot on .*? there\./;

type Refused = Extract<Placement, { readonly refused: Limit }>;

/** Reasons that an event has room for: most clusters have fewer. */
const TOLD = 5;

/** `0 of 100 nodes: 31 NoAddress (no address is free on their VLANs or ENIs), …. Free Held addresses …` */
export function sayNotPlaced({ refused, limits }: Refused): Refusal {
  const total = limits.reduce((sum, { nodes }) => sum + nodes, 0);
  const parts = limits.slice(0, TOLD).map(({ limit, nodes }) => `${nodes} ${whyOf(limit).reason} (${whyOf(limit).sentence})`);
  const { reason, remedy } = whyOf(refused);
  const why = parts.length === 0 ? whyOf(refused).sentence : `${parts.join(', ')}${limits.length > TOLD ? ', …' : ''}`;
  return { reason, message: `0 of ${total} nodes: ${why}. ${remedy}` };
}

/** Why a Lock is Failed or not more, the largest first, as many as its status takes; limits that share a word are one. */
export function reasonsOf(limits: Refused['limits']): { reason: string; nodes: number; message: string }[] {
  const found = new Map<string, { reason: string; nodes: number; message: string }>();
  for (const { limit, nodes } of limits) {
    const { reason, sentence, remedy } = whyOf(limit);
    const same = found.get(reason);
    if (same === undefined) found.set(reason, { reason, nodes, message: `${sentence}. ${remedy}` });
    else same.nodes += nodes;
  }
  return [...found.values()].sort((a, b) => b.nodes - a.nodes).slice(0, 16);
}
