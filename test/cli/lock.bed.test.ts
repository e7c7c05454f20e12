/** `gala lock`, `unlock`, `locks`, `status` against a real API server; what the lock writer answers is written by the test. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { crd } from '../../lib/api/crd.ts';
import { KINDS, Lock } from '../../lib/api/kinds.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { kindOf, LEASES, NAMESPACES } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { gala } from './gala.ts';

const LOCKS = kindOf(Lock);
const FEED = ['-f', 'examples/feed.yaml'];

describeBed('gala lock on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  const ask = (...args: string[]) => gala(...args, '--kubeconfig', bed.kubeconfig);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    await bed.apply(KINDS.map((kind) => crd(kind)));
    api = await connect({ kubeconfig: bed.kubeconfig });
    for (const name of ['feed', 'gala-system']) await api.create(NAMESPACES, { metadata: { name } });
  }, 120_000);
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  /** Answers as the lock writer would. */
  const write = (name: string, status: Lock['status']) =>
    api.patch(LOCKS, { namespace: 'feed', name }, { status }, { subresource: 'status' });
  const slots = (...nodes: string[]) => nodes.map((node, slot) => ({ slot, node, address: `10.110.1.${slot}` }));

  test('a Lock is waited for, and told node by node when the writer has made it Ready', async () => {
    const said = ask('lock', ...FEED, '3', '--name', 'ready');
    await there('ready');
    await write('ready', { phase: 'Ready', counts: { planned: 3, used: 0 }, slots: slots('r12-01', 'r12-01', 'r13-01') });
    expect(await said).toEqual({
      code: 0,
      out: [
        'feed/ready Ready: 3 slots on 2 nodes for feed-api',
        '  RACK   NODE     SLOTS   ADDRESSES',
        '  -      r12-01       2   10.110.1.0 10.110.1.1',
        '  -      r13-01       1   10.110.1.2',
        'Its pods say gala.internal/lock: ready in their annotations. An unused slot waits 5 m; gala lock --renew ready begins that anew.',
        '',
      ].join('\n'),
      err: 'feed/ready: asked for 3 slots\nfeed/ready: Ready\n',
    });
  });

  test('asking again by its name is answered with the same Lock, another question is refused', async () => {
    expect(await ask('lock', ...FEED, '3', '--name', 'ready')).toMatchObject({ code: 0, err: 'feed/ready: asked for 3 slots\n' });
    expect(await ask('lock', ...FEED, '4', '--name', 'ready')).toEqual({
      code: 3,
      out: '',
      err: 'feed/ready: count is 4; the Lock that is there asks 3. A name is an idempotency key: choose another --name, or take the old one back with gala unlock.\n',
    });
  });

  test('a Lock that failed tells its reasons, with exit code 3', async () => {
    await ask('lock', ...FEED, '500', '--name', 'failed', '--wait', 'none');
    await write('failed', { phase: 'Failed', reasons: [{ reason: 'NoAddress', nodes: 31, message: 'VLANs 110, 130: none is free' }] });
    expect(await ask('lock', ...FEED, '500', '--name', 'failed')).toMatchObject({
      code: 3,
      out: [
        'feed/failed Failed: 500 slots were asked for, and nothing is locked',
        '  NODES   REASON      WHY',
        '     31   NoAddress   VLANs 110, 130: none is free',
        'Fewer, or with --allow-partial what there is: gala stock says how many fit.',
        '',
      ].join('\n'),
    });
  });

  test('without a name a question that failed is asked anew; the same question, while it is open, is the same Lock', async () => {
    const first = JSON.parse((await ask('lock', ...FEED, '7', '--wait', 'none', '-o', 'json')).out);
    expect(JSON.parse((await ask('lock', ...FEED, '7', '--wait', 'none', '-o', 'json')).out)).toEqual(first);
    await write(first.name, { phase: 'Failed', reasons: [] });
    const again = await ask('lock', ...FEED, '7', '--wait', 'none', '-o', 'json');
    expect(JSON.parse(again.out)).toMatchObject({ name: first.name, phase: 'Asked' });
    expect(again.err).toBe(`feed/${first.name}: is Failed; asking anew\n`);
  });

  test('where nobody answers in time it is exit code 4, and the Lock stays asked for', async () => {
    expect(await ask('lock', ...FEED, '5', '--name', 'alone', '--timeout', '1s')).toEqual({
      code: 4,
      out: '',
      err: [
        'feed/alone: asked for 5 slots',
        'feed/alone: nobody has looked at it after 1 s. No lock writer is to be seen (Lease gala-system/gala-lock-writer): does gala scheduler run? gala status tells more. It stays asked for: gala locks shows it, gala unlock alone takes it back.',
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
      err: 'feed/dry: there is no such Lock. gala locks -n feed lists them.\n',
    });
  });

  test('a renewal moves renewedAt and nothing else; what holds nothing is not renewed', async () => {
    const before = await api.get(LOCKS, { namespace: 'feed', name: 'ready' });
    expect(await ask('lock', '--renew', 'ready', '-n', 'feed')).toMatchObject({ code: 0 });
    const { spec } = await api.get(LOCKS, { namespace: 'feed', name: 'ready' });
    expect({ ...spec, renewedAt: undefined }).toEqual({ ...before.spec, renewedAt: undefined });
    expect(spec.renewedAt).not.toBe(before.spec.renewedAt);
    expect(await ask('lock', '--renew', 'failed', '-n', 'feed')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^feed\/failed: it is Failed /),
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

  test('who may not is told who grants it, and how', async () => {
    const kubeconfig = await asJane();
    expect(await gala('locks', '-n', 'feed', '--kubeconfig', kubeconfig)).toEqual({
      code: 3,
      out: '',
      err: [
        'GET /apis/gala.internal/v1alpha1/namespaces/feed/locks: 403 Forbidden: locks.gala.internal is forbidden: User "jane" cannot list resource "locks" in API group "gala.internal" in the namespace "feed".',
        'Somebody who may grants it with',
        '  kubectl create role list-locks-gala-internal --verb=list --resource=locks.gala.internal -n feed',
        "  kubectl create rolebinding list-locks-gala-internal-jane --role=list-locks-gala-internal --user='jane' -n feed",
        '',
      ].join('\n'),
    });
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
      kinds: expect.arrayContaining([
        expect.objectContaining({ name: 'locks.gala.internal', there: true, phases: { Asked: 2, Failed: 1, Ready: 1 } }),
      ]),
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

  const there = async (name: string) => {
    while (
      await api.get(LOCKS, { namespace: 'feed', name }).then(
        () => false,
        () => true,
      )
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
  };

  /** The bed's kubeconfig as somebody who may nothing. */
  async function asJane(): Promise<string> {
    const file = join(bed.folder, 'jane.kubeconfig');
    const config = parse(readFileSync(bed.kubeconfig, 'utf8'));
    for (const { user } of config.users) user.as = 'jane';
    writeFileSync(file, stringify(config));
    return file;
  }
});
