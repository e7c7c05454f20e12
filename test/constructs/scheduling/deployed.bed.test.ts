/**
 * What synth renders, running: kube-scheduler, `gala scheduler` and `gala controller` with the command lines, files and rights of
 * their pods, under the policies that came with them, on simulated hosts that are tainted.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { simulate } from '../../bed/hosts.ts';
import { until } from '../../bed/process.ts';
import { type Gala, startGala } from '../../scheduling/gala-in-the-bed.ts';
import { rackedHosts } from '../../scheduling/racked-hosts.ts';
import { aPod, aTaintedCluster, EVERY_TAINT, GALAS } from '../policies/asked.ts';
import { ADMIN, as, sentence } from '../policies/asking.ts';

const PODS = '/api/v1/namespaces/default/pods';
const LOCKS = '/apis/gala.internal/v1alpha1/namespaces/default/locks';
const IPLOCKS = '/apis/gala.internal/v1alpha1/iplocks';

describeBed('the concern scheduling as it is deployed', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let gala: Gala;
  const hosts = rackedHosts(rendered(aTaintedCluster()).cluster);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    gala = await startGala(bed, { definition: aTaintedCluster(), schedulers: 1, controllers: 1 });
    await simulate(bed, hosts);
  }, 300_000);
  afterAll(async () => {
    await gala?.stop();
    await bed?.stop();
  });

  const get = async (path: string) => (await bed.request('GET', path)).body;
  const eventually = (what: string, right: () => Promise<boolean>) => until(what, [], 40, right, 100);
  const logs = () => gala.all.map((one) => one.log()).join('\n');

  /** A pod of the API server's naming, when it is on a host. */
  async function placed(over: Parameters<typeof aPod>[0]) {
    const { status, body } = await as(bed, ADMIN)('POST', PODS, aPod(over));
    expect([status, body.message]).toEqual([201, undefined]);
    const path = `${PODS}/${body.metadata.name}`;
    await eventually('bound', async () => (await get(path)).spec.nodeName !== undefined);
    return { path, pod: await get(path) };
  }

  test('an agent that tolerates every taint has a slot, and an address, on every host', async () => {
    const labels = { app: 'shipper' };
    const template = { metadata: { labels }, spec: { ...aPod().spec, tolerations: EVERY_TAINT } };
    const spec = { selector: { matchLabels: labels }, template };
    await bed.apply([{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'shipper', namespace: 'default' }, spec }]);
    type Seen = { spec: { nodeName?: string } };
    const nodes = async () =>
      ((await get(`${PODS}?labelSelector=app%3Dshipper`)).items as Seen[]).flatMap(({ spec }) => spec.nodeName ?? []);
    await eventually('one on each', async () => (await nodes()).length === hosts.length);
    expect((await nodes()).sort()).toEqual(hosts.map(({ metadata }) => metadata.name).sort());
  });

  test('a Lock has its slots before its pods, keeps them while it is used, and goes when nobody is in it', async () => {
    const template = { spec: aPod().spec };
    const lock = {
      apiVersion: 'gala.internal/v1alpha1',
      kind: 'Lock',
      metadata: { name: 'feed-1188' },
      spec: { template, count: 2, owner: 'feed' },
    };
    expect(await as(bed, ADMIN)('POST', LOCKS, lock)).toMatchObject({ status: 201 });
    await eventually('Ready', async () => (await get(`${LOCKS}/feed-1188`)).status?.phase === 'Ready');

    const { path, pod } = await placed({ metadata: { annotations: { 'gala.internal/lock': 'feed-1188' } }, spec: GALAS });
    const { slots } = (await get(`${LOCKS}/feed-1188`)).status;
    const slot = slots.find((one: { slot: number }) => String(one.slot) === pod.metadata.annotations['gala.internal/slot']);
    expect(slot.node).toBe(pod.spec.nodeName);

    await eventually('used', async () => (await get(`${LOCKS}/feed-1188`)).status.counts.used === 1);
    expect(sentence(await as(bed, ADMIN)('DELETE', `${LOCKS}/feed-1188`))).toContain('pods run in slots of Lock default/feed-1188');
    await as(bed, ADMIN)('DELETE', `${path}?gracePeriodSeconds=0`);
    await eventually('given back', async () => (await as(bed, ADMIN)('DELETE', `${LOCKS}/feed-1188`)).status === 200);
    type Held = { spec: { lock?: { name: string } } };
    const left = async () => ((await get(IPLOCKS)).items as Held[]).filter(({ spec }) => spec.lock?.name === 'feed-1188');
    await eventually('its addresses free', async () => (await left()).length === 0);
  });

  test('a pod whose volume is on one host gets its slot there, and is bound', async () => {
    const host = hosts.at(-1)!.metadata.name;
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [host] }];
    await bed.request('POST', '/api/v1/persistentvolumes', {
      metadata: { name: 'data' },
      spec: {
        ...{ ...common, capacity: { storage: '1Gi' }, local: { path: '/data' } },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    });
    await bed.request('POST', '/api/v1/namespaces/default/persistentvolumeclaims', {
      metadata: { name: 'data' },
      spec: { ...common, volumeName: 'data', resources: { requests: { storage: '1Gi' } } },
    });
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const { path, pod } = await placed({ spec: { ...GALAS, volumes } });
    expect(pod.spec.nodeName).toBe(host);
    await as(bed, ADMIN)('DELETE', `${path}?gracePeriodSeconds=0`);
  });

  test('none of them asked for anything that it may not have', () => {
    expect(logs()).not.toMatch(/forbidden|denied request/i);
  });
});
