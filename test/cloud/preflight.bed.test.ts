/** `gala preflight` by AWS's SDK, against the strict EC2: what a caller is told before a scale-up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateCapacityReservationCommand, CreateSubnetCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { describeBed } from '../bed/describe-bed.ts';
import { anAccount, IMAGE, type TestAccount } from '../bed/ec2/an-account.ts';
import { gala } from '../cli/gala.ts';

describeBed('gala preflight', ['moto'], () => {
  let account: TestAccount;
  let folder: string;
  const before = { ...process.env };
  beforeAll(async () => {
    account = await anAccount();
    folder = mkdtempSync(join(tmpdir(), 'gala-preflight-'));
    const credentials = { AWS_ACCESS_KEY_ID: 'bed', AWS_SECRET_ACCESS_KEY: 'bed', AWS_EC2_METADATA_DISABLED: 'true' };
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL_EC2: account.ec2.endpoint });
  }, 120_000);
  afterAll(async () => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
    await account?.stop();
  });

  const burst = (over: object = {}) => ({
    ...{ shape: 'ec2', region: account.ec2.region, instanceTypes: ['c5.large'], imageId: IMAGE, instanceProfile: 'gala-node' },
    zones: { [account.zones.a]: { nodeSubnetId: account.subnets.a, podSubnetId: account.subnets.a } },
    securityGroupIds: { node: [account.groupId], pod: [account.groupId] },
    ...{ join: { bootstrap: true }, size: { min: 0, max: 20 }, warmEnis: 'all' },
    ...over,
  });
  const asked = async (pool: object, ...more: string[]) => {
    const file = join(folder, 'cloud-t.yaml');
    writeFileSync(file, stringify({ name: 'cloud-t', kubernetes: '1.37', apiServer: 'https://k8s.internal:6443', pools: { burst: pool } }));
    const said = await gala('preflight', '--definition', file, '-o', 'json', ...more);
    const findings: { check: string; verdict: string; what: string }[] = said.out === '' ? [] : JSON.parse(said.out).pools[0].findings;
    return { ...said, findings, lacks: findings.filter(({ verdict }) => verdict === 'lacks').map(({ check }) => check) };
  };

  test('says that nothing lacks, with what EC2 said, and calls nothing that changes anything', async () => {
    const mutating = account.ec2.counts.mutating;
    const { code, findings, err } = await asked(burst());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(findings.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual([
      ...['types ok', 'enis ok', 'subnets ok', 'subnets ok', 'addresses ok', 'groups ok', 'groups ok', 'quota unknown'],
    ]);
    // 251 of a /24, three each.
    expect(findings.find(({ check }) => check === 'addresses')?.what).toContain('addresses for 83 instances more');
    expect(account.ec2.counts.mutating).toBe(mutating);
  });

  test('counts what is left in a subnet, and says how many more fit', async () => {
    const { Subnets } = await account.client.send(new DescribeSubnetsCommand({ SubnetIds: [account.subnets.a] }));
    const { Subnet } = await account.client.send(
      new CreateSubnetCommand({ VpcId: Subnets?.[0]?.VpcId, AvailabilityZone: account.zones.a, CidrBlock: '10.0.9.0/28' }),
    );
    const zones = { [account.zones.a]: { nodeSubnetId: account.subnets.a, podSubnetId: Subnet?.SubnetId } };
    const { code, lacks, findings } = await asked(burst({ zones }), '--more', '6');
    expect([code, lacks]).toEqual([3, ['addresses']]);
    expect(findings.find(({ check }) => check === 'addresses')?.what).toContain('addresses for 5 instances more');
    expect((await asked(burst({ zones }), '--more', '5')).code).toBe(0);
  });

  test('names what is not there: a subnet of another zone, a reservation that is gone', async () => {
    const made = await account.client.send(
      new CreateCapacityReservationCommand({
        ...{ InstanceType: 'c5.large', InstancePlatform: 'Linux/UNIX', AvailabilityZone: account.zones.a, InstanceCount: 2 },
      }),
    );
    const held = made.CapacityReservation?.CapacityReservationId;
    const zones = { [account.zones.a]: { nodeSubnetId: account.subnets.c, podSubnetId: account.subnets.a } };
    const { lacks, findings } = await asked(burst({ zones, capacityReservationIds: [held, 'cr-0123456789abcdef0'] }));
    expect(lacks).toEqual(['subnets', 'reservations']);
    expect(findings.map(({ what }) => what)).toContain(`${held} holds 2 × c5.large in ${account.zones.a}`);
  });

  test('who may not look, and an EC2 in trouble, are told apart', async () => {
    account.ec2.fail('DescribeSubnets', { do: 'error', code: 'UnauthorizedOperation', message: 'You are not authorized' });
    expect(await asked(burst())).toMatchObject({ code: 3, err: expect.stringContaining('ec2:Describe* is all that is asked for') });
    account.ec2.fail('DescribeSubnets', { do: 'error', code: 'Unavailable' }, { times: 10 });
    expect(await asked(burst())).toMatchObject({ code: 4, err: expect.stringContaining('Ask again in a moment') });
    account.ec2.heal();
  });

  test('what is no number of instances, and a pool that is not there, are bad input', async () => {
    expect(await asked(burst(), '--more', 'many')).toMatchObject({ code: 2, err: expect.stringContaining('--more many') });
    expect(await asked(burst(), '--pool', 'web')).toMatchObject({ code: 2, err: expect.stringContaining('it has burst') });
  });
});
