import {
  AttachNetworkInterfaceCommand,
  CancelCapacityReservationCommand,
  CreateCapacityReservationCommand,
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  CreateSubnetCommand,
  DescribeCapacityReservationsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  ModifyNetworkInterfaceAttributeCommand,
  paginateDescribeInstances,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { instanceType } from '../../../lib/api/instance-types.ts';
import { describeBed } from '../describe-bed.ts';
import { anAccount, IMAGE, refusal, type TestAccount } from './an-account.ts';

/** One that holds less than in the table: only who asks knows. */
const SMALLER = { ...(instanceType('c5.xlarge') as NonNullable<ReturnType<typeof instanceType>>), networkInterfaces: 2 };

describeBed('instances of the EC2 stand-in', ['moto'], () => {
  let account: TestAccount;
  const send: TestAccount['client']['send'] = ((command: never) => account.client.send(command)) as never;
  const advance = (ms: number) => account.ec2.clock.advance(ms);
  const run = async (input: Partial<RunInstancesCommandInput> = {}) =>
    send(
      new RunInstancesCommand({
        ImageId: IMAGE,
        InstanceType: 'c5.large',
        MinCount: 1,
        MaxCount: 1,
        SubnetId: account.subnets.a,
        ...input,
      }),
    );
  const state = async (id: string | undefined) => (await account.theInstance(id)).State?.Name;

  beforeAll(async () => {
    account = await anAccount({ instanceTypes: [SMALLER] });
  });
  afterAll(async () => await account?.stop());

  test('are not found at first, pending then, and run after twenty seconds; until then nothing is attached to them', async () => {
    const { NetworkInterfaceId } = await account.eni();
    const { Instances = [] } = await run();
    const id = Instances[0]?.InstanceId;
    expect(Instances[0]).toMatchObject({
      State: { Name: 'pending', Code: 0 },
      InstanceType: 'c5.large',
      Placement: { AvailabilityZone: account.zones.a },
    });
    expect(await refusal(state(id))).toBe(`InvalidInstanceID.NotFound: The instance ID '${id}' does not exist`);
    await advance(1_000);
    expect(await state(id)).toBe('pending');
    const attach = () => send(new AttachNetworkInterfaceCommand({ InstanceId: id, NetworkInterfaceId, DeviceIndex: 1 }));
    expect(await refusal(attach())).toBe(`IncorrectState: Instance '${id}' is not 'running'.`);
    await advance(19_000);
    expect(await state(id)).toBe('running');
    expect(await refusal(attach())).toBeUndefined();
  });

  test('have an address that nobody else has', async () => {
    const made = await run({ MinCount: 5, MaxCount: 5 });
    const others = [await account.eni(), await account.eni()];
    const all = [...(made.Instances ?? []), ...others].map((each) => each.PrivateIpAddress);
    expect(new Set(all).size).toBe(7);
    expect(await refusal(account.eni({ PrivateIpAddress: made.Instances?.[0]?.PrivateIpAddress }))).toMatch(/^InvalidIPAddress.InUse/);
    expect(await refusal(run({ PrivateIpAddress: others[0]?.PrivateIpAddress }))).toMatch(/^InvalidIPAddress.InUse/);
    expect((await run({ PrivateIpAddress: '10.0.1.200' })).Instances?.[0]).toMatchObject({ PrivateIpAddress: '10.0.1.200' });
  });

  test('are refused in a subnet that has not enough addresses left for them', async () => {
    const { Subnets } = await send(new DescribeSubnetsCommand({ SubnetIds: [account.subnets.a] }));
    const { Subnet } = await send(new CreateSubnetCommand({ VpcId: Subnets?.[0]?.VpcId, CidrBlock: '10.0.9.0/28' }));
    const SubnetId = Subnet?.SubnetId ?? '';
    const full = /^InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses/;
    expect(await refusal(run({ SubnetId, MinCount: 12, MaxCount: 12 }))).toMatch(full);
    expect((await run({ SubnetId, MinCount: 11, MaxCount: 11 })).Instances).toHaveLength(11);
    expect(await refusal(account.eni({ SubnetId }))).toMatch(full);
  });

  test('end over half a minute, and take along those ENIs that are to end with them; the others are free again', async () => {
    const { InstanceId, NetworkInterfaces } = await account.instance();
    const primary = NetworkInterfaces?.[0]?.NetworkInterfaceId;
    const [stays, goes] = [await account.eni(), await account.eni()];
    for (const [index, { NetworkInterfaceId }] of [stays, goes].entries())
      await send(new AttachNetworkInterfaceCommand({ InstanceId, NetworkInterfaceId, DeviceIndex: index + 1 }));
    const { NetworkInterfaceId } = goes;
    const { AttachmentId } = (await account.theEni(NetworkInterfaceId)).Attachment ?? {};
    await send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Attachment: { AttachmentId, DeleteOnTermination: true } }));
    await advance(3_000);
    const gone: string[] = [];
    const stop = account.ec2.onDetach(({ id }) => void gone.push(id));

    const terminate = () => send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ''] }));
    expect((await terminate()).TerminatingInstances).toMatchObject([
      { InstanceId, PreviousState: { Name: 'running' }, CurrentState: { Name: 'shutting-down' } },
    ]);
    expect((await terminate()).TerminatingInstances).toMatchObject([{ PreviousState: { Name: 'shutting-down' } }]);
    await advance(29_999);
    expect([await state(InstanceId), gone]).toEqual(['shutting-down', []]);
    expect(await account.theEni(stays.NetworkInterfaceId)).toMatchObject({ Status: 'in-use' });
    await advance(1);
    expect(await account.theInstance(InstanceId)).toMatchObject({ State: { Name: 'terminated', Code: 48 }, NetworkInterfaces: [] });
    expect(await account.theEni(stays.NetworkInterfaceId)).toMatchObject({ Status: 'available' });
    for (const id of [primary, NetworkInterfaceId])
      expect(await refusal(account.theEni(id))).toMatch(/^InvalidNetworkInterfaceID.NotFound/);
    expect(gone.sort()).toEqual([primary, stays.NetworkInterfaceId, NetworkInterfaceId].sort());
    stop();

    await advance(3_600_000);
    expect(await refusal(state(InstanceId))).toMatch(/^InvalidInstanceID.NotFound/);
  });

  describe('a client token', () => {
    test('launches once, and is refused with other parameters', async () => {
      const [first, second] = [await run({ ClientToken: 'burst/7' }), await run({ ClientToken: 'burst/7' })];
      expect(second.Instances?.[0]?.InstanceId).toBe(first.Instances?.[0]?.InstanceId);
      expect(second.ReservationId).toBe(first.ReservationId);
      expect(await refusal(run({ ClientToken: 'burst/7', InstanceType: 'c5.xlarge' }))).toMatch(/^IdempotentParameterMismatch/);
    });

    test('whose instance was terminated launches no other', async () => {
      const { InstanceId } = await account.instance({ ClientToken: 'burst/8' });
      await send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ''] }));
      await advance(30_000);
      expect(await refusal(account.instance({ ClientToken: 'burst/8' }))).toMatch(/^IdempotentInstanceTerminated/);
    });
  });

  test('that are too many for a zone are refused, or as many launched as there is room for, and nothing else', async () => {
    account.ec2.setCapacity('m5.large', account.zones.a, 3);
    const m5 = (MinCount: number, MaxCount: number, SubnetId = account.subnets.a) =>
      run({ InstanceType: 'm5.large', MinCount, MaxCount, SubnetId });
    expect(await refusal(m5(4, 4))).toMatch(/^InsufficientInstanceCapacity: .* sufficient m5\.large capacity .* \(ap-northeast-1a\)/);
    expect((await m5(1, 5)).Instances).toHaveLength(3);
    expect(await refusal(m5(1, 1))).toMatch(/^InsufficientInstanceCapacity/);
    expect((await m5(1, 1, account.subnets.c)).Instances).toHaveLength(1);
    account.ec2.setCapacity('m5.large', account.zones.a, undefined);
    expect((await m5(4, 4)).Instances).toHaveLength(4);
  });

  test('run in a capacity reservation that they name, or in an open one, while it has places', async () => {
    account.ec2.setCapacity('r5.large', account.zones.a, 2);
    const reserve = (InstanceMatchCriteria: 'open' | 'targeted') =>
      send(
        new CreateCapacityReservationCommand({
          ...{ InstanceType: 'r5.large', InstancePlatform: 'Linux/UNIX', AvailabilityZone: account.zones.a, InstanceCount: 1 },
          InstanceMatchCriteria,
        }),
      );
    const { CapacityReservationId } = (await reserve('targeted')).CapacityReservation ?? {};
    const r5 = (CapacityReservationSpecification?: object) => run({ InstanceType: 'r5.large', CapacityReservationSpecification });
    const left = async (id = CapacityReservationId) =>
      (await send(new DescribeCapacityReservationsCommand({ CapacityReservationIds: [id ?? ''] }))).CapacityReservations?.[0]
        ?.AvailableInstanceCount;
    const there = { CapacityReservationTarget: { CapacityReservationId } };
    expect((await r5(there)).Instances?.[0]).toMatchObject({ CapacityReservationId });
    expect(await left()).toBe(0);
    expect(await refusal(r5(there))).toMatch(/^ReservationCapacityExceeded/);

    const open = (await reserve('open')).CapacityReservation?.CapacityReservationId;
    expect(await refusal(reserve('open'))).toMatch(/^InsufficientInstanceCapacity/);
    expect(await refusal(r5({ CapacityReservationPreference: 'none' }))).toMatch(/^InsufficientInstanceCapacity/);
    const { Instances = [] } = await r5();
    expect([Instances[0]?.CapacityReservationId, await left(open)]).toEqual([open, 0]);
    await advance(1_000);
    await send(new TerminateInstancesCommand({ InstanceIds: [Instances[0]?.InstanceId ?? ''] }));
    await advance(30_000);
    expect(await left(open)).toBe(1);
    await send(new CancelCapacityReservationCommand({ CapacityReservationId: open }));
    expect(await refusal(r5())).toMatch(/^InsufficientInstanceCapacity/);
    expect(await refusal(r5({ CapacityReservationTarget: { CapacityReservationId: 'cr-0' } }))).toMatch(
      /^InvalidCapacityReservationId.NotFound/,
    );
  });

  test('start from a launch template as it says, with their ENIs tagged, but for what the call says otherwise', async () => {
    const LaunchTemplateName = 'burst';
    const eni = { DeviceIndex: 0, SubnetId: account.subnets.c, Groups: [account.groupId], DeleteOnTermination: true };
    const LaunchTemplateData = {
      ...{ ImageId: IMAGE, InstanceType: 'c5.large' as const, UserData: Buffer.from('#cloud-config').toString('base64') },
      ...{ NetworkInterfaces: [eni], MetadataOptions: { HttpTokens: 'required' as const, HttpPutResponseHopLimit: 1 } },
      IamInstanceProfile: { Name: 'gala-node' },
      TagSpecifications: (['instance', 'network-interface'] as const).map((ResourceType) => ({
        ResourceType,
        Tags: [{ Key: 'pool', Value: 'burst' }],
      })),
    };
    await send(new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData }));
    const next = { InstanceType: 'c5.xlarge' as const };
    await send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateName, SourceVersion: '1', LaunchTemplateData: next }));
    const from = (Version: string | undefined, more: Partial<RunInstancesCommandInput> = {}) =>
      send(
        new RunInstancesCommand({
          MinCount: 1,
          MaxCount: 1,
          LaunchTemplate: { LaunchTemplateName, ...(Version ? { Version } : {}) },
          ...more,
        }),
      );
    const first = (await from(undefined)).Instances?.[0];
    expect(first).toMatchObject({ InstanceType: 'c5.large', SubnetId: account.subnets.c, Tags: [{ Key: 'pool', Value: 'burst' }] });
    expect(first?.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
    await advance(1_000);
    const primary = await account.theEni(first?.NetworkInterfaces?.[0]?.NetworkInterfaceId);
    expect(primary).toMatchObject({ TagSet: [{ Key: 'pool', Value: 'burst' }], Groups: [{ GroupId: account.groupId }] });
    const { UserData } = await send(new DescribeInstanceAttributeCommand({ InstanceId: first?.InstanceId, Attribute: 'userData' }));
    expect(Buffer.from(UserData?.Value ?? '', 'base64').toString()).toBe('#cloud-config');
    expect((await from('$Latest')).Instances?.[0]).toMatchObject({ InstanceType: 'c5.xlarge', SubnetId: account.subnets.c });
    expect((await from('2', { InstanceType: 'm5.large' })).Instances?.[0]).toMatchObject({ InstanceType: 'm5.large' });
    expect(await refusal(from('3'))).toMatch(/^InvalidLaunchTemplateId.VersionNotFound/);
  });

  test('come with further ENIs, as many as their type carries', async () => {
    const nic = (DeviceIndex: number) => ({ DeviceIndex, SubnetId: account.subnets.a, DeleteOnTermination: true });
    const made = await run({ SubnetId: undefined, NetworkInterfaces: [nic(0), nic(1), nic(2)] });
    expect(made.Instances?.[0]?.NetworkInterfaces?.map((eni) => eni.Attachment?.DeviceIndex)).toEqual([0, 1, 2]);
    expect(await refusal(run({ SubnetId: undefined, NetworkInterfaces: [0, 1, 2, 3].map(nic) }))).toMatch(
      /^AttachmentLimitExceeded: Interface count 4 exceeds the limit for c5.large/,
    );
    await advance(1_000);
    const before = await send(new DescribeInstancesCommand({}));
    const elsewhere = [nic(0), { ...nic(1), SubnetId: account.subnets.c }];
    expect(await refusal(run({ SubnetId: undefined, NetworkInterfaces: elsewhere }))).toMatch(/^InvalidParameterCombination/);
    await advance(1_000);
    expect((await send(new DescribeInstancesCommand({}))).Reservations).toHaveLength(before.Reservations?.length ?? 0);
  });

  test('leave no place for an ENI where volumes have taken it', async () => {
    const BlockDeviceMappings = Array.from({ length: 26 }, (_, n) => ({ DeviceName: `/dev/sd${n}`, Ebs: { VolumeSize: 1 } }));
    const { InstanceId } = await account.instance({ BlockDeviceMappings });
    const attach = async (DeviceIndex: number) =>
      refusal(
        send(new AttachNetworkInterfaceCommand({ InstanceId, DeviceIndex, NetworkInterfaceId: (await account.eni()).NetworkInterfaceId })),
      );
    expect([await attach(1), await attach(2)]).toEqual([undefined, expect.stringMatching(/^AttachmentLimitExceeded: Attachment count 29/)]);
  });

  test('carry what DescribeInstanceTypes tells of their type', async () => {
    const { InstanceTypes = [] } = await send(new DescribeInstanceTypesCommand({ InstanceTypes: ['c5.xlarge', 'p5.48xlarge'] }));
    const [c5, p5] = ['c5.xlarge', 'p5.48xlarge'].map((name) => InstanceTypes.find((each) => each.InstanceType === name));
    expect(c5).toMatchObject({
      VCpuInfo: { DefaultVCpus: 4 },
      MemoryInfo: { SizeInMiB: 8192 },
      NetworkInfo: { MaximumNetworkInterfaces: 2 },
    });
    expect(p5?.NetworkInfo).toMatchObject({ MaximumNetworkCards: 32, MaximumNetworkInterfaces: 64 });
    expect(p5?.NetworkInfo?.NetworkCards?.[31]).toMatchObject({ NetworkCardIndex: 31, MaximumNetworkInterfaces: 2 });
    const unknown = send(new DescribeInstanceTypesCommand({ InstanceTypes: ['c5.huge' as never] }));
    expect(await refusal(unknown)).toBe('InvalidInstanceType: The following supplied instance types do not exist: [c5.huge]');
    const { InstanceId } = await account.instance({ InstanceType: 'c5.xlarge' });
    const attach = async (DeviceIndex: number) =>
      refusal(
        send(new AttachNetworkInterfaceCommand({ InstanceId, DeviceIndex, NetworkInterfaceId: (await account.eni()).NetworkInterfaceId })),
      );
    expect([await attach(1), await attach(2)]).toEqual([
      undefined,
      'AttachmentLimitExceeded: Interface count 3 exceeds the limit for c5.xlarge',
    ]);
  });

  test('are described by filters and in pages', async () => {
    await run({ MinCount: 7, MaxCount: 7, InstanceType: 'm5.xlarge' });
    await advance(20_000);
    const Filters = [
      { Name: 'instance-type', Values: ['m5.xlarge'] },
      { Name: 'instance-state-name', Values: ['running'] },
    ];
    const sizes: number[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client: account.client, pageSize: 5 }, { Filters }))
      sizes.push(Reservations.flatMap((each) => each.Instances ?? []).length);
    expect(sizes).toEqual([5, 2]);
    expect(await refusal(send(new DescribeInstancesCommand({ MaxResults: 1001 })))).toMatch(/^InvalidParameterValue/);
  });

  test('are refused with an image, type or subnet that is not there', async () => {
    expect(await refusal(run({ ImageId: 'ami-0fedcba9876543210' }))).toMatch(/^InvalidAMIID.NotFound/);
    expect(await refusal(run({ InstanceType: 'c5.huge' as never }))).toBe(
      "InvalidParameterValue: Invalid value 'c5.huge' for InstanceType.",
    );
    expect(await refusal(run({ SubnetId: 'subnet-0' }))).toMatch(/^InvalidSubnetID.NotFound/);
  });
});
