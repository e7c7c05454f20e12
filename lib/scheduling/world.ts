/**
 * World: every kind that scheduling looks at, reflected from the API server, and the inventory that follows. One a process; the
 * lock writer, the extender and the stock API read the same one.
 */
import { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { CSISTORAGECAPACITIES, kindOf, NAMESPACES, NODES, PODS, STATEFULSETS, type Stored } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import { type Reflector, reflect } from '../kube/reflector.ts';
import { type Ahead, ahead, type Version } from './ahead.ts';
import { type PodFacts, podFacts, type StatefulSetFacts, statefulSetFacts } from './facts.ts';
import { interning } from './intern.ts';
import { type Held, type Inventory, type InventoryOptions, inventory } from './inventory.ts';
import { type NodeFacts, nodeFacts } from './node.ts';
import { storageCapacityFacts } from './storage.ts';

export { type ReadWorld, readWorld } from './read-world.ts';

export interface World {
  /**
   * What was answered to a write may be `set` here at once, and what it deleted `unset`: it counts until the watch tells something
   * newer, and the watch's older words don't take it back. An answer that the watch has overtaken is passed over.
   */
  readonly inventory: Inventory;
  readonly nodes: Reflector<NodeFacts>;
  readonly pods: Reflector<PodFacts>;
  readonly hostPools: Reflector<Stored<HostPool>>;
  readonly nodeNetworks: Reflector<Stored<NodeNetwork>>;
  readonly locks: Reflector<Stored<Lock>>;
  readonly ipLocks: Reflector<Stored<IPLock>>;
  readonly statefulSets: Reflector<StatefulSetFacts>;
  hasSynced(): boolean;
  /** Resolves when everything was read once; rejects when it was stopped before. */
  readonly synced: Promise<void>;
  /** Age of the kind that was heard of longest ago. */
  staleMs(): number;
  readonly stopped: Promise<void>;
}

export interface WorldOptions extends InventoryOptions {
  readonly signal: AbortSignal;
  readonly log?: Log;
}

/** `apiVersion` of a stored object is any text to the compiler. */
const plain = <T>(reflector: Reflector<Stored<T>>) => reflector as unknown as Reflector<T>;

/** How often the inventory is told what time it is: samples grow stale by it. */
const TICK_MS = 1000;

/** Begins at once; ends with `signal`. A kind whose CRD is missing is empty, not an error: the feature is off. */
export function watchWorld(api: Api, { signal, log, ...options }: WorldOptions): World {
  const all = inventory(options);
  const intern = interning();
  const watching = { signal, log, missing: 'empty' } as const;
  const nodes = reflect(api, NODES, { ...watching, keep: nodeFacts });
  const pods = reflect(api, PODS, { ...watching, keep: (pod) => podFacts(pod, intern) });
  const hostPools = reflect(api, kindOf(HostPool), watching);
  const nodeNetworks = reflect(api, kindOf(NodeNetwork), watching);
  const locks = reflect(api, kindOf(Lock), watching);
  const ipLocks = reflect(api, kindOf(IPLock), watching);
  const namespaces = reflect(api, NAMESPACES, { ...watching, keep: ({ metadata }) => metadata.labels ?? {} });
  const capacities = reflect(api, CSISTORAGECAPACITIES, { ...watching, keep: storageCapacityFacts });
  const statefulSets = reflect(api, STATEFULSETS, { ...watching, keep: statefulSetFacts });
  const reflectors = [nodes, pods, hostPools, nodeNetworks, locks, ipLocks, namespaces, capacities, statefulSets];

  const answers = new Map<keyof Held, Ahead>();
  /** The inventory follows a kind; `versionOf` where its objects are also set from answers. */
  function follow<K extends keyof Held>(kind: K, reflector: Reflector<Held[K]>, versionOf?: (object: Held[K]) => Version): void {
    const get = (key: string) => {
      const known = reflector.get(key);
      return known === undefined ? undefined : versionOf?.(known);
    };
    const answered = ahead({
      get,
      get resourceVersion() {
        return reflector.resourceVersion;
      },
    });
    if (versionOf !== undefined) answers.set(kind, answered);
    const set = (object: Held[K], key: string) => {
      if (versionOf === undefined || answered.told(key, versionOf(object))) all.set(kind, key, object);
    };
    reflector.on({
      added: set,
      updated: (_old, object, key) => set(object, key),
      deleted(object, key) {
        if (versionOf === undefined || answered.gone(key, versionOf(object).uid)) all.unset(kind, key);
      },
    });
  }
  const meta = ({ metadata }: { readonly metadata: object }) => metadata as Version;
  follow('Node', nodes);
  follow('Pod', pods, (pod) => pod);
  follow('HostPool', plain(hostPools));
  follow('NodeNetwork', plain(nodeNetworks), meta);
  follow('Lock', plain(locks), meta);
  follow('IPLock', plain(ipLocks), meta);
  follow('Namespace', namespaces);
  follow('CSIStorageCapacity', capacities);

  const tick = setInterval(() => {
    all.tick(Date.now());
    for (const [kind, answered] of answers) for (const key of answered.passed()) all.unset(kind, key);
  }, TICK_MS);
  tick.unref();
  all.tick(Date.now());

  const stopped = Promise.all(reflectors.map((reflector) => reflector.stopped)).then(() => clearInterval(tick));
  const synced = Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => {});
  // Nobody need wait for it: whoever does is told why it will not come.
  synced.catch(() => {});
  return {
    inventory: Object.create(all, {
      set: {
        value<K extends keyof Held>(kind: K, key: string, object: Held[K]): void {
          const version = kind === 'Pod' ? (object as PodFacts) : meta(object as Held['IPLock']);
          if (answers.get(kind)?.answered(key, version) ?? true) all.set(kind, key, object);
        },
      },
      unset: {
        value(kind: keyof Held, key: string): void {
          const object = all.objects(kind).get(key);
          if (object === undefined) return;
          const version = kind === 'Pod' ? (object as PodFacts) : meta(object as Held['IPLock']);
          if (answers.get(kind)?.deleted(key, version) ?? true) all.unset(kind, key);
        },
      },
    }),
    ...{ nodes, pods, hostPools, nodeNetworks, locks, ipLocks, statefulSets },
    hasSynced: () => reflectors.every((reflector) => reflector.hasSynced()),
    synced,
    staleMs: () => Math.max(...reflectors.map((reflector) => reflector.staleMs())),
    stopped,
  };
}
