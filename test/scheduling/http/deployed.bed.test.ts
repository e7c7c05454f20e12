/**
 * The stock and lock API as it is deployed: two replicas with the rights that synth renders, found by their Service, asked by curl
 * as the page says and by the client; one is killed, one is told to stop.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { API_PORT_NAME, API_SERVICE, WRITER_LEASE } from '../../../lib/api/scheduling.ts';
import { type Api, connect } from '../../../lib/kube/client.ts';
import { ENDPOINTSLICES, LEASES, NAMESPACES } from '../../../lib/kube/kinds.ts';
import { type Absent, type Answered, findStockApi, type StockApi } from '../../../lib/scheduling/http/client.ts';
import { LockAnswer, ProblemAnswer, StockAnswer } from '../../../lib/scheduling/http/schemas.ts';
import { kubeconfigOf } from '../../bed/account.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { simulate } from '../../bed/hosts.ts';
import { command } from '../../bed/parts.ts';
import { until } from '../../bed/process.ts';
import { blocks, pages } from '../../docs/pages.ts';
import { aBedCluster } from '../a-bed-cluster.ts';
import { aTemplate } from '../builders.ts';
import { type Gala, startGala } from '../gala-in-the-bed.ts';
import { rackedHosts } from '../racked-hosts.ts';

const namespace = 'gala-system';

describeBed('the stock API as it is deployed', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let gala: Gala;
  let admin: Api;
  let pipeline: Api;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    gala = await startGala(bed, { definition: aBedCluster(4, '10.110.1.0-10.110.1.199'), schedulers: 2, controllers: 1 });
    admin = await connect({ kubeconfig: bed.kubeconfig });
    await simulate(bed, rackedHosts(gala.rendered.cluster));
    await admin.create(NAMESPACES, { metadata: { name: 'feed' } });
    for (const [at, { port }] of gala.schedulers.map((_, at) => [at, { port: 10_271 + 20 * at }] as const)) await publish(at, port);
    await until('knowing the hosts', [], 60, async () => (await gala.schedulers[0]!.page('/readyz')) === 'ok');
  }, 300_000);
  afterAll(async () => {
    pipeline?.close();
    admin?.close();
    await gala?.stop();
    await bed?.stop();
  });

  /** What the EndpointSlice controller writes of a pod; here are processes instead. */
  const publish = (at: number, port: number) =>
    admin.create(ENDPOINTSLICES, {
      metadata: { namespace, name: `${API_SERVICE}-${at}`, labels: { 'kubernetes.io/service-name': API_SERVICE } },
      addressType: 'IPv4',
      ports: [{ name: API_PORT_NAME, port, protocol: 'TCP' }],
      endpoints: [{ addresses: [bed.network.address], conditions: { ready: true } }],
    } as never);

  async function sh(script: string, folder: string): Promise<string> {
    const env = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, KUBECONFIG: bed.kubeconfig };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env, maxBuffer: 2 ** 24 });
    return stdout;
  }

  const found = async (): Promise<StockApi> => {
    const api = await findStockApi(pipeline);
    if ('absent' in api) throw new Error(api.absent);
    return api;
  };
  const bodyOf = (answer: Answered<unknown> | Absent) => {
    if (!('body' in answer)) throw new Error(JSON.stringify(answer));
    return answer.body;
  };

  test('what the page shows works as it stands: accounts, stock, a Lock, its renewal and its end', async () => {
    const folder = join(bed.folder, 'page');
    mkdirSync(folder);
    symlinkSync(command('kubectl')[0], join(folder, 'kubectl'));
    const [accounts = '', where = '', stock = '', lock = '', end = '', ...more] = blocks(
      pages().find(({ path }) => path === 'docs/stock-api.md')!,
      'sh',
    ).filter((block) => !block.startsWith('#'));
    expect(more).toEqual([]);
    await sh(accounts, folder);
    const known = (await sh(`${where}\necho "$API"; echo "$TOKEN"`, folder)).trim().split('\n');
    expect(known[0]).toMatch(/^https:\/\/\d+\.\d+\.\d+\.\d+:\d+$/);
    const asked = async (script: string) => sh(`API=${known[0]}\nTOKEN=${known[1]}\n${script}`, folder);
    // Rights that were given a moment ago, and hosts that came a moment ago.
    await until('having room', [], 60, async () => StockAnswer.parse(JSON.parse(await asked(stock))).count > 0);
    expect(StockAnswer.parse(JSON.parse(await asked(stock)))).toMatchObject({ count: 200, limit: 'addresses' });
    const locked = LockAnswer.parse(JSON.parse(await asked(lock)));
    expect(locked.status).toMatchObject({ phase: 'Ready', counts: { planned: 10 } });
    expect(locked.status?.slots).toHaveLength(10);
    expect(StockAnswer.parse(JSON.parse(await asked(stock)))).toMatchObject({ count: 190 });
    const [renewed, ended] = (await asked(end)).split(/(?<=\})(?=\{)/).map((text) => LockAnswer.parse(JSON.parse(text)));
    expect(renewed?.spec.renewedAt).toBeDefined();
    expect(ended?.metadata.name).toBe('feed-api-1188');
    await until('free again', [], 60, async () => JSON.parse(await asked(stock)).count === 200);
  }, 300_000);

  test('the client finds the replicas, and is not there for whoever has no token', async () => {
    pipeline = await connect({ kubeconfig: await kubeconfigOf(bed, 'feed', 'pipeline') });
    const api = await found();
    expect(api.replicas).toHaveLength(2);
    const answer = await api.ask('POST', '/v1/stock', { namespace: 'feed', template: aTemplate({ cpu: 2 }) });
    expect(StockAnswer.parse(bodyOf(answer)).nodes).toHaveLength(8);
    expect(answer).toMatchObject({ status: 200, replica: api.replicas[0], snapshotAgeSeconds: expect.any(Number) });
    const wrong = await api.ask('POST', '/v1/stock', { namespace: 'feed', template: aTemplate(), count: -1 });
    expect(ProblemAnswer.parse('problem' in wrong && wrong.problem)).toMatchObject({ status: 400 });
    // The kind comes later, and so do the rights to read it: neither is a fault.
    for (const kind of ['ServicePool', 'Deployment']) {
      const absent = await api.ask('POST', '/v1/stock', { namespace: 'feed', podFrom: { kind, name: 'nobody' } });
      expect(ProblemAnswer.parse('problem' in absent && absent.problem)).toMatchObject({
        ...{ status: 404, type: '/problems#no-such-object', detail: `There is no ${kind} feed/nobody.` },
      });
    }
    api.close();
    expect(await findStockApi({ ...pipeline, authorization: async () => undefined })).toEqual({ absent: expect.stringContaining('token') });
  });

  test('with a replica killed the other one answers, and locks once it leads', async () => {
    const api = await found();
    const template = aTemplate({ cpu: 1 });
    const first = gala.schedulers.find((_, at) => api.replicas[0]?.endsWith(`:${10_271 + 20 * at}`))!;
    await first.kill('gala-scheduler');
    const answer = await api.ask('POST', '/v1/stock', { namespace: 'feed', template });
    expect(answer).toMatchObject({ status: 200, replica: api.replicas[1] });
    const lock = { metadata: { namespace: 'feed', name: 'after-the-kill' }, spec: { template, count: 20, owner: 'feed-api' } };
    const locked = await api.ask('POST', '/v1/locks?wait=ready&timeoutSeconds=60', lock, { timeoutMs: 70_000 });
    expect(LockAnswer.parse(bodyOf(locked)).status?.slots).toHaveLength(20);
    await first.start();
    api.close();
  }, 300_000);

  test('one that is told to stop ends well: its Lease is free at once, and the other leads and answers', async () => {
    const leading = async () => (await admin.get(LEASES, { namespace, name: WRITER_LEASE })).spec?.holderIdentity ?? '';
    await until('leading', [], 60, async () => (await leading()) !== '');
    const holder = await leading();
    const pages = await Promise.all(gala.schedulers.map((one) => one.page('/metrics')));
    const leader = gala.schedulers[pages.findIndex((page) => page.includes(`gala_leader{election="${WRITER_LEASE}"} 1`))]!;
    const ended = await leader.terminate();
    expect(ended.some((how) => how === 'ended with exit code 0')).toBe(true);
    await until('another leading', [], 60, async () => ![holder, ''].includes(await leading()));
    const api = await found();
    const answer = await api.ask('GET', '/v1/locks/feed/after-the-kill');
    expect(LockAnswer.parse(bodyOf(answer)).status?.phase).toBe('Ready');
    api.close();
    await leader.start();
  }, 300_000);

  test('what it counts is there to be scraped', async () => {
    const api = await found();
    const template = aTemplate();
    await api.ask('POST', '/v1/stock', { namespace: 'feed', template });
    const lock = { metadata: { namespace: 'feed', name: 'counted' }, spec: { template, count: 1, owner: 'feed-api' } };
    expect(await api.ask('POST', '/v1/locks?wait=ready', lock)).toMatchObject({ status: 201 });
    api.close();
    const page = (await Promise.all(gala.schedulers.map((one) => one.page('/metrics')))).join('\n');
    const wanted = [
      'gala_stock_api_seconds_count{operation="stock",status="200"}',
      'gala_stock_api_certificate_end_timestamp_seconds ',
      'gala_snapshot_age_seconds ',
      'gala_lock_writer_calls_total{do="create",kind="IPLock",outcome="done"}',
      'gala_lock_writer_slots_total{of="Lock"}',
    ];
    expect(wanted.filter((metric) => !page.includes(metric))).toEqual([]);
  });

  test('its log holds neither token nor key', () => {
    const said = gala.schedulers.map((one) => one.log()).join('\n');
    expect(said).toContain('the stock API answers');
    expect(said).not.toMatch(/Bearer |PRIVATE KEY|eyJhbGci/);
  });
});
