/** An EC2 account for tests: a network in two zones, and short ways to what every test needs of the real SDK's client. */
import {
  CreateNetworkInterfaceCommand,
  type CreateNetworkInterfaceCommandInput,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  EC2Client,
  type Instance,
  type NetworkInterface,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { type Ec2, type Ec2Options, startEc2 } from './ec2.ts';

export const IMAGE = 'ami-0123456789abcdef0';
const ZONES = { a: 'ap-northeast-1a', c: 'ap-northeast-1c' } as const;

export interface TestAccount {
  readonly ec2: Ec2;
  readonly client: EC2Client;
  readonly zones: typeof ZONES;
  /** 10.0.1.0/24 in zone a, 10.0.3.0/24 in zone c. */
  readonly subnets: { readonly a: string; readonly c: string };
  readonly groupId: string;
  /** A new ENI, in zone a; others find it. */
  eni(input?: Partial<CreateNetworkInterfaceCommandInput>): Promise<NetworkInterface>;
  /** A new instance, a c5.large in zone a; it runs. */
  instance(input?: Partial<RunInstancesCommandInput>): Promise<Instance>;
  /** As they are described now. */
  theEni(id: string | undefined): Promise<NetworkInterface>;
  theInstance(id: string | undefined): Promise<Instance>;
  stop(): Promise<void>;
}

/** @param options nothing is throttled unless they say so */
export async function anAccount(options: Ec2Options = {}): Promise<TestAccount> {
  const ec2 = await startEc2({ buckets: 'off', images: [IMAGE], ...options });
  const client = aClient(ec2);
  const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const subnet = async (AvailabilityZone: string, CidrBlock: string) =>
    (await client.send(new CreateSubnetCommand({ VpcId: Vpc?.VpcId, AvailabilityZone, CidrBlock }))).Subnet?.SubnetId ?? '';
  const subnets = { a: await subnet(ZONES.a, '10.0.1.0/24'), c: await subnet(ZONES.c, '10.0.3.0/24') };
  const group = new CreateSecurityGroupCommand({ GroupName: 'pods', Description: 'pods', VpcId: Vpc?.VpcId });
  const groupId = (await client.send(group)).GroupId ?? '';
  const launch: RunInstancesCommandInput = { ImageId: IMAGE, InstanceType: 'c5.large', MinCount: 1, MaxCount: 1, SubnetId: subnets.a };
  return {
    ...{ ec2, client, zones: ZONES, subnets, groupId },
    eni: async (input = {}) => {
      const made = await client.send(new CreateNetworkInterfaceCommand({ SubnetId: subnets.a, Groups: [groupId], ...input }));
      await ec2.clock.advance(5_000);
      return made.NetworkInterface as NetworkInterface;
    },
    instance: async (input = {}) => {
      const made = await client.send(new RunInstancesCommand({ ...launch, ...input }));
      await ec2.clock.advance(30_000);
      return made.Instances?.[0] as Instance;
    },
    theEni: async (id) => {
      const found = await client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id ?? ''] }));
      return found.NetworkInterfaces?.[0] as NetworkInterface;
    },
    theInstance: async (id) => {
      const found = await client.send(new DescribeInstancesCommand({ InstanceIds: [id ?? ''] }));
      return found.Reservations?.[0]?.Instances?.[0] as Instance;
    },
    stop: async () => {
      client.destroy();
      await ec2.stop();
    },
  };
}

/** As a program has it, but that it tries once: what EC2 said is what a test wants to see. */
export const aClient = ({ endpoint, region }: Pick<Ec2, 'endpoint' | 'region'>, maxAttempts = 1): EC2Client =>
  new EC2Client({ endpoint, region, maxAttempts, credentials: { accessKeyId: 'bed', secretAccessKey: 'bed' } });

/** The code and message that a call is refused with; undefined where it is not. */
export async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}
