/** `gala ips free` as an operator has it: the lock writer as it is deployed, the policies, the role. Hosts are simulated. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { IPLock } from '../../lib/api/kinds.ts';
import { LOCK_ANNOTATION } from '../../lib/api/scheduling.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { DEPLOYMENTS, kindOf, NAMESPACES, PODS } from '../../lib/kube/kinds.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { simulate } from '../bed/hosts.ts';
import { until } from '../bed/process.ts';
import { aBedCluster } from '../scheduling/a-bed-cluster.ts';
import { anIPLock } from '../scheduling/builders.ts';
import { type Gala, startGala } from '../scheduling/gala-in-the-bed.ts';
import { rackedHosts } from '../scheduling/racked-hosts.ts';
import { gala } from './gala.ts';

interface Row {
  readonly address: string;
  readonly state: string;
  readonly owner: string;
}

describeBed('addresses that nobody uses any more', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let programs: Gala;
  let api: Api;
  let operator: string;
  const ips = (...args: string[]) => gala('ips', ...args, '--kubeconfig', operator);
  const list = async (...args: string[]): Promise<Row[]> => JSON.parse((await ips('list', ...args, '-o', 'json')).out).addresses;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    programs = await startGala(bed, { definition: aBedCluster(2, '10.110.1.0-10.110.1.39'), schedulers: 1, controllers: 1 });
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

  test('an operator lets go of those of a release that is over, and the lock writer frees them', async () => {
    await released('feed-old', 3);
    expect((await list('--held')).map(({ owner }) => owner)).toEqual(['feed/feed-old', 'feed/feed-old', 'feed/feed-old']);
    expect(await ips('free', '--held', 'feed/feed-old', '--yes')).toMatchObject({
      code: 0,
      out: '3 addresses are free: feed/feed-old loses them.\n',
    });
    expect(await list()).toEqual([]);
  });

  test('a slot of a Lock goes with its address', async () => {
    const asked = ['lock', '-f', 'examples/feed.yaml', '2', '--name', 'feed-1188', '--hold', '0'];
    expect(await gala(...asked, '--kubeconfig', bed.kubeconfig)).toMatchObject({ code: 0 });
    await released('feed-api', 2, 'feed-1188');
    const [{ address }, other] = (await list('--held')) as [Row, Row];
    expect(await ips('free', address)).toMatchObject({
      code: 0,
      out: `${address} is free: feed/feed-api loses it.\n`,
      err: expect.stringContaining('\nLock feed/feed-1188 loses 1 slot with it.\n'),
    });
    const [lock] = JSON.parse((await gala('locks', '-n', 'feed', '-o', 'json', '--kubeconfig', operator)).out);
    expect(lock).toMatchObject({ phase: 'Ready', planned: 1, slots: [{ address: other.address }] });
  });

  test('what is Quarantined stays until somebody lets it go', async () => {
    const writer = await connect({ kubeconfig: await kubeconfigOf(bed, 'gala-system', 'gala-scheduler') });
    await writer.create(kindOf(IPLock), anIPLock('10.110.1.39', { phase: 'Quarantined', node: 'bed-r12-01' }) as never);
    writer.close();
    expect(await list('--quarantined')).toMatchObject([{ address: '10.110.1.39' }]);
    expect(await ips('free', '--quarantined')).toMatchObject({ code: 0, out: '10.110.1.39 is free: feed/feed-api loses it.\n' });
    expect(await list('--quarantined')).toEqual([]);
  });

  test('one that a pod has is refused by the command, and by the policy whoever asks', async () => {
    await deploy('feed-new', 1);
    await until('a pod has an address', [], 60, async () => (await list('--locked')).length === 1, 100);
    const [{ address }] = (await list('--locked')) as [Row];
    expect(await ips('free', address)).toMatchObject({ code: 3, out: '', err: expect.stringContaining('no address is freed under a pod') });
    const patch = { metadata: { annotations: { 'gala.internal/free': 'true' } } };
    await expect(api.patch(kindOf(IPLock), { name: address }, patch)).rejects.toMatchObject({ status: 403 });
  });

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
    const pods = async () => (await api.list(PODS, { namespace: 'feed', labelSelector: `app=${app}` })).items;
    const bound = async () => (await pods()).filter(({ spec }) => spec?.nodeName).length === replicas;
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
