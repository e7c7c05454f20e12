import { AttachNetworkInterfaceCommand, DetachNetworkInterfaceCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../control-plane.ts';
import { describeBed } from '../describe-bed.ts';
import type { BedNode } from '../node.ts';
import { startNodes } from '../nodes.ts';
import { anAccount, type TestAccount } from './an-account.ts';
import { ec2ForNodes } from './for-nodes.ts';
import { playInstance } from './play-instance.ts';

/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 300_000;

describeBed('a node that plays an EC2 instance', ['control-plane', 'nodes', 'moto'], () => {
  let bed: Bed;
  let node: BedNode;
  let account: TestAccount;

  beforeAll(async () => {
    account = await anAccount();
    bed = await startControlPlane({ nodes: true, without: ['kube-scheduler', 'kube-controller-manager'] });
    [node] = (await startNodes(bed, { names: ['node-1'], until: 'registered' })) as [BedNode];
  }, BUSY_MS);
  afterAll(async () => {
    await account?.stop();
    await bed?.stop();
  });

  /** By MAC: the names are the kernel's. */
  const nics = async () => [...(await node.mustExec(['ip', '-o', 'link'])).matchAll(/link\/ether (\S+)/g)].map(([, mac]) => mac);

  test(
    'has a NIC with the MAC of each ENI while it is attached: not before, not after, and again after a reboot',
    async () => {
      const { client, ec2 } = account;
      const { InstanceId } = await account.instance();
      const [first, second, elsewhere] = [await account.eni(), await account.eni(), await account.eni()];
      const attach = async (NetworkInterfaceId: string | undefined, to: string | undefined, DeviceIndex: number) =>
        (await client.send(new AttachNetworkInterfaceCommand({ InstanceId: to, NetworkInterfaceId, DeviceIndex }))).AttachmentId;
      await attach(first.NetworkInterfaceId, InstanceId, 1);
      await ec2.clock.advance(3_000);
      const own = await nics();
      const playing = await playInstance(ec2, node, InstanceId ?? '');
      expect(await nics()).toEqual([...own, first.MacAddress]);

      const AttachmentId = await attach(second.NetworkInterfaceId, InstanceId, 2);
      await attach(elsewhere.NetworkInterfaceId, (await account.instance()).InstanceId, 1);
      expect(await nics()).not.toContain(elsewhere.MacAddress);
      await ec2.clock.advance(3_000);
      expect(await nics()).toEqual([...own, first.MacAddress, second.MacAddress]);

      await client.send(new DetachNetworkInterfaceCommand({ AttachmentId }));
      await ec2.clock.advance(2_999);
      expect(await nics()).toContain(second.MacAddress);
      await ec2.clock.advance(1);
      expect(await nics()).toEqual([...own, first.MacAddress]);

      await node.reboot();
      await playing.replug();
      expect(await nics()).toEqual([...own, first.MacAddress]);

      await client.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ''] }));
      await ec2.clock.advance(30_000);
      expect([await nics(), playing.plugged()]).toEqual([own, []]);
      playing.end();
    },
    BUSY_MS,
  );

  test('asks EC2 for its ENIs as any program on it would', async () => {
    const { NetworkInterfaceId } = await account.eni();
    const endpoint = await ec2ForNodes(bed, account.ec2);
    const authorization = 'Authorization: AWS4-HMAC-SHA256 Credential=bed/20260101/ap-northeast-1/ec2/aws4_request';
    const call = 'Action=DescribeNetworkInterfaces&Version=2016-11-15';
    const answer = await node.mustExec(['busybox', 'wget', '-qO-', '--header', authorization, '--post-data', call, endpoint]);
    expect(answer).toContain(`<networkInterfaceId>${NetworkInterfaceId}</networkInterfaceId>`);
  });
});
