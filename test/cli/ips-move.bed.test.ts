/** Slots on other hosts, by `gala ips move` and by a drain, as an operator has them: the lock writer as it is deployed, the policies, the role. Hosts are simulated. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { IPLock, Lock } from '../../lib/api/kinds.ts';
import { LOCK_ANNOTATION } from '../../lib/api/scheduling.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { DEPLOYMENTS, kindOf, NAMESPACES, NODES, PODS } from '../../lib/kube/kinds.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { simulate } from '../bed/hosts.ts';
import { until } from '../bed/process.ts';
import { aBedCluster } from '../scheduling/a-bed-cluster.ts';
import { type Gala, startGala } from '../scheduling/gala-in-the-bed.ts';
import { rackedHosts } from '../scheduling/racked-hosts.ts';
import { gala } from './gala.ts';

interface Row {
  readonly address: string;
  readonly state: string;
  readonly node: string;
}

describeBed('slots that go to another host', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let programs: Gala;
  let api: Api;
  let operator: string;
  const ips = (...args: string[]) => gala('ips', ...args, '--kubeconfig', operator);
  const list = async (...args: string[]): Promise<Row[]> => JSON.parse((await ips('list', ...args, '-o', 'json')).out).addresses;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    programs = await startGala(bed, { definition: aBedCluster(3, '10.110.1.0-10.110.1.39'), schedulers: 1, controllers: 1 });
    await simulate(bed, rackedHosts(programs.rendered.cluster));
    api = await connect({ kubeconfig: bed.kubeconfig });
    await api.create(NAMESPACES, { metadata: { name: 'feed' } });
    operator = await anOperator();
  }, 300_000);
  afterAll(async () => {
    api?.close();
    await programs?.stop();
    await bed?.stop();
  });

  const slots = async (name: string) => (await api.get(kindOf(Lock), { namespace: 'feed', name })).status?.slots ?? [];
  const cordon = (name: string, unschedulable: boolean) => api.patch(NODES, { name }, { spec: { unschedulable } });

  test('an operator has a Held address on another host, slot and all, and its next pod starts there with it', async () => {
    expect(
      await gala('lock', '-f', 'examples/feed.yaml', '1', '--name', 'feed-1188', '--hold', '0', '--kubeconfig', bed.kubeconfig),
    ).toMatchObject({ code: 0 });
    await released('feed-api', 1, 'feed-1188');
    const [{ address, node }] = (await list('--held')) as [Row];
    const to = ['bed-r12-01', 'bed-r12-02', 'bed-r12-03'].find((one) => one !== node)!;
    expect(await ips('move', address, '--to', to, '--dry-run', '-o', 'json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('"dryRun": true'),
    });
    expect(await list('--held')).toMatchObject([{ address, node }]);
    // One that has just begun waits until nothing that a former one wrote can still come.
    const moved = await ips('move', address, '--to', to, '--timeout', '3m');
    expect(moved).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`${address} +Held +feed/feed-1188 +${node} +${to}\\n1 address is on another node\\.\\n$`)),
    });
    expect(await list('--held')).toMatchObject([{ address, node: to }]);
    expect(await slots('feed-1188')).toMatchObject([{ address, node: to, held: true }]);
    await api.patch(DEPLOYMENTS, { namespace: 'feed', name: 'feed-api' }, { spec: { replicas: 1 } });
    await until('its next pod is bound', [], 60, async () => (await podsOf('feed-api')).some(({ spec }) => spec?.nodeName === to), 100);
    expect(await list('--locked')).toMatchObject([{ address, node: to }]);
  });

  test('under a pod none is moved: the command says whose it is, and the policy refuses whoever asks', async () => {
    const [{ address, node }] = (await list('--locked')) as [Row];
    const { metadata } = (await podsOf('feed-api'))[0]!;
    const said = expect.stringContaining(`given to pod feed/${metadata.name} on ${node}; no address leaves its node under a pod.`);
    expect(await ips('move', address)).toMatchObject({ code: 3, out: '', err: said });
    const patch = { metadata: { annotations: { 'gala.internal/move': '*' } } };
    await expect(api.patch(kindOf(IPLock), { name: address }, patch)).rejects.toMatchObject({ status: 403 });
    const { code, out } = await ips('move', '--from', node, '-o', 'json');
    expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 0, moved: [], stay: [{ address, pod: `feed/${metadata.name}` }] });
  });

  test('there is no way to a host that is cordoned, or is none', async () => {
    const [{ address }] = (await list('--locked')) as [Row];
    await cordon('bed-r12-01', true);
    expect(await ips('move', address, '--to', 'bed-r12-01')).toMatchObject({
      code: 3,
      err: expect.stringContaining('it is cordoned, or its machine is off'),
    });
    await cordon('bed-r12-01', false);
    expect(await ips('move', address, '--to', 'bed-r12-99')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no Node of that name'),
    });
  });

  test('a host is drained: the slot of its pod goes elsewhere, and the next pod starts there with the same address', async () => {
    const [{ address, node }] = (await list('--locked')) as [Row];
    const drained = await bed.kubectl(['drain', node, '--ignore-daemonsets', '--timeout=60s'], { seconds: 90 });
    expect(drained).toMatchObject({ code: 0 });
    const elsewhere = async () => (await podsOf('feed-api')).some(({ spec }) => spec?.nodeName !== undefined && spec.nodeName !== node);
    await until('its next pod is bound elsewhere', [], 90, elsewhere, 200);
    const [after] = await slots('feed-1188');
    expect(after).toMatchObject({ address });
    expect(after?.node).not.toBe(node);
    expect(await list('--locked')).toMatchObject([{ address, node: after?.node }]);
    await cordon(node, false);
  });

  test('slots that never had a pod leave a host that is cordoned; those that are to wait stay', async () => {
    for (const [name, way] of [
      ['goes', 'move'],
      ['stays', 'wait'],
    ] as const)
      expect(
        await gala(
          'lock',
          '-f',
          'examples/feed.yaml',
          '3',
          '--name',
          name,
          '--owner',
          name,
          '--on-drain',
          way,
          '--kubeconfig',
          bed.kubeconfig,
        ),
      ).toMatchObject({ code: 0 });
    const before = { goes: await slots('goes'), stays: await slots('stays') };
    const { node } = before.goes[0]!;
    await cordon(node, true);
    await until('they have left', [], 60, async () => (await slots('goes')).every((slot) => slot.node !== node), 200);
    expect((await slots('goes')).map(({ address }) => address)).toEqual(before.goes.map(({ address }) => address));
    expect(await slots('stays')).toEqual(before.stays);
    const followed = async () =>
      (await list('--locked', '-n', 'feed')).filter((one) => before.goes.some(({ address }) => address === one.address));
    await until(
      'their addresses have followed',
      [],
      60,
      async () => {
        const there = await followed();
        return there.length === before.goes.length && there.every((one) => one.node !== node);
      },
      200,
    );
    await cordon(node, false);
  });

  const podsOf = async (app: string) => (await api.list(PODS, { namespace: 'feed', labelSelector: `app=${app}` })).items;

  async function deploy(app: string, replicas: number, lock?: string): Promise<void> {
    const annotations = lock === undefined ? {} : { [LOCK_ANNOTATION]: lock };
    const resources = { requests: { cpu: '1' } };
    const template = {
      metadata: { labels: { app }, annotations },
      spec: { schedulerName: 'gala-scheduler', containers: [{ name: 'main', image: 'registry.example/main:1', resources }] },
    };
    await api.create(DEPLOYMENTS, {
      metadata: { name: app, namespace: 'feed' },
      spec: { replicas, selector: { matchLabels: { app } }, template },
    });
  }

  /** Its pods had their addresses, and are gone. */
  async function released(app: string, replicas: number, lock?: string): Promise<void> {
    await deploy(app, replicas, lock);
    const bound = async () => (await podsOf(app)).filter(({ spec }) => spec?.nodeName).length === replicas;
    await until(`${replicas} pods of ${app} bound`, [], 60, bound, 100);
    await api.patch(DEPLOYMENTS, { namespace: 'feed', name: app }, { spec: { replicas: 0 } });
    await until(`addresses of ${app} are Held`, [], 60, async () => (await list('--held')).length === replicas, 100);
  }

  async function anOperator(): Promise<string> {
    await bed.apply([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'operator', namespace: 'gala-system' } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'operators' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gala-operator' },
        subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'gala-system' }],
      } as never,
    ]);
    return kubeconfigOf(bed, 'gala-system', 'operator');
  }
});
