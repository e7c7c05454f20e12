/** What `gala cloud` asks of EC2 about instances, in one region, beside what it asks about their pod ENIs (ec2.ts). */
import type { HostPool } from '../api/kinds.ts';
import type { Reservation } from './capacity.ts';
import type { Ec2Instance } from './ec2.ts';
import type { Offer } from './launch.ts';
import type { Tags } from './tags.ts';

export interface FleetInstance extends Ec2Instance {
  readonly tags: Tags;
  /** Of its own interface. */
  readonly addresses: readonly string[];
  readonly dnsNames: readonly string[];
  /** Why it is in its state, in EC2's words. */
  readonly reason?: string;
}

/** What all instances of a pool are launched with. */
export interface Template {
  readonly imageId: string;
  readonly instanceProfile: string;
  readonly securityGroupIds: readonly string[];
}

export interface NamedTemplate extends Template {
  readonly name: string;
  /** By them a pool's older templates are found. */
  readonly tags: Tags;
}

export interface NewInstance {
  readonly clientToken: string;
  readonly template: string;
  readonly offer: Offer;
  readonly tags: Tags;
  /** Text, before base64. */
  readonly userData: string;
}

/** As with Ec2: Describes wait for Gala's budget, what changes something throws NotNow. */
export interface Fleet {
  /** Those that EC2 knows. */
  instances(ids: readonly string[]): Promise<readonly FleetInstance[]>;
  /** All with the tag of the cluster's UID. */
  launched(clusterUid: string): Promise<readonly FleetInstance[]>;
  /** Those that are active. */
  reservations(ids: readonly string[]): Promise<readonly Reservation[]>;
  /** Makes the launch template unless it is there, and deletes the pool's others: a template is what its name says. */
  keepTemplate(template: NamedTemplate): Promise<void>;
  /** @returns the instance's id */
  run(instance: NewInstance): Promise<string>;
  terminate(instanceId: string): Promise<void>;
}

export const templateOf = ({ imageId, instanceProfile, securityGroupIds }: NonNullable<HostPool['spec']['ec2']>): Template => ({
  ...{ imageId, instanceProfile },
  securityGroupIds: [...securityGroupIds.node].sort(),
});
