/** `gala scheduler` in this process, on a real API server: what its flags put together. As it is deployed: slice.bed.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import slice from '../../clusters/slices/scheduling.ts';
import { rendered } from '../../constructs/testing.ts';
import { API_CA, WRITER_ACCOUNT, WRITER_LEASE, WRITER_POLICY } from '../../lib/api/scheduling.ts';
import { connect } from '../../lib/kube/client.ts';
import { CONFIGMAPS, LEASES, NODES, SECRETS } from '../../lib/kube/kinds.ts';
import { silent } from '../../lib/kube/log.ts';
import { makeAuthority, makeServing } from '../../lib/scheduling/http/issue.ts';
import { type SchedulerOptions, schedulerProgram } from '../../lib/scheduling/program.ts';
import { QUERIES, type Query } from '../../lib/scheduling/samples.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { until } from '../bed/process.ts';
import { aPrometheus, type Prometheus } from './a-prometheus.ts';
import { aNodeManifest, aTemplate } from './builders.ts';
import { asker } from './http/ask.ts';

const namespace = 'gala-system';
const crd = (plural: string) => parse(readFileSync(join(import.meta.dirname, `../../imports/crds/${plural}.yaml`), 'utf8'));

describeBed('gala scheduler', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let prometheus: Prometheus;
  beforeAll(async () => {
    bed = await startControlPlane({ network: 'loopback', without: ['kube-controller-manager', 'kube-scheduler'] });
    prometheus = await aPrometheus();
    await bed.apply([
      ...['locks', 'iplocks', 'hostpools', 'nodenetworks'].map(crd),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ]);
    const api = await admin();
    for (const at of [1, 2]) {
      const { metadata, status } = aNodeManifest(`r12-0${at}`, { internalIP: `10.8.0.${at}` });
      await api.create(NODES, { metadata, status } as never);
      await api.patch(NODES, { name: `r12-0${at}` }, { spec: { taints: null } });
    }
    api.close();
  });
  afterAll(async () => {
    await prometheus?.stop();
    await bed?.stop();
  });

  const admin = () => connect({ kubeconfig: bed.kubeconfig });

  async function started(more: Partial<SchedulerOptions> = {}) {
    const options: SchedulerOptions = {
      ...{
        leaseNamespace: namespace,
        bindAddress: '127.0.0.1',
        missingSamples: 'assume-requested',
        sampleMaxAge: 60,
        unlockedPods: 'refuse',
      },
      ...{ apiPort: await bed.network.port(0), extenderPort: await bed.network.port(0), ...more },
    };
    const ending = new AbortController();
    const ended = schedulerProgram(await admin(), options, ending.signal, silent);
    const page = async (path: string) => (await fetch(`http://127.0.0.1:${options.extenderPort}${path}`)).text();
    return {
      ...{ options, ended, page },
      ready: () => Promise.race([ended, until('ready', [], 60, async () => (await page('/readyz')) === 'ok')]),
      stop: async () => {
        ending.abort();
        await ended;
      },
    };
  }

  /** All that node_exporter and the kubelet tell of the nodes; one of them has its disk nearly full. */
  const everyNumber = () =>
    prometheus.knows(
      Object.fromEntries(
        (Object.keys(QUERIES) as Query[]).map((query) => [
          query,
          { '10.8.0.1:9100': Date.now() / 1000, '10.8.0.2:9100': Date.now() / 1000 },
        ]),
      ),
    );

  test('live use comes from Prometheus, and each answer says how old it is; the API serves with the Secret that it is told', async () => {
    const api = await admin();
    const authority = await makeAuthority(Date.now());
    const { cert, key } = await makeServing(authority, ['localhost'], Date.now());
    const data = Object.fromEntries(
      Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert }).map(([name, text]) => [name, btoa(text)]),
    );
    await api.create(SECRETS, { metadata: { namespace, name: 'site-tls' }, type: 'kubernetes.io/tls', data });
    everyNumber();
    const running = await started({ prometheusUrl: prometheus.url, servingSecret: 'site-tls', missingSamples: 'refuse' });
    await running.ready();
    await until('asking Prometheus', [], 60, async () => /^gala_samples_age_seconds \d/m.test(await running.page('/metrics')));
    const { ask, agent } = asker(running.options.apiPort, authority.cert);
    const { status, headers, body } = await ask('POST', '/v1/stock', {
      token: bed.token,
      body: { namespace: 'default', template: aTemplate() },
    });
    expect(status).toBe(200);
    expect(body.samplesAgeSeconds).toBeGreaterThanOrEqual(0);
    expect(headers['gala-samples-age']).toBeDefined();
    expect(body.nodes).toHaveLength(2);
    agent.destroy();
    expect((await api.get(CONFIGMAPS, { namespace, name: API_CA })).data).toEqual({ 'ca.crt': authority.cert });
    await expect(api.get(SECRETS, { namespace, name: API_CA })).rejects.toMatchObject({ status: 404 });
    await running.stop();
    api.close();
  });

  test('a port that another has ends it with the reason', async () => {
    const first = await started();
    await first.ready();
    const second = await started({ apiPort: first.options.apiPort });
    await expect(second.ended).rejects.toThrow(`listening on 127.0.0.1:${first.options.apiPort}`);
    await expect((await started({ extenderPort: first.options.extenderPort })).ended).rejects.toThrow(String(first.options.extenderPort));
    await first.stop();
  });

  test('under a name that the policies do not let write it says so, is not ready, and leaves the Lease to one that may write', async () => {
    const policies = rendered(slice).objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    expect(JSON.stringify(policies.find(({ metadata }) => metadata.name === WRITER_POLICY))).toContain(WRITER_ACCOUNT);
    await bed.apply(policies);
    const api = await admin();
    const lease = async () => (await api.list(LEASES, { namespace })).items.find(({ metadata }) => metadata.name === WRITER_LEASE);
    const before = await lease();
    const running = await started();
    const why =
      /\[-\]account failed: it asks the API server as \S+, and policy gala-slots lets (\S+) alone write\. .* create token gala-scheduler /;
    await until('told', [], 60, async () => why.exec(await running.page('/readyz'))?.[1] === WRITER_ACCOUNT);
    await until('all else ready', [], 60, async () => (await running.page('/readyz?verbose')).includes('[+]api ok'));
    expect((await lease())?.spec).toEqual(before?.spec);
    await running.stop();
    for (const { metadata } of policies) await bed.kubectl(['delete', 'validatingadmissionpolicy', metadata.name]);
    api.close();
  });

  test('told to stop before it has begun, it ends', async () => {
    const running = await started();
    await running.stop();
  });
});
