/** Pod instance: how many pod ENIs an instance of a pool should have, of what, and where there is room for them. Pure. */
import type { HostPool } from '../api/kinds.ts';
import type { Ec2Instance, Ec2Type } from './ec2.ts';
import type { PodInstance } from './eni-plan.ts';

/** Why an instance gets no ENI; a sentence that goes on after the node's name. */
export interface NoPlan {
  readonly because: string;
}

/** States in which an instance will run no pod again. */
export const GONE: readonly string[] = ['shutting-down', 'terminated'];

export function podInstance(instance: Ec2Instance, type: Ec2Type | undefined, spec: HostPool['spec']): PodInstance | NoPlan {
  const { ec2, volumes = [] } = spec;
  if (ec2 === undefined) return { because: 'its pool is no ec2 pool' };
  const zone = ec2.zones.find(({ name }) => name === instance.zone);
  if (zone === undefined)
    return {
      because: `it is in zone ${instance.zone}, and its pool has ${ec2.zones.map(({ name }) => name).join(', ')}: give the zone a podSubnetId`,
    };
  if (type === undefined) return { because: `EC2 does not say what a ${instance.type} carries` };
  return {
    id: instance.id,
    running: instance.state === 'running',
    wanted: Math.min(carries(type, volumes.length), typeof ec2.warmEnis === 'number' ? ec2.warmEnis : Number.POSITIVE_INFINITY),
    networkCards: type.networkCards,
    subnetId: zone.podSubnetId,
    securityGroupIds: ec2.securityGroupIds.pod,
  };
}

/** As podEnis of lib/api/instance-types.ts, by what EC2 says now and not by the table. */
export function carries({ networkCards, attachments, ebsVolumes }: Ec2Type, volumes: number): number {
  const byType = networkCards.reduce((sum, { networkInterfaces }) => sum + networkInterfaces, 0) - 1;
  // 1: the root volume.
  return attachments === 'dedicated' ? byType : Math.max(0, Math.min(byType, ebsVolumes - 1 - volumes));
}

/** `aws:///ap-northeast-1a/i-0123456789abcdef0` → the instance's id. */
export const instanceIdOf = (providerID: string | undefined): string | undefined => /\/(i-[0-9a-f]+)$/.exec(providerID ?? '')?.[1];
