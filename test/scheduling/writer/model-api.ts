/**
 * A model of the API server for the lock writer's decisions: objects with resourceVersions that grow, AlreadyExists and Conflict as
 * they are there, and a log of changes that watchers read at their own pace. What the CRD's rules refuse is a failure of the test:
 * the lock writer never asks for it. The real one is asked the same in the bed's tests.
 */
import { TRANSITIONS } from '../../../lib/api/ip-lock.ts';
import { SLOT_ANNOTATION } from '../../../lib/api/scheduling.ts';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import type { IPLockObject, LockObject } from '../../../lib/scheduling/writer/books.ts';
import { conflictOn, wiredBy } from '../../../lib/scheduling/writer/found-out.ts';
import type { Call, Outcome } from '../../../lib/scheduling/writer/write.ts';
import { aUid } from '../builders.ts';

export type ModelKind = 'Pod' | 'Lock' | 'IPLock';
export interface Objects {
  Pod: PodFacts;
  Lock: LockObject;
  IPLock: IPLockObject;
}

export interface Change<K extends ModelKind = ModelKind> {
  readonly kind: K;
  readonly key: string;
  readonly object: Objects[K];
  readonly gone: boolean;
}

export interface ModelApi {
  readonly objects: { readonly [K in ModelKind]: Map<string, Objects[K]> };
  /** Everything that happened to a kind, in order. */
  readonly log: { readonly [K in ModelKind]: Change<K>[] };
  /** Seconds since the model began. */
  now: number;
  readonly templates: Map<string, unknown>;
  /** Machines that are off, as everybody knows. */
  readonly off: Set<string>;
  do(call: Call): Outcome;
  /** What users, controllers and kubelets do. */
  createLock(key: string, spec: LockObject['spec']): void;
  change<K extends ModelKind>(kind: K, key: string, change: (object: Objects[K]) => Objects[K]): void;
  createPod(pod: PodFacts): void;
  remove(kind: ModelKind, key: string): void;
}

const done = (object: Objects[ModelKind]): Outcome => ({ is: 'done', object });
const doubtful = (message: string): Outcome => ({ is: 'doubtful', message });

export function modelApi(): ModelApi {
  const objects: ModelApi['objects'] = { Pod: new Map(), Lock: new Map(), IPLock: new Map() };
  const log: ModelApi['log'] = { Pod: [], Lock: [], IPLock: [] };
  const off = new Set<string>();
  let version = 100;

  function store<K extends ModelKind>(kind: K, key: string, object: Objects[K]): Objects[K] {
    const resourceVersion = String(++version);
    const stored =
      kind === 'Pod' ? { ...object, resourceVersion } : { ...object, metadata: { ...(object as LockObject).metadata, resourceVersion } };
    objects[kind].set(key, stored as Objects[K]);
    log[kind].push({ kind, key, object: stored as Objects[K], gone: false } as never);
    return stored as Objects[K];
  }

  function remove(kind: ModelKind, key: string): void {
    const object = objects[kind].get(key);
    if (object === undefined) return;
    objects[kind].delete(key);
    version++;
    log[kind].push({ kind, key, object, gone: true } as never);
  }

  const uidOf = (object: Objects[ModelKind]) => ('uid' in object ? object.uid : object.metadata.uid);
  const versionOf = (object: Objects[ModelKind]) => ('uid' in object ? object.resourceVersion : object.metadata.resourceVersion);
  const keyOf = ({ namespace, name }: { namespace?: string; name?: string }) => (namespace === undefined ? name! : `${namespace}/${name}`);

  const model: ModelApi = {
    ...{ objects, log, now: 0, templates: new Map(), off, remove },
    createLock(key, spec) {
      const [namespace, name] = key.split('/') as [string, string];
      if (objects.Lock.has(key)) return;
      const metadata = { namespace, name, uid: aUid(), resourceVersion: '', generation: 1 };
      store('Lock', key, { apiVersion: 'gala.internal/v1alpha1', kind: 'Lock', metadata, spec });
    },
    createPod(pod) {
      if (!objects.Pod.has(pod.key)) store('Pod', pod.key, { ...pod, createdMs: model.now * 1000 });
    },
    change(kind, key, change) {
      const object = objects[kind].get(key);
      if (object !== undefined) store(kind, key, change(object));
    },
    do(call) {
      switch (call.do) {
        case 'create': {
          const name = call.object.metadata.name!;
          if (objects.IPLock.has(name)) return doubtful('AlreadyExists');
          const { spec } = call.object as IPLockObject;
          if (spec.phase === 'Held') throw new Error(`IPLock ${name} is created Held`);
          const stamp = new Date(model.now * 1000).toISOString();
          const metadata = { ...call.object.metadata, uid: aUid(), creationTimestamp: stamp };
          return done(store('IPLock', name, { ...call.object, metadata } as IPLockObject));
        }
        case 'update': {
          const name = call.object.metadata.name!;
          const before = objects.IPLock.get(name);
          if (before === undefined || before.metadata.uid !== call.object.metadata.uid)
            return before ? doubtful('Conflict') : { is: 'gone' };
          if (before.metadata.resourceVersion !== call.object.metadata.resourceVersion) return doubtful('Conflict');
          mayBecome(before, call.object as IPLockObject, off);
          return done(store('IPLock', name, call.object as IPLockObject));
        }
        case 'status': {
          const key = keyOf(call.object.metadata as { namespace: string; name: string });
          const before = objects.Lock.get(key);
          if (before === undefined) return { is: 'gone' };
          if (before.metadata.resourceVersion !== call.object.metadata.resourceVersion) return doubtful('Conflict');
          return done(store('Lock', key, { ...before, status: (call.object as LockObject).status }));
        }
        case 'patch': {
          const pod = objects.Pod.get(keyOf(call.id));
          if (pod === undefined) return { is: 'gone' };
          const { metadata, spec } = call.patch as unknown as Pinning;
          if (pod.uid !== metadata.uid || pod.resourceVersion !== metadata.resourceVersion) return doubtful('Conflict');
          const required = spec.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
          const pinned = pod.pinned ?? required![0]!.matchFields.find(({ key }) => key === 'metadata.name')!.values[0]!;
          return done(store('Pod', pod.key, { ...pod, gated: false, pinned, slot: metadata.annotations[SLOT_ANNOTATION]! }));
        }
        case 'delete': {
          const key = keyOf(call.id);
          const object = objects[call.kind].get(key);
          if (object === undefined) return { is: 'gone' };
          if (uidOf(object) !== call.uid || versionOf(object) !== call.resourceVersion) return doubtful('Conflict');
          if (call.kind === 'IPLock') mayLeave(object as IPLockObject, 'nothing', off);
          remove(call.kind, key);
          return { is: 'done' };
        }
        case 'read': {
          const object = objects[call.kind].get(keyOf(call.id));
          return object === undefined ? { is: 'gone' } : done(object);
        }
        case 'find': {
          const pod = [...objects.Pod.values()].find(({ uid, namespace }) => uid === call.uid && namespace === call.namespace);
          return pod === undefined ? { is: 'gone' } : done(pod);
        }
        case 'template': {
          const template = model.templates.get(call.podFrom.name);
          return template === undefined ? { is: 'gone' } : { is: 'done', template };
        }
        default:
          return call satisfies never;
      }
    },
  };
  return model;
}

interface Pinning {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly affinity?: {
      readonly nodeAffinity: {
        readonly requiredDuringSchedulingIgnoredDuringExecution: {
          readonly nodeSelectorTerms: readonly { readonly matchFields: readonly { readonly key: string; readonly values: string[] }[] }[];
        };
      };
    };
  };
}

/** What a node has wired it alone takes down: until it has said so, the address stays its pod's. */
function mayLeave(ipLock: IPLockObject, to: string, off: ReadonlySet<string>): void {
  // Both are its agent's words: what another machine answers for it has not wired, and does not.
  if (to === 'Quarantined' && conflictOn(ipLock) !== undefined) return;
  if (wiredBy(ipLock) === 'may be' && !off.has(ipLock.spec.node))
    throw new Error(`IPLock ${ipLock.metadata.name}: Bound → ${to}: it is wired`);
}

/** The table on the kind's own page, which the CRD's rules are tested against. */
function mayBecome(ipLock: IPLockObject, { spec: after }: IPLockObject, off: ReadonlySet<string>): void {
  const { spec: before, metadata } = ipLock;
  const way = TRANSITIONS.find(({ from, to }) => from === before.phase && to === after.phase);
  const wrong = (what: string) => new Error(`IPLock ${metadata.name}: ${before.phase} → ${after.phase}: ${what}`);
  if (way === undefined) throw wrong('no such way');
  if (after.phase !== before.phase) mayLeave(ipLock, after.phase, off);
  if (before.owner !== after.owner || before.mac !== after.mac) throw wrong('owner and MAC stay');
  for (const field of ['node', 'podUID', 'lock'] as const) {
    const [old, now] = [JSON.stringify(before[field]), JSON.stringify(after[field])];
    const may = way[field];
    const ok =
      may === 'any' ||
      (may === 'same' && old === now) ||
      (may === 'once' && (old === undefined || old === now)) ||
      (may === 'left out' && now === undefined) ||
      (may === 'same or left out' && (now === undefined || old === now));
    if (!ok) throw wrong(`${field} ${old} → ${now}`);
  }
}
