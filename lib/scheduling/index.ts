/**
 * `cdk8s-gala/stock`: the pure inventory. What fits, where, and what limits it; no I/O, no clock.
 */
export { type Demanded, type DemandOptions, demandOf } from './demand.ts';
export { type Inventory, type InventoryOptions, inventory } from './inventory.ts';
export { place } from './place.ts';
export { planned } from './planned.ts';
export { readSnapshot, type SnapshotRead } from './snapshot.ts';
export { stock } from './stock.ts';
export type * from './types.ts';
export { type Why, whyOf } from './why.ts';
