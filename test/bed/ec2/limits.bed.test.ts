import {
  AssignPrivateIpAddressesCommand,
  CreateNetworkInterfaceCommand,
  DescribeNetworkInterfacesCommand,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { describeBed } from '../describe-bed.ts';
import { aClient, anAccount, IMAGE, refusal, type TestAccount } from './an-account.ts';
import { BUCKETS } from './throttle.ts';

describeBed('limits and faults of the EC2 stand-in', ['moto'], () => {
  let account: TestAccount;
  const send: TestAccount['client']['send'] = ((command: never) => account.client.send(command)) as never;
  const create = (more: object = {}) => send(new CreateNetworkInterfaceCommand({ SubnetId: account.subnets.a, ...more }));
  const describeAll = (more: object = {}) => send(new DescribeNetworkInterfacesCommand(more));
  const throttled = 'RequestLimitExceeded: Request limit exceeded.';
  const burst = async (calls: number, call: () => Promise<unknown>) => {
    const answers: (string | undefined)[] = [];
    for (let n = 0; n < calls; n++) answers.push(await refusal(call()));
    return answers.filter((each) => each === throttled).length;
  };
  describe('token buckets', () => {
    afterEach(async () => await account?.stop());

    test('let a burst through and then so many a second, each API by itself', async () => {
      account = await anAccount({ buckets: { CreateNetworkInterface: { size: 4, perSecond: 2 } } });
      expect(await burst(6, create)).toBe(2);
      expect(await burst(1, describeAll)).toBe(0);
      await account.ec2.clock.advance(999);
      expect(await burst(1, create)).toBe(1);
      await account.ec2.clock.advance(1);
      expect(await burst(3, create)).toBe(1);
      await account.ec2.clock.advance(60_000);
      expect(await burst(5, create)).toBe(1);
      expect(account.ec2.counts.of('CreateNetworkInterface')).toEqual({ calls: 15, refused: 5, throttled: 5 });
    });

    test("are EC2's own where nothing is said: less for who asks for everything at once, and for launches", async () => {
      account = await anAccount({ buckets: BUCKETS });
      expect(await burst(52, describeAll)).toBe(2);
      expect(await burst(1, () => describeAll({ MaxResults: 1000 }))).toBe(0);
      const input = { ImageId: IMAGE, InstanceType: 'c5.large', MinCount: 1, MaxCount: 1, SubnetId: account.subnets.a } as const;
      expect(await burst(6, () => send(new RunInstancesCommand(input)))).toBe(1);
    });

    test('are what the SDK waits for by itself', async () => {
      account = await anAccount({ buckets: { CreateNetworkInterface: { size: 1, perSecond: 1 } } });
      account.ec2.clock.run(20);
      const patient = aClient(account.ec2, 10);
      const made = await Promise.all([1, 2, 3].map(() => patient.send(new CreateNetworkInterfaceCommand({ SubnetId: account.subnets.a }))));
      expect(new Set(made.map(({ NetworkInterface }) => NetworkInterface?.NetworkInterfaceId)).size).toBe(3);
      patient.destroy();
    });
  });

  describe('where nothing is throttled', () => {
    beforeAll(async () => {
      account = await anAccount();
    });
    afterAll(async () => await account?.stop());

    /** How many ENIs there are with that description, when all are shown. */
    const made = async (description: string) => {
      await account.ec2.clock.advance(1_000);
      return (await describeAll({ Filters: [{ Name: 'description', Values: [description] }] })).NetworkInterfaces?.length;
    };

    test('a dry run says that it would, and does nothing', async () => {
      const refused = await create({ DryRun: true, Description: 'dry' }).catch((error) => error);
      expect(refused).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
      expect(refused.message).toBe('Request would have succeeded, but DryRun flag is set.');
      expect(await made('dry')).toBe(0);
    });

    test('a fault that is ordered refuses the next calls of one API, and nothing is done', async () => {
      account.ec2.fail('CreateNetworkInterface', { do: 'error', code: 'InternalError' }, { times: 2 });
      const calls = () => refusal(create({ Description: 'third time' }));
      expect([await calls(), await calls(), await calls()]).toEqual([
        'InternalError: ordered by the test',
        'InternalError: ordered by the test',
        undefined,
      ]);
      expect(await made('third time')).toBe(1);
    });

    test('an answer that is lost after all was done: with a token the second try is harmless, without it makes two', async () => {
      account.ec2.fail('CreateNetworkInterface', { do: 'lose reply' }, { where: ({ ClientToken }) => ClientToken === 'a' });
      const call = { Description: 'one', ClientToken: 'a' };
      expect(await refusal(create(call))).toMatch(/ECONNRESET|socket hang up/);
      await create(call);
      expect(await made('one')).toBe(1);
      account.ec2.fail('CreateNetworkInterface', { do: 'lose reply' });
      await refusal(create({ Description: 'two' }));
      await create({ Description: 'two' });
      expect(await made('two')).toBe(2);
    });

    test('an answer is kept back until the clock has moved', async () => {
      account.ec2.counts.reset();
      account.ec2.fail('CreateNetworkInterface', { do: 'delay', ms: 10_000 });
      let answered = false;
      const asked = create({ Description: 'late' }).then(() => {
        answered = true;
      });
      while (account.ec2.counts.of('CreateNetworkInterface').calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await account.ec2.clock.advance(8_999);
      expect([await made('late'), answered]).toEqual([1, false]);
      await account.ec2.clock.advance(1);
      await asked;
    });

    test('faults of every API are taken back at once', async () => {
      account.ec2.fail('*', { do: 'error', code: 'Unavailable' }, { times: Number.POSITIVE_INFINITY });
      const away = await describeAll().catch((error) => error);
      expect(away).toMatchObject({ name: 'Unavailable', $metadata: { httpStatusCode: 503 } });
      account.ec2.heal();
      expect(await refusal(describeAll())).toBeUndefined();
    });

    test('calls are counted by API, and those that change something together', async () => {
      account.ec2.counts.reset();
      await create();
      await refusal(create({ PrivateIpAddress: '10.9.9.9' }));
      await describeAll();
      expect(account.ec2.counts.all).toEqual({
        CreateNetworkInterface: { calls: 2, refused: 1, throttled: 0 },
        DescribeNetworkInterfaces: { calls: 1, refused: 0, throttled: 0 },
      });
      expect(account.ec2.counts.mutating).toBe(2);
    });

    test('what is not played is refused by name, and so is who is not signed for the region', async () => {
      const { NetworkInterfaceId } = await account.eni();
      const assign = send(new AssignPrivateIpAddressesCommand({ NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 }));
      expect(await refusal(assign)).toMatch(/^UnsupportedOperation: The bed's EC2 does not play AssignPrivateIpAddresses/);
      expect(await refusal(send(new StopInstancesCommand({ InstanceIds: ['i-0'] })))).toMatch(/^UnsupportedOperation: .* StopInstances/);
      const elsewhere = aClient({ ...account.ec2, region: 'eu-west-1' });
      expect(await refusal(elsewhere.send(new DescribeNetworkInterfacesCommand({})))).toMatch(/^AuthFailure/);
      elsewhere.destroy();
    });
  });
});
