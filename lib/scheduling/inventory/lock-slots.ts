/** The slots of Locks: which of them hold a place, with which demand. A Lock holds them while it is Planning or Ready. */
import type { Lock } from '../../api/kinds.ts';
import { type DemandOptions, readShape } from '../demand.ts';
import { interning } from '../intern.ts';
import { lockOwner } from '../owner.ts';
import { reader } from '../reading.ts';
import { bareTemplate } from '../template.ts';
import type { Demand } from '../types.ts';
import { type Claim, type Claims, ofSlot, slotKey } from './claims.ts';

export interface LockSlots {
  /** @param key `<namespace>/<name>` */
  set(key: string, lock: Lock | undefined): void;
}

interface Slot {
  readonly claim: Claim;
  readonly address: string | undefined;
}

/** @param claimAddress a slot names an address for its node, or does so no longer */
export function lockSlots(claims: Claims, claimAddress: (address: string, node: string, sign: 1 | -1) => void): LockSlots {
  const locks = new Map<string, Map<number, Slot>>();
  const demands = interning(2_000);

  function wanted(key: string, lock: Lock | undefined): Map<number, { node: string; address?: string; demand: Demand }> {
    const { phase, slots } = lock?.status ?? {};
    if (lock === undefined || slots === undefined || slots.length === 0 || (phase !== 'Planning' && phase !== 'Ready')) return new Map();
    const namespace = key.slice(0, key.indexOf('/'));
    const template = bareTemplate(lock.spec.template ?? lock.status?.template);
    const owner = lockOwner(namespace, lock);
    const demand = demands.keep('demand', JSON.stringify([owner, template]), () => demandOf(template, { namespace, owner }));
    return new Map(slots.map(({ slot, node, address }) => [slot, { node, address, demand }]));
  }

  return {
    set(key, lock) {
      const before = locks.get(key) ?? new Map<number, Slot>();
      const now = wanted(key, lock);
      for (const [number, { claim, address }] of before) {
        const same = now.get(number);
        if (same !== undefined && same.node === claim.node && same.address === address && same.demand === claim.demand) {
          now.delete(number);
          continue;
        }
        before.delete(number);
        if (address !== undefined) claimAddress(address, claim.node!, -1);
        // What comes in its place is set below, in one step.
        if (same === undefined) claims.setSlot(slotKey(key, number), undefined);
      }
      for (const [number, { node, address, demand }] of now) {
        const claim = ofSlot(node, demand, 'slot', true);
        before.set(number, { claim, address });
        if (address !== undefined) claimAddress(address, node, 1);
        claims.setSlot(slotKey(key, number), claim);
      }
      if (before.size === 0) locks.delete(key);
      else locks.set(key, before);
    },
  };
}

/** Of a template that can't be read, what can be: the lock writer planned by it, so it takes some place. */
function demandOf(template: unknown, options: DemandOptions & { readonly owner: string }): Demand {
  const { claims: _, ...shape } = readShape(template, options, reader());
  return { namespace: options.namespace, owner: options.owner, ...shape };
}
