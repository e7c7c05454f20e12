/** The rules between fields, one by one, on the real API server: what is refused, in which words, and what is still allowed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, IPLock, KINDS, Lock, NodeNetwork } from '../../lib/api/kinds.ts';
import { MAX_SLOTS } from '../../lib/api/lock.ts';
import type { Resource } from '../../lib/api/resource.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { REFUSALS, type Refusal } from './kinds-rules.ts';
import type { Judgement } from './kinds-server.ts';
import { create, judgeChange, judgeSpec, pathOf } from './kinds-server.ts';

describeBed('rules on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let count = 0;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    await bed.apply(KINDS.map(crd));
  });
  afterAll(() => bed.stop());

  /** A name that no object of the kind has yet. */
  const freshName = (kind: Resource) => {
    count += 1;
    return kind === IPLock ? `10.9.${count >> 8}.${count & 255}` : `live-${count}`;
  };
  const live = (kind: Resource, spec: unknown) => create(bed.request, kind, spec, freshName(kind));

  test.each(REFUSALS.map((one) => [one.kind.kind, one.says ?? one.rule, one] as const))('%s is refused: %s', async (_, says, refusal) => {
    expect(await refused(refusal)).toMatchObject({ accepted: false, message: expect.stringContaining(says) });
  });

  async function refused({ kind, spec, name, live: there, status, change }: Refusal): Promise<Judgement> {
    if (change === undefined) return judgeSpec(bed.request, kind, spec, name);
    const object = await live(kind, there);
    if (status !== undefined) await bed.request('PUT', `${pathOf(kind)}/${nameIn(object)}/status`, { ...object, status });
    return judgeChange(bed.request, kind, nameIn(object), change);
  }

  describe('the scale subresource of a HostPool', () => {
    const scaled = (name: string, replicas: number) => judgeChange(bed.request, HostPool, name, { spec: { replicas } }, 'scale');
    const launched = HostPool.moreExamples?.['an EC2 pool'];

    test('is refused on an intranet pool', async () => {
      const pool = nameIn(await live(HostPool, HostPool.example));
      expect(await scaled(pool, 3)).toMatchObject({ accepted: false, message: expect.stringContaining('Add hosts to racks') });
    });

    test('takes what size allows on an EC2 pool, and nothing else', async () => {
      const pool = nameIn(await live(HostPool, launched));
      expect(await scaled(pool, 3)).toMatchObject({ accepted: true });
      expect(await scaled(pool, 60)).toMatchObject({ accepted: true });
      expect(await scaled(pool, 61)).toMatchObject({ accepted: false, message: expect.stringContaining('size allows 3 to 60') });
      expect(await scaled(pool, 2)).toMatchObject({ accepted: false, message: expect.stringContaining('size allows 3 to 60') });
    });

    test('leaves replicas alone when size is narrowed: that is never refused for a number somebody else owns', async () => {
      const pool = nameIn(await live(HostPool, { ...launched, replicas: 50 }));
      expect(await judgeChange(bed.request, HostPool, pool, { spec: { ec2: { size: { max: 40 } } } })).toMatchObject({ accepted: true });
    });
  });

  describe('a VLAN', () => {
    const [first, second] = HostPool.example.intranet!.vlans;
    const seen = (parts: object = {}) => ({ id: second!.id, subnet: second!.subnet, total: 120, quarantined: 1, ...parts });
    const taken = { locked: 0, bound: 0, held: 1, lowest: '10.130.0.70', highest: '10.130.0.163', racks: ['r13'] };
    const vlan = (parts: object) => ({ spec: { intranet: { vlans: [first, { ...second, ...parts }] } } });

    async function aPoolWith(status: object) {
      const pool = await live(HostPool, HostPool.example);
      const answer = await bed.request('PUT', `${pathOf(HostPool)}/${nameIn(pool)}/status`, { ...pool, status });
      expect([answer.status, answer.body.message]).toEqual([200, undefined]);
      return answer.body;
    }

    test('without taken addresses may move, change its gateway, and lose a rack', async () => {
      const pool = nameIn(await aPoolWith({ vlans: [seen()] }));
      const change = vlan({ subnet: '10.130.0.0/23', gateway: '10.130.0.2', addresses: '10.130.1.0/24', racks: ['r12'] });
      expect(await judgeChange(bed.request, HostPool, pool, change)).toMatchObject({ accepted: true });
    });

    test.each([
      ['grow', { addresses: '10.130.0.10-10.130.0.200' }],
      ['grow into a CIDR', { addresses: '10.130.0.0/24' }],
      ['shrink to just what is taken', { addresses: '10.130.0.70-10.130.0.163' }],
      ['be trunked to a rack more', { racks: ['r12', 'r13'] }],
      ['be trunked everywhere', { racks: null }],
      ['be given to some namespaces', { namespaces: ['ads'] }],
    ])('with taken addresses may %s', async (_, parts) => {
      const pool = nameIn(await aPoolWith({ vlans: [seen({ taken })] }));
      expect(await judgeChange(bed.request, HostPool, pool, vlan(parts))).toMatchObject({ message: '', accepted: true });
    });

    test('with taken addresses stands in no way of another VLAN and of a rack without any', async () => {
      const pool = nameIn(await aPoolWith({ vlans: [seen({ taken })] }));
      const { racks } = HostPool.example.intranet!;
      for (const intranet of [
        { vlans: [second] },
        { vlans: [{ ...first, gateway: '10.110.0.2', addresses: '10.110.3.0/24' }, second] },
        { racks: racks.slice(1) },
        { racks: [...racks, { name: 'r14', hosts: 'bj-a-r14-[01-10]' }] },
      ]) {
        expect(await judgeChange(bed.request, HostPool, pool, { spec: { intranet } })).toMatchObject({ message: '', accepted: true });
      }
    });

    test('whose status tells of an address or a rack that is no longer there can be reported on and changed further', async () => {
      const astray = { ...taken, lowest: '10.130.0.2', highest: '10.130.0.250', racks: ['r13', 'r99'] };
      const pool = await aPoolWith({ vlans: [seen({ taken: astray }), seen({ id: 777, taken: astray })] });
      const again = await bed.request('PUT', `${pathOf(HostPool)}/${nameIn(pool)}/status`, {
        ...pool,
        status: { vlans: [seen({ taken })] },
      });
      expect([again.status, again.body.message]).toEqual([200, undefined]);
      const back = await bed.request('PUT', `${pathOf(HostPool)}/${nameIn(pool)}/status`, { ...again.body, status: pool.status });
      expect([back.status, back.body.message]).toEqual([200, undefined]);
      const change = { spec: { locks: 'advisory' } };
      expect(await judgeChange(bed.request, HostPool, nameIn(pool), change)).toMatchObject({ message: '', accepted: true });
    });
  });

  // A rule whose evaluation costs more than the API server allows refuses whatever is asked (PerCallLimit, a million).
  test('a pool of the most racks and VLANs, taken nearly everywhere, can still be changed and reported on', async () => {
    const { intranet } = HostPool.example;
    const ids = Array.from({ length: 256 }, (_, index) => index);
    const racks = ids.map((id) => ({ name: `r${id}`, hosts: `r${id}-[01-20]` }));
    /** Every rack but the last. */
    const used = racks.slice(0, 255).map(({ name }) => name);
    const vlans = ids.map((id) => ({
      id: id + 1,
      subnet: `10.${id}.0.0/16`,
      gateway: `10.${id}.0.1`,
      addresses: `10.${id}.1.0-10.${id}.250.255`,
      ...(id < 16 ? { racks: racks.map(({ name }) => name) } : {}),
    }));
    const pool = await live(HostPool, { ...HostPool.example, intranet: { ...intranet, racks, vlans } });
    const seen = ids.map((id) => ({
      id: id + 1,
      subnet: `10.${id}.0.0/16`,
      total: 64_000,
      quarantined: 0,
      taken: {
        locked: 1,
        bound: 60_000,
        held: 1,
        lowest: `10.${id}.1.0`,
        highest: `10.${id}.250.255`,
        racks: used,
      },
    }));
    const path = `${pathOf(HostPool)}/${nameIn(pool)}`;
    const put = async (object: unknown) => {
      const { status, body } = await bed.request('PUT', `${path}/status`, object);
      expect([status, body.message]).toEqual([200, undefined]);
      return body;
    };
    await put(await put({ ...pool, status: { vlans: seen } }));
    const wider = vlans.map((vlan, id) => ({ ...vlan, addresses: `10.${id}.0.8-10.${id}.255.250` }));
    const more = { spec: { intranet: { vlans: wider, racks: racks.map((rack) => ({ ...rack, hosts: `${rack.hosts},spare` })) } } };
    expect(await judgeChange(bed.request, HostPool, nameIn(pool), more)).toMatchObject({ message: '', accepted: true });
    const keeping = (few: typeof racks) => ({
      racks: few,
      vlans: vlans.map((vlan) => ({ ...vlan, ...(vlan.racks === undefined ? {} : { racks: few.map(({ name }) => name) }) })),
    });
    const withoutUnused = { spec: { intranet: keeping(racks.slice(0, 255)) } };
    expect(await judgeChange(bed.request, HostPool, nameIn(pool), withoutUnused)).toMatchObject({ message: '', accepted: true });
    expect(await judgeChange(bed.request, HostPool, nameIn(pool), { spec: { intranet: keeping(racks.slice(1)) } })).toMatchObject({
      accepted: false,
      message: expect.stringContaining('vlans[1] stays trunked to the racks where its 60002 taken addresses are'),
    });
    const less = { spec: { intranet: { vlans: wider.slice(1) } } };
    expect(await judgeChange(bed.request, HostPool, nameIn(pool), less)).toMatchObject({
      accepted: false,
      message: expect.stringContaining('vlans[1] keeps its subnet and gateway while 60002 addresses are taken'),
    });
  });

  test('ENI slots on two network cards may have the same device index, and the card is 0 when left out', async () => {
    const node = NodeNetwork.moreExamples!['an EC2 instance with one pod ENI']!;
    const [slot] = node.eniSlots!;
    const both = { ...node, eniSlots: [slot, { ...slot, networkCardIndex: 1 }, { ...slot, networkCardIndex: 1, deviceIndex: 0 }] };
    const { accepted, kept } = await judgeSpec(bed.request, NodeNetwork, both);
    expect([accepted, (kept.spec as NodeNetwork['spec']).eniSlots?.map(({ networkCardIndex }) => networkCardIndex)]).toEqual([
      true,
      [0, 1, 1],
    ]);
    const twice = { ...node, eniSlots: [slot, { ...slot, networkCardIndex: 0, ip: '10.16.4.22' }] };
    expect(NodeNetwork.spec.safeParse(twice).error?.issues).toMatchObject([{ message: '0, 1 stands here twice' }]);
    expect(await judgeSpec(bed.request, NodeNetwork, twice)).toMatchObject({ accepted: false });
  });

  test("a Lock's owner is a name: nobody names the owner of another namespace", async () => {
    for (const owner of ['ads/feed-api', 'ads:feed-api', '/feed-api']) {
      expect([owner, Lock.spec.safeParse({ ...Lock.example, owner }).success]).toEqual([owner, false]);
      expect([owner, await judgeSpec(bed.request, Lock, { ...Lock.example, owner })]).toMatchObject([owner, { accepted: false }]);
    }
  });

  test('an agent lists the addresses of its own node only', async () => {
    const mine = nameIn(await live(IPLock, { ...IPLock.example, node: 'agent-01' }));
    await live(IPLock, { ...IPLock.example, node: 'agent-02' });
    const { body } = await bed.request('GET', `${pathOf(IPLock)}?fieldSelector=spec.node%3Dagent-01`);
    expect(body.items.map(nameIn)).toEqual([mine]);
  });

  test('a renewed lock is the same lock', async () => {
    const name = nameIn(await live(Lock, Lock.example));
    expect(await judgeChange(bed.request, Lock, name, { spec: { renewedAt: '2027-02-16T20:00:00Z' } })).toMatchObject({ accepted: true });
  });

  // etcd refuses requests above 1.5 MiB (--max-request-bytes); the rest is left for the pod spec and managedFields.
  test('a lock of the most slots, each at its longest, fits one etcd object', async () => {
    const name = nameIn(await live(Lock, { ...Lock.example, count: MAX_SLOTS }));
    const slot = { node: 'n'.repeat(128), address: '255.255.255.255', held: true };
    const slots = Array.from({ length: MAX_SLOTS }, (_, index) => ({ slot: index, ...slot }));
    const status = { phase: 'Ready', counts: { planned: MAX_SLOTS, used: MAX_SLOTS }, slots };
    const answer = await bed.request(
      'PATCH',
      `${pathOf(Lock)}/${name}/status`,
      { status },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.body).length).toBeLessThan(1.2 * 2 ** 20);
  });
});

const nameIn = (object: { readonly metadata?: unknown }) => (object.metadata as { name: string }).name;
