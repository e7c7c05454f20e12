/**
 * World: every kind that scheduling looks at, reflected from the API server, and the inventory that follows. One a process; the
 * lock writer, the extender and the stock API read the same one.
 */
import type { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import type { Stored } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { PodFacts, StatefulSetFacts } from './facts.ts';
import type { Inventory, InventoryOptions } from './inventory.ts';
import type { NodeFacts } from './node.ts';

export interface World {
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

/** Begins at once; ends with `signal`. A kind whose CRD is missing is empty, not an error: the feature is off. */
export function watchWorld(_api: Api, _options: WorldOptions): World {
  throw new Error('not yet');
}
