/** What becomes of a call that is about instances and the room for them. Pure. */
import { freeAddresses, judgeAddress } from './address.ts';
import * as error from './error.ts';
import { judgePlace, type Refused } from './interface.ts';
import {
  type CapacityReservation,
  capacityKey,
  type Delays,
  type Eni,
  foundInstance,
  type Instance,
  type TypeOf,
  type World,
  withEni,
  withInstance,
} from './world.ts';

export interface Launch {
  readonly type: string;
  readonly subnetId: string;
  readonly minCount: number;
  readonly maxCount: number;
  /** The primary's IPv4, where the caller wants a certain one; for one instance only. */
  readonly address?: string;
  /** EBS volumes of each, the root included. */
  readonly volumes: number;
  /** Targeted by its id. */
  readonly reservationId?: string;
  /** `none`: not even an open reservation. */
  readonly preference?: string;
  /** ENIs beside the primary. */
  readonly more: readonly { readonly deviceIndex: number; readonly networkCardIndex: number }[];
}

export interface Room {
  /** Between the asked for minimum and maximum. */
  readonly count: number;
  /** For each instance, its primary's. */
  readonly addresses: readonly string[];
  /** The capacity reservation that each runs in; on demand where undefined. */
  readonly reservations: readonly (string | undefined)[];
}

/** How many instances get a place, and where. */
export function judgeLaunch(world: World, launch: Launch, typeOf: TypeOf): Refused | Room {
  const { type, subnetId, minCount, maxCount, address } = launch;
  const subnet = world.subnets[subnetId];
  if (subnet === undefined) return { refused: error.notFound.subnet(subnetId) };
  if (typeOf(type) === undefined) return { refused: error.invalid(type, 'InstanceType') };
  if (!(minCount >= 1 && maxCount >= minCount)) return { refused: error.invalid(`${minCount}..${maxCount}`, 'MinCount..MaxCount') };
  if (address !== undefined && maxCount > 1) return { refused: error.invalid(address, 'PrivateIpAddress of several instances') };
  const refused = judgeEnis(launch, typeOf) ?? (address === undefined ? undefined : judgeAddress(world, subnet, address));
  if (refused) return { refused };

  const reserved = reservedPlaces(world, launch, subnet.zone);
  if ('refused' in reserved) return reserved;
  const onDemand = launch.reservationId === undefined ? (world.capacity[capacityKey(type, subnet.zone)] ?? Number.POSITIVE_INFINITY) : 0;
  const count = Math.min(maxCount, reserved.length + onDemand);
  if (count < minCount)
    return { refused: launch.reservationId === undefined ? error.noCapacity(type, subnet.zone) : error.reservationFull() };
  const addresses = freeAddresses(world, subnet, count * (1 + launch.more.length));
  if ('refused' in addresses) return addresses;
  const reservations = Array.from({ length: count }, (_, index) => reserved[index]);
  return { count, reservations, addresses: address === undefined ? addresses.slice(0, count) : [address] };
}

function judgeEnis({ type, volumes, more }: Launch, typeOf: TypeOf): error.Ec2Error | undefined {
  const there: Pick<Eni, 'attachment'>[] = [];
  for (const place of [{ deviceIndex: 0, networkCardIndex: 0 }, ...more]) {
    const refused = judgePlace(there, { id: '', type, volumes }, place, typeOf);
    if (refused) return refused;
    const attachment = { ...place, id: '', instanceId: '', deleteOnTermination: true, status: 'attached' as const, doneAt: 0 };
    there.push({ attachment });
  }
  return undefined;
}

/** The reservations with a free place for this launch, each as often as it has places. */
function reservedPlaces(world: World, { type, reservationId, preference }: Launch, zone: string): Refused | string[] {
  const fits = (each: CapacityReservation) => each.state === 'active' && each.type === type && each.zone === zone;
  const places = (each: CapacityReservation) => Array.from({ length: freeIn(world, each) }, () => each.id);
  if (reservationId !== undefined) {
    const target = world.reservations[reservationId];
    if (target === undefined) return { refused: error.notFound.reservation(reservationId) };
    return fits(target) ? places(target) : { refused: error.reservationFull() };
  }
  if (preference === 'none') return [];
  return Object.values(world.reservations)
    .filter((each) => each.match === 'open' && fits(each))
    .flatMap(places);
}

/** Places of a capacity reservation that no instance has. */
export const freeIn = (world: World, { id, total }: CapacityReservation): number =>
  Math.max(0, total - Object.values(world.instances).filter((each) => each.reservationId === id && each.state !== 'terminated').length);

/** What moto gave a new instance. */
export interface MadeInstance {
  readonly id: string;
  readonly primary: { readonly id: string; readonly mac: string; readonly attachmentId: string; readonly deleteOnTermination: boolean };
  readonly address: string;
  readonly reservationId?: string;
}

/** "The default for the primary is true" (API_InstanceNetworkInterfaceSpecification): it ends with its instance. */
export function launched(
  world: World,
  { type, subnetId, volumes }: Pick<Launch, 'type' | 'subnetId' | 'volumes'>,
  made: MadeInstance,
  now: number,
  { startMs, visibleMs }: Delays,
): World {
  const { zone } = world.subnets[subnetId] as { zone: string };
  const visibleAt = now + visibleMs;
  const { id, primary, address, reservationId } = made;
  const serial = world.serial + 1;
  const instance: Instance = {
    ...{ id, serial, type, zone, volumes, visibleAt, state: 'pending', untilAt: now + startMs },
    ...(reservationId === undefined ? {} : { reservationId }),
  };
  const eni: Eni = {
    ...{ id: primary.id, serial: serial + 1, subnetId, zone, mac: primary.mac, addresses: [address], visibleAt },
    attachment: {
      ...{ id: primary.attachmentId, instanceId: id, deviceIndex: 0, networkCardIndex: 0, status: 'attached', doneAt: now },
      deleteOnTermination: primary.deleteOnTermination,
    },
  };
  return withEni(withInstance({ ...usingUp(world, type, zone, reservationId), serial: serial + 1 }, instance), eni);
}

function usingUp(world: World, type: string, zone: string, reservationId: string | undefined): World {
  const key = capacityKey(type, zone);
  const left = world.capacity[key];
  return left === undefined || reservationId !== undefined ? world : { ...world, capacity: { ...world.capacity, [key]: left - 1 } };
}

export function judgeTerminate(world: World, ids: readonly string[], now: number): Refused | undefined {
  const unknown = ids.find((id) => foundInstance(world, id, now) === undefined);
  return unknown === undefined ? undefined : { refused: error.notFound.instance(unknown) };
}

/** TerminateInstances is idempotent by itself (ec2-api-idempotency.html). */
export function terminating(world: World, ids: readonly string[], now: number, { shutdownMs }: Delays): World {
  return ids.reduce((before, id) => {
    const instance = before.instances[id] as Instance;
    if (instance.state === 'shutting-down' || instance.state === 'terminated') return before;
    return withInstance(before, { ...instance, state: 'shutting-down', untilAt: now + shutdownMs });
  }, world);
}

/** A further ENI of an instance that is being launched: attached from the start. */
export function attachedAtLaunch(
  world: World,
  eniId: string,
  attachment: Omit<NonNullable<Eni['attachment']>, 'status' | 'doneAt'>,
): World {
  return withEni(world, { ...(world.enis[eniId] as Eni), attachment: { ...attachment, status: 'attached', doneAt: 0 } });
}
