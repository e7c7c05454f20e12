/**
 * IPLocks as the lock writer writes them: new, assigned to a pod, held, taken over. Pure; each function answers with the object
 * to send, and an update carries the resourceVersion it was decided on, so that whoever wrote meanwhile wins.
 */
import type { IPLock } from '../../api/kinds.ts';
import { FENCED_ANNOTATION, FREE_ANNOTATION, MOVE_ANNOTATION, PROBED, WIRED, WIRED_REASONS } from '../../api/network.ts';
import { GROUP, VERSION } from '../../api/resource.ts';
import { OWNER_KIND_ANNOTATION, POD_ANNOTATION, WAS_HELD_ANNOTATION, WRITER_ANNOTATION } from '../../api/scheduling.ts';
import type { Draft } from '../../kube/kinds.ts';
import type { IPLockObject } from './books.ts';
import { conditionOf, statusWithout } from './found-out.ts';

/** The pod that an address is for. */
export interface ForPod {
  readonly name: string;
  readonly uid: string;
  /** The term of the lock writer that gives it: late writes of former ones fail, because the object has changed. */
  readonly term: string;
  /** Kind of its controller, for how long the address is Held after it; of loose pods only. */
  readonly ownerKind?: string;
}

export interface ForLock {
  readonly namespace: string;
  readonly name: string;
}

/** Whom an address is locked for: the slot of a Lock, a pod, or the pod that takes the slot. */
export interface Whom {
  readonly node: string;
  readonly lock?: ForLock;
  readonly pod?: ForPod;
}

export interface NewAddress extends Whom {
  readonly address: string;
  readonly mac: string;
  /** `<namespace>/<name>` */
  readonly owner: string;
}

/** To be created: AlreadyExists means that the address is taken. */
export function newIPLock({ address, mac, owner, ...whom }: NewAddress): Draft<IPLockObject> {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: 'IPLock',
    metadata: { name: address, annotations: annotations({}, whom) },
    spec: { phase: 'Locked', mac, owner, ...place(whom) },
  };
}

/** As the node of a pod told it (`gala ips rebuild`): Bound, and wired until that node says otherwise. */
export function rebuiltIPLock({ address, mac, owner, ...whom }: NewAddress & { readonly pod: ForPod }, now: Date): Draft<IPLockObject> {
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const message = `Rebuilt: node ${whom.node} had it wired when it was asked.`;
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: 'IPLock',
    metadata: { name: address, annotations: annotations({}, whom) },
    spec: { phase: 'Bound', mac, owner, ...place(whom) },
    status: { conditions: [{ type: WIRED, status: 'True', reason: 'Rebuilt', message, lastTransitionTime: at }] },
  };
}

/** Held → Locked: node, Lock and pod may all be others; owner and MAC stay. `wasHeld`: an undone plan makes it Held again. */
export function takenOver(ipLock: IPLockObject, whom: Whom, wasHeld = false): Draft<IPLockObject> {
  const { owner, mac } = ipLock.spec;
  const own = annotations(ipLock.metadata.annotations, whom);
  if (wasHeld) own[WAS_HELD_ANNOTATION] = 'true';
  // What was looked for on one node's wire says nothing of another's; and what was amiss is looked for anew.
  const isStillSo = whom.node === ipLock.spec.node && conditionOf(ipLock, PROBED)?.status === 'True';
  const past = isStillSo ? [WIRED] : [WIRED, PROBED];
  return { ...change(ipLock, { phase: 'Locked', mac, owner, ...place(whom) }, own), ...statusWithout(ipLock, past) };
}

/** Locked → Locked: the slot's pod has come; or it names the pod already, and this lock writer takes it up. */
export function assigned(ipLock: IPLockObject, pod: ForPod): Draft<IPLockObject> {
  const { spec } = ipLock;
  return change(ipLock, { ...spec, podUID: pod.uid }, annotations(ipLock.metadata.annotations, { node: spec.node, lock: spec.lock, pod }));
}

/** Of a pod's address, on a node that says when nothing of it is left: it may be wired from now on, without another word. */
export function givenToNode(ipLock: Draft<IPLockObject>, now: Date): Draft<IPLockObject> {
  const { phase, podUID, node } = ipLock.spec ?? {};
  const all = ipLock.status?.conditions ?? [];
  // What it said while the pod waited for its slot is past.
  const conditions = all.filter(({ type, status }) => type !== WIRED || status !== 'False');
  if (phase !== 'Locked' || podUID === undefined || conditions.some(({ type }) => type === WIRED)) return ipLock;
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const message = `Node ${node} may wire it, and says when nothing of it is left.`;
  const given = { type: WIRED, status: 'Unknown', reason: WIRED_REASONS.given, message, lastTransitionTime: at } as const;
  return { ...ipLock, status: { ...ipLock.status, conditions: [...conditions, given] } };
}

/** Locked or Bound → Held: the pod is gone, or never comes. Of the Lock still, or of nobody but its owner. */
export function held(ipLock: IPLockObject, { ofLock }: { readonly ofLock: boolean }): Draft<IPLockObject> {
  const { node, mac, owner, lock } = ipLock.spec;
  const kept = { ...ipLock.metadata.annotations };
  for (const past of [POD_ANNOTATION, WRITER_ANNOTATION, WAS_HELD_ANNOTATION, ...BY_PEOPLE]) delete kept[past];
  const spec = { phase: 'Held' as const, node, mac, owner, ...(ofLock && lock ? { lock } : {}) };
  return { ...change(ipLock, spec, kept), ...statusWithout(ipLock, [WIRED]) };
}

/** Held → Held: its slot is on another node by now. What was looked for on one node's wire says nothing of another's. */
export function movedTo(ipLock: IPLockObject, node: string): Draft<IPLockObject> {
  const { [MOVE_ANNOTATION]: _, ...kept } = ipLock.metadata.annotations ?? {};
  return { ...change(ipLock, { ...ipLock.spec, node }, kept), ...statusWithout(ipLock, [WIRED, PROBED]) };
}

/** Locked or Held → Quarantined: somebody else answers for it. Whom it was for, and who answered, stands on it for people. */
export function quarantined(ipLock: IPLockObject): Draft<IPLockObject> {
  const { [FREE_ANNOTATION]: _free, [MOVE_ANNOTATION]: _move, ...kept } = ipLock.metadata.annotations ?? {};
  // Its node has said that another machine has it, and so that it has not wired it.
  return { ...change(ipLock, { ...ipLock.spec, phase: 'Quarantined' }, kept), ...statusWithout(ipLock, [WIRED]) };
}

/** Said of the address as it was: worth nothing after the next write. */
const BY_PEOPLE = [FREE_ANNOTATION, MOVE_ANNOTATION, FENCED_ANNOTATION] as const;

function place({ node, lock, pod }: Whom) {
  return { node, ...(lock && { lock: { namespace: lock.namespace, name: lock.name } }), ...(pod && { podUID: pod.uid }) };
}

function annotations(before: Readonly<Record<string, string>> | undefined, { lock, pod }: Whom): Record<string, string> {
  const others = { ...before };
  for (const own of [POD_ANNOTATION, WRITER_ANNOTATION, WAS_HELD_ANNOTATION, OWNER_KIND_ANNOTATION, ...BY_PEOPLE]) delete others[own];
  return {
    ...others,
    ...(pod && { [POD_ANNOTATION]: pod.name, [WRITER_ANNOTATION]: pod.term }),
    ...(lock === undefined && pod !== undefined && { [OWNER_KIND_ANNOTATION]: pod.ownerKind ?? 'Pod' }),
  };
}

function change({ metadata, ...rest }: IPLockObject, spec: IPLock['spec'], own: Record<string, string>): Draft<IPLockObject> {
  // Merged by hand and sent whole: an update with this resourceVersion fails when anything was written since.
  return { ...rest, metadata: { ...metadata, annotations: own }, spec };
}

/**
 * The MAC address of a pod's IP on a VLAN: the same on every node and after every restart.
 * @param ip IPv4, dotted
 * @returns six lower-case hex octets, locally administered and unicast (IEEE 802)
 * @throws {RangeError} when `ip` is not IPv4
 * @example macFromIp('10.7.1.5') // '02:67:0a:07:01:05'
 */
export function macFromIp(ip: string): string {
  const octets = ip.split('.');
  if (octets.length !== 4 || octets.some((octet) => !/^\d{1,3}$/.test(octet) || Number(octet) > 255))
    throw new RangeError(`'${ip}' is not an IPv4 address such as 10.7.1.5`);
  return ['02', '67', ...octets.map((octet) => Number(octet).toString(16).padStart(2, '0'))].join(':');
}
