/** `gala controller` as it is deployed: two replicas of the bundle, each with the rights that synth renders and no others. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CONTROLLER_LEASE } from '../../lib/api/scheduling.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { until } from '../bed/process.ts';
import { aBedCluster } from '../scheduling/a-bed-cluster.ts';
import { type Gala, type Replica, startGala } from '../scheduling/gala-in-the-bed.ts';
import { rackedHosts } from '../scheduling/racked-hosts.ts';

const NETWORKS = '/apis/gala.internal/v1alpha1/nodenetworks';
const MERGE = { 'content-type': 'application/merge-patch+json' };

describeBed('gala controller as it is deployed', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let gala: Gala;
  let hosts: ReturnType<typeof rackedHosts>;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    gala = await startGala(bed, { definition: aBedCluster(), schedulers: 0, controllers: 2 });
    hosts = rackedHosts(gala.rendered.cluster);
  }, 300_000);
  afterAll(async () => {
    await gala?.stop();
    await bed?.stop();
  });

  const add = async (index: number, labels: object = {}) => {
    const host = hosts[index]!;
    const { name } = host.metadata;
    expect((await bed.request('POST', '/api/v1/nodes', host)).status).toBe(201);
    if (Object.keys(labels).length > 0) await bed.request('PATCH', `/api/v1/nodes/${name}`, { metadata: { labels } }, MERGE);
    return name;
  };
  const networkOf = async (name: string) => (await bed.request('GET', `${NETWORKS}/${name}`)).body;
  const hasNetwork = (name: string) => eventually(`NodeNetwork ${name}`, async () => (await networkOf(name)).kind === 'NodeNetwork');
  const pool = async () => (await bed.request('GET', '/apis/gala.internal/v1alpha1/hostpools/web')).body;
  const leader = async (): Promise<Replica> => {
    const pages = await Promise.all(gala.controllers.map((one) => one.page('/metrics').catch(() => '')));
    const index = pages.findIndex((page) => page.includes(`gala_leader{election="${CONTROLLER_LEASE}"} 1`));
    if (index < 0) throw new Error('nobody leads');
    return gala.controllers[index]!;
  };
  const eventually = async (what: string, right: () => Promise<boolean>) => await until(what, [], 120, right, 100);
  const logs = () => gala.controllers.map((one) => one.log()).join('');

  test('nodes get their NodeNetworks, the pool its status, with the rights that are rendered', async () => {
    const name = await add(0);
    await hasNetwork(name);
    expect((await networkOf(name)).spec).toMatchObject({ pool: 'web', trunk: 'bond0' });
    await eventually('status', async () => (await pool()).status?.hosts?.ready === 1);
    expect((await pool()).status).toMatchObject({ hosts: { known: 20 }, vlans: [{ id: 110, total: 480 }] });
    expect(logs()).not.toMatch(/forbidden/i);
  });

  test('a label that names no pool is told where people look: at the Node', async () => {
    const name = await add(1, { 'gala.internal/pool': 'wep' });
    const events = async () => (await bed.kubectl(['events', '--for', `node/${name}`])).stdout;
    await eventually('the event', async () => (await events()).includes('NoSuchPool'));
    expect(await events()).toMatch(/Warning +NoSuchPool .*Label gala\.internal\/pool is 'wep'.*Did you mean 'web'\?/);
    await bed.request('PATCH', `/api/v1/nodes/${name}`, { metadata: { labels: { 'gala.internal/pool': 'web' } } }, MERGE);
    await hasNetwork(name);
  });

  test('hosts and addresses are metrics of the one that leads', async () => {
    const leading = await leader();
    const page = await leading.page('/metrics');
    expect(page).toMatch(/^gala_pool_hosts\{pool="web",state="known"\} 20$/m);
    expect(page).toMatch(/^gala_pool_addresses\{pool="web",vlan="110",state="total"\} 480$/m);
    expect(page).toMatch(/^gala_node_network_steps_total\{step="create"\} \d+$/m);
    expect(page).toMatch(/^gala_queue_depth\{queue="pool-status"\} 0$/m);
    const other = gala.controllers.find((one) => one !== leading)!;
    expect(await other.page('/metrics')).not.toMatch(/^gala_pool_/m);
  });

  test('one that is asked to stop lets go of the Lease, and the other leads at once', async () => {
    const first = await leader();
    expect(await first.terminate()).toEqual(['ended with exit code 0']);
    await eventually('another leader', async () => (await leader()) !== first);
    await hasNetwork(await add(2));
    await first.start();
  });

  test('the API server away and back: the same processes go on', async () => {
    await bed.end('kube-apiserver');
    bed.again('kube-apiserver');
    await eventually('the API server', async () => (await bed.request('GET', '/readyz')).status === 200);
    await hasNetwork(await add(3));
    expect(logs().match(/"message":"starting"/g)).toHaveLength(3);
  });

  test('kill -9 of the leader: the other takes over, and makes up for what happened meanwhile', async () => {
    const first = await leader();
    await first.kill();
    const name = await add(4);
    await hasNetwork(name);
    expect(await leader()).not.toBe(first);
    // And whoever comes back only waits.
    await first.start();
    expect((await leader()).name).not.toBe(first.name);
  });
});
