/**
 * What EC2 knows and moto doesn't, as one value: which ENI is where on which instance, in which of its states, since when, and
 * with which addresses. Pure; every function answers with a new one. Time is virtual milliseconds.
 */
import type { InstanceType } from '../../../lib/api/instance-types.ts';

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
}

export interface Attachment {
  readonly id: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly deleteOnTermination: boolean;
  readonly status: 'attaching' | 'attached' | 'detaching';
  /** When `attaching` or `detaching` ends. */
  readonly doneAt: number;
}

export interface Eni {
  readonly id: string;
  /** The order in which things were made. */
  readonly serial: number;
  readonly subnetId: string;
  readonly zone: string;
  readonly mac: string;
  /** The primary first; IPv6 too. */
  readonly addresses: readonly string[];
  /** Before that nobody finds it. */
  readonly visibleAt: number;
  readonly attachment?: Attachment;
}

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated';

export interface Instance {
  readonly id: string;
  readonly serial: number;
  readonly type: string;
  readonly zone: string;
  readonly state: InstanceState;
  /** When the state ends by itself: a pending one runs, one that shuts down is terminated, a terminated one is forgotten. */
  readonly untilAt: number;
  readonly visibleAt: number;
  /** EBS volumes, the root included. */
  readonly volumes: number;
  /** The capacity reservation that it runs in. */
  readonly reservationId?: string;
}

export interface CapacityReservation {
  readonly id: string;
  readonly serial: number;
  readonly type: string;
  readonly zone: string;
  readonly total: number;
  /** `targeted`: for those who name it; `open`: for any instance of its type and zone. */
  readonly match: 'open' | 'targeted';
  readonly state: 'active' | 'cancelled';
}

type ById<T> = Readonly<Record<string, T>>;

export interface World {
  readonly subnets: ById<Subnet>;
  readonly enis: ById<Eni>;
  readonly instances: ById<Instance>;
  readonly reservations: ById<CapacityReservation>;
  /** How many more instances can be launched, by `type zone`; without end where nothing is said. */
  readonly capacity: Readonly<Record<string, number>>;
  readonly serial: number;
}

export const emptyWorld: World = { subnets: {}, enis: {}, instances: {}, reservations: {}, capacity: {}, serial: 0 };

/** How long things take, in virtual milliseconds. */
export interface Delays {
  /** From the answer to a create until others find the thing. */
  readonly visibleMs: number;
  readonly attachMs: number;
  readonly detachMs: number;
  /** `pending` */
  readonly startMs: number;
  /** `shutting-down` */
  readonly shutdownMs: number;
  /** How long a terminated instance is still shown: "a short while" (UserGuide, terminating-instances.html), an hour as seen. */
  readonly forgetMs: number;
}

/** What a type can carry, as DescribeInstanceTypes tells it. */
export type TypeOf = (name: string) => InstanceType | undefined;

export const capacityKey = (type: string, zone: string): string => `${type} ${zone}`;

export const withEni = (world: World, eni: Eni): World => ({ ...world, enis: { ...world.enis, [eni.id]: eni } });
export const withoutEni = (world: World, id: string): World => {
  const { [id]: _gone, ...enis } = world.enis;
  return { ...world, enis };
};
export const withInstance = (world: World, instance: Instance): World => ({
  ...world,
  instances: { ...world.instances, [instance.id]: instance },
});

/** The ENI that others find; undefined too while it is too new. */
export function foundEni(world: World, id: string, now: number): Eni | undefined {
  const eni = world.enis[id];
  return eni !== undefined && eni.visibleAt <= now ? eni : undefined;
}

export function foundInstance(world: World, id: string, now: number): Instance | undefined {
  const instance = world.instances[id];
  return instance !== undefined && instance.visibleAt <= now ? instance : undefined;
}

/** ENIs on an instance, coming and going ones included: they take their places. */
export const enisOn = (world: World, instanceId: string): Eni[] =>
  Object.values(world.enis).filter(({ attachment }) => attachment?.instanceId === instanceId);

export const addressesIn = (world: World, subnetId: string): Set<string> =>
  new Set(Object.values(world.enis).flatMap((eni) => (eni.subnetId === subnetId ? eni.addresses : [])));
