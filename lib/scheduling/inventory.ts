/**
 * Inventory: what there is and what is promised, as columns that follow the objects one change at a time. Pure: no I/O, no
 * clock. Fed by watches (world.ts), by a definition (planned.ts) or by a saved snapshot (snapshot.ts).
 */
import type { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import type { PodFacts } from './facts.ts';
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
  /** When it was measured; Unix milliseconds, as `InventoryOptions.nowMs` counts. */
  readonly atMs: number;
}

/** What each kind is stored as. */
export interface Held {
  Node: import('./node.ts').NodeFacts;
  Pod: PodFacts;
  HostPool: HostPool;
  NodeNetwork: NodeNetwork;
  Lock: Lock;
  IPLock: IPLock;
  /** Labels of a namespace. */
  Namespace: Readonly<Record<string, string>>;
  CSIStorageCapacity: import('./storage.ts').StorageCapacityFacts;
}

export interface InventoryOptions {
  /** What a missing or stale sample means. @default 'assume-requested' */
  readonly missingSamples?: 'assume-requested' | 'refuse';
  /** Older samples are stale. @default 60_000 */
  readonly sampleMaxAgeMs?: number;
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
  promise(key: string, what: { readonly node: string; readonly demand: Demand; readonly address?: string }): void;
  release(key: string): void;
}

export function inventory(_options: InventoryOptions = {}): Inventory {
  throw new Error('not yet');
}
