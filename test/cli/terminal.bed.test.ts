/** The terminal against a cluster in which Gala runs: both programs as they are deployed, simulated hosts, one night's questions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Lock } from '../../lib/api/kinds.ts';
import { API_PORT, API_PORT_NAME, API_SERVICE, LOCK_ANNOTATION } from '../../lib/api/scheduling.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { DEPLOYMENTS, ENDPOINTSLICES, kindOf, NAMESPACES, PODS } from '../../lib/kube/kinds.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { simulate } from '../bed/hosts.ts';
import { until } from '../bed/process.ts';
import { aBedCluster } from '../scheduling/a-bed-cluster.ts';
import { type Gala, startGala } from '../scheduling/gala-in-the-bed.ts';
import { rackedHosts } from '../scheduling/racked-hosts.ts';
import { gala } from './gala.ts';

const FEED = ['-f', 'examples/feed.yaml'];
const LOCKS = kindOf(Lock);

describeBed('the terminal of a cluster with Gala', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let programs: Gala;
  let api: Api;
  const ask = (...args: string[]) => gala(...args, '--kubeconfig', bed.kubeconfig);
  const json = async (...args: string[]) => JSON.parse((await ask(...args, '-o', 'json')).out);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    // Four hosts of 64 CPUs in two racks, 40 addresses.
    programs = await startGala(bed, { definition: aBedCluster(2, '10.110.1.0-10.110.1.39'), schedulers: 1, controllers: 1 });
    await simulate(bed, rackedHosts(programs.rendered.cluster));
    api = await connect({ kubeconfig: bed.kubeconfig });
    await publishApi();
    await api.create(NAMESPACES, { metadata: { name: 'feed' } });
  }, 300_000);
  afterAll(async () => {
    api?.close();
    await programs?.stop();
    await bed?.stop();
  });

  test('stock is what the stock API counts, and the library counts the same', async () => {
    const byApi = await ask('stock', ...FEED, '-v');
    expect(byApi).toMatchObject({ code: 0, err: expect.stringMatching(/^The stock API counted: \S+:\d+\.\n$/) });
    expect(byApi.out.split('\n').slice(1)).toEqual([
      'feed-api   cpu 2 · memory 4Gi · ephemeral-storage 20Gi · egress 200M · spread',
      '  POOL   HOSTS   FIT NOW   LOCKED BY OTHERS   LIMITED BY (hosts)',
      '  web    4       40        0                  addresses 4',
      '40 now.',
      '',
    ]);
    // Who may not make Locks is not answered by the API, and counts with list rights of their own.
    const reader = await anOperator();
    const byLibrary = await gala('stock', ...FEED, '-v', '--kubeconfig', reader);
    expect(byLibrary).toMatchObject({ code: 0, err: expect.stringMatching(/^The library counts, with your rights: /) });
    expect(counted(byLibrary)).toEqual(counted(byApi));
  });

  test('a Lock is Ready with slots and addresses, spread over the racks', async () => {
    const { code, out, err } = await ask('lock', ...FEED, '12', '--name', 'feed-1188', '--ttl', '15m');
    expect({ code, err: err.split('\n')[0] }).toEqual({ code: 0, err: 'feed/feed-1188: asked for 12 slots' });
    expect(out.split('\n')).toEqual([
      'feed/feed-1188 Ready: 12 slots on 4 nodes for feed-api',
      '  RACK   NODE         SLOTS   ADDRESSES',
      ...['bed-r12-01', 'bed-r12-02', 'bed-r13-01', 'bed-r13-02'].map((node) =>
        expect.stringMatching(`^  ${node.slice(4, 7)}    ${node}       3   10\\.110\\.1\\.`),
      ),
      'Its pods say gala.internal/lock: feed-1188 in their annotations. An unused slot waits 15 m; gala lock --renew feed-1188 -n feed begins that anew.',
      '',
    ]);
  });

  test('asked again by its name it is the same Lock; another question is refused', async () => {
    const first = await json('lock', ...FEED, '12', '--name', 'feed-1188', '--ttl', '15m');
    expect(first.slots).toEqual(
      (await api.get(LOCKS, { namespace: 'feed', name: 'feed-1188' })).status?.slots?.map((slot) => expect.objectContaining(slot)),
    );
    expect(await ask('lock', ...FEED, '13', '--name', 'feed-1188', '--ttl', '15m')).toEqual({
      code: 3,
      out: '',
      err: 'feed/feed-1188: count is 13; the Lock that is there asks 12. A name is an idempotency key: choose another --name, or take the old one back: gala unlock feed-1188 -n feed.\n',
    });
  });

  test('a renewal moves renewedAt and nothing else', async () => {
    const { spec: before } = await api.get(LOCKS, { namespace: 'feed', name: 'feed-1188' });
    expect(await ask('lock', '--renew', 'feed-1188', '-n', 'feed')).toMatchObject({ code: 0 });
    const { spec } = await api.get(LOCKS, { namespace: 'feed', name: 'feed-1188' });
    expect({ ...spec, renewedAt: undefined }).toEqual({ ...before, renewedAt: undefined });
    expect(spec.renewedAt).not.toBe(before.renewedAt);
    await ask('lock', ...FEED, '201', '--name', 'failed');
    expect(await ask('lock', '--renew', 'failed', '-n', 'feed')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^feed\/failed: it is Failed /),
    });
  });

  test('what is not there is refused with its reasons; what there is may be welcome', async () => {
    const { code, out } = await ask('lock', ...FEED, '200', '--name', 'too-many');
    expect({ code, lines: out.split('\n') }).toEqual({
      code: 3,
      lines: [
        'feed/too-many Failed: 200 slots were asked for, and nothing is locked',
        expect.stringMatching(/^ {2}NODES {3}REASON +WHY$/),
        expect.stringMatching(/^ {6}4 {3}NoAddress/),
        // What gala stock says of the same question.
        expect.stringMatching(/^snapshot \S+ s old · no live metrics$/),
        expect.stringMatching(/^feed-api {3}cpu .* · spread$/),
        expect.stringMatching(/^ {2}POOL {3}HOSTS {3}FIT NOW {3}LOCKED BY OTHERS {3}LIMITED BY \(hosts\)$/),
        expect.stringMatching(/^ {2}web +4 +28 +\d+ +addresses 4$/),
        '28 now.',
        '28 of 200 are there.',
        expect.stringMatching(/^Ask for 28 or fewer, or with --allow-partial for what there is; /),
        '',
      ],
    });
    const partial = await ask('lock', ...FEED, '200', '--name', 'what-there-is', '--allow-partial');
    expect(partial).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^feed\/what-there-is Ready: 28 of 200 slots on 4 nodes for feed-api\n/),
    });
    expect(await ask('unlock', 'what-there-is', '-n', 'feed')).toMatchObject({ code: 0 });
  });

  test('a percentage that two racks can never hold is said to be what is wrong', async () => {
    const { code, out } = await ask('lock', ...FEED, '12', '--name', 'tight', '--max-per', 'rack=30%');
    expect({ code, lines: out.split('\n').slice(-3) }).toEqual({
      code: 3,
      lines: [
        "--max-per rack: rack is '30%', which is 4 of 12; 2 racks could ever take these pods: 8 in all; on 2 racks a percentage is 50% or more. Ask for 50%, or add racks.",
        'Ask again; where --name was given, under another one.',
        '',
      ],
    });
    expect(await ask('stock', ...FEED, '--count', '12', '--max-per', 'rack=30%')).toMatchObject({
      ...{ code: 2, out: '', err: expect.stringContaining('2 racks could ever take these pods: 8 in all') },
    });
  });

  test('without a name a question that failed is asked anew', async () => {
    const first = await json('lock', ...FEED, '300');
    expect(first).toMatchObject({
      ...{ phase: 'Failed', name: expect.stringMatching(/^feed-api-[0-9a-f]{8}$/) },
      stock: { limit: 'addresses', want: { count: 300 } },
    });
    const again = await ask('lock', ...FEED, '300', '-o', 'json');
    expect(again.err.split('\n')[0]).toBe(`feed/${first.name}: is Failed; asking anew`);
    expect(JSON.parse(again.out)).toMatchObject({ name: first.name, phase: 'Failed' });
  });

  test('pods take the slots: who has an address, and a Lock in use is not given back', async () => {
    await deploy('feed-api', 12, 'feed-1188');
    await bound('feed-api', 12);
    const pod = (await api.list(PODS, { namespace: 'feed', labelSelector: 'app=feed-api' })).items[0]!;
    const [seen] = await json('who', `feed/${pod.metadata.name}`);
    expect(seen).toMatchObject({
      state: 'Locked',
      place: { is: 'vlan', pool: 'web', vlan: 110, listed: true },
      node: pod.spec?.nodeName,
      owner: 'feed/feed-api',
      lock: 'feed/feed-1188',
      slot: expect.stringMatching(/^\d+$/),
      pod: { name: `feed/${pod.metadata.name}`, uid: pod.metadata.uid, there: true },
    });
    expect((await json('who', seen.address))[0]).toEqual(seen);
    await until(
      'the Lock counts its pods',
      [],
      30,
      async () => (await json('locks', '-n', 'feed')).find(({ name }: { name: string }) => name === 'feed-1188').used === 12,
      100,
    );
    for (const dry of [['--dry-run'], []])
      expect(await ask('unlock', 'feed-1188', '-n', 'feed', ...dry)).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/^feed\/feed-1188: .*12/),
      });
  });

  test('slots of others are told, and so is who holds addresses', async () => {
    await api.create(NAMESPACES, { metadata: { name: 'shop' } });
    await deploy('shop-api', 0, undefined, '2', 'shop');
    expect(await ask('lock', ...FEED_IN_SHOP, '20', '--name', 'shop-1')).toMatchObject({ code: 0 });
    expect((await ask('stock', ...FEED)).out).toMatch(/\n {2}web {4}4 {7}8 +20 +addresses 4\n8 now\.\n/);
  });

  test('why a pod waits is told host by host, and by the event that its watchers see', async () => {
    await deploy('huge', 1, undefined, '100');
    const [pod] = (await api.list(PODS, { namespace: 'feed', labelSelector: 'app=huge' })).items;
    const text = async () => (await ask('explain', 'pod', `feed/${pod?.metadata.name}`)).out;
    await until('the lock writer says why', [], 60, async () => (await text()).includes('\nEvent '), 100);
    expect((await text()).split('\n')).toEqual([
      expect.stringMatching(/^Pending \S+ s · profile gala-scheduler · wants cpu 100, 1 address · 4 hosts looked at, 0 fit$/),
      '  4   NoCpu   asks 100; the most free on one of these is 48 of 64. Ask for less, or add hosts.',
      'No host could ever take it, however empty: change its template, or add hosts that have what it asks.',
      expect.stringMatching(/^Event NoCpu, \S+ s ago(, \d+ times)?: 0 of 4 nodes: 4 NoCpu /),
      '',
    ]);
    expect(await ask('explain', 'pod', 'feed/nobody')).toMatchObject({ code: 2 });
  });

  test('what is saved is asked like the cluster', async () => {
    const file = join(bed.folder, 'monday.json');
    expect(await ask('snapshot', '-o', file)).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringMatching(/^4 nodes, 13 pods, \d+ Locks of https:/),
    });
    const saved = await gala('stock', ...FEED, '--snapshot', file);
    expect(counted(saved)).toEqual(counted(await ask('stock', ...FEED)));
    expect(saved.out).toMatch(/^snapshot \S+monday\.json \S+ s old · no live metrics\n/);
    const [address] = (await json('locks', '-n', 'feed'))
      .find(({ name }: { name: string }) => name === 'feed-1188')
      .slots.map((slot: { address: string }) => slot.address);
    const [now] = await json('who', address);
    const [then] = JSON.parse((await gala('who', address, '--snapshot', file, '-o', 'json')).out);
    expect(then).toMatchObject({
      ...now,
      since: new Date(now.since).toISOString(),
      pod: { name: now.pod.name, uid: now.pod.uid, there: true },
    });
    expect(JSON.parse((await gala('locks', '-A', '--snapshot', file, '-o', 'json')).out)).toEqual(await json('locks', '-A'));
    const [huge] = await podsOf('huge');
    expect((await gala('explain', 'pod', `feed/${huge?.metadata.name}`, '--snapshot', file)).out).toMatch(/\nNo host could ever take it, /);
    // No image, command or environment is in it: it may be handed on.
    expect(readFileSync(file, 'utf8')).not.toContain('registry.example');
  });

  test('nothing leaks: unused slots are in hand', async () => {
    const { code, out } = await ask('leaks');
    expect(code).toBe(0);
    expect(out).toMatch(/\n {2}lock, no pod +20 +oldest \S+ s +TTL 5 m: back by \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n/);
    expect(out).toMatch(/\n0 leaked, 20 in hand\n$/);
    const file = join(bed.folder, 'leaks.json');
    await ask('snapshot', '-o', file);
    const saved = await gala('leaks', '--snapshot', file, '-o', 'json');
    expect({ code: saved.code, ...JSON.parse(saved.out) }).toMatchObject({
      ...{ code: 0, leaked: 0, inHand: 20, rows: [{ leak: 'lock, no pod', count: 20, because: ['TTL 5 m'] }] },
    });
  });

  test('status counts what there is and names who leads', async () => {
    const seen = await json('status');
    expect(seen.leaders.map(({ lease, leads }: { lease: string; leads: boolean }) => [lease, leads])).toContainEqual([
      'gala-lock-writer',
      true,
    ]);
    expect(seen.kinds).toContainEqual({ name: 'iplocks.gala.internal', there: true, objects: 32, phases: { Locked: 32 } });
    expect(seen).toMatchObject({ nodes: 4, podsWaiting: 1, unseen: [] });
  });

  /** The screen without its ages, and without what the API does not tell. */
  const counted = ({ out }: { readonly out: string }) => out.split('\n').slice(1, 5);

  /** What the EndpointSlice controller writes of a pod; here the pod is a process, and its ports are those of the first replica. */
  const publishApi = () =>
    api.create(ENDPOINTSLICES, {
      metadata: { namespace: 'gala-system', name: `${API_SERVICE}-0`, labels: { 'kubernetes.io/service-name': API_SERVICE } },
      addressType: 'IPv4',
      ports: [{ name: API_PORT_NAME, port: API_PORT, protocol: 'TCP' }],
      endpoints: [{ addresses: [bed.network.address], conditions: { ready: true } }],
    } as never);

  const FEED_IN_SHOP = ['shop-api', '-n', 'shop'];

  const template = (app: string, lock: string | undefined, cpu: string) => ({
    metadata: { labels: { app }, annotations: lock === undefined ? {} : { [LOCK_ANNOTATION]: lock } },
    spec: {
      schedulerName: 'gala-scheduler',
      containers: [{ name: 'main', image: 'registry.example/main:1', resources: { requests: { cpu } } }],
    },
  });
  async function deploy(app: string, replicas: number, lock?: string, cpu = '2', namespace = 'feed'): Promise<void> {
    await api.create(DEPLOYMENTS, {
      metadata: { name: app, namespace },
      spec: { replicas, selector: { matchLabels: { app } }, template: template(app, lock, cpu) },
    });
    if (replicas > 0) await until(`pods of ${app}`, [], 60, async () => (await podsOf(app)).length === replicas, 100);
  }
  const podsOf = async (app: string) => (await api.list(PODS, { namespace: 'feed', labelSelector: `app=${app}` })).items;
  const bound = (app: string, count: number) =>
    until(
      `${count} pods of ${app} bound`,
      [],
      60,
      async () => (await podsOf(app)).filter(({ spec }) => spec?.nodeName).length === count,
      100,
    );

  /** Somebody of the platform team, who may look at everything and make no Lock in `feed`. */
  async function anOperator(): Promise<string> {
    const subject = { kind: 'ServiceAccount', name: 'operator', namespace: 'gala-system' };
    await bed.apply([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'operator', namespace: 'gala-system' } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reader' },
        rules: [
          { apiGroups: [''], resources: ['nodes', 'pods', 'namespaces'], verbs: ['list'] },
          { apiGroups: ['gala.internal'], resources: ['*'], verbs: ['list'] },
        ],
      } as never,
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [subject],
      } as never,
    ]);
    return kubeconfigOf(bed, 'gala-system', 'operator');
  }
});
