/** The rules between fields, one by one, on the real API server: what is refused, in which words, and what is still allowed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, IPLock, KINDS, Lock } from '../../lib/api/kinds.ts';
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

  test('a VLAN without Bound addresses may move', async () => {
    const pool = nameIn(await live(HostPool, HostPool.example));
    const [first, second] = HostPool.example.intranet!.vlans;
    const change = { spec: { intranet: { vlans: [first, { ...second, subnet: '10.130.0.0/23' }] } } };
    expect(await judgeChange(bed.request, HostPool, pool, change)).toMatchObject({ accepted: true });
  });

  test('an address goes from Locked to Bound to Held, and to the next pod on another node', async () => {
    const { podUID, ...rest } = IPLock.example;
    const name = nameIn(await live(IPLock, { ...rest, phase: 'Locked' }));
    const path = `${pathOf(IPLock)}/${name}`;
    const merge = { 'content-type': 'application/merge-patch+json' };
    const steps = [
      { phase: 'Bound', podUID },
      { phase: 'Held', podUID: null },
      { phase: 'Locked', node: 'bj-a-r13-04', podUID: '11111111-d9cb-469f-a165-70867728950e' },
      { phase: 'Bound' },
      { phase: 'Quarantined' },
    ];
    for (const spec of steps) expect([spec, (await bed.request('PATCH', path, { spec }, merge)).status]).toEqual([spec, 200]);
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
    const slot = { node: 'n'.repeat(128), address: '255.255.255.255', podUID: '0f8fad5b-d9cb-469f-a165-70867728950e' };
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
