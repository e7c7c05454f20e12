/** Local-volume space: CSIStorageCapacity objects as a supply `storage/<class>` of the nodes that their topology selects. */
import type { Requirement } from './types.ts';

export interface StorageCapacityFacts {
  readonly storageClassName: string;
  /** Selector over node labels; empty: every node. */
  readonly nodeTopology: readonly Requirement[];
  /** Bytes. */
  readonly capacity: number;
  /** Bytes; the largest single volume. */
  readonly maximumVolumeSize?: number;
}
