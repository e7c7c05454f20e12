import {
  AttachNetworkInterfaceCommand,
  type AttachNetworkInterfaceCommandInput,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSubnetCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  DetachNetworkInterfaceCommand,
  ModifyNetworkInterfaceAttributeCommand,
  paginateDescribeNetworkInterfaces,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeBed } from '../describe-bed.ts';
import { anAccount, refusal, type TestAccount } from './an-account.ts';
import type { InstanceEni } from './hooks.ts';

describeBed('ENIs of the EC2 stand-in', ['moto'], () => {
  let account: TestAccount;
  const send: TestAccount['client']['send'] = ((command: never) => account.client.send(command)) as never;
  const advance = (ms: number) => account.ec2.clock.advance(ms);
  const attach = (input: Partial<AttachNetworkInterfaceCommandInput>) =>
    send(new AttachNetworkInterfaceCommand({ DeviceIndex: 1, NetworkInterfaceId: undefined, InstanceId: undefined, ...input }));

  beforeAll(async () => {
    account = await anAccount();
  });
  afterAll(async () => await account?.stop());

  describe('a new one', () => {
    test('has what was asked for, is pending, and is not found by anybody until a second has passed', async () => {
      const asked = {
        ...{ SubnetId: account.subnets.a, Groups: [account.groupId], Description: 'slot 3', PrivateIpAddress: '10.0.1.77' },
        TagSpecifications: [{ ResourceType: 'network-interface' as const, Tags: [{ Key: 'gala.internal/slot', Value: '3' }] }],
      };
      const { NetworkInterface: made } = await send(new CreateNetworkInterfaceCommand(asked));
      expect(made).toMatchObject({
        Status: 'pending',
        PrivateIpAddress: '10.0.1.77',
        AvailabilityZone: account.zones.a,
        Description: 'slot 3',
      });
      expect(made?.MacAddress).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      const id = made?.NetworkInterfaceId ?? '';
      const unknown = `InvalidNetworkInterfaceID.NotFound: The networkInterface ID '${id}' does not exist`;
      expect(await refusal(account.theEni(id))).toBe(unknown);
      const tagged = send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'a', Value: 'b' }] }));
      expect(await refusal(tagged)).toBe(unknown);
      const filtered = new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'tag:gala.internal/slot', Values: ['3'] }] });
      expect((await send(filtered)).NetworkInterfaces).toEqual([]);

      await advance(1_000);
      expect(await account.theEni(id)).toMatchObject({ Status: 'available', PrivateIpAddress: '10.0.1.77', TagSet: [{ Value: '3' }] });
      expect((await send(filtered)).NetworkInterfaces).toMatchObject([{ NetworkInterfaceId: id }]);
    });

    test('is refused an address that is in use, outside of the subnet, or one of those that EC2 keeps', async () => {
      await account.eni({ PrivateIpAddress: '10.0.1.78' });
      const refusedFor = (PrivateIpAddress: string) => refusal(account.eni({ PrivateIpAddress }));
      expect(await refusedFor('10.0.1.78')).toBe('InvalidIPAddress.InUse: Address 10.0.1.78 is in use.');
      expect(await refusedFor('10.0.3.9')).toBe("InvalidParameterValue: Address 10.0.3.9 does not fall within the subnet's address range");
      for (const reserved of ['10.0.1.0', '10.0.1.3', '10.0.1.255'])
        expect(await refusedFor(reserved)).toBe(`InvalidParameterValue: Address ${reserved} is in subnet's reserved address range`);
    });

    test('gets a free address of its own where it asks for none, and the subnet has one less', async () => {
      const free = async () =>
        (await send(new DescribeSubnetsCommand({ SubnetIds: [account.subnets.c] }))).Subnets?.[0]?.AvailableIpAddressCount;
      expect(await free()).toBe(251);
      const made = [await account.eni({ SubnetId: account.subnets.c }), await account.eni({ SubnetId: account.subnets.c })];
      expect(new Set(made.map((eni) => eni.PrivateIpAddress)).size).toBe(2);
      expect(await free()).toBe(249);
      expect(await refusal(send(new DeleteSubnetCommand({ SubnetId: account.subnets.c })))).toMatch(/^DependencyViolation: /);
    });

    test('is refused in a subnet or with a security group that is not there', async () => {
      expect(await refusal(account.eni({ SubnetId: 'subnet-0' }))).toBe(
        "InvalidSubnetID.NotFound: The subnet ID 'subnet-0' does not exist",
      );
      expect(await refusal(account.eni({ Groups: ['sg-0'] }))).toBe("InvalidGroup.NotFound: The security group 'sg-0' does not exist");
    });
  });

  describe('a client token', () => {
    test('makes one ENI however often the call comes, and answers as it is by then', async () => {
      const call = { SubnetId: account.subnets.a, Groups: [account.groupId], ClientToken: 'node-1/3' };
      const first = await account.eni(call);
      const { NetworkInterface: second } = await send(new CreateNetworkInterfaceCommand(call));
      expect(second).toMatchObject({ NetworkInterfaceId: first.NetworkInterfaceId, MacAddress: first.MacAddress, Status: 'available' });
    });

    test('is refused with other parameters', async () => {
      await account.eni({ ClientToken: 'node-1/4' });
      expect(await refusal(account.eni({ ClientToken: 'node-1/4', Description: 'another' }))).toBe(
        'IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      );
    });

    test('of a call that failed may be used again', async () => {
      expect(await refusal(account.eni({ ClientToken: 'node-1/5', PrivateIpAddress: '10.9.9.9' }))).toMatch(/^InvalidParameterValue/);
      expect(await account.eni({ ClientToken: 'node-1/5' })).toMatchObject({ Status: 'pending' });
    });

    test('whose ENI was deleted answers with the ENI that is gone', async () => {
      const { NetworkInterfaceId } = await account.eni({ ClientToken: 'node-1/6' });
      await send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
      expect(await account.eni({ ClientToken: 'node-1/6' })).toMatchObject({ NetworkInterfaceId });
      expect(await refusal(account.theEni(NetworkInterfaceId))).toMatch(/^InvalidNetworkInterfaceID.NotFound/);
    });

    test('has at most 64 characters', async () => {
      expect(await refusal(account.eni({ ClientToken: 'x'.repeat(65) }))).toMatch(/^InvalidParameterValue: .*64 ASCII characters/);
    });
  });

  describe('attaching', () => {
    test('takes its time, and then the instance shows it; hooks are told when it is there, and when it is gone', async () => {
      const { InstanceId } = await account.instance();
      const { NetworkInterfaceId, MacAddress } = await account.eni();
      const told: [string, InstanceEni][] = [];
      const stops = [
        account.ec2.onAttach((eni) => void told.push(['attached', eni])),
        account.ec2.onDetach((eni) => void told.push(['detached', eni])),
      ];
      const { AttachmentId } = await attach({ InstanceId, NetworkInterfaceId });
      await advance(2_999);
      const attachment = { AttachmentId, InstanceId, DeviceIndex: 1, NetworkCardIndex: 0, DeleteOnTermination: false };
      expect(await account.theEni(NetworkInterfaceId)).toMatchObject({
        Status: 'in-use',
        Attachment: { ...attachment, Status: 'attaching' },
      });
      expect(told).toEqual([]);
      await advance(1);
      expect(await account.theEni(NetworkInterfaceId)).toMatchObject({ Attachment: { Status: 'attached' } });
      const shown = (await account.theInstance(InstanceId)).NetworkInterfaces;
      expect(shown?.map((eni) => [eni.Attachment?.DeviceIndex, eni.Attachment?.Status])).toEqual([
        [0, 'attached'],
        [1, 'attached'],
      ]);
      expect(told).toMatchObject([['attached', { id: NetworkInterfaceId, mac: MacAddress, instanceId: InstanceId, deviceIndex: 1 }]]);

      await send(new DetachNetworkInterfaceCommand({ AttachmentId }));
      await advance(2_999);
      expect(await account.theEni(NetworkInterfaceId)).toMatchObject({ Status: 'in-use', Attachment: { Status: 'detaching' } });
      await advance(1);
      const free = await account.theEni(NetworkInterfaceId);
      expect([free.Status, free.Attachment]).toEqual(['available', undefined]);
      expect(told).toMatchObject([{}, ['detached', { id: NetworkInterfaceId, instanceId: InstanceId }]]);
      for (const stop of stops) stop();
    });

    test('is refused at a device index that is taken, of an ENI that is in use, and beyond what the type carries', async () => {
      const { InstanceId } = await account.instance();
      const [one, two, three] = [await account.eni(), await account.eni(), await account.eni()];
      await attach({ InstanceId, NetworkInterfaceId: one.NetworkInterfaceId });
      expect(await refusal(attach({ InstanceId, NetworkInterfaceId: two.NetworkInterfaceId }))).toBe(
        `InvalidParameterValue: Instance '${InstanceId}' already has an interface attached at device index '1'.`,
      );
      expect(await refusal(attach({ InstanceId, NetworkInterfaceId: one.NetworkInterfaceId, DeviceIndex: 2 }))).toBe(
        `InvalidNetworkInterface.InUse: Interface: [${one.NetworkInterfaceId}] in use.`,
      );
      await attach({ InstanceId, NetworkInterfaceId: two.NetworkInterfaceId, DeviceIndex: 2 });
      expect(await refusal(attach({ InstanceId, NetworkInterfaceId: three.NetworkInterfaceId, DeviceIndex: 3 }))).toBe(
        'AttachmentLimitExceeded: Interface count 4 exceeds the limit for c5.large',
      );
    });

    test('counts by network card where a type has several', async () => {
      const { InstanceId } = await account.instance({ InstanceType: 'p5.48xlarge' });
      const on = async (NetworkCardIndex: number, DeviceIndex: number) =>
        await refusal(attach({ InstanceId, NetworkCardIndex, DeviceIndex, NetworkInterfaceId: (await account.eni()).NetworkInterfaceId }));
      expect(await on(1, 1)).toBeUndefined();
      // The same device index on another card.
      expect(await on(0, 1)).toBeUndefined();
      expect(await on(0, 2)).toMatch(/^AttachmentLimitExceeded: Interface count 3 exceeds the limit of network card 0 for p5.48xlarge/);
      expect(await on(32, 1)).toMatch(/^InvalidParameterValue: Network card index 32 is not valid/);
    });

    test('is refused across zones, and where nothing is', async () => {
      const { InstanceId } = await account.instance();
      const other = await account.eni({ SubnetId: account.subnets.c });
      expect(await refusal(attach({ InstanceId, NetworkInterfaceId: other.NetworkInterfaceId }))).toMatch(
        /^InvalidParameterCombination: .*not in the same availability zone$/,
      );
      expect(await refusal(attach({ InstanceId: 'i-0', NetworkInterfaceId: other.NetworkInterfaceId }))).toMatch(
        /^InvalidInstanceID.NotFound/,
      );
      expect(await refusal(attach({ InstanceId, NetworkInterfaceId: 'eni-0' }))).toMatch(/^InvalidNetworkInterfaceID.NotFound/);
      expect(await refusal(send(new DetachNetworkInterfaceCommand({ AttachmentId: 'eni-attach-0' })))).toMatch(
        /^InvalidAttachmentID.NotFound/,
      );
    });

    test('leaves the primary where it is', async () => {
      const { NetworkInterfaces } = await account.instance();
      const AttachmentId = NetworkInterfaces?.[0]?.Attachment?.AttachmentId;
      expect(await refusal(send(new DetachNetworkInterfaceCommand({ AttachmentId })))).toBe(
        'OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.',
      );
    });
  });

  test('one that is attached, or still going, is not deleted', async () => {
    const { InstanceId } = await account.instance();
    const { NetworkInterfaceId } = await account.eni();
    const { AttachmentId } = await attach({ InstanceId, NetworkInterfaceId });
    const refused = `InvalidParameterValue: Network interface '${NetworkInterfaceId}' is currently in use.`;
    const remove = () => send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
    expect(await refusal(remove())).toBe(refused);
    expect(await refusal(send(new DetachNetworkInterfaceCommand({ AttachmentId })))).toMatch(/^IncorrectState: .* is attaching/);
    await advance(3_000);
    await send(new DetachNetworkInterfaceCommand({ AttachmentId }));
    expect(await refusal(remove())).toBe(refused);
    await advance(3_000);
    expect(await refusal(remove())).toBeUndefined();
    expect(await refusal(remove())).toMatch(/^InvalidNetworkInterfaceID.NotFound/);
  });

  test('whether one ends with its instance is modified by its attachment, and what moto keeps by moto', async () => {
    const { InstanceId } = await account.instance();
    const { NetworkInterfaceId } = await account.eni();
    const { AttachmentId } = await attach({ InstanceId, NetworkInterfaceId });
    const modify = (more: object) => send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, ...more }));
    await modify({ Attachment: { AttachmentId, DeleteOnTermination: true } });
    await modify({ Description: { Value: 'slot 9' } });
    expect(await account.theEni(NetworkInterfaceId)).toMatchObject({ Description: 'slot 9', Attachment: { DeleteOnTermination: true } });
    expect(await refusal(modify({ Attachment: { AttachmentId: 'eni-attach-0', DeleteOnTermination: true } }))).toMatch(
      /^InvalidAttachmentID.NotFound/,
    );
  });

  test('are described by filters and in pages, whatever is made and deleted meanwhile', async () => {
    const made = [];
    for (let n = 0; n < 12; n++) made.push((await account.eni({ Description: 'of the pages' })).NetworkInterfaceId);
    const { InstanceId } = await account.instance();
    await attach({ InstanceId, NetworkInterfaceId: made[0] });
    const Filters = [
      { Name: 'description', Values: ['of the p*'] },
      { Name: 'availability-zone', Values: [account.zones.a] },
    ];
    const seen: (string | undefined)[][] = [];
    for await (const { NetworkInterfaces = [] } of paginateDescribeNetworkInterfaces(
      { client: account.client, pageSize: 5 },
      { Filters },
    )) {
      seen.push(NetworkInterfaces.map((eni) => eni.NetworkInterfaceId));
      if (seen.length === 1) await send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: made[3] }));
    }
    expect(seen.map((page) => page.length)).toEqual([5, 5, 2]);
    expect(seen.flat()).toEqual(made);
    const ask = (more: object) => send(new DescribeNetworkInterfacesCommand(more));
    const by = async (Name: string, Value: string | undefined) =>
      (await ask({ Filters: [{ Name, Values: [Value] }] })).NetworkInterfaces?.map((eni) => eni.NetworkInterfaceId);
    expect(await by('attachment.status', 'attaching')).toContain(made[0]);
    expect(await by('attachment.instance-id', InstanceId)).toHaveLength(2);
    expect(await by('network-interface-id', made[5])).toEqual([made[5]]);
    expect(await refusal(ask({ Filters: [{ Name: 'colour', Values: ['red'] }] }))).toBe(
      "InvalidParameterValue: The filter 'colour' is invalid",
    );
    expect(await refusal(ask({ MaxResults: 4 }))).toMatch(/^InvalidParameterValue: Value \( 4 \) for parameter maxResults is invalid/);
    expect(await refusal(ask({ MaxResults: 5, NetworkInterfaceIds: [made[0]] }))).toMatch(/^InvalidParameterCombination/);
    expect(await refusal(ask({ MaxResults: 5, NextToken: 'mine' }))).toMatch(/^InvalidPaginationToken/);
    const { NextToken } = await ask({ MaxResults: 5 });
    expect(await refusal(ask({ MaxResults: 5, NextToken, Filters }))).toMatch(/^InvalidPaginationToken/);
  });
});
