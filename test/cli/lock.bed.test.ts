/** `gala lock`, `unlock`, `locks`, `status` where no lock writer answers; terminal.bed.test.ts has one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, KINDS, Lock } from '../../lib/api/kinds.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { kindOf, LEASES, NAMESPACES } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { command } from '../bed/parts.ts';
import { gala } from './gala.ts';

const ROOT = join(import.meta.dirname, '../..');
const LOCKS = kindOf(Lock);
const FEED = ['-f', 'examples/feed.yaml'];

describeBed('gala lock without a lock writer', ['etcd', 'kube-apiserver', 'kubectl'], () => {
  let bed: Bed;
  let api: Api;
  const ask = (...args: string[]) => gala(...args, '--kubeconfig', bed.kubeconfig);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    await bed.apply(KINDS.map((kind) => crd(kind)));
    api = await connect({ kubeconfig: bed.kubeconfig });
    for (const name of ['feed', 'gala-system']) await api.create(NAMESPACES, { metadata: { name } });
  }, 300_000);
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  test('where nobody answers in time it is exit code 4, and the Lock stays asked for', async () => {
    expect(await ask('lock', ...FEED, '5', '--name', 'alone', '--timeout', '1s')).toEqual({
      code: 4,
      out: '',
      err: [
        'feed/alone: asked for 5 slots',
        'feed/alone: nobody has looked at it after 1 s. Lease gala-lock-writer: nobody leads; Locks, and pods behind the gate, wait. gala scheduler leads only as system:serviceaccount:gala-system:gala-scheduler; its log, and /readyz on port 10270 of its host, say what keeps it. It stays asked for: gala locks -n feed shows it, gala unlock alone -n feed takes it back.',
        '',
      ].join('\n'),
    });
    expect((await ask('locks', '-n', 'feed')).out).toMatch(/^alone +Asked +5 +0 +feed-api +5 m /m);
  });

  test('a dry run is checked by the API server and stores nothing', async () => {
    expect(await ask('lock', ...FEED, '5', '--name', 'dry', '--dry-run')).toEqual({
      code: 0,
      out: 'feed/dry: 5 slots for feed-api would be asked for; nothing is stored\n',
      err: '',
    });
    expect(await ask('unlock', 'dry', '-n', 'feed')).toEqual({
      code: 2,
      out: '',
      err: 'feed/dry: there is no such Lock. gala locks -A lists those of all namespaces; -n names another one.\n',
    });
  });

  test('an unlocked Lock is gone; a dry run keeps it', async () => {
    expect(await ask('unlock', 'alone', '-n', 'feed', '--dry-run')).toEqual({
      code: 0,
      out: 'feed/alone would be deleted; nothing is\n',
      err: '',
    });
    expect(await ask('unlock', 'alone', '-n', 'feed')).toMatchObject({ code: 0, err: '' });
    expect(await ask('unlock', 'alone', '-n', 'feed')).toMatchObject({ code: 2 });
  });

  test('the pods of a Deployment that is there are named by it; one that is not there is bad input', async () => {
    await bed.kubectl(['apply', '-f', 'examples/feed.yaml']);
    expect(await ask('lock', 'feed-api', '2', '-n', 'feed', '--name', 'by-name', '--wait', 'none')).toMatchObject({ code: 0 });
    expect((await api.get(LOCKS, { namespace: 'feed', name: 'by-name' })).spec.podFrom).toEqual({ kind: 'Deployment', name: 'feed-api' });
    expect(await ask('lock', 'feed-ap', '2', '-n', 'feed')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^feed-ap: there is no Deployment and no StatefulSet feed-ap in namespace feed\. /),
    });
  });

  test('a namespace that is not there is said to be so, with the one that was meant', async () => {
    const said = "there is no namespace fed. Did you mean 'feed'? -n names another one, kubectl create namespace fed makes this one.\n";
    const asked = [
      ['lock', 'feed-api', '2', '-n', 'fed'],
      ['lock', '--renew', 'x', '-n', 'fed'],
      ['unlock', 'x', '-n', 'fed'],
      ['locks', '-n', 'fed'],
      ['stock', 'feed-api', '-n', 'fed'],
      ['explain', 'pod', 'fed/feed-api-0'],
      ['who', 'fed/feed-api-0'],
    ];
    for (const args of asked) expect([args, await ask(...args)]).toEqual([args, { code: 2, out: '', err: said }]);
    const pods = join(bed.folder, 'pods.yaml');
    writeFileSync(pods, readFileSync('examples/feed.yaml', 'utf8').replace('namespace: feed', 'namespace: shop'));
    expect(await ask('lock', '-f', pods, '2')).toEqual({
      ...{ code: 2, out: '' },
      err: 'there is no namespace shop. There are default, feed, gala-system, kube-node-lease, kube-public, kube-system. -n names another one, kubectl create namespace shop makes this one.\n',
    });
  });

  test('who may not is told who grants it, and how', async () => {
    const kubeconfig = await asJane();
    expect(await gala('locks', '-n', 'feed', '--kubeconfig', kubeconfig)).toEqual({
      code: 3,
      out: '',
      err: [
        'GET /apis/gala.internal/v1alpha1/namespaces/feed/locks: 403 Forbidden: locks.gala.internal is forbidden: User "jane" cannot list resource "locks" in API group "gala.internal" in the namespace "feed".',
        'The ClusterRole view has it, by gala-view. Somebody who may grants it with',
        "  kubectl create rolebinding view-jane --clusterrole=view --user='jane' -n feed",
        "or, where Gala's roles are not installed, or are too much, with",
        '  kubectl create role list-locks-gala-internal --verb=list --resource=locks.gala.internal -n feed',
        "  kubectl create rolebinding list-locks-gala-internal-jane --role=list-locks-gala-internal --user='jane' -n feed",
        '',
      ].join('\n'),
    });
  });

  test('rights are named all at once; with the commands that are shown the same command works', async () => {
    const kubeconfig = await asJane();
    await bed.kubectl(['create', 'clusterrole', 'some', '--verb=list', '--resource=nodes,hostpools.gala.internal']);
    await bed.kubectl(['create', 'clusterrolebinding', 'some', '--clusterrole=some', '--user=jane']);
    const { code, err } = await gala('stock', ...FEED, '--kubeconfig', kubeconfig);
    expect({ code, lines: err.trimEnd().split('\n') }).toEqual({
      code: 3,
      lines: [
        expect.stringMatching(/cannot list resource "pods" /),
        'For gala stock jane may not list pods, namespaces, statefulsets.apps, csistoragecapacities.storage.k8s.io, nodenetworks.gala.internal, locks.gala.internal and iplocks.gala.internal in the whole cluster.',
        'The ClusterRole gala-operator has these. Somebody who may grants it with',
        "  kubectl create clusterrolebinding gala-operator-jane --clusterrole=gala-operator --user='jane'",
        "or, where Gala's roles are not installed, or are too much, with",
        expect.stringMatching(/^ {2}kubectl create clusterrole gala-list --verb=list --resource=pods,namespaces,/),
        "  kubectl create clusterrolebinding gala-list-jane --clusterrole=gala-list --user='jane'",
      ],
    });
    const exactly = err.trimEnd().split('\n').slice(-2);
    for (const line of exactly) await bed.kubectl(line.trim().replaceAll("'", '').split(' ').slice(1));
    expect(await gala('stock', ...FEED, '--kubeconfig', kubeconfig)).toMatchObject({ code: 0, err: '' });
    for (const name of ['some', 'gala-list']) await bed.kubectl(['delete', 'clusterrole', name]);
  });

  test('status names what may not be seen together, with what grants it all', async () => {
    const { code, out } = await gala('status', '--kubeconfig', await asJane());
    expect(code).toBe(3);
    expect(out.match(/Not seen: /g)).toHaveLength(1);
    expect(out).toMatch(
      /\nNot seen: jane may not list hostpools\.gala\.internal, .*nodes and pods in the whole cluster, nor list daemonsets\.apps, deployments\.apps and leases\.coordination\.k8s\.io in namespace gala-system\.\nThe ClusterRole gala-operator has these\. /,
    );
  });

  test('kubectl gala is gala, and asks the cluster that kubectl asks', () => {
    const folder = join(bed.folder, 'plugin');
    mkdirSync(folder);
    symlinkSync(join(ROOT, 'lib/cli/gala.js'), join(folder, 'kubectl-gala'));
    const [kubectl, ...first] = command('kubectl');
    const env = { PATH: `${folder}:${join(ROOT, 'node_modules/.bin')}:/usr/bin:/bin`, KUBECONFIG: bed.kubeconfig, HOME: folder };
    const { status, stdout, stderr } = spawnSync(kubectl, [...first, 'gala', 'locks', '-n', 'feed'], { env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^NAME +PHASE +SLOTS +USED +OWNER /);
  });

  test('status shows what is amiss with a pool, with exit code 3', async () => {
    const spec = HostPool.spec.parse({ ...(HostPool.example as object), locks: 'advisory' });
    const pool = await api.create(kindOf(HostPool), { metadata: { name: 'web' }, spec });
    const message = 'Nodes with the label gala.internal/pool=web that stand in none of its racks (1): h-r99-01.';
    const at = { reason: 'NotListed', message, lastTransitionTime: new Date().toISOString() };
    await api.updateStatus(kindOf(HostPool), { ...pool, status: { conditions: [{ type: 'NodesOutsideRacks', status: 'True', ...at }] } });
    const { code, out } = await ask('status');
    expect(code).toBe(3);
    expect(out).toMatch(/\n {2}web {4}NodesOutsideRacks {3}\S+ s {3}Nodes with the label gala\.internal\/pool=web .*: h-r99-01\.\n/);
    expect(out).toMatch(/\nAll that is installed works; 1 thing about pools is amiss\.\n$/);
    await api.delete(kindOf(HostPool), { name: 'web' });
  });

  test('status counts the Locks by phase, and a Lease that nobody renews is wrong', async () => {
    expect(await ask('status', '-o', 'json')).toMatchObject({ code: 0 });
    await api.create(LEASES, {
      metadata: { namespace: 'gala-system', name: 'gala-lock-writer' },
      spec: {
        holderIdentity: 'cp1_8f2c',
        leaseDurationSeconds: 15,
        renewTime: new Date(Date.now() - 90_000).toISOString().replace('Z', '000Z') as never,
      },
    });
    const { code, out } = await ask('status', '-o', 'json');
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({
      kinds: expect.arrayContaining([expect.objectContaining({ name: 'locks.gala.internal', there: true, phases: { Asked: 1 } })]),
      leaders: [{ lease: 'gala-lock-writer', holder: 'cp1_8f2c', leads: false }],
      wrong: [expect.stringMatching(/^Lease gala-lock-writer: cp1_8f2c has not renewed it for \d m \d+ s; /)],
    });
  });

  test('in a cluster without the CRDs locks are off, which is not now', async () => {
    await bed.kubectl(['delete', 'crd', 'locks.gala.internal']);
    for (const args of [['locks'], ['unlock', 'x'], ['lock', '--renew', 'x'], ['lock', ...FEED, '3']])
      expect(await ask(...args)).toMatchObject({
        code: 4,
        err: expect.stringMatching(/^locks are off in this cluster: it has no kind Lock /),
      });
  });

  /** The bed's kubeconfig as somebody who may nothing. */
  async function asJane(): Promise<string> {
    const file = join(bed.folder, 'jane.kubeconfig');
    const config = parse(readFileSync(bed.kubeconfig, 'utf8'));
    for (const { user } of config.users) user.as = 'jane';
    writeFileSync(file, stringify(config));
    return file;
  }
});
