/**
 * Facts: as much of an object as the inventory and the lock writer keep. 50,000 whole pods would be some 400 MB; their facts are
 * a tenth, because pods of one template share one Demand.
 */
import type { V1OwnerReference, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import { sentence } from '../api/problem.ts';
import { GATE, LOCK_ANNOTATION, REMADE_ANNOTATION, SLOT_ANNOTATION } from '../api/scheduling.ts';
import { readShape, type Shape } from './demand.ts';
import type { Intern } from './intern.ts';
import { looseOwner } from './owner.ts';
import { unpinned } from './pin.ts';
import { reader } from './reading.ts';
import { withResize } from './resize.ts';
import { bareTemplate } from './template.ts';
import type { Demand } from './types.ts';

/** A pod, as far as anybody here needs to know it. */
export interface PodFacts {
  /** `<namespace>/<name>` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Shared by all pods of the same shape. Its `owner` is that of owner.ts, and none where the pod names a Lock: then the Lock says
   * whose it is. It does not name the node that the pod is pinned to: whoever looks for a place sees to `pinned`.
   */
  readonly demand: Demand;
  /** What of it could not be read, with its path: such a pod never gets a slot. */
  readonly unreadable?: string;
  readonly schedulerName: string;
  /** Waits behind Gala's own scheduling gate. */
  readonly gated: boolean;
  /** Waits behind somebody else's gate: it gets no slot before that is gone. */
  readonly gatedByOthers: boolean;
  /** `spec.nodeName`. */
  readonly node?: string;
  /** The one node that its required affinity names by `metadata.name`. */
  readonly pinned?: string;
  /** Annotation `gala.internal/lock`. */
  readonly lock?: string;
  /** Annotation `gala.internal/slot`. */
  readonly slot?: string;
  /** Succeeded or Failed: it uses nothing any more. */
  readonly done: boolean;
  /** Its deletion has begun; it uses what it has until it is gone. */
  readonly deleting: boolean;
  /** `spec.priority`: of pods that wait, the higher ones are given slots first. 0 where left out. */
  readonly priority?: number;
  /** What kube-scheduler says in the condition PodScheduled (status False, reason Unschedulable) since it looked last. */
  readonly unschedulable?: string;
  readonly controller?: Controller;
  /** Annotation `gala.internal/remade`: its controller makes another where this one is deleted. */
  readonly remade?: boolean;
  /** Unix milliseconds, for an order among pods and for people. */
  readonly createdMs: number;
  /** `status.startTime`: when the kubelet took it up. What it uses can be in no sample that is older. */
  readonly startedMs?: number;
  /** Claims by name that its volumes refer to: `withClaims` (volumes.ts) adds what they ask to the demand. */
  readonly claims?: readonly string[];
}

/** `metadata.ownerReferences`, the one that controls. */
export interface Controller {
  /** API group of its kind, '' of core. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A StatefulSet: which of its ordinals may come back for their addresses. */
export interface StatefulSetFacts {
  readonly key: string;
  readonly uid: string;
  readonly replicas: number;
  /** `spec.ordinals.start`. */
  readonly firstOrdinal: number;
}

/**
 * The facts of a stored pod. A pod is never refused here: what can't be read is told in `unreadable`, and the rest counts.
 * @param intern one for all pods of a process
 */
export function podFacts(pod: Manifest<V1Pod>, intern: Intern): PodFacts {
  const { metadata: meta = {}, spec, status } = pod;
  const { name = '', uid = '', annotations = {} } = meta;
  const from = meta.ownerReferences?.find(({ controller }) => controller === true);
  const controller = from && intern.keep('controller', from.uid, () => controllerOf(from));
  const namespace = intern.text(meta.namespace ?? '');
  const lock = annotations[LOCK_ANNOTATION];
  const gates = spec?.schedulingGates ?? [];
  const { affinity, node: pinned } = unpinned(spec?.affinity);
  const asked = {
    metadata: meta,
    spec: { ...(spec && withResize(spec, status)), affinity, nodeName: undefined, schedulerName: undefined },
  };
  const owner = lock === undefined ? looseOwner({ namespace, name, labels: meta.labels, controller }) : undefined;
  const { demand, claims, unreadable } = askedBy(asked, { namespace, owner }, intern);
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid,
    resourceVersion: meta.resourceVersion ?? '',
    demand,
    unreadable,
    schedulerName: intern.text(spec?.schedulerName ?? 'default-scheduler'),
    gated: gates.some((gate) => gate.name === GATE),
    gatedByOthers: gates.some((gate) => gate.name !== GATE),
    node: intern.text(spec?.nodeName || undefined),
    pinned: intern.text(pinned),
    lock: intern.text(lock),
    slot: intern.text(annotations[SLOT_ANNOTATION]),
    done: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    deleting: meta.deletionTimestamp !== undefined && meta.deletionTimestamp !== null,
    priority: spec?.priority ?? undefined,
    unschedulable: unschedulable(status),
    controller,
    ...(annotations[REMADE_ANNOTATION] === 'true' && { remade: true }),
    createdMs: timeOf(meta.creationTimestamp) ?? 0,
    startedMs: timeOf(status?.startTime),
    claims: claims.length === 0 ? undefined : claims,
  };
}

function controllerOf({ apiVersion, kind, name, uid }: Manifest<V1OwnerReference>): Controller {
  const slash = apiVersion.indexOf('/');
  return { group: slash === -1 ? '' : apiVersion.slice(0, slash), kind, name, uid };
}

type Status = Manifest<V1Pod>['status'];

function unschedulable(status: Status): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? (scheduled.message ?? '') : undefined;
}

function timeOf(timestamp: string | null | undefined): number | undefined {
  const ms = timestamp === undefined || timestamp === null ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(ms) ? undefined : ms;
}

interface Asked {
  readonly demand: Demand;
  readonly claims: readonly string[];
  readonly unreadable?: string;
}

/** Shapes are told apart by what they are read from: a pod of a known template is not read again. */
function askedBy(pod: unknown, whose: { readonly namespace: string; readonly owner?: string }, intern: Intern): Asked {
  const { metadata, spec } = bareTemplate(pod);
  const { labels } = metadata;
  const written = JSON.stringify([metadata.annotations, spec]);
  // What a shape takes from its pod beside the spec: the namespace of its pod affinity, the labels that `matchLabelKeys` name.
  const own = written.includes('"podA') ? whose.namespace : '';
  const named = written.includes('atchLabelKeys') ? JSON.stringify(labels) : '';
  const read = intern.keep('shape', `${own} ${named} ${written}`, () => readAll(pod, whose.namespace));
  const { shape, id, unreadable } = read;
  return intern.keep('demand', `${id} ${whose.namespace} ${whose.owner} ${JSON.stringify(labels)}`, () => {
    const { claims, ...rest } = shape;
    const own = readLabels(labels);
    return { demand: { namespace: whose.namespace, owner: whose.owner, ...rest, labels: own }, claims, unreadable };
  });
}

let shapes = 0;

function readAll(pod: unknown, namespace: string): { readonly shape: Shape; readonly id: number; readonly unreadable?: string } {
  const read = reader();
  const shape = readShape(pod, { namespace }, read);
  const [first, ...more] = read.problems;
  const unreadable = first && `${sentence(first)}${more.length === 0 ? '' : ` And ${more.length} more.`}`;
  return { shape, id: ++shapes, unreadable };
}

const readLabels = (labels: unknown) => reader().labels(labels, 'metadata.labels');

export function statefulSetFacts({ metadata, spec }: Manifest<V1StatefulSet>): StatefulSetFacts {
  return {
    key: `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
    uid: metadata?.uid ?? '',
    replicas: spec?.replicas ?? 1,
    firstOrdinal: spec?.ordinals?.start ?? 0,
  };
}
