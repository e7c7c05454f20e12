/** Local-volume space: CSIStorageCapacity objects as a supply `storage/<class>` of the nodes that their topology selects. */
import type { V1CSIStorageCapacity } from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import { selectorOf } from './pod-terms.ts';
import { reader } from './reading.ts';
import { amountOf } from './requests.ts';
import { canonical } from './requirement.ts';
import type { Requirement } from './types.ts';

export interface StorageCapacityFacts {
  readonly storageClassName: string;
  /** Selector over node labels; empty: every node. */
  readonly nodeTopology: readonly Requirement[];
  /** Bytes that are free: what was given to volumes is off it already. */
  readonly capacity: number;
  /** Bytes; the largest single volume. */
  readonly maximumVolumeSize?: number;
}

/** An object without capacity says that there is none; one without topology is reachable from no node (storage/v1 types.go). */
export function storageCapacityFacts(object: Manifest<V1CSIStorageCapacity>): StorageCapacityFacts {
  const read = reader();
  const amount = (quantity: unknown) => (quantity === undefined ? undefined : amountOf('storage', quantity, read, 'capacity'));
  return {
    storageClassName: object.storageClassName,
    nodeTopology: canonical(selectorOf(object.nodeTopology, read, 'nodeTopology')),
    capacity: amount(object.capacity) ?? 0,
    maximumVolumeSize: amount(object.maximumVolumeSize),
  };
}
