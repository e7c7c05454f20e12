/**
 * Plan: the slots that the lock writer found for a Lock, with what of them is locked already, and the statuses that tell of it.
 * Pure but for its own progress.
 */
import type { Lock } from '../../api/kinds.ts';
import type { Demand, PlacedSlot } from '../types.ts';
import { type Books, type IPLockObject, type LockObject, lockOfAddress } from './books.ts';
import { isShut } from './found-out.ts';
import type { ListedSlot } from './keep.ts';

type Status = NonNullable<Lock['status']>;
export type Reasons = Status['reasons'];

interface PlannedSlot {
  readonly slot: number;
  readonly node: string;
  address?: string;
}

export interface Plan {
  readonly demand: Demand;
  /** What `podFrom` said. */
  readonly template?: unknown;
  readonly slots: readonly PlannedSlot[];
  /** Why it is not more. */
  readonly reasons?: Reasons;
  /** What the Planning status lists: that an object lists the same says that it is this plan's. */
  readonly asWritten: readonly ListedSlot[];
  /** The API server has it. */
  written: boolean;
  broken: boolean;
  /** By address: index of its slot. */
  readonly byAddress: Map<string, number>;
  /** Indexes of slots whose address isn't locked, as far as is known. */
  readonly missing: Set<number>;
  /** Addresses that turned out to be taken. */
  readonly taken: Set<string>;
}

export function newPlan(placed: readonly PlacedSlot[], demand: Demand, template?: unknown, reasons?: Reasons): Plan {
  const slots: PlannedSlot[] = placed.map(({ node, address }, slot) => ({ slot, node, ...(address !== undefined && { address }) }));
  const byAddress = new Map<string, number>();
  slots.forEach(({ address }, index) => {
    if (address !== undefined) byAddress.set(address, index);
  });
  return {
    ...{ demand, template, slots, reasons, byAddress },
    asWritten: slots.map((slot) => ({ ...slot })),
    ...{ written: false, broken: false, missing: new Set(byAddress.values()), taken: new Set() },
  };
}

/** What is to be done so that an address of the plan is locked for its slot. */
export type AddressStep = 'create' | 'take over' | 'locked' | 'taken';

/** @param ipLock of that address, as it is now */
export function addressStep(key: string, node: string, owner: string, ipLock: IPLockObject | undefined, books: Books): AddressStep {
  if (ipLock === undefined) return 'create';
  const { spec, metadata } = ipLock;
  if (spec.owner !== owner || isShut(ipLock)) return 'taken';
  if (spec.phase === 'Held') {
    // While another Lock lists it, it waits for that one's next pod.
    const listed = books.listedAt(metadata.name);
    return listed === undefined || listed.lock === key ? 'take over' : 'taken';
  }
  return spec.phase === 'Locked' && spec.podUID === undefined && spec.node === node && lockOfAddress(ipLock) === key ? 'locked' : 'taken';
}

/** The plan has another address for a slot. */
export function replaceAddress(plan: Plan, index: number, address: string): void {
  const slot = plan.slots[index] as PlannedSlot;
  plan.byAddress.delete(slot.address as string);
  slot.address = address;
  plan.byAddress.set(address, index);
  plan.missing.add(index);
}

/** Whether the status lists exactly these slots. */
export function lists(status: Status | undefined, slots: readonly ListedSlot[]): boolean {
  const listed = status?.slots ?? [];
  return (
    listed.length === slots.length &&
    listed.every(({ slot, node, address }, index) => {
      const other = slots[index] as ListedSlot;
      return slot === other.slot && node === other.node && address === other.address;
    })
  );
}

/** What stands in the status of a Lock beside what a step says: which spec it speaks of. */
const about = ({ metadata: { generation } }: LockObject) => (generation === undefined ? {} : { observedGeneration: generation });

export function planningStatus(lock: LockObject, plan: Plan): Status {
  return planned(lock, plan, 'Planning');
}

export function readyStatus(lock: LockObject, plan: Plan, conditions: Status['conditions']): Status {
  return { ...planned(lock, plan, 'Ready'), ...(conditions && { conditions }) };
}

function planned(lock: LockObject, { slots, template, reasons }: Plan, phase: 'Planning' | 'Ready'): Status {
  return {
    ...about(lock),
    phase,
    ...(template !== undefined && { template: template as Status['template'] }),
    slots: slots.map((slot) => ({ ...slot })),
    counts: { planned: slots.length, used: 0 },
    ...(reasons !== undefined && reasons.length > 0 && { reasons }),
  };
}

export function failedStatus(lock: LockObject, reasons: NonNullable<Reasons>): Status {
  return { ...about(lock), phase: 'Failed', counts: { planned: 0, used: 0 }, reasons };
}

/** No plan: as if the Lock had just come. */
export const undoneStatus = (lock: LockObject): Status => about(lock);
