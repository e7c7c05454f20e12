/** Account, instances: the calls of fleet.ts by AWS's SDK, within the budget that account.ts keeps. */
import {
  type _InstanceType,
  CreateLaunchTemplateCommand,
  DeleteLaunchTemplateCommand,
  DescribeCapacityReservationsCommand,
  DescribeLaunchTemplatesCommand,
  type EC2Client,
  type Instance,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { Reservation } from './capacity.ts';
import { Ec2Error } from './ec2.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import { POOL_TAG } from './launch.ts';
import { CLUSTER_UID_TAG, type Tags } from './tags.ts';

export interface Calls {
  readonly client: EC2Client;
  readonly signal: AbortSignal;
  readonly call: <T>(api: string, send: () => Promise<T>) => Promise<T>;
  readonly pages: <T>(
    api: string,
    ask: (NextToken: string | undefined) => Promise<{ NextToken?: string; items: readonly T[] }>,
  ) => Promise<T[]>;
  readonly instancesBy: (filter: string, values: readonly string[]) => Promise<FleetInstance[]>;
}

/** The most that a page holds (API_DescribeLaunchTemplates: 200; the other one: 1000). */
const PAGE = 200;

export function fleetOf({ client, signal, call, pages, instancesBy }: Calls): Omit<Fleet, 'instances'> {
  const options = { abortSignal: signal };
  return {
    launched: (clusterUid) => instancesBy(`tag:${CLUSTER_UID_TAG}`, [clusterUid]),
    reservations: (ids) =>
      pages<Reservation>('DescribeCapacityReservations', async (NextToken) => {
        // Not by id: one that EC2 does not know any more would fail the look at the whole region, and no filter takes ids.
        const asked = { Filters: [{ Name: 'state', Values: ['active'] }], MaxResults: PAGE, NextToken };
        const { CapacityReservations = [], ...more } = await client.send(new DescribeCapacityReservationsCommand(asked), options);
        const mine = CapacityReservations.filter(({ CapacityReservationId = '' }) => ids.includes(CapacityReservationId));
        const items = mine.map((each) => ({
          id: each.CapacityReservationId ?? '',
          type: each.InstanceType ?? '',
          zone: each.AvailabilityZone ?? '',
          free: each.AvailableInstanceCount ?? 0,
        }));
        return { items, NextToken: more.NextToken };
      }),
    async keepTemplate({ name, tags, imageId, instanceProfile, securityGroupIds }) {
      const Filters = [CLUSTER_UID_TAG, POOL_TAG].map((key) => ({ Name: `tag:${key}`, Values: [tags[key] ?? ''] }));
      const there = await pages<string>('DescribeLaunchTemplates', async (NextToken) => {
        const asked = { Filters, MaxResults: PAGE, NextToken };
        const { LaunchTemplates = [], ...more } = await client.send(new DescribeLaunchTemplatesCommand(asked), options);
        return { items: LaunchTemplates.map(({ LaunchTemplateName = '' }) => LaunchTemplateName), NextToken: more.NextToken };
      });
      if (!there.includes(name))
        await unlessThere(() =>
          call('CreateLaunchTemplate', () =>
            client.send(
              new CreateLaunchTemplateCommand({
                LaunchTemplateName: name,
                VersionDescription: 'gala cloud',
                TagSpecifications: [{ ResourceType: 'launch-template', Tags: tagList(tags) }],
                LaunchTemplateData: {
                  ImageId: imageId,
                  IamInstanceProfile: { Name: instanceProfile },
                  SecurityGroupIds: [...securityGroupIds],
                  // IMDSv2 alone, and no answer of it leaves the instance: a pod behind a hop gets none.
                  MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
                  // One that is shut down from inside would keep its place and its disk.
                  InstanceInitiatedShutdownBehavior: 'terminate',
                },
              }),
              options,
            ),
          ),
        );
      for (const LaunchTemplateName of there.filter((each) => each !== name))
        await call('DeleteLaunchTemplate', () => client.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName }), options));
    },
    async run({ clientToken, template, offer, tags, userData }) {
      const { Instances = [] } = await call('RunInstances', () =>
        client.send(
          new RunInstancesCommand({
            ClientToken: clientToken,
            ...{ MinCount: 1, MaxCount: 1 },
            LaunchTemplate: { LaunchTemplateName: template, Version: '1' },
            InstanceType: offer.type as _InstanceType,
            SubnetId: offer.subnetId,
            UserData: Buffer.from(userData).toString('base64'),
            TagSpecifications: [
              { ResourceType: 'instance', Tags: tagList(tags) },
              { ResourceType: 'volume', Tags: tagList(tags) },
            ],
            ...(offer.reservationId === undefined
              ? {}
              : { CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: offer.reservationId } } }),
          }),
          options,
        ),
      );
      return Instances[0]?.InstanceId ?? '';
    },
    async terminate(instanceId) {
      await call('TerminateInstances', () => client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }), options));
    },
  };
}

/** Another process was quicker: what it made is the same. */
async function unlessThere(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!(error instanceof Ec2Error && error.code === 'InvalidLaunchTemplateName.AlreadyExistsException')) throw error;
  }
}

const tagList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function instanceOf(each: Instance): FleetInstance {
  const said = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : [text]);
  return {
    id: each.InstanceId ?? '',
    type: each.InstanceType ?? '',
    zone: each.Placement?.AvailabilityZone ?? '',
    state: each.State?.Name ?? '',
    tags: Object.fromEntries((each.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    addresses: [...said(each.PrivateIpAddress), ...said(each.Ipv6Address)],
    dnsNames: said(each.PrivateDnsName),
    ...(each.StateReason?.Message === undefined ? {} : { reason: each.StateReason.Message }),
  };
}
