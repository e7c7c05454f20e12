/**
 * Slice 1 from end to end: what synth renders, both programs as they are deployed, the real kube-scheduler and controllers,
 * simulated hosts. A pod is gated, locked, pinned, let through and bound; and when a part is away, pods wait and nothing else.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GATE, LOCK_ANNOTATION, SCHEDULER_NAME, SLOT_ANNOTATION, WRITER_LEASE } from '../../lib/api/scheduling.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { simulate } from '../bed/hosts.ts';
import { until } from '../bed/process.ts';
import { aBedCluster } from './a-bed-cluster.ts';
import { type Gala, type Replica, startGala } from './gala-in-the-bed.ts';
import { rackedHosts } from './racked-hosts.ts';

const GALA = '/apis/gala.internal/v1alpha1';

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string; readonly schedulingGates?: readonly object[] };
}
interface IPLock {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly phase: string; readonly node: string; readonly podUID?: string; readonly lock?: { readonly name: string } };
}

describeBed('slice 1 from end to end', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let gala: Gala;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    gala = await startGala(bed, { definition: aBedCluster(4, '10.110.1.0-10.110.1.199'), schedulers: 2, controllers: 1 });
    await simulate(bed, rackedHosts(gala.rendered.cluster));
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'feed' } });
  }, 300_000);
  afterAll(async () => {
    await gala?.stop();
    await bed?.stop();
  });

  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await bed.request(method, path, body, method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {});
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body?.message ?? answer.body}`);
    return answer.body;
  };
  const eventually = async (what: string, right: () => Promise<boolean>) => await until(what, [], 120, right, 100);
  const podsOf = async (app: string): Promise<Pod[]> =>
    (await send('GET', `/api/v1/namespaces/feed/pods?labelSelector=app%3D${app}`)).items;
  const ipLocks = async (): Promise<IPLock[]> => (await send('GET', `${GALA}/iplocks`)).items;
  const bound = async (app: string, count: number) =>
    await eventually(`${count} pods of ${app} bound`, async () => (await podsOf(app)).filter(({ spec }) => spec.nodeName).length === count);

  const template = (app: string, lock?: string) => ({
    metadata: { labels: { app }, annotations: lock === undefined ? {} : { [LOCK_ANNOTATION]: lock } },
    spec: {
      schedulerName: SCHEDULER_NAME,
      containers: [{ name: 'main', image: 'registry.example/main:1', resources: { requests: { cpu: '100m' } } }],
    },
  });
  const deploy = (app: string, replicas: number, lock?: string) =>
    send('POST', '/apis/apps/v1/namespaces/feed/deployments', {
      metadata: { name: app },
      spec: { replicas, selector: { matchLabels: { app } }, template: template(app, lock) },
    });
  const remove = async (app: string) => {
    await send('DELETE', `/apis/apps/v1/namespaces/feed/deployments/${app}`);
    await eventually(`no pods of ${app}`, async () => (await podsOf(app)).length === 0);
  };
  const aLock = (name: string, count: number, more: object = {}) =>
    send('POST', `${GALA}/namespaces/feed/locks`, {
      ...{ apiVersion: 'gala.internal/v1alpha1', kind: 'Lock', metadata: { name } },
      spec: { template: template(name), count, owner: name, ...more },
    });
  const lockOf = (name: string) => send('GET', `${GALA}/namespaces/feed/locks/${name}`);

  /** The replica whose lock writer leads. */
  const leader = async (): Promise<Replica> => {
    for (const replica of gala.schedulers)
      if ((await replica.page('/metrics').catch(() => '')).includes(`gala_leader{election="${WRITER_LEASE}"} 1`)) return replica;
    throw new Error('nobody leads');
  };

  /** Whatever happened: every bound pod is where its one address says, and no address is anybody's that is not there. */
  async function everythingAgrees(): Promise<void> {
    const pods: Pod[] = (await send('GET', '/api/v1/namespaces/feed/pods')).items;
    const locks = await ipLocks();
    const byPod = Map.groupBy(
      locks.filter(({ spec }) => spec.podUID !== undefined),
      ({ spec }) => spec.podUID,
    );
    for (const { metadata, spec } of pods.filter(({ spec }) => spec.nodeName)) {
      const own = byPod.get(metadata.uid) ?? [];
      expect({ pod: metadata.name, nodes: own.map(({ spec }) => spec.node) }).toEqual({ pod: metadata.name, nodes: [spec.nodeName] });
      expect(metadata.annotations?.[SLOT_ANNOTATION]).toBeDefined();
    }
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    expect([...byPod.keys()].filter((uid) => !uids.has(uid!))).toEqual([]);
  }

  test('pods of a Deployment are gated, given an address and a node, and bound there by the real scheduler', async () => {
    await deploy('feed-api', 10);
    await bound('feed-api', 10);
    const pods = await podsOf('feed-api');
    expect(pods.every(({ spec }) => spec.schedulingGates === undefined)).toBe(true);
    expect(pods.map(({ metadata }) => metadata.annotations?.[SLOT_ANNOTATION])).toEqual(pods.map(() => 'loose'));
    const own = await ipLocks();
    expect(own.map(({ spec }) => spec.podUID).sort()).toEqual(pods.map(({ metadata }) => metadata.uid).sort());
    expect(own.every(({ metadata }) => /^10\.110\.1\.\d+$/.test(metadata.name))).toBe(true);
    await everythingAgrees();
    const events = await bed.kubectl(['events', '-n', 'feed', '--types=Normal', '-o', 'json']);
    expect(events.stdout).toContain('"reason": "Scheduled"');
  });

  test('the pool says what is taken', async () => {
    await eventually('10 addresses counted', async () => {
      const [vlan] = (await send('GET', `${GALA}/hostpools/web`)).status?.vlans ?? [];
      return vlan?.taken?.locked + vlan?.taken?.bound === 10;
    });
    expect((await send('GET', `${GALA}/nodenetworks`)).items).toHaveLength(8);
  });

  test('a Lock of fifty is Ready before its pods exist, and they take its slots and no others', async () => {
    await aLock('gala-night', 50, { strategy: 'spread' });
    await eventually('Ready', async () => (await lockOf('gala-night')).status?.phase === 'Ready');
    const { status } = await lockOf('gala-night');
    expect(status.slots).toHaveLength(50);
    const locked = (await ipLocks()).filter(({ spec }) => spec.lock?.name === 'gala-night');
    expect(locked.map(({ metadata, spec }) => `${metadata.name} ${spec.node}`).sort()).toEqual(
      status.slots.map(({ address, node }: { address: string; node: string }) => `${address} ${node}`).sort(),
    );
    await deploy('gala-night', 50, 'gala-night');
    await bound('gala-night', 50);
    await everythingAgrees();
    await eventually('all slots used', async () => (await lockOf('gala-night')).status?.counts?.used === 50);
    expect((await ipLocks()).filter(({ spec }) => spec.lock?.name === 'gala-night')).toHaveLength(50);
  });

  test('kill -9 of the leader in the middle: another one finishes, and nothing is leaked or given twice', async () => {
    const first = await leader();
    await Promise.all([aLock('midnight', 50), deploy('late', 20)]);
    await first.kill();
    await eventually('Ready', async () => (await lockOf('midnight')).status?.phase === 'Ready');
    await bound('late', 20);
    expect(await leader()).not.toBe(first);
    const { status } = await lockOf('midnight');
    const locked = (await ipLocks()).filter(({ spec }) => spec.lock?.name === 'midnight');
    expect(locked.map(({ metadata }) => metadata.name).sort()).toEqual(
      status.slots.map(({ address }: { address: string }) => address).sort(),
    );
    await everythingAgrees();
    await first.start();
  });

  test('the extender away: pods wait pinned, and are bound once it is back, without a restart of anything else', async () => {
    // The replica whose kube-scheduler binds; the other one's lock writer goes on.
    const lastRun = (log: string) => log.slice(log.lastIndexOf('Starting Kubernetes Scheduler'));
    const binding = gala.schedulers.find((replica) => /successfully acquired lease/i.test(lastRun(replica.log('kube-scheduler'))))!;
    const before = binding.log('kube-scheduler').length;
    await binding.terminate(SCHEDULER_NAME);
    await eventually('another lock writer', async () => (await leader()) !== binding);
    await deploy('waits', 5);
    const waiting = async () => (await podsOf('waits')).filter(({ spec }) => spec.schedulingGates === undefined);
    await eventually('pods are pinned', async () => (await waiting()).length === 5);
    await eventually('one was tried', async () => binding.log('kube-scheduler').slice(before).includes('connection refused'));
    expect((await waiting()).map(({ spec }) => spec.nodeName)).toEqual((await waiting()).map(() => undefined));
    await binding.start();
    await bound('waits', 5);
    await everythingAgrees();
  });

  test('pods that go leave their addresses Held for their owner, and the next ones get them back', async () => {
    const before = (await ipLocks()).filter(({ spec }) => spec.phase !== 'Held').length;
    await remove('late');
    await eventually('20 Held', async () => (await ipLocks()).filter(({ spec }) => spec.phase === 'Held').length === 20);
    const held = (await ipLocks()).filter(({ spec }) => spec.phase === 'Held').map(({ metadata }) => metadata.name);
    await deploy('late', 20);
    await bound('late', 20);
    const now = await ipLocks();
    expect(now.filter(({ spec }) => spec.phase !== 'Held')).toHaveLength(before);
    const uids = new Set((await podsOf('late')).map(({ metadata }) => metadata.uid));
    expect(
      now
        .filter(({ spec }) => uids.has(spec.podUID ?? ''))
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(held.sort());
    await everythingAgrees();
  });

  test('a pod that no host has room for is told why, and waits behind the gate', async () => {
    await send('POST', '/api/v1/namespaces/feed/pods', {
      metadata: { name: 'too-big', labels: { app: 'too-big' } },
      spec: {
        ...template('too-big').spec,
        containers: [{ name: 'main', image: 'registry.example/main:1', resources: { requests: { cpu: '100' } } }],
      },
    });
    await eventually('an event', async () => /cpu/i.test((await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/too-big'])).stdout));
    expect((await podsOf('too-big'))[0]?.spec).toMatchObject({ schedulingGates: [{ name: GATE }] });
  });

  test('the API server away and back: the same processes go on', async () => {
    const runs = gala.all.map((replica) => replica.log().match(/"message":"starting"/g)?.length);
    await bed.end('kube-apiserver');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    bed.again('kube-apiserver');
    await eventually('the API server', async () => (await bed.request('GET', '/readyz')).status === 200);
    await eventually('a Deployment', async () => Boolean(await deploy('after', 5)));
    await bound('after', 5);
    await everythingAgrees();
    expect(gala.all.map((replica) => replica.log().match(/"message":"starting"/g)?.length)).toEqual(runs);
  });
});
