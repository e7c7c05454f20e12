/**
 * `cdk8s-gala/stock`: the pure inventory. What fits, where, and what limits it; no I/O, no clock.
 */
export { place, type Question, stock } from './asking.ts';
export { type Demanded, type DemandOptions, demandOf } from './demand.ts';
export { type Inventory, type InventoryOptions, inventory } from './inventory.ts';
export type { PlaceOptions } from './place.ts';
export { type Planned, planned } from './planned.ts';
export { readSnapshot, type SnapshotRead } from './snapshot.ts';
export type * from './types.ts';
export { type Why, whyOf } from './why.ts';
