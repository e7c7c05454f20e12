/**
 * Inventory: what there is and what is promised, as columns that follow the objects one change at a time. Pure: no I/O, no
 * clock. Fed by watches (world.ts), by a definition (planned.ts) or by a saved snapshot (snapshot.ts).
 */
import type { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import { LOOSE } from '../api/scheduling.ts';
import type { PodFacts } from './facts.ts';
import { claims, ofSlot } from './inventory/claims.ts';
import { columns } from './inventory/columns.ts';
import { lockSlots } from './inventory/lock-slots.ts';
import type { NodeFacts } from './node.ts';
import type { StorageCapacityFacts } from './storage.ts';
import type { Demand, Terrain } from './types.ts';

/** Live use of a node, as something measured it. */
export interface Sample {
  /** Bits a second. */
  readonly egress?: number;
  /** Bits a second. */
  readonly ingress?: number;
  /** Bytes used of the filesystem behind `ephemeral-storage`. */
  readonly ephemeralStorage?: number;
  /** Cores in use. */
  readonly cpu?: number;
  /** Bytes in use (working set). */
  readonly memory?: number;
  /** When it was measured; Unix milliseconds, as `tick` counts. */
  readonly atMs: number;
}

/** What each kind is stored as. */
export interface Held {
  Node: NodeFacts;
  Pod: PodFacts;
  HostPool: HostPool;
  NodeNetwork: NodeNetwork;
  Lock: Lock;
  IPLock: IPLock;
  /** Labels of a namespace. */
  Namespace: Readonly<Record<string, string>>;
  CSIStorageCapacity: StorageCapacityFacts;
}

export interface InventoryOptions {
  /** What a missing or stale sample means. @default 'assume-requested' */
  readonly missingSamples?: 'assume-requested' | 'refuse';
  /** Older samples are stale. @default 60_000 */
  readonly sampleMaxAgeMs?: number;
}

export interface Promised {
  readonly node: string;
  readonly demand: Demand;
  readonly address?: string;
}

export interface Inventory extends Terrain {
  /** Takes the object as it is now; setting the same again changes nothing. */
  set<K extends keyof Held>(kind: K, key: string, object: Held[K]): void;
  unset(kind: keyof Held, key: string): void;
  sample(node: string, sample: Sample | undefined): void;
  /** The moment that samples are judged by; moves on its own only when told. Unix milliseconds. */
  tick(nowMs: number): void;
  /**
   * What was decided and isn't in the API server yet counts from the moment of the decision. A promise ends by `release`, which
   * the caller calls when the object that says it was `set`, or when the write failed.
   */
  promise(key: string, what: Promised): void;
  release(key: string): void;
  /** Everything that was set and not unset, by key. */
  objects<K extends keyof Held>(kind: K): ReadonlyMap<string, Held[K]>;
  samples(): Iterable<readonly [node: string, sample: Sample]>;
  promises(): Iterable<readonly [key: string, promise: Promised]>;
  /** As the last `tick` said. */
  readonly nowMs: number;
}

export function inventory(options: InventoryOptions = {}): Inventory {
  const held: { readonly [K in keyof Held]: Map<string, Held[K]> } = {
    ...{ Node: new Map(), Pod: new Map(), HostPool: new Map(), NodeNetwork: new Map() },
    ...{ Lock: new Map(), IPLock: new Map(), Namespace: new Map(), CSIStorageCapacity: new Map() },
  };
  const promises = new Map<string, Promised>();
  const { terrain, nodes, counting, addresses, landscape, namespaces, measurements } = columns(options);
  const counted = claims(counting);
  const locks = lockSlots(counted, addresses.claim);

  /** What a kind changes; `undefined`: the object is gone. */
  const follow: { readonly [K in keyof Held]: (key: string, object: Held[K] | undefined, old: Held[K] | undefined) => void } = {
    Node: nodes.set,
    Pod(_key, pod, old) {
      if (pod !== undefined) counted.setPod(pod, old);
      else if (old !== undefined) counted.unsetPod(old);
    },
    HostPool: landscape.setPool,
    NodeNetwork: nodes.setNetwork,
    Lock: locks.set,
    IPLock: addresses.setIPLock,
    Namespace: namespaces.set,
    CSIStorageCapacity: landscape.setSpace,
  };

  function release(key: string): void {
    const promised = promises.get(key);
    if (promised === undefined) return;
    promises.delete(key);
    if (promised.address !== undefined) addresses.claim(promised.address, promised.node, -1);
    counted.setPromise(key, undefined);
  }

  return Object.defineProperties({} as Inventory, {
    ...Object.getOwnPropertyDescriptors(terrain),
    ...Object.getOwnPropertyDescriptors({
      set<K extends keyof Held>(kind: K, key: string, object: Held[K]): void {
        const old = held[kind].get(key);
        if (old === object) return;
        held[kind].set(key, object);
        follow[kind](key, object, old);
      },
      unset(kind: keyof Held, key: string): void {
        unset(kind, key);
      },
      sample: measurements.set,
      tick: measurements.tick,
      promise(key: string, what: Promised): void {
        release(key);
        promises.set(key, what);
        if (what.address !== undefined) addresses.claim(what.address, what.node, 1);
        counted.setPromise(key, ofSlot(what.node, what.demand, 'promise', !key.endsWith(`#${LOOSE}`)));
      },
      release,
      objects: <K extends keyof Held>(kind: K): ReadonlyMap<string, Held[K]> => held[kind],
      samples: measurements.samples,
      promises: () => promises.entries(),
      get nowMs() {
        return measurements.nowMs;
      },
    }),
  });

  function unset<K extends keyof Held>(kind: K, key: string): void {
    const old = held[kind].get(key);
    if (old === undefined) return;
    held[kind].delete(key);
    follow[kind](key, undefined, old);
  }
}
