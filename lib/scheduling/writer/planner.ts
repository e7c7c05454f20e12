/** Planner: what the agenda asks of the inventory and of placing. inventory-planner.ts answers from the inventory. */
import type { Demanded } from '../demand.ts';
import type { PodFacts, StatefulSetFacts } from '../facts.ts';
import type { NodeFacts } from '../node.ts';
import type { Ask, Demand, Limit, PlacedSlot, Placement } from '../types.ts';
import type { Claim } from '../volumes.ts';
import type { IPLockObject, LockObject } from './books.ts';
import type { Refusal } from './refusal.ts';
import type { Report } from './reports.ts';

export interface Promised {
  readonly node: string;
  readonly demand: Demand;
  readonly address?: string;
}

/** @default anywhere, with whatever address is free there */
export interface Where {
  /** The slot keeps this address: it goes where its VLAN is, whether or not another one is free there. */
  readonly address?: string;
  /** On this node alone. */
  readonly node?: string;
  readonly not?: string;
}

export interface Planner {
  demandOf(template: unknown, namespace: string, owner: string): Demanded;
  /** @param node the one that the pods may have */
  place(ask: Ask, count: number, allowPartial: boolean, node?: string): Placement;
  /** Whether a pod of the demand may have become possible on a node: cheap, and rather too often than too rarely. */
  mayFit(demand: Demand, node: string): boolean;
  /** Another free address on the node, beside those that are known to be taken. */
  another(demand: Demand, node: string, not: ReadonlySet<string>): string | undefined;
  /**
   * A place for one more of a Lock's slots, within its caps.
   * @param count what percentages are of
   * @param others nodes of its other slots, one for each
   */
  beside(ask: Ask, count: number, others: readonly string[], where?: Where): PlacedSlot | undefined;
  /** Whether it is of a VLAN: an ENI's lives and dies with its instance. */
  isOnVlan(demand: Demand, address: string): boolean;
  /** Why a node may not have a pod of this demand, before anything is counted; undefined: it may. */
  rejects(demand: Demand): (node: string) => Limit | undefined;
  /** Counts from now on, until `release`. */
  promise(key: string, what: Promised): void;
  release(key: string): void;
  /** An object as a call was answered, before the watch tells it. */
  learn(kind: 'IPLock' | 'Lock', key: string, object: IPLockObject | LockObject): void;
  /** There is no such IPLock any more, as a call was answered. */
  forget(address: string, uid: string): void;
  /** That of the ENI, or derived from the address on a VLAN. */
  macOf(address: string, node: string): string;
  /** What the PersistentVolumeClaims of a pod ask for, and where their volumes are. */
  claimsOf(pod: PodFacts): readonly Claim[] | Refusal;
  /** What a rebuild of the IPLocks waits for, in words: no address is locked for anybody meanwhile. Undefined: none goes on. */
  rebuilding(): string | undefined;
  /** The pod that a node says has the address, though no IPLock says so. */
  wiredAt(address: string): Report | undefined;
  /** Whether the agent of the node says of each address when nothing of it is left. */
  releases(node: string): boolean;
  node(name: string): NodeFacts | undefined;
  /** Whether other pods may come to the node, so that a lock there is advisory. */
  open(node: string): boolean;
  statefulSet(key: string): StatefulSetFacts | undefined;
}
