/**
 * Slots: what a NodeNetwork should say of its pod ENIs, after a look. Pure.
 *
 * Pods are given addresses by this list, so it is slow to lose one: Describe answers of EC2 lag, each by itself, and an ENI that
 * one of them leaves out is missing only when the next one leaves it out too.
 */
import type { NodeNetwork } from '../api/kinds.ts';
import type { EniPlan } from './eni-plan.ts';

export type EniSlot = NonNullable<NodeNetwork['spec']['eniSlots']>[number];

export interface SlotsSeen {
  /** What the NodeNetwork says. */
  readonly listed: readonly EniSlot[];
  /** What this look says of the instance's ENIs: `slots` are the usable ones, `shown` all that EC2 showed anywhere. */
  readonly slots: EniPlan['slots'];
  readonly shown: ReadonlySet<string>;
  /** Listed ones that the look before left out. */
  readonly missed: ReadonlySet<string>;
}

/** @returns the list, by card and device; and whom this look left out */
export function nextSlots({ listed, slots, shown, missed }: SlotsSeen): {
  readonly slots: EniSlot[];
  readonly missed: ReadonlySet<string>;
} {
  const usable = new Set(slots.map(({ eniId }) => eniId));
  const leftOut = listed.filter(({ eniId }) => !usable.has(eniId) && !shown.has(eniId));
  const places = new Set(slots.map(placeOf));
  const kept = leftOut.filter((slot) => !missed.has(slot.eniId) && !places.has(placeOf(slot)));
  const now = slots.map(({ networkCardIndex, deviceIndex, eniId, mac, ip, subnetId }) => ({
    networkCardIndex,
    deviceIndex,
    eniId,
    mac,
    ip,
    subnetId,
  }));
  return {
    slots: [...now, ...kept].sort((a, b) => a.networkCardIndex - b.networkCardIndex || a.deviceIndex - b.deviceIndex),
    missed: new Set(leftOut.map(({ eniId }) => eniId)),
  };
}

const placeOf = ({ networkCardIndex, deviceIndex }: Pick<EniSlot, 'networkCardIndex' | 'deviceIndex'>) =>
  `${networkCardIndex}/${deviceIndex}`;

/** Whether two lists say the same; the API server fills in defaults and keeps the order. */
export const sameSlots = (a: readonly EniSlot[], b: readonly EniSlot[]): boolean =>
  a.length === b.length &&
  a.every((slot, index) => {
    const other = b[index]!;
    return (
      placeOf(slot) === placeOf(other) &&
      slot.eniId === other.eniId &&
      slot.mac === other.mac &&
      slot.ip === other.ip &&
      slot.subnetId === other.subnetId
    );
  });
