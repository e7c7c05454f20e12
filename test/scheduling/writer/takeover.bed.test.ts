import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import type { Started } from '../../bed/process.ts';
import { aNodeManifest, aTemplate } from '../builders.ts';
import { aGatedPod, makeNodes, type WriterBed, writerBed } from './bed-writers.ts';

/** Another leads a second or two after the leader was killed. */
const QUICKLY = { leaseMs: 2_000, renewMs: 1_500, retryMs: 200 };
/** A machine that is busy with 5,000 slots may not renew within a second and a half. */
const PATIENTLY = { leaseMs: 6_000, renewMs: 5_000, retryMs: 200 };

describeBed('lock writers that are killed', ['control-plane'], () => {
  let bed: Bed;
  let all: WriterBed;
  const replicas = new Map<string, Started>();
  let made = 0;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    all = await writerBed(bed, { addresses: 1_000 });
    await makeNodes(all, 10, { cpu: 16, memory: '256Gi' });
    for (const name of ['one', 'two']) replicas.set(name, all.replica({ name, ...QUICKLY }));
  });
  afterAll(async () => {
    if (process.env.SHOW) process.stderr.write([...replicas.values()].map((it) => it.log()).join('\n'));
    await bed?.stop();
  });

  const leader = async () => {
    const lease = await bed.request('GET', '/apis/coordination.k8s.io/v1/namespaces/default/leases/gala-lock-writer');
    const holder: string = lease.body.spec?.holderIdentity ?? '';
    return [...replicas].find(([name, { pid }]) => holder === `${name}-${pid}`)?.[0];
  };
  const killLeader = async (times = QUICKLY) => {
    const name = (await leader()) as string;
    await replicas.get(name)!.kill();
    replicas.set(name, all.replica({ name, ...times }));
  };
  /** As soon as it is so; polling would be too late. */
  const seen = async (right: () => Promise<boolean>) => {
    while (!(await right())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const addressesOf = async (lock: string) => (await all.ipLocks()).filter(({ spec }) => spec.lock?.name === lock);

  test('a Lock whose writer is killed half-way is finished by the next one, and nothing of the first plan is left', async () => {
    await all.eventually('a leader', async () => (await leader()) !== undefined);
    for (let round = 0; round < 2; round++) {
      const name = `half-${round}`;
      await all.aLock(name, { count: 200 });
      await seen(async () => (await addressesOf(name)).length > 20);
      await killLeader();
      await all.eventually('Ready', async () => (await all.lock(name)).status?.phase === 'Ready');
      const { slots } = (await all.lock(name)).status!;
      const listed = slots!.map(({ address, node }) => `${address} ${node}`).sort();
      await all.eventually('no more than that', async () => (await addressesOf(name)).length === 200);
      expect((await addressesOf(name)).map(({ metadata, spec }) => `${metadata.name} ${spec.node}`).sort()).toEqual(listed);
    }
  });

  test('pods whose writer is killed on their way get one slot and one address each', async () => {
    const names = Array.from({ length: 150 }, () => `pod-${made++}`);
    await Promise.all(names.map((name) => all.send('POST', '/api/v1/namespaces/feed/pods', aGatedPod(name))));
    await seen(async () => (await all.ipLocks()).filter(({ spec }) => spec.podUID !== undefined).length > 20);
    await killLeader();
    await all.eventually('all have slots', async () =>
      (await all.pods()).every(({ metadata }) => metadata.annotations?.['gala.internal/slot'] === 'loose'),
    );
    const owned = (await all.ipLocks()).flatMap(({ spec }) => spec.podUID ?? []);
    expect(owned.sort()).toEqual((await all.pods()).map(({ metadata }) => metadata.uid).sort());
  });

  test('a Planning Lock that a former writer left is undone before anything else, whatever it claimed', async () => {
    await Promise.all([...replicas.values()].map((it) => it.kill()));
    await all.aLock('left', { count: 2 });
    // As a writer would leave it that died after its first address.
    const slots = [
      { slot: 0, node: 'r12-01', address: '10.110.3.1' },
      { slot: 1, node: 'r12-02', address: '10.110.3.2' },
    ];
    const left = await all.lock('left');
    await all.send('PUT', '/apis/gala.internal/v1alpha1/namespaces/feed/locks/left/status', {
      ...left,
      status: { phase: 'Planning', slots, counts: { planned: 2, used: 0 } },
    });
    await all.send('POST', '/apis/gala.internal/v1alpha1/iplocks', {
      apiVersion: 'gala.internal/v1alpha1',
      kind: 'IPLock',
      metadata: { name: '10.110.3.1' },
      spec: { phase: 'Locked', node: 'r12-01', mac: '02:67:0a:6e:03:01', owner: 'feed/left', lock: { namespace: 'feed', name: 'left' } },
    });
    for (const name of ['one', 'two']) replicas.set(name, all.replica({ name, ...QUICKLY }));
    await all.eventually('Ready', async () => (await all.lock('left')).status?.phase === 'Ready');
    const ready = (await all.lock('left')).status!;
    await all.eventually('its own only', async () => (await addressesOf('left')).length === 2);
    expect((await addressesOf('left')).map(({ metadata }) => metadata.name).sort()).toEqual(
      ready.slots!.map(({ address }) => address).sort(),
    );
    // The former writer's late word is refused.
    const late = await bed.request('PUT', '/apis/gala.internal/v1alpha1/namespaces/feed/locks/left/status', {
      ...left,
      status: { phase: 'Ready', slots, counts: { planned: 2, used: 0 } },
    });
    expect(late.status).toBe(409);
  });

  test('a Lock of 5,000 slots is one object, and survives its writer', async () => {
    const room = { cpu: '1000', memory: '4Ti', pods: '3000' };
    for (const name of ['large-1', 'large-2']) {
      const node = aNodeManifest(name, { labels: { size: 'large' } });
      await all.send('POST', '/api/v1/nodes', { ...node, status: { ...node.status, capacity: room, allocatable: room } });
      await all.send('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } });
    }
    await Promise.all([...replicas.values()].map((it) => it.kill()));
    for (const name of ['one', 'two']) replicas.set(name, all.replica({ name, ...PATIENTLY }));
    await all.eventually('a leader', async () => (await leader()) !== undefined);
    // Of no pool, so that nobody waits for 5,000 addresses: `npm run bench -- scheduling` locks these.
    await all.aLock('largest', { count: 5_000, template: aTemplate({ cpu: '100m', spec: { nodeSelector: { size: 'large' } } }) });
    await seen(async () => (await all.lock('largest')).status?.phase !== undefined);
    await killLeader(PATIENTLY);
    await all.eventually('Ready', async () => (await all.lock('largest')).status?.phase === 'Ready', 180);
    const { slots, counts } = (await all.lock('largest')).status!;
    expect(counts).toEqual({ planned: 5_000, used: 0 });
    expect(slots!.map(({ slot }) => slot)).toEqual(Array.from({ length: 5_000 }, (_, slot) => slot));
  }, 300_000);
});
