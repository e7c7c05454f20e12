/**
 * Account: EC2 in one region, by AWS's SDK. The only file that knows the SDK; program.ts reads it when it runs, and not before.
 *
 * The SDK tries each call once: a call whose answer was lost is not sent again but looked for (describe before retry). Describes are
 * filtered and paginated, because EC2 throttles others sooner (ec2/latest/devguide/ec2-api-throttling.html).
 */
import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DetachNetworkInterfaceCommand,
  EC2Client,
  type InstanceTypeInfo,
  ModifyNetworkInterfaceAttributeCommand,
  type NetworkInterface,
} from '@aws-sdk/client-ec2';
import { type Clock, monotonic, pause } from '../kube/clock.ts';
import { fleetOf, instanceOf } from './account-fleet.ts';
import { type Budget, drained, type Left, leftOf, spend } from './budget.ts';
import { type Ec2, type Ec2Eni, Ec2Error, type Ec2Type, meaningOf, NotNow } from './ec2.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import { CLUSTER_UID_TAG, type Tags } from './tags.ts';

export interface AccountOptions {
  readonly region: string;
  /** Of EC2's token buckets; budget.ts. */
  readonly part: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Told of each call, for metrics; `code` where EC2 refused it. */
  readonly onCall?: (api: string, code: string | undefined) => void;
  /** @default as the SDK finds them: environment, web identity, pod identity, instance profile */
  readonly client?: EC2Client;
}

/** The most values that a filter takes (ec2/latest/devguide, "Filtering"). */
const FILTER_VALUES = 200;
/** The most that a page holds (API_DescribeNetworkInterfaces, API_DescribeInstances). */
const PAGE = 1_000;
/** DescribeInstanceTypes: 100 names a call. */
const TYPE_NAMES = 100;

export function ec2Account(options: AccountOptions): Ec2 & Fleet & { left(api: string): Left; close(): void } {
  const { region, part, signal, clock = monotonic, onCall = () => {} } = options;
  const client = options.client ?? new EC2Client({ region, maxAttempts: 1 });
  let budget: Budget = {};

  async function call<T>(api: string, send: () => Promise<T>): Promise<T> {
    for (;;) {
      const spent = spend(budget, api, clock.now(), part);
      if ('budget' in spent) {
        budget = spent.budget;
        break;
      }
      if (!api.startsWith('Describe')) throw new NotNow(api, spent.waitMs);
      await pause(spent.waitMs, signal, clock);
      signal.throwIfAborted();
    }
    try {
      const answer = await send();
      onCall(api, undefined);
      return answer;
    } catch (cause) {
      const { name, message } = cause as Error;
      onCall(api, name);
      // Without an answer nobody knows whether it was done: that is no word of EC2's.
      if ((cause as { $fault?: unknown }).$fault === undefined) throw cause;
      const error = new Ec2Error(api, name, message);
      error.cause = cause;
      // Other programs of the account spend the same bucket.
      if (meaningOf(error) === 'throttled') budget = drained(budget, api, clock.now());
      throw error;
    }
  }

  async function pages<T>(
    api: string,
    ask: (NextToken: string | undefined) => Promise<{ NextToken?: string; items: readonly T[] }>,
  ): Promise<T[]> {
    const all: T[] = [];
    let next: string | undefined;
    do {
      const { NextToken, items } = await call(api, () => ask(next));
      all.push(...items);
      next = NextToken;
    } while (next !== undefined && next !== '');
    return all;
  }

  const instancesBy = (Name: string, Values: readonly string[]) =>
    pages<FleetInstance>('DescribeInstances', async (NextToken) => {
      const asked = { Filters: [{ Name, Values: [...Values] }], MaxResults: PAGE, NextToken };
      const { Reservations = [], ...more } = await client.send(new DescribeInstancesCommand(asked), { abortSignal: signal });
      return { items: Reservations.flatMap(({ Instances = [] }) => Instances).map(instanceOf), NextToken: more.NextToken };
    });

  const enisBy = (Name: string, Values: readonly string[]) =>
    pages<NetworkInterface>('DescribeNetworkInterfaces', async (NextToken) => {
      const asked = { Filters: [{ Name, Values: [...Values] }], MaxResults: PAGE, NextToken };
      const { NetworkInterfaces: items = [], ...more } = await client.send(new DescribeNetworkInterfacesCommand(asked), {
        abortSignal: signal,
      });
      return { items, NextToken: more.NextToken };
    });

  return {
    async instances(ids) {
      const found: FleetInstance[] = [];
      // By filter: an id that EC2 does not know any more is left out, and fails no call.
      for (const Values of chunks(ids, FILTER_VALUES)) found.push(...(await instancesBy('instance-id', Values)));
      return found;
    },
    ...fleetOf({ client, call, pages, instancesBy, signal }),
    async types(names) {
      const found = new Map<string, Ec2Type>();
      for (const Values of chunks(names, TYPE_NAMES))
        for (const [name, type] of await pages('DescribeInstanceTypes', async (NextToken) => {
          const asked = { Filters: [{ Name: 'instance-type', Values }], MaxResults: 100, NextToken };
          const { InstanceTypes = [], ...more } = await client.send(new DescribeInstanceTypesCommand(asked), { abortSignal: signal });
          const items = InstanceTypes.map((type): [string, Ec2Type] => [type.InstanceType ?? '', typeOf(type)]);
          return { items, NextToken: more.NextToken };
        }))
          found.set(name, type);
      return found;
    },
    async enis(instanceIds, clusterUid) {
      const found = new Map<string, Ec2Eni>();
      for (const eni of await enisBy(`tag:${CLUSTER_UID_TAG}`, [clusterUid])) found.set(eni.NetworkInterfaceId ?? '', eniOf(eni));
      for (const ids of chunks(instanceIds, FILTER_VALUES))
        for (const eni of await enisBy('attachment.instance-id', ids)) found.set(eni.NetworkInterfaceId ?? '', eniOf(eni));
      return [...found.values()];
    },
    async create({ clientToken, subnetId, securityGroupIds, tags }) {
      const made = await call('CreateNetworkInterface', () =>
        client.send(
          new CreateNetworkInterfaceCommand({
            ClientToken: clientToken,
            SubnetId: subnetId,
            Groups: [...securityGroupIds].sort(),
            Description: 'pod ENI of gala cloud',
            TagSpecifications: [{ ResourceType: 'network-interface', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }],
          }),
          { abortSignal: signal },
        ),
      );
      return made.NetworkInterface?.NetworkInterfaceId ?? '';
    },
    async attach(NetworkInterfaceId, InstanceId, { deviceIndex: DeviceIndex, networkCardIndex: NetworkCardIndex }) {
      const asked = { NetworkInterfaceId, InstanceId, DeviceIndex, NetworkCardIndex };
      await call('AttachNetworkInterface', () => client.send(new AttachNetworkInterfaceCommand(asked), { abortSignal: signal }));
    },
    async endWithInstance(NetworkInterfaceId, AttachmentId) {
      const asked = { NetworkInterfaceId, Attachment: { AttachmentId, DeleteOnTermination: true } };
      await call('ModifyNetworkInterfaceAttribute', () =>
        client.send(new ModifyNetworkInterfaceAttributeCommand(asked), { abortSignal: signal }),
      );
    },
    async detach(AttachmentId) {
      await call('DetachNetworkInterface', () => client.send(new DetachNetworkInterfaceCommand({ AttachmentId }), { abortSignal: signal }));
    },
    async delete(NetworkInterfaceId) {
      await call('DeleteNetworkInterface', () =>
        client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }), { abortSignal: signal }),
      );
    },
    left: (api) => leftOf(budget, api, clock.now(), part),
    close: () => client.destroy(),
  };
}

function* chunks<T>(all: readonly T[], size: number): Iterable<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

export const typeOf = ({ NetworkInfo, EbsInfo }: Pick<InstanceTypeInfo, 'NetworkInfo' | 'EbsInfo'>): Ec2Type => ({
  networkCards: (NetworkInfo?.NetworkCards ?? []).map(({ NetworkCardIndex = 0, MaximumNetworkInterfaces = 0 }) => ({
    networkCardIndex: NetworkCardIndex,
    networkInterfaces: MaximumNetworkInterfaces,
  })),
  attachments: (EbsInfo?.AttachmentLimitType as string) === 'dedicated' ? 'dedicated' : 'shared',
  ebsVolumes: EbsInfo?.MaximumEbsAttachments ?? 0,
});

function eniOf(eni: NetworkInterface): Ec2Eni {
  const { Attachment: at, TagSet = [] } = eni;
  const isThere = at?.InstanceId !== undefined && at.Status !== 'detached';
  return {
    id: eni.NetworkInterfaceId ?? '',
    mac: (eni.MacAddress ?? '').toLowerCase(),
    ip: eni.PrivateIpAddress ?? '',
    subnetId: eni.SubnetId ?? '',
    tags: Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value])) satisfies Tags,
    status: eni.Status ?? '',
    ...(isThere
      ? {
          attachment: {
            id: at.AttachmentId ?? '',
            instanceId: at.InstanceId ?? '',
            networkCardIndex: at.NetworkCardIndex ?? 0,
            deviceIndex: at.DeviceIndex ?? 0,
            status: (at.Status ?? 'attaching') as 'attaching' | 'attached' | 'detaching',
            deleteOnTermination: at.DeleteOnTermination ?? false,
          },
        }
      : {}),
  };
}
