/** Capacity reservations, of which moto knows nothing. Pure. */
import * as error from './error.ts';
import type { Refused } from './interface.ts';
import { type CapacityReservation, capacityKey, type TypeOf, type World } from './world.ts';

export type Reserve = Pick<CapacityReservation, 'type' | 'zone' | 'total' | 'match'>;

/** The world with a reservation that is active at once; it takes of what the zone has left. */
export function reserve(
  world: World,
  asked: Reserve,
  typeOf: TypeOf,
): Refused | { readonly world: World; readonly made: CapacityReservation } {
  if (typeOf(asked.type) === undefined) return { refused: error.invalid(asked.type, 'InstanceType') };
  if (!(asked.total >= 1)) return { refused: error.invalid(String(asked.total), 'InstanceCount') };
  const key = capacityKey(asked.type, asked.zone);
  const left = world.capacity[key];
  if (left !== undefined && left < asked.total) return { refused: error.noCapacity(asked.type, asked.zone) };
  const serial = world.serial + 1;
  const made: CapacityReservation = { ...asked, serial, id: `cr-${serial.toString(16).padStart(17, '0')}`, state: 'active' };
  const capacity = left === undefined ? world.capacity : { ...world.capacity, [key]: left - asked.total };
  return { made, world: { ...world, serial, capacity, reservations: { ...world.reservations, [made.id]: made } } };
}

/** Its instances run on, and nobody else gets their places. */
export function cancel(world: World, id: string): Refused | { readonly world: World } {
  const reservation = world.reservations[id];
  if (reservation === undefined) return { refused: error.notFound.reservation(id) };
  return { world: { ...world, reservations: { ...world.reservations, [id]: { ...reservation, state: 'cancelled' } } } };
}
