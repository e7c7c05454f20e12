/**
 * Reading the world once: everything that scheduling looks at, as it is now, for a person's question or to be saved. What the caller
 * may not list, or what this cluster has no kind of, counts as empty and is told.
 */
import { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import type { Api, CallOptions } from '../kube/client.ts';
import { ApiError } from '../kube/error.ts';
import { type AnyObject, CSISTORAGECAPACITIES, type Kind, keyOf, kindOf, NAMESPACES, NODES, PODS, STATEFULSETS } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { podFacts, type StatefulSetFacts, statefulSetFacts } from './facts.ts';
import { interning } from './intern.ts';
import { type Held, type Inventory, type InventoryOptions, inventory } from './inventory.ts';
import { nodeFacts } from './node.ts';
import { storageCapacityFacts } from './storage.ts';

export interface ReadWorld {
  readonly inventory: Inventory;
  readonly statefulSets: readonly StatefulSetFacts[];
  /** What could not be read: a kind that isn't there, or that the caller may not list. It counts as empty. */
  readonly unread: readonly { readonly kind: string; readonly because: 'missing' | 'forbidden' }[];
  /** When reading began, Unix milliseconds: nothing in it is older. */
  readonly readAtMs: number;
}

/** Kinds without which nothing can be said. */
const NEEDED: readonly Kind[] = [NODES, PODS];

/**
 * Everything as it is now, read once: for a person's question, or to save it. List rights on nodes and pods are enough; what else
 * there is makes the answer better.
 * @throws {ApiError} when nodes or pods can't be listed, or the API server fails @throws {NoAnswer}
 */
export async function readWorld(api: Api, { signal, timeoutMs, ...options }: InventoryOptions & CallOptions = {}): Promise<ReadWorld> {
  const readAtMs = Date.now();
  const all = inventory(options);
  const intern = interning();
  const unread: { kind: string; because: 'missing' | 'forbidden' }[] = [];
  all.tick(readAtMs);

  async function read<T extends AnyObject, S>(
    kind: Kind<T>,
    keep: (object: T) => S,
    put: (all: ReadonlyMap<string, S>) => void,
  ): Promise<void> {
    const found = new Map<string, S>();
    const page = (items: readonly T[]) => {
      for (const item of items) found.set(keyOf(item.metadata), keep(item));
    };
    try {
      await eachPage(api, kind, { signal, timeoutMs }, page, () => found.clear());
    } catch (error) {
      const status = error instanceof ApiError ? error.status : undefined;
      if (NEEDED.includes(kind) || (status !== 404 && status !== 403)) throw error;
      unread.push({ kind: kind.kind, because: status === 404 ? 'missing' : 'forbidden' });
      return;
    }
    put(found);
  }
  const held = <T extends AnyObject, K extends keyof Held>(name: K, kind: Kind<T>, keep: (object: T) => Held[K]) =>
    read(kind, keep, (found) => {
      for (const [key, object] of found) all.set(name, key, object);
    });
  const whole = (object: AnyObject) => object as never;
  let statefulSets: readonly StatefulSetFacts[] = [];

  await Promise.all([
    held('Node', NODES, nodeFacts),
    held('Pod', PODS, (pod) => podFacts(pod, intern)),
    held('HostPool', kindOf(HostPool), whole),
    held('NodeNetwork', kindOf(NodeNetwork), whole),
    held('Lock', kindOf(Lock), whole),
    held('IPLock', kindOf(IPLock), whole),
    held('Namespace', NAMESPACES, ({ metadata }) => metadata.labels ?? {}),
    held('CSIStorageCapacity', CSISTORAGECAPACITIES, storageCapacityFacts),
    read(STATEFULSETS, statefulSetFacts, (found) => {
      statefulSets = [...found.values()];
    }),
  ]);
  return { inventory: all, statefulSets, unread: unread.sort((a, b) => (a.kind < b.kind ? -1 : 1)), readAtMs };
}
