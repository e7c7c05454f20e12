/** Rounds of `gala cloud` on a region that is the bed's own judge: what they come to, whatever happens to the calls. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Ec2Eni } from '../../lib/cloud/ec2.ts';
import { OLD_MS } from '../../lib/cloud/orphans.ts';
import { WITHHELD_MS } from '../../lib/cloud/region-plan.ts';
import type { RoundOptions } from '../../lib/cloud/round.ts';
import { tagsOf } from '../../lib/cloud/tags.ts';
import * as builder from './a-cluster.ts';
import { TAGS } from './a-cluster.ts';
import { aRegion, type Fate, type Region } from './a-region.ts';

const TYPE = 'c5.xlarge';
const idOf = (n: number) => `i-${String(n).padStart(17, '0')}`;

/** A cluster of so many nodes, whose NodeNetworks are what was written last. */
function aCluster(region: Region, count: number, over: Partial<RoundOptions> = {}) {
  const nodes = Array.from({ length: count }, (_, n) => ({ name: `node-${n}`, pool: 'burst', instanceId: idOf(n) }));
  for (const { instanceId } of nodes) region.launch(instanceId, TYPE);
  region.pass(2_000);
  const cluster = builder.aCluster({ ec2: region, now: region.now, nodes, over });
  return {
    ...cluster,
    async settle(times = 20, ms = 20_000) {
      for (let n = 0; n < times; n++) {
        await cluster.round();
        region.pass(ms);
      }
      return await cluster.round();
    },
  };
}

const ours = (region: Region): Ec2Eni[] => region.all().filter(({ tags }) => tags['gala.internal/cluster'] === 'cloud-a');

describe('cold instances', () => {
  test('get all their pod ENIs, told to end with them, and the NodeNetworks name them', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 3);
    await cluster.settle();
    expect(ours(region)).toHaveLength(9);
    expect(ours(region).every(({ attachment }) => attachment?.status === 'attached' && attachment.deleteOnTermination)).toBe(true);
    expect([...cluster.state.written.values()].map((slots) => slots.map(({ deviceIndex }) => deviceIndex))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(Object.fromEntries(region.done)).toEqual({
      CreateNetworkInterface: 9,
      AttachNetworkInterface: 9,
      ModifyNetworkInterfaceAttribute: 9,
    });
  });

  test('then cost no call that changes anything, however often it is looked', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 2);
    await cluster.settle();
    region.done.clear();
    const last = await cluster.settle();
    expect([last.taken, last.nextInMs, region.done.size]).toEqual([[], 60_000, 0]);
  });

  test('a dry run tells the steps and takes none', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1, { dryRun: true });
    const { taken } = await cluster.round();
    expect(taken.map(({ what, slot, not }) => [what, slot, not])).toEqual([0, 1, 2].map((slot) => ['create', slot, 'dry run']));
    expect([region.done.size, cluster.state.written.size]).toEqual([0, 0]);
  });

  test('one that does not lead takes none either', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1, { mayWrite: () => false });
    await cluster.settle(3);
    expect([region.done.size, cluster.state.written.size]).toEqual([0, 0]);
  });
});

describe('fewer ENIs wanted', () => {
  test('a slot leaves the NodeNetwork first, and its ENI the node when nobody can be about to lock its address', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1);
    await cluster.settle();
    cluster.state.warmEnis = 2;
    await cluster.round();
    expect(cluster.state.written.get(idOf(0))).toHaveLength(2);
    region.pass(WITHHELD_MS - 1);
    expect((await cluster.round()).taken).toEqual([]);
    region.pass(1);
    expect((await cluster.round()).taken).toMatchObject([{ what: 'detach' }]);
  });

  test('and one whose address was locked in the meantime stays on its node, for as long', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1, { isTaken: async () => true });
    await cluster.settle();
    cluster.state.warmEnis = 2;
    const last = await cluster.settle();
    expect(last.taken).toMatchObject([{ what: 'detach', not: 'taken' }]);
    expect(region.done.get('DetachNetworkInterface')).toBeUndefined();
  });
});

describe('orphans', () => {
  test('of an instance that is gone are deleted after ten minutes; the ENIs of others, and of another cluster of that name, never', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1);
    const lost = region.foreign(tagsOf(TAGS, idOf(9), 0));
    const others = [region.foreign({}), region.foreign(tagsOf({ ...TAGS, clusterUid: 'uid-2' }, idOf(9), 0))];
    await cluster.settle(OLD_MS / 20_000 - 1);
    expect(region.all().some(({ id }) => id === lost)).toBe(true);
    await cluster.settle(3);
    const left = region.all().map(({ id }) => id);
    expect([left.includes(lost), others.every((id) => left.includes(id)), ours(region).length]).toEqual([false, true, 4]);
  });

  test('are those too whose address stands in the list of an instance that has ended: it had it before', async () => {
    const region = aRegion();
    const cluster = aCluster(region, 1);
    await cluster.settle();
    const lost = region.foreign(tagsOf(TAGS, idOf(9), 0));
    const { ip } = region.all().find(({ id }) => id === lost)!;
    const [slot] = cluster.state.written.get(idOf(0))!;
    cluster.state.written.set(idOf(8), [{ ...slot!, eniId: 'eni-00000000000000000', ip }]);
    await cluster.settle(OLD_MS / 20_000 + 3);
    expect(region.all().some(({ id }) => id === lost)).toBe(false);
  });

  test('are listed and kept where that is asked for, and where somebody has the address', async () => {
    for (const over of [{ orphans: 'list' as const }, { isTaken: async () => true }]) {
      const region = aRegion();
      const cluster = aCluster(region, 1, over);
      const lost = region.foreign(tagsOf(TAGS, idOf(9), 0));
      const { plan } = await cluster.settle(60);
      expect(plan.orphans.orphans).toMatchObject([{ id: lost }]);
      expect(region.done.get('DeleteNetworkInterface')).toBeUndefined();
    }
  });
});

test('whatever happens to calls, instances and processes: no ENI too many, none deleted that somebody could use, and in the end all are there', async () => {
  const fate = fc.constantFrom<Fate>('ok', 'ok', 'ok', 'lost', 'refused', 'throttled', 'no token');
  const event = fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('round' as const), fates: fc.array(fate, { minLength: 1, maxLength: 5 }) }) },
    { weight: 1, arbitrary: fc.constant({ what: 'restart' as const }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('terminate' as const), n: fc.nat({ max: 2 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant('foreign' as const), n: fc.nat({ max: 2 }), deviceIndex: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('pull' as const), n: fc.nat({ max: 8 }) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('lock' as const), n: fc.nat({ max: 8 }) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('warm' as const), warmEnis: fc.constantFrom<number | 'all'>(1, 2, 'all') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(event, fc.nat({ max: 240_000 })), { maxLength: 40 }), async (history) => {
      const region = aRegion();
      const cluster = aCluster(region, 3);
      const { state } = cluster;
      const ended = new Set<string>();
      region.onDelete((eni) => {
        const madeFor = eni.tags['gala.internal/instance'] ?? '';
        const listed = [...state.written.values()].flat().some(({ eniId }) => eniId === eni.id);
        if (eni.tags['gala.internal/cluster-uid'] !== 'uid-1') throw new Error(`${eni.id} was somebody else's`);
        if (state.taken.has(eni.ip) || listed) throw new Error(`${eni.ip} of ${madeFor} was in use or on offer`);
      });
      for (const [each, passing] of history) {
        if (each.what === 'round') {
          region.fates(each.fates);
          await cluster.round();
        } else if (each.what === 'restart') cluster.restart();
        else if (each.what === 'warm') state.warmEnis = each.warmEnis;
        else if (each.what === 'terminate') {
          region.terminate(idOf(each.n));
          ended.add(idOf(each.n));
        } else if (each.what === 'foreign') region.foreign({}, { instanceId: idOf(each.n), deviceIndex: each.deviceIndex });
        else if (each.what === 'pull') {
          const eni = ours(region)[each.n];
          if (eni !== undefined) region.pull(eni.id);
        } else {
          // A pod locks an address that is on offer.
          const slot = [...state.written.values()].flat()[each.n];
          if (slot !== undefined) state.taken.add(slot.ip);
        }
        region.pass(passing);
        for (const { instanceId } of cluster.nodes) {
          const made = ours(region).filter(({ tags }) => tags['gala.internal/instance'] === instanceId);
          if (made.length > 3) throw new Error(`${made.length} ENIs for the 3 slots of ${instanceId}`);
        }
      }
      // Then all is calm: pods go, Nodes of ended instances are deleted.
      region.fates([]);
      state.taken.clear();
      state.warmEnis = 'all';
      state.there = state.there.filter(({ instanceId }) => !ended.has(instanceId));
      for (const id of ended) state.written.delete(id);
      const end = await cluster.settle(150);
      for (const node of end.plan.nodes) {
        if (node.state !== 'planned') throw new Error(`${node.name} is ${node.state}`);
        const others = region
          .all()
          .filter(({ tags, attachment }) => attachment?.instanceId === node.instanceId && tags['gala.internal/instance'] === undefined);
        expect(node.plan.slots).toHaveLength(3 - (others.length - 1));
        expect(state.written.get(node.instanceId)).toEqual(node.slots);
      }
      expect(end.taken).toEqual([]);
      expect(end.plan.orphans.orphans).toEqual([]);
    }),
    { numRuns: 100 },
  );
}, 120_000);
