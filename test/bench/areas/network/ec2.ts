/**
 * What `gala cloud` asks of EC2, by AWS's SDK and with the budgets that it runs with, at the bed's strict EC2, whose buckets are EC2's
 * own. Time is simulated: only what somebody waits for takes any.
 */
import { CreateNetworkInterfaceCommand, DescribeNetworkInterfacesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { ec2Account } from '../../../../lib/cloud/account.ts';
import { bucketOf, DEFAULT_PART } from '../../../../lib/cloud/budget.ts';
import type { Round } from '../../../../lib/cloud/round.ts';
import { tagsOf } from '../../../../lib/cloud/tags.ts';
import type { Clock } from '../../../../lib/kube/clock.ts';
import { anAccount, IMAGE, type TestAccount } from '../../../bed/ec2/an-account.ts';
import { DELAYS } from '../../../bed/ec2/ec2.ts';
import { find, REMEDY } from '../../../bed/parts.ts';
import { aCluster, TAGS } from '../../../cloud/a-cluster.ts';
import type { Measured, Skipped, Tools } from '../../area.ts';

const PODS = 50;
const COLD = 100;
/** Of each sort: orphans, and ENIs that look like one and are somebody's. */
const FREE = 20;
const TYPE = 'c5.4xlarge';
/** Of the seven that it carries. */
const PER_INSTANCE = 4;

export const ec2Figures = {
  held: {
    what: `delete + create of ${PODS} pods on held locks, calls that change something at EC2`,
    unit: '',
    bar: { must: '=', than: 0 },
  },
  cold: { what: `${COLD} cold ENIs, until pods can have the last one, simulated`, unit: 's', peer: 'the least that buckets and EC2 allow' },
  coldRatio: { what: 'the same, over that least', unit: '×', bar: { must: '≤', than: 1.2 } },
  coldThrottled: { what: 'of its calls, how many EC2 throttled', unit: '', bar: { must: '=', than: 0 } },
  orphanListed: { what: `${FREE} orphans, until the last one is listed, simulated`, unit: 'min', bar: { must: '≤', than: 10 } },
  orphanDeleted: { what: 'the same, until it is deleted', unit: 'min', bar: { must: '≤', than: 20 } },
  orphanWrong: { what: `of ${3 * FREE} free ENIs that somebody has, deleted`, unit: '', bar: { must: '=', than: 0 } },
} as const;

type Figures = { readonly [Key in keyof typeof ec2Figures]: Measured | Skipped };

export async function onEc2({ say }: Pick<Tools, 'say'>): Promise<Figures> {
  if (find('moto') === undefined) {
    const it = { skipped: `the bed lacks moto. ${REMEDY}` };
    return { held: it, cold: it, coldRatio: it, coldThrottled: it, orphanListed: it, orphanDeleted: it, orphanWrong: it };
  }
  const region = await aRegionOfIts(Math.ceil(COLD / PER_INSTANCE));
  try {
    const { seconds, throttled } = await cold(region);
    const least = leastSeconds(region.wanted);
    say(`${region.wanted} cold ENIs: ${seconds.toFixed(1)} s, the least is ${least.toFixed(1)} s`);
    const held = await again(region);
    say(`${PODS} pods gone and back on their locks: ${held} calls that change something`);
    const orphans = await collected(region);
    say(`orphans: listed after ${orphans.listed.toFixed(1)} min, deleted after ${orphans.deleted.toFixed(1)} min, ${orphans.wrong} wrong`);
    return {
      held: { runs: [held] },
      cold: { runs: [seconds], peer: [least] },
      coldRatio: { runs: [seconds / least] },
      coldThrottled: { runs: [throttled] },
      orphanListed: { runs: [orphans.listed] },
      orphanDeleted: { runs: [orphans.deleted] },
      orphanWrong: { runs: [orphans.wrong] },
    };
  } finally {
    await region.stop();
  }
}

/**
 * The first ENI is shown, then as many are attached as the bucket of AttachNetworkInterface holds and refills, the last one takes as
 * long as EC2 does. That API's is the narrowest of the three that an ENI needs; ModifyNetworkInterfaceAttribute has the same one.
 */
function leastSeconds(enis: number): number {
  const { size, perSecond } = bucketOf('AttachNetworkInterface', DEFAULT_PART);
  return (DELAYS.visibleMs + DELAYS.attachMs) / 1000 + Math.max(0, enis - size) / perSecond;
}

type Region = Awaited<ReturnType<typeof aRegionOfIts>>;

async function aRegionOfIts(instances: number) {
  const account = await anAccount({ buckets: undefined });
  const { clock } = account.ec2;
  const ids: string[] = [];
  // RunInstances has a bucket of its own, of five.
  while (ids.length < instances) {
    const MaxCount = Math.min(10, instances - ids.length);
    const asked = { ImageId: IMAGE, InstanceType: TYPE, MinCount: MaxCount, MaxCount, SubnetId: account.subnets.a } as const;
    const { Instances = [] } = await account.client.send(new RunInstancesCommand(asked));
    ids.push(...Instances.map(({ InstanceId = '' }) => InstanceId));
    await clock.advance(60_000);
  }
  // Whoever waits for a token has simulated time pass.
  const waiting: Clock = {
    now: clock.now,
    after: (ms, act) => {
      void clock.advance(ms).then(act);
      return () => {};
    },
  };
  const ending = new AbortController();
  process.env.AWS_EC2_METADATA_DISABLED = 'true';
  const ec2 = ec2Account({ region: account.ec2.region, part: DEFAULT_PART, signal: ending.signal, clock: waiting, client: account.client });
  const nodes = ids.map((instanceId, n) => ({ name: `node-${n}`, pool: 'burst', instanceId }));
  const where = { podSubnetId: account.subnets.a, groupId: account.groupId };
  const cluster = aCluster({ ec2, now: clock.now, nodes, where });
  cluster.state.warmEnis = PER_INSTANCE;
  return {
    ...{ account, cluster, clock, wanted: ids.length * PER_INSTANCE },
    /** Rounds as the keeper has them, until `done`, or for an hour. */
    async rounds(done: (round: Round) => boolean): Promise<void> {
      for (const end = clock.now() + 3_600_000; clock.now() < end; ) {
        const round = await cluster.round();
        if (done(round)) return;
        await clock.advance(round.nextInMs);
      }
      throw new Error('after an hour of simulated time it is not done');
    },
    stop: async () => {
      ending.abort();
      await account.stop();
    },
  };
}

async function cold({ account, cluster, clock, rounds, wanted }: Region) {
  account.ec2.counts.reset();
  const from = clock.now();
  const usable = () => [...cluster.state.written.values()].flat().length;
  let seconds = 0;
  await rounds((round) => {
    if (usable() === wanted && seconds === 0) seconds = (clock.now() - from) / 1000;
    return seconds > 0 && round.taken.length === 0;
  });
  return { seconds, throttled: Object.values(account.ec2.counts.all).reduce((sum, { throttled }) => sum + throttled, 0) };
}

/** Pods are deleted, their locks held, and others come: what `gala cloud` sees are addresses that stay locked. Twice another leads meanwhile. */
async function again({ account, cluster, clock }: Region): Promise<number> {
  const ips = [...cluster.state.written.values()].flat().map(({ ip }) => ip);
  const before = account.ec2.counts.mutating;
  for (const ip of ips.slice(0, PODS)) cluster.state.taken.add(ip);
  for (let moment = 0; moment < 20; moment++) {
    if (moment % 7 === 6) cluster.restart();
    await cluster.round();
    await clock.advance(30_000);
  }
  return account.ec2.counts.mutating - before;
}

async function collected({ account, cluster, clock, rounds }: Region) {
  const gone = 'i-0123456789abcdef0';
  const orphans = await freeEnis(account, (n) => tagsOf(TAGS, gone, n));
  const theirs = [
    ...(await freeEnis(account, () => ({}))),
    ...(await freeEnis(account, (n) => tagsOf({ ...TAGS, clusterUid: 'uid-2' }, gone, n))),
  ];
  const locked = await freeEnis(account, (n) => tagsOf(TAGS, gone, FREE + n));
  for (const { ip } of locked) cluster.state.taken.add(ip);
  const from = clock.now();
  const minutes = () => (clock.now() - from) / 60_000;
  let listed: number | undefined;
  await rounds(({ plan }) => {
    const ids = new Set(plan.orphans.orphans.map(({ id }) => id));
    if (orphans.every(({ id }) => ids.has(id))) listed ??= minutes();
    return listed !== undefined && orphans.every(({ id }) => !ids.has(id));
  });
  const deleted = minutes();
  // And for as long again: nothing else goes.
  for (const end = clock.now() + 1_800_000; clock.now() < end; await clock.advance(60_000)) await cluster.round();
  const left = new Set(await allEnis(account));
  const wrong = [...theirs, ...locked].filter(({ id }) => !left.has(id)).length;
  if (orphans.some(({ id }) => left.has(id))) throw new Error('an orphan is listed no more, and still there');
  return { listed: listed ?? Number.POSITIVE_INFINITY, deleted, wrong };
}

async function freeEnis({ client, subnets, groupId, ec2 }: TestAccount, tags: (n: number) => Readonly<Record<string, string>>) {
  const made: { id: string; ip: string }[] = [];
  for (let n = 0; n < FREE; n++) {
    const Tags = Object.entries(tags(n)).map(([Key, Value]) => ({ Key, Value }));
    const asked = {
      ...{ SubnetId: subnets.a, Groups: [groupId] },
      ...(Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: 'network-interface' as const, Tags }] }),
    };
    const { NetworkInterface: eni } = await client.send(new CreateNetworkInterfaceCommand(asked));
    made.push({ id: eni?.NetworkInterfaceId ?? '', ip: eni?.PrivateIpAddress ?? '' });
    await ec2.clock.advance(1_000);
  }
  return made;
}

async function allEnis({ client }: TestAccount): Promise<string[]> {
  const ids: string[] = [];
  let NextToken: string | undefined;
  do {
    const { NetworkInterfaces = [], ...more } = await client.send(new DescribeNetworkInterfacesCommand({ MaxResults: 1_000, NextToken }));
    ids.push(...NetworkInterfaces.map(({ NetworkInterfaceId = '' }) => NetworkInterfaceId));
    NextToken = more.NextToken || undefined;
  } while (NextToken !== undefined);
  return ids;
}
