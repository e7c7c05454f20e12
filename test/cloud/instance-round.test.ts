/** Instances of a pool, on a region that is the bed's own judge: what rounds come to, whatever happens to the calls. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Budget, spend } from '../../lib/cloud/budget.ts';
import { Ec2Error, NotNow } from '../../lib/cloud/ec2.ts';
import { SETTLE_MS, UNKNOWN_MS } from '../../lib/cloud/instance-plan.ts';
import { aFleetCluster, aFleetRegion, aPod, type FleetRegion, ZONES } from './a-fleet.ts';
import type { Fate } from './a-region.ts';

const typesOf = (region: FleetRegion) =>
  region
    .alive()
    .map(({ type }) => type)
    .sort();
const zonesOf = (region: FleetRegion) =>
  region
    .alive()
    .map(({ zone }) => zone)
    .sort();
const steps = (taken: readonly { readonly what: string; readonly not?: string }[]) =>
  taken.map(({ what, not }) => (not === undefined ? what : `${what}: ${not}`));

async function aPoolOf(count: number) {
  const region = aFleetRegion();
  const cluster = aFleetCluster(region);
  cluster.state.desired = count;
  await cluster.settle();
  return { region, cluster };
}

describe('a pool that grows', () => {
  test('has as many instances as it should, over its zones, of the type it names first', async () => {
    const { region, cluster } = await aPoolOf(4);
    expect([typesOf(region), zonesOf(region)]).toEqual([Array(4).fill('c5.large'), [ZONES[0], ZONES[0], ZONES[1], ZONES[1]]]);
    expect(region.sent.get('RunInstances')).toBe(4);
    region.sent.clear();
    const last = await cluster.settle(3);
    expect([last.pools[0]?.taken, last.nextInMs, region.sent.size]).toEqual([[], 60_000, 0]);
  });

  test('takes the next type where a zone has no capacity, and the first again when that was three minutes ago', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    for (const zone of ZONES) region.setCapacity('c5.large', zone, 0);
    cluster.state.desired = 2;
    await cluster.settle(4);
    expect(typesOf(region)).toEqual(['m5.large', 'm5.large']);
    for (const zone of ZONES) region.setCapacity('c5.large', zone, undefined);
    await cluster.settle(10);
    cluster.state.desired = 3;
    await cluster.settle(3);
    expect(typesOf(region)).toEqual(['c5.large', 'm5.large', 'm5.large']);
  });

  test('takes the other zone before the other type, and asks no second time where there was none', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    region.setCapacity('c5.large', ZONES[0]!, 0);
    cluster.state.desired = 6;
    await cluster.settle(6);
    expect([typesOf(region), new Set(zonesOf(region))]).toEqual([Array(6).fill('c5.large'), new Set([ZONES[1]])]);
    // Four launches are under way at a time, and each may be refused once.
    expect(region.sent.get('RunInstances')).toBeLessThanOrEqual(6 + 4);
  });

  test('where EC2 has no room for anything it says so, and waits', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    for (const type of cluster.state.types) for (const zone of ZONES) region.setCapacity(type, zone, 0);
    cluster.state.desired = 1;
    const last = await cluster.settle(6);
    expect([last.pools[0]?.plan.waits, last.nextInMs]).toEqual([[{ for: 'capacity', count: 1 }], 30_000]);
  });

  test('fills its capacity reservations first, and goes on without', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    region.reserve('cr-1', 'm5.large', ZONES[1]!, 2);
    cluster.state.capacityReservationIds = ['cr-1'];
    cluster.state.desired = 3;
    await cluster.settle();
    expect(typesOf(region)).toEqual(['c5.large', 'm5.large', 'm5.large']);
    expect((await region.reservations(['cr-1']))[0]?.free).toBe(0);
  });

  test('goes on without a reservation whose launch EC2 has no capacity or quota for', async () => {
    const region = aFleetRegion();
    const run: FleetRegion['run'] = async (asked) => {
      if (asked.offer.reservationId !== undefined) throw new Ec2Error('RunInstances', 'VcpuLimitExceeded', 'of this family');
      return await region.run(asked);
    };
    const cluster = aFleetCluster(region, { ec2: { ...region, run } });
    region.reserve('cr-1', 'c5.large', ZONES[1]!, 2);
    cluster.state.capacityReservationIds = ['cr-1'];
    cluster.state.desired = 1;
    await cluster.settle(3);
    expect(typesOf(region)).toEqual(['m5.large']);
  });

  test('a process that starts launches nothing before what another one launched would be shown', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS - 1);
    expect((await cluster.round()).pools[0]?.plan.waits).toEqual([{ for: 'a first look', count: 1 }]);
    region.pass(1);
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['run']);
  });

  test('one whose answer was lost is asked for again by its token, and is there once', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    region.fates(['lost']);
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['run: no answer']);
    region.fates([]);
    // EC2 does not show it yet.
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['run']);
    expect(region.alive()).toHaveLength(1);
  });

  test('one that an answer of EC2 leaves out after it was shown is not launched again', async () => {
    const region = aFleetRegion();
    let leavesOut = false;
    const cluster = aFleetCluster(region, {
      ec2: { ...region, launched: async (uid) => (leavesOut ? [] : await region.launched(uid)) },
    });
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    await cluster.round();
    region.pass(5_000);
    expect((await cluster.round()).pools[0]?.plan).toMatchObject({ there: 1, waits: [] });
    leavesOut = true;
    region.pass(5_000);
    expect((await cluster.round()).pools[0]?.plan).toMatchObject({ steps: [], waits: [{ for: 'to be shown', count: 1 }] });
    leavesOut = false;
    await cluster.settle();
    expect([region.alive().length, region.sent.get('RunInstances')]).toEqual([1, 1]);
  });

  test('one whose answer was lost is not asked for again by another token where the pool has changed meanwhile', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    region.fates(['lost']);
    await cluster.round();
    region.fates([]);
    cluster.state.template = 'gala-cloud-a-burst-2';
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['run: token used']);
    await cluster.settle();
    expect([region.alive().length, region.sent.get('RunInstances')]).toEqual([1, 1]);
  });

  test('one that the budget holds is asked for as soon as the bucket is full: 60 are sent in less than a minute', async () => {
    const region = aFleetRegion();
    let budget: Budget = {};
    const run: FleetRegion['run'] = async (asked) => {
      const spent = spend(budget, 'RunInstances', region.now());
      if ('waitMs' in spent) throw new NotNow('RunInstances', spent.waitMs);
      budget = spent.budget;
      return await region.run(asked);
    };
    const cluster = aFleetCluster(region, { ec2: { ...region, run } });
    cluster.state.desired = 60;
    await cluster.round();
    region.pass(SETTLE_MS);
    const began = region.now();
    while (region.alive().length < 60) region.pass((await cluster.round()).nextInMs);
    expect(region.now() - began).toBeLessThan(60_000);
  });

  test('who no longer leads when everything is prepared launches nothing', async () => {
    const region = aFleetRegion();
    let leads = true;
    const prepare = async () => {
      leads = false;
      return { template: 'gala-cloud-a-burst-1', userData: '' };
    };
    const cluster = aFleetCluster(region, { prepare, mayWrite: () => leads });
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    expect([steps((await cluster.round()).pools[0]?.taken ?? []), region.sent.size]).toEqual([['run: not now'], 0]);
  });

  test('an image or subnet that is not there is told as refused, and not asked for every five seconds', async () => {
    const region = aFleetRegion();
    const run = () => Promise.reject(new Ec2Error('RunInstances', 'InvalidAMIID.NotFound', "The image id '[ami-0]' does not exist"));
    const cluster = aFleetCluster(region, { ec2: { ...region, run } });
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    const round = await cluster.round();
    expect([steps(round.pools[0]?.taken ?? []), round.nextInMs]).toEqual([['run: refused'], 30_000]);
  });

  test('it is asked for as it was, though there is no capacity for that any more', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    region.setCapacity('c5.large', ZONES[0]!, 1);
    cluster.state.desired = 3;
    await cluster.round();
    region.pass(SETTLE_MS);
    // The first is done, and the third finds the zone full.
    region.fates(['lost', 'ok', 'ok']);
    expect(steps((await cluster.round()).pools[0]?.taken ?? []).sort()).toEqual(['run', 'run: no answer', 'run: no capacity']);
    region.fates([]);
    await cluster.round();
    expect(region.alive()).toHaveLength(3);
  });

  test('a place whose instance has ended is launched anew, by another token, also by a process that saw none of it', async () => {
    const { region, cluster } = await aPoolOf(1);
    region.end(region.alive()[0]?.id ?? '');
    await cluster.settle();
    // Longer than EC2 shows it.
    region.pass(4_000_000);
    region.end(region.alive()[0]?.id ?? '');
    region.pass(4_000_000);
    cluster.restart();
    await cluster.settle();
    expect(region.alive()).toHaveLength(1);
  });

  test('the bootstrap token of a launch is deleted when its instance is a Node', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 2;
    await cluster.round();
    region.pass(SETTLE_MS);
    await cluster.round();
    expect(cluster.state.tokens.size).toBe(2);
    region.pass(30_000);
    cluster.join();
    await cluster.round();
    expect(cluster.state.tokens.size).toBe(0);
  });

  test('so is that of a launch whose instance ended before it was one', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    await cluster.round();
    region.pass(5_000);
    cluster.state.desired = 0;
    await cluster.settle(3);
    expect([region.alive().length, cluster.state.tokens.size]).toEqual([0, 0]);
  });

  test('launches that end before they are Nodes are paused, longer each time, until one joins', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    cluster.state.desired = 1;
    await cluster.round();
    region.pass(SETTLE_MS);
    const launchedAt: number[] = [];
    for (let seconds = 0; seconds < 3_600; seconds += 5) {
      const { taken } = (await cluster.round()).pools[0]!;
      if (taken.some(({ what }) => what === 'run')) launchedAt.push(region.now());
      region.pass(5_000);
      for (const { id } of region.alive()) region.end(id);
    }
    const gaps = launchedAt.slice(1).map((at, index) => at - launchedAt[index]!);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect([gaps.length, gaps[0]! < 60_000, gaps.at(-1)! > 800_000]).toEqual([7, true, true]);
    await cluster.settle(60);
    expect(region.alive()).toHaveLength(1);
  });

  test('a dry run tells the steps and takes none; one that does not lead takes none either', async () => {
    for (const over of [{ dryRun: true }, { mayWrite: () => false }]) {
      const region = aFleetRegion();
      const cluster = aFleetCluster(region, over);
      cluster.state.desired = 2;
      const last = await cluster.settle(3);
      expect([last.pools[0]?.taken.length, region.sent.size]).toEqual([2, 0]);
    }
  });
});

describe('a pool that shrinks', () => {
  test('never ends an instance whose Node says another pool, or none: it has pods that were not asked', async () => {
    const { region, cluster } = await aPoolOf(2);
    const [id] = region.alive().map((each) => each.id);
    cluster.state.nodes.delete(id!);
    cluster.state.elsewhere.add(id!);
    cluster.join = () => {};
    cluster.state.desired = 0;
    await cluster.settle();
    expect(region.alive().map((each) => each.id)).toEqual([id]);
  });

  test('cordons, evicts, and terminates an instance only when its pods have gone', async () => {
    const { region, cluster } = await aPoolOf(2);
    for (const { id } of region.alive()) cluster.state.pods.set(id, [aPod(`feed-${id}`), aPod(`agent-${id}`, { ownedBy: ['DaemonSet'] })]);
    cluster.state.desired = 1;
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['leave']);
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['evict']);
    expect(region.alive()).toHaveLength(2);
    expect(steps((await cluster.round()).pools[0]?.taken ?? [])).toEqual(['terminate']);
    await cluster.settle();
    expect([region.alive().length, cluster.state.nodes.size, cluster.state.deleted.length]).toEqual([1, 1, 1]);
  });

  test('a pod that a budget holds, holds its instance; so does one that ends, until long after its grace', async () => {
    const { region, cluster } = await aPoolOf(1);
    const id = region.alive()[0]?.id ?? '';
    cluster.state.pods.set(id, [aPod('feed-0'), aPod('feed-1', { deletedAt: region.now() + 30_000 })]);
    cluster.state.held.add('feed-0');
    cluster.state.desired = 0;
    const last = await cluster.settle(3);
    expect([last.pools[0]?.plan.waits, steps(last.pools[0]?.taken ?? [])]).toEqual([
      [{ for: 'pods to go', node: id, instanceId: id, count: 2 }],
      ['evict: held'],
    ]);
    cluster.state.held.clear();
    await cluster.settle(3);
    expect(region.alive()).toHaveLength(1);
    await cluster.settle();
    expect(region.alive()).toHaveLength(0);
  });

  test('another process goes on with the instance that the one before it chose', async () => {
    const { region, cluster } = await aPoolOf(3);
    cluster.state.desired = 2;
    await cluster.round();
    const chosen = [...cluster.state.nodes.values()].find(({ leaving }) => leaving)?.instanceId;
    cluster.restart();
    await cluster.settle();
    expect(cluster.state.deleted).toEqual([chosen]);
    expect(region.alive()).toHaveLength(2);
  });

  test('an instance that drains is taken back when it is wanted again, and nothing is launched for it', async () => {
    const { region, cluster } = await aPoolOf(2);
    for (const { id } of region.alive()) cluster.state.pods.set(id, [aPod(`feed-${id}`)]);
    for (const { id } of region.alive()) cluster.state.held.add(`feed-${id}`);
    cluster.state.desired = 1;
    await cluster.settle(2);
    region.sent.clear();
    cluster.state.desired = 2;
    await cluster.settle(2);
    expect([[...cluster.state.nodes.values()].some(({ leaving }) => leaving), region.sent.size]).toEqual([false, 0]);
  });

  test('the one that is no Node goes first, then the one with fewest addresses taken', async () => {
    const { region, cluster } = await aPoolOf(3);
    const [a, b, c] = region.alive().map(({ id }) => id) as [string, string, string];
    cluster.state.nodes.delete(c);
    for (const [id, busy] of [
      [a, 2],
      [b, 1],
    ] as const)
      cluster.state.nodes.set(id, { ...cluster.state.nodes.get(id)!, busy });
    cluster.state.desired = 1;
    const { taken } = (await cluster.round()).pools[0]!;
    expect(taken.map(({ what, instanceId }) => [what, instanceId])).toEqual([
      ['leave', b],
      ['terminate', c],
    ]);
  });

  test('nothing that is there goes for one that EC2 does not show yet', async () => {
    const { region, cluster } = await aPoolOf(1);
    const [first] = region.alive();
    cluster.state.desired = 2;
    await cluster.round();
    cluster.state.desired = 1;
    expect((await cluster.round()).pools[0]?.taken).toEqual([]);
    await cluster.settle();
    expect(region.alive()).toEqual([first]);
  });

  test('instances that others launched count, and are never ended', async () => {
    const region = aFleetRegion();
    const cluster = aFleetCluster(region);
    await region.run({
      clientToken: 'asg',
      template: '',
      offer: { type: 'c5.large', zone: ZONES[0]!, subnetId: 'subnet-1a' },
      tags: {},
      userData: '',
    });
    region.pass(30_000);
    cluster.join();
    region.sent.clear();
    cluster.state.desired = 1;
    await cluster.settle(3);
    cluster.state.desired = 0;
    await cluster.settle(3);
    expect([region.alive().length, region.sent.size]).toEqual([1, 0]);
  });
});

describe('an instance that ends from outside', () => {
  test('takes its Node along once it is terminated, and its place is launched anew', async () => {
    const { region, cluster } = await aPoolOf(2);
    const id = region.alive()[0]?.id ?? '';
    region.end(id);
    cluster.join();
    await cluster.round();
    expect(cluster.state.nodes.has(id)).toBe(true);
    await cluster.settle();
    expect([cluster.state.deleted, cluster.state.nodes.has(id), region.alive().length]).toEqual([[id], false, 2]);
  });

  test('leaves its Node alone while a kubelet reports under it: another instance has that name', async () => {
    const { region, cluster } = await aPoolOf(1);
    const id = region.alive()[0]?.id ?? '';
    const node = cluster.state.nodes.get(id)!;
    region.end(id);
    cluster.join = () => void cluster.state.nodes.set(id, node);
    await cluster.settle(4);
    expect([cluster.state.deleted, cluster.state.nodes.has(id)]).toEqual([[], true]);
    cluster.join = () => {};
    cluster.state.nodes.set(id, { ...node, ready: false });
    await cluster.round();
    expect(cluster.state.deleted).toEqual([id]);
  });

  test('one that EC2 does not know is gone when its Node was not ready for five minutes; while a kubelet reports, never', async () => {
    const { region, cluster } = await aPoolOf(0);
    const node = { uid: 'uid-x', leaving: false, busy: 0, createdMs: 0 };
    for (const [name, ready] of [
      ['gone', false],
      ['other-account', true],
    ] as const)
      cluster.state.nodes.set(name, { ...node, name, instanceId: `i-${name === 'gone' ? 'aa' : 'bb'}`, ready });
    await cluster.round();
    region.pass(UNKNOWN_MS - 1);
    expect((await cluster.round()).pools[0]?.taken).toEqual([]);
    region.pass(1);
    expect((await cluster.round()).pools[0]?.taken).toMatchObject([{ what: 'delete node', node: 'gone' }]);
  });
});

test('whatever is lost, refused, throttled, restarted, ended or scaled: no place has two launches at once for long, and all ends as wanted', async () => {
  const fate = fc.constantFrom<Fate>('ok', 'ok', 'ok', 'lost', 'refused', 'throttled', 'no token');
  const event = fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('round' as const), fates: fc.array(fate, { maxLength: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('scale' as const), desired: fc.nat({ max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('end' as const), n: fc.nat({ max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('pod' as const), n: fc.nat({ max: 5 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('capacity' as const),
        zone: fc.constantFrom(...ZONES),
        count: fc.constantFrom(0, 1, undefined),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(event, fc.nat({ max: 60_000 })), { maxLength: 60 }), async (history) => {
      const region = aFleetRegion();
      const terminate = region.terminate;
      const cluster = aFleetCluster({
        ...region,
        terminate: async (id) => {
          // No pod that is to be evicted is on it, and its Node says that it goes.
          const node = [...cluster.state.nodes.values()].find(({ instanceId }) => instanceId === id);
          if ((cluster.state.pods.get(node?.name ?? '') ?? []).length > 0) throw new Error(`${id} had pods`);
          if (node !== undefined && !node.leaving) throw new Error(`${id} was not said to go`);
          await terminate(id);
        },
      });
      const { state } = cluster;
      for (const [each, passing] of history) {
        if (each.what === 'round') {
          region.fates(each.fates);
          await cluster.round();
        } else if (each.what === 'restart') cluster.restart();
        else if (each.what === 'scale') state.desired = each.desired;
        else if (each.what === 'end') region.end(region.alive()[each.n]?.id ?? '');
        else if (each.what === 'capacity') region.setCapacity('c5.large', each.zone, each.count);
        else {
          const node = [...state.nodes.keys()][each.n];
          if (node !== undefined && !state.nodes.get(node)?.leaving) state.pods.set(node, [aPod(`pod-${node}`)]);
        }
        region.pass(passing);
        cluster.join();
        const wanted = Math.max(...history.map(([one]) => (one.what === 'scale' ? one.desired : 0)));
        if (region.alive().length > wanted) throw new Error(`${region.alive().length} instances where at most ${wanted} were ever wanted`);
      }
      region.fates([]);
      for (const zone of ZONES) region.setCapacity('c5.large', zone, undefined);
      const end = await cluster.settle(60);
      expect(region.alive()).toHaveLength(state.desired);
      expect(new Set(state.nodes.keys())).toEqual(new Set(region.alive().map(({ id }) => id)));
      expect([end.pools[0]?.taken, end.pools[0]?.plan.waits]).toEqual([[], []]);
    }),
    { numRuns: 300 },
  );
}, 120_000);
