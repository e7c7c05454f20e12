/**
 * Capacity: as what an instance of a pool is launched: reservations first, then the pool's types in its order, each in the zone that
 * has fewest; what EC2 had no room for is passed over for a while. Pure.
 */
import type { HostPool } from '../api/kinds.ts';
import type { Offer } from './launch.ts';

export type Ec2Spec = NonNullable<HostPool['spec']['ec2']>;

/** A capacity reservation as EC2 shows it. */
export interface Reservation {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  /** Places that nobody has. */
  readonly free: number;
}

/** What EC2 had no room for: until when it is passed over, and in which words EC2 said so. */
export type Shortages = Readonly<Record<string, { readonly until: number; readonly code: string }>>;

/** As long as Karpenter passes over an offering (aws/karpenter-provider-aws, pkg/cache/cache.go, UnavailableOfferingsTTL). */
export const SHORT_MS = 180_000;

/** Codes that mean: not as this, just now (aws/karpenter-provider-aws, pkg/errors/errors.go; EC2's errors-overview), and how much else is short then. */
const SHORT_CODES: Readonly<Record<string, (offer: Offer) => string>> = {
  InsufficientInstanceCapacity: ({ type, zone }) => `${type} ${zone}`,
  InsufficientHostCapacity: ({ type, zone }) => `${type} ${zone}`,
  UnfulfillableCapacity: ({ type, zone }) => `${type} ${zone}`,
  // The zone has no such type.
  Unsupported: ({ type, zone }) => `${type} ${zone}`,
  ReservationCapacityExceeded: ({ reservationId, type, zone }) => reservationId ?? `${type} ${zone}`,
  InsufficientReservedInstanceCapacity: ({ reservationId, type, zone }) => reservationId ?? `${type} ${zone}`,
  // Quotas are of a region, by families of types.
  VcpuLimitExceeded: ({ type }) => type,
  InstanceLimitExceeded: ({ type }) => type,
  InsufficientFreeAddressesInSubnet: ({ subnetId }) => subnetId,
};

export const isShort = (code: string): boolean => Object.hasOwn(SHORT_CODES, code);

/** After EC2 refused an offer by one of these codes. */
export function afterShortage(shortages: Shortages, offer: Offer, code: string, now: number): Shortages {
  const key = SHORT_CODES[code]?.(offer);
  if (key === undefined) return shortages;
  const said = { until: now + SHORT_MS, code };
  // A reservation is asked first: one that is refused for whatever is short would be asked for ever.
  return { ...shortages, [key]: said, ...(offer.reservationId === undefined ? {} : { [offer.reservationId]: said }) };
}

/** Without those that are over. */
export const remaining = (shortages: Shortages, now: number): Shortages =>
  Object.fromEntries(Object.entries(shortages).filter(([, { until }]) => until > now));

export const passedOver = (shortages: Shortages, { type, zone, subnetId, reservationId }: Offer, now: number): boolean =>
  // Of a reservation's place that EC2 keeps free, a want of other places says nothing.
  [...(reservationId === undefined ? [`${type} ${zone}`, type] : [reservationId]), subnetId].some(
    (key) => (shortages[key]?.until ?? 0) > now,
  );

/** What is launched already, or is about to be. */
export interface Launched {
  readonly byZone: ReadonlyMap<string, number>;
  /** Places of reservations that launches of this round take. */
  readonly reserved: ReadonlyMap<string, number>;
}

/** @returns undefined: EC2 has no room for anything that the pool may be made of, as far as is known */
export function nextOffer(
  { instanceTypes, zones }: Pick<Ec2Spec, 'instanceTypes' | 'zones'>,
  reservations: readonly Reservation[],
  { byZone, reserved }: Launched,
  shortages: Shortages,
  now: number,
): Offer | undefined {
  const fewestFirst = [...zones].sort((a, b) => (byZone.get(a.name) ?? 0) - (byZone.get(b.name) ?? 0) || (a.name < b.name ? -1 : 1));
  const everywhere = (offers: (type: string, zone: { readonly name: string; readonly nodeSubnetId: string }) => Offer[]) =>
    instanceTypes.flatMap((type) => fewestFirst.flatMap((zone) => offers(type, zone)));
  const inReservations = everywhere((type, { name, nodeSubnetId }) =>
    reservations
      .filter((each) => each.type === type && each.zone === name && each.free > (reserved.get(each.id) ?? 0))
      .map(({ id }) => ({ type, zone: name, subnetId: nodeSubnetId, reservationId: id })),
  );
  const onDemand = everywhere((type, { name, nodeSubnetId }) => [{ type, zone: name, subnetId: nodeSubnetId }]);
  return [...inReservations, ...onDemand].find((offer) => !passedOver(shortages, offer, now));
}
