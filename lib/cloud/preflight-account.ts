/** Preflight, the looking: what EC2 says in one region to whoever calls, by AWS's SDK. Describes only. */
import {
  type _InstanceType,
  type CapacityReservation,
  DescribeAccountAttributesCommand,
  DescribeCapacityReservationsCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type { Ec2Pool } from '../api/cluster.ts';
import { typeOf } from './account.ts';
import type { PreflightSeen } from './preflight.ts';

/** By filters, so that what is not there is left out and fails no call. Throws the SDK's own errors. */
export async function lookAhead(pool: Ec2Pool): Promise<PreflightSeen> {
  const client = new EC2Client({ region: pool.region });
  const only = (Name: string, Values: readonly string[]) => ({ Filters: [{ Name, Values: [...new Set(Values)] }] });
  const subnetIds = pool.zones.flatMap(({ nodeSubnetId, podSubnetId }) => [nodeSubnetId, podSubnetId]);
  const zones = pool.zones.map(({ name }) => name);
  try {
    const [subnets, types, offerings, groups, quota, reservations] = await Promise.all([
      client.send(new DescribeSubnetsCommand(only('subnet-id', subnetIds))),
      client.send(new DescribeInstanceTypesCommand(only('instance-type', pool.instanceTypes))),
      client.send(
        new DescribeInstanceTypeOfferingsCommand({
          LocationType: 'availability-zone',
          Filters: [
            { Name: 'location', Values: zones },
            { Name: 'instance-type', Values: [...pool.instanceTypes] },
          ],
        }),
      ),
      client.send(new DescribeSecurityGroupsCommand(only('group-id', [...pool.securityGroupIds.node, ...pool.securityGroupIds.pod]))),
      client.send(new DescribeAccountAttributesCommand({})).catch(unlessMayNot),
      pool.capacityReservationIds.length === 0 ? [] : reservationsIn(client),
    ]);
    const asked = new Set(pool.capacityReservationIds);
    const offered = new Map(zones.map((zone) => [zone, new Set<string>()]));
    for (const { InstanceType = '' as _InstanceType, Location = '' } of offerings.InstanceTypeOfferings ?? [])
      offered.get(Location)?.add(InstanceType);
    const attributes = new Map(
      quota?.AccountAttributes?.map(({ AttributeName, AttributeValues }) => [`${AttributeName}`, AttributeValues?.[0]?.AttributeValue]),
    );
    const perInterface = attributes.get('vpc-max-security-groups-per-interface');
    return {
      offered,
      subnets: new Map(
        (subnets.Subnets ?? []).map(
          ({ SubnetId = '', AvailabilityZone: zone = '', AvailableIpAddressCount: free = 0, CidrBlock: cidr = '' }) => [
            SubnetId,
            { zone, free, cidr },
          ],
        ),
      ),
      types: new Map(
        (types.InstanceTypes ?? []).map((type) => [`${type.InstanceType}`, { ...typeOf(type), vcpus: type.VCpuInfo?.DefaultVCpus ?? 0 }]),
      ),
      groups: new Set(groups.SecurityGroups?.map(({ GroupId = '' }) => GroupId)),
      groupsPerInterface: perInterface === undefined ? undefined : Number(perInterface),
      reservations: new Map(
        reservations
          .filter(({ CapacityReservationId = '' }) => asked.has(CapacityReservationId))
          .map((each) => [
            each.CapacityReservationId ?? '',
            {
              type: each.InstanceType ?? '',
              zone: each.AvailabilityZone ?? '',
              state: each.State ?? '',
              free: each.AvailableInstanceCount ?? 0,
            },
          ]),
      ),
    };
  } finally {
    client.destroy();
  }
}

/** All there are: asked for by id, one that is gone fails the call. */
async function reservationsIn(client: EC2Client): Promise<CapacityReservation[]> {
  const all: CapacityReservation[] = [];
  let NextToken: string | undefined;
  do {
    const { CapacityReservations = [], ...more } = await client.send(new DescribeCapacityReservationsCommand({ NextToken }));
    all.push(...CapacityReservations);
    NextToken = more.NextToken || undefined;
  } while (NextToken !== undefined);
  return all;
}

/** It is one finding less. */
function unlessMayNot(error: unknown): undefined {
  if ((error as Error).name !== 'UnauthorizedOperation') throw error;
}
