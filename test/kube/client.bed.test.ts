/** The client on a real API server: what each verb sends is what the server wants, and what it says back is told apart. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, apiOf, connect } from '../../lib/kube/client.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound, NoAnswer } from '../../lib/kube/error.ts';
import { CONFIGMAPS, CRDS, LEASES, NAMESPACES, SELFSUBJECTACCESSREVIEWS, SERVICEACCOUNTS } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { type Authority, anAuthority } from './an-authority.ts';

const mapNamed = (name: string, data: Record<string, string> = { key: 'value' }) => ({ metadata: { name, namespace: 'default' }, data });
const idOf = (name: string) => ({ namespace: 'default', name });
/** What a rejected call was rejected with. */
async function faultOf(call: Promise<unknown>): Promise<unknown> {
  const answer = await call.catch((error: unknown) => ({ error }));
  if (answer !== null && typeof answer === 'object' && 'error' in answer) return answer.error;
  throw new Error(`it worked: ${JSON.stringify(answer)}`);
}

describeBed('the client on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  let authority: Authority;
  let folder: string;
  beforeAll(async () => {
    authority = await anAuthority('people');
    folder = mkdtempSync(join(tmpdir(), 'gala-people-'));
    const file = join(folder, 'people.crt');
    writeFileSync(file, authority.cert);
    bed = await startControlPlane({
      without: ['kube-scheduler', 'kube-controller-manager'],
      flags: { 'kube-apiserver': ['--client-ca-file', file] },
    });
    api = await connect({ kubeconfig: bed.kubeconfig, userAgent: 'gala-test/1' });
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
    rmSync(folder, { recursive: true });
  });

  test('an object is created, read, replaced, patched and deleted', async () => {
    const made = await api.create(CONFIGMAPS, mapNamed('verbs'));
    expect(made).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'verbs', managedFields: [{ manager: 'gala-test' }] },
    });
    expect(await api.get(CONFIGMAPS, idOf('verbs'))).toEqual(made);
    const updated = await api.update(CONFIGMAPS, { ...mapNamed('verbs', { key: 'other' }), metadata: { ...made.metadata } });
    expect(updated.data).toEqual({ key: 'other' });
    expect((await api.patch(CONFIGMAPS, idOf('verbs'), { data: { more: '1' } })).data).toEqual({ key: 'other', more: '1' });
    const patch = [{ op: 'remove', path: '/data/more' }];
    expect((await api.patch(CONFIGMAPS, idOf('verbs'), patch, { type: 'json' })).data).toEqual({ key: 'other' });
    await api.delete(CONFIGMAPS, idOf('verbs'));
    expect(isNotFound(await faultOf(api.get(CONFIGMAPS, idOf('verbs'))))).toBe(true);
  });

  test('a second create, a stale update and a failed precondition are told apart', async () => {
    const made = await api.create(CONFIGMAPS, mapNamed('twice'));
    expect(isAlreadyExists(await faultOf(api.create(CONFIGMAPS, mapNamed('twice'))))).toBe(true);
    await api.patch(CONFIGMAPS, idOf('twice'), { data: { key: 'newer' } });
    expect(isConflict(await faultOf(api.update(CONFIGMAPS, made)))).toBe(true);
    const stale = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { key: 'stale' } };
    expect(isConflict(await faultOf(api.patch(CONFIGMAPS, idOf('twice'), stale)))).toBe(true);
    const other = { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } };
    expect(isConflict(await faultOf(api.delete(CONFIGMAPS, idOf('twice'), other)))).toBe(true);
    expect((await api.get(CONFIGMAPS, idOf('twice'))).data).toEqual({ key: 'newer' });
  });

  test('server-side apply owns fields, and takes over those of others only by force', async () => {
    await api.apply(CONFIGMAPS, mapNamed('applied', { mine: '1' }));
    const conflict = await faultOf(api.apply(CONFIGMAPS, mapNamed('applied', { mine: '2' }), { fieldManager: 'another' }));
    expect(conflict).toMatchObject({ status: 409, details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.mine' }] } });
    const taken = await api.apply(CONFIGMAPS, mapNamed('applied', { mine: '2' }), { fieldManager: 'another', force: true });
    expect(taken.data).toEqual({ mine: '2' });
    // What an owner no longer applies goes.
    expect((await api.apply(CONFIGMAPS, mapNamed('applied', {}), { fieldManager: 'another' })).data).toBeUndefined();
  });

  test('a dry run is checked and answered, and not stored', async () => {
    expect(await api.create(CONFIGMAPS, mapNamed('dry'), { dryRun: true })).toMatchObject({ data: { key: 'value' } });
    expect(isNotFound(await faultOf(api.get(CONFIGMAPS, idOf('dry'))))).toBe(true);
    expect(await faultOf(api.create(CONFIGMAPS, mapNamed('Not A Name'), { dryRun: true }))).toMatchObject({
      status: 422,
      reason: 'Invalid',
    });
    await api.create(CONFIGMAPS, mapNamed('kept'));
    await api.apply(CONFIGMAPS, mapNamed('kept', { key: 'dry' }), { dryRun: true, force: true });
    await api.delete(CONFIGMAPS, idOf('kept'), { dryRun: true });
    expect((await api.get(CONFIGMAPS, idOf('kept'))).data).toEqual({ key: 'value' });
  });

  test('a status is written apart from the rest', async () => {
    const metadata = { name: 'things.kit.example' };
    const names = { kind: 'Thing', plural: 'things' };
    const properties = {
      spec: { type: 'object', properties: { size: { type: 'integer' } } },
      status: { type: 'object', properties: { seen: { type: 'integer' } } },
    };
    const version = {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', properties } },
    };
    await bed.apply([
      {
        apiVersion: CRDS.apiVersion,
        kind: CRDS.kind,
        metadata,
        spec: { group: 'kit.example', scope: 'Cluster', names, versions: [version] },
      },
    ]);
    const THINGS = { apiVersion: 'kit.example/v1', kind: 'Thing', plural: 'things', namespaced: false };
    const made = await api.create(THINGS, { metadata: { name: 'one' }, spec: { size: 1 } } as never);
    expect(await api.updateStatus(THINGS, { ...made, spec: { size: 9 }, status: { seen: 1 } } as never)).toMatchObject({
      spec: { size: 1 },
      status: { seen: 1 },
    });
    expect(await api.patch(THINGS, { name: 'one' }, { status: { seen: 2 } }, { subresource: 'status' })).toMatchObject({
      status: { seen: 2 },
    });
    expect(
      await api.apply(THINGS, { metadata: { name: 'one' }, status: { seen: 3 } } as never, { subresource: 'status', force: true }),
    ).toMatchObject({ status: { seen: 3 } });
  });

  test('a list has every object, however small its pages, each with its kind', async () => {
    await api.create(NAMESPACES, { metadata: { name: 'pages' } });
    for (let i = 0; i < 23; i++)
      await api.create(CONFIGMAPS, { metadata: { name: `page-${i}`, namespace: 'pages', labels: { even: `${i % 2 === 0}` } } });
    const { items, resourceVersion } = await api.list(CONFIGMAPS, { namespace: 'pages', limit: 5 });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(Array.from({ length: 23 }, (_, i) => `page-${i}`).sort());
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(Number(resourceVersion)).toBeGreaterThan(0);
    expect((await api.list(CONFIGMAPS, { namespace: 'pages', labelSelector: 'even=true', limit: 5 })).items).toHaveLength(12);
    expect((await api.list(CONFIGMAPS, { fieldSelector: 'metadata.name=page-3' })).items).toHaveLength(1);
  });

  test('what is asked about rather than stored has no name', async () => {
    const spec = { resourceAttributes: { verb: 'create', resource: 'pods' } };
    expect(await api.create(SELFSUBJECTACCESSREVIEWS, { metadata: {}, spec })).toMatchObject({ status: { allowed: true } });
  });

  test('names of any kind stay one part of the path', async () => {
    expect(isNotFound(await faultOf(api.get(LEASES, { namespace: 'default', name: '../../secrets' })))).toBe(true);
    expect(await faultOf(api.get(LEASES, { name: 'nowhere' }))).toEqual(
      new TypeError('Lease nowhere: has no namespace; a Lease is in one'),
    );
  });

  describe('lets in', () => {
    test('a client certificate, from data or from files beside the kubeconfig', async () => {
      const { cert, key } = await authority.signClient('CN=hua, O=system:masters');
      const config = JSON.parse(readFileSync(bed.kubeconfig, 'utf8'));
      config.users[0].user = { 'client-certificate': 'hua.crt', 'client-key-data': Buffer.from(key).toString('base64') };
      writeFileSync(join(bed.folder, 'hua.crt'), cert);
      writeFileSync(join(bed.folder, 'hua.kubeconfig'), JSON.stringify(config));
      const hua = await connect({ kubeconfig: join(bed.folder, 'hua.kubeconfig') });
      const who = await hua.request({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} });
      expect(who.body.status.userInfo).toMatchObject({ username: 'hua' });
      hua.close();
    });

    test('a token of a ServiceAccount, which may do what it may', async () => {
      await api.create(SERVICEACCOUNTS, { metadata: { name: 'reader', namespace: 'default' } });
      const { body } = await api.request({
        ...{ method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts/reader/token', body: { spec: { expirationSeconds: 600 } } },
      });
      const { clusters } = JSON.parse(readFileSync(bed.kubeconfig, 'utf8'));
      const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
      const reader = apiOf({ url: bed.url, ca, token: body.status.token });
      expect(await faultOf(reader.get(CONFIGMAPS, idOf('verbs')))).toMatchObject({ status: 403, reason: 'Forbidden' });
      const stranger = apiOf({ url: bed.url, ca, token: 'guessed' });
      expect(await faultOf(stranger.get(CONFIGMAPS, idOf('verbs')))).toMatchObject({ status: 401, reason: 'Unauthorized' });
      reader.close();
      stranger.close();
    });

    test('nobody who cannot prove that the server is the right one', async () => {
      const fault = await faultOf(apiOf({ url: bed.url, token: bed.token }).get(CONFIGMAPS, idOf('verbs')));
      expect(fault).toBeInstanceOf(NoAnswer);
      expect(fault).toMatchObject({
        maybeDone: false,
        message: expect.stringContaining("Is the kubeconfig's certificate authority this server's?"),
      });
      expect(fault).not.toBeInstanceOf(ApiError);
    });
  });
});
