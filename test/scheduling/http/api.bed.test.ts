/** The API over HTTPS, with the real API server behind it: who may ask, what is a question, and what becomes of a Lock. */

import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Lock } from '../../../lib/api/kinds.ts';
import { Lock as LockKind } from '../../../lib/api/kinds.ts';
import { REQUESTED_BY } from '../../../lib/api/scheduling.ts';
import { type Api, connect } from '../../../lib/kube/client.ts';
import { kindOf, SERVICEACCOUNTS, TOKENREVIEWS } from '../../../lib/kube/kinds.ts';
import { reflect } from '../../../lib/kube/reflector.ts';
import { httpApi } from '../../../lib/scheduling/http/api.ts';
import { callers } from '../../../lib/scheduling/http/caller.ts';
import { explainHandler } from '../../../lib/scheduling/http/explain.ts';
import { makeAuthority, makeServing } from '../../../lib/scheduling/http/issue.ts';
import { lockHandlers } from '../../../lib/scheduling/http/locks.ts';
import { openHandlers } from '../../../lib/scheduling/http/open.ts';
import { PROBLEMS } from '../../../lib/scheduling/http/problem.ts';
import { ExplainAnswer, LockAnswer, ProblemAnswer } from '../../../lib/scheduling/http/schemas.ts';
import { type HttpsServer, serveHttps } from '../../../lib/scheduling/http/server.ts';
import { waitingFor } from '../../../lib/scheduling/http/settling.ts';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { until } from '../../bed/process.ts';
import { aNode, aPod } from '../builders.ts';
import { type Answer, type Ask, asker, type Question } from './ask.ts';

const LOCKS = kindOf(LockKind);
const MiB = 2 ** 20;
const crd = (plural: string) => parse(readFileSync(join(import.meta.dirname, `../../../imports/crds/${plural}.yaml`), 'utf8'));

/** One host, and a pod that waits for a slot. */
function aWorld() {
  const there = inventory();
  there.set('Node', 'r12-01', aNode('r12-01'));
  there.set('Pod', 'feed/feed-api-0', aPod({ name: 'feed-api-0', gated: true }));
  return there;
}

const TEMPLATE = { spec: { containers: [{ name: 'feed', image: 'feed:1', resources: { requests: { cpu: '2' } } }] } };
const aLock = (name: string, spec: object = {}, namespace = 'feed') => ({
  metadata: { name, namespace },
  spec: { template: TEMPLATE, count: 2, owner: 'feed-api', ...spec },
});

describeBed('the API on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  let server: HttpsServer;
  let ask: Ask;
  let end: () => void;
  const tokens: Record<string, string> = {};
  const stopping = new AbortController();

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    api = await connect({ kubeconfig: bed.kubeconfig, userAgent: 'gala-scheduler/1' });
    await bed.apply([
      crd('locks'),
      ...['feed', 'ads'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...['pipeline', 'reader', 'maker', 'nobody'].map((name) => ({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, namespace: 'feed' },
      })),
      role('pipeline', ['create', 'get', 'patch', 'delete']),
      role('reader', ['get']),
      role('maker', ['create']),
      ...['pipeline', 'reader', 'maker'].map(binding),
    ]);
    for (const name of ['pipeline', 'reader', 'maker', 'nobody']) tokens[name] = await tokenOf(name);
    tokens['for-us'] = await tokenOf('pipeline', ['gala.internal']);
    tokens['for-others'] = await tokenOf('pipeline', ['vault']);
    const locks = reflect(api, LOCKS, { signal: stopping.signal });
    await locks.synced;
    const authority = await makeAuthority(Date.now());
    const handle = httpApi({
      handlers: {
        ...lockHandlers({ api, waiting: waitingFor(locks), unfit: () => undefined }),
        ...openHandlers('0.1.0'),
        stock: { handle: () => Promise.reject(new Error('stock.bed.test.ts asks for stock')) },
        explain: explainHandler({ inventory: aWorld(), ages: () => ({ snapshotMs: 400 }) }),
      },
      callers: callers(api),
      ages: () => ({ snapshotMs: 400 }),
      ...{ most: 8, mostWaiting: 2, deadlineMs: 5_000 },
    });
    const limits = { headersMs: 3_000, requestMs: 4_000, handshakeMs: 3_000 };
    server = await serveHttps({
      host: '127.0.0.1',
      port: 0,
      certificate: await makeServing(authority, ['localhost'], Date.now()),
      handle,
      limits,
    });
    const asking = asker(server.port, authority.cert);
    ask = asking.ask;
    end = () => asking.agent.destroy();
  });
  afterAll(async () => {
    end?.();
    await server?.close(100);
    stopping.abort();
    api?.close();
    await bed?.stop();
  });

  async function tokenOf(name: string, audiences?: string[]): Promise<string> {
    const path = `/api/v1/namespaces/feed/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } };
    return (await bed.request('POST', path, body)).body.status.token;
  }

  const asPipeline = (method: string, path: string, question: Question = {}) => ask(method, path, { token: tokens.pipeline, ...question });
  const lockNow = async (name: string) => api.get(LOCKS, { namespace: 'feed', name });
  const locksThere = async () => (await api.list(LOCKS)).items.map(({ metadata }) => metadata.name);

  /** What the lock writer would write. */
  async function writes(name: string, status: Lock['status']): Promise<void> {
    await api.patch(LOCKS, { namespace: 'feed', name }, { status }, { subresource: 'status' });
  }

  const problemOf = ({ status, headers, body }: Answer) => {
    expect(headers['content-type']).toBe('application/problem+json');
    expect(ProblemAnswer.parse(body).status).toBe(status);
    return { status, type: body.type.replace('/problems#', ''), detail: body.detail, problems: body.problems };
  };

  describe('who asks', () => {
    test.each([
      ['nobody', undefined, 401],
      ['garbage', 'garbage', 401],
      ['an invented token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln', 401],
      ['a token for somebody else', 'for-others', 401],
      ['somebody who may nothing', 'nobody', 403],
      ['somebody who may only read', 'reader', 403],
      ['somebody who may', 'pipeline', 201],
      ['somebody who may, with a token that is good here only', 'for-us', 201],
    ])('%s: %s', async (_who, token, status) => {
      const answer = await ask('POST', '/v1/locks', { token: token && (tokens[token] ?? token), body: aLock(`who-${status}-${token}`) });
      expect(answer.status).toBe(status);
      if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      if (status === 403) expect(problemOf(answer).detail).toMatch(/may not create locks\.gala\.internal in namespace feed/);
      if (status > 400) expect(await locksThere()).not.toContain(`who-${status}-${token}`);
    });

    test('why a pod waits is said to who may get that pod', async () => {
      const asked = (name: string) => asPipeline('GET', `/v1/explain/feed/${name}`);
      expect(problemOf(await asked('feed-api-0'))).toMatchObject({
        status: 403,
        detail: expect.stringMatching(/ may not get pods feed-api-0 in namespace feed/),
      });
      await bed.kubectl(['create', 'role', 'sees-pods', '-n', 'feed', '--verb=get', '--resource=pods']);
      await bed.kubectl(['create', 'rolebinding', 'sees-pods', '-n', 'feed', '--role=sees-pods', '--serviceaccount=feed:pipeline']);
      await until('having that right', [], 60, async () => (await asked('feed-api-0')).status === 200);
      expect(ExplainAnswer.parse((await asked('feed-api-0')).body)).toMatchObject({
        pod: 'feed/feed-api-0',
        state: 'Waits',
        looked: { hosts: 1 },
      });
      expect(problemOf(await asked('nobody'))).toMatchObject({ status: 404, type: 'no-such-object' });
    });

    test('a token whose ServiceAccount is gone is nobody', async () => {
      await api.create(SERVICEACCOUNTS, { metadata: { namespace: 'feed', name: 'gone' } });
      const [token, other] = [await tokenOf('gone'), await tokenOf('gone')];
      await api.delete(SERVICEACCOUNTS, { namespace: 'feed', name: 'gone' });
      // The API server goes by its own watch of ServiceAccounts; whom it once knew, we know for half a minute: so it is asked about another token.
      await until('gone for the API server', [], 60, async () => !(await isKnown(other)));
      expect((await ask('GET', '/v1/locks/feed/any', { token })).status).toBe(401);
    });

    const isKnown = async (token: string): Promise<boolean> =>
      (await api.create(TOKENREVIEWS, { metadata: {}, spec: { token } })).status?.authenticated === true;

    test('a token is good until it expires', async () => {
      const now = Math.floor(Date.now() / 1000);
      expect((await ask('GET', '/v1/locks/feed/any', { token: signed({ iat: now - 60, exp: now + 60 }) })).status).toBe(404);
      const answer = await ask('GET', '/v1/locks/feed/any', { token: signed({ iat: now - 600, exp: now - 60 }) });
      expect(problemOf(answer)).toMatchObject({ status: 401, detail: expect.stringContaining('expired') });
    });

    /** The pipeline's own token with other times, by the key that signs all of them. */
    function signed(times: object): string {
      const [head = '', claims = ''] = (tokens.pipeline ?? '').split('.');
      const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...rest } = JSON.parse(Buffer.from(claims, 'base64url').toString());
      const text = `${head}.${Buffer.from(JSON.stringify({ ...rest, ...times })).toString('base64url')}`;
      const key = readFileSync(join(bed.folder, 'service-accounts.key'));
      return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    }

    test('rights end at the namespace they were given in', async () => {
      expect((await asPipeline('POST', '/v1/locks', { body: aLock('elsewhere', {}, 'ads') })).status).toBe(403);
    });

    test('a scheme that is no bearer token is refused with what to send', async () => {
      const answer = await ask('GET', '/v1/locks/feed/any', { headers: { authorization: 'Basic YTpi' } });
      expect(problemOf(answer)).toMatchObject({ status: 401, type: 'unauthenticated' });
    });
  });

  describe('what is a question', () => {
    test.each<[string, string, string, Question, number, string]>([
      ['an unknown path', 'GET', '/v2/locks', {}, 404, 'no-such-path'],
      ['an unknown method', 'PUT', '/v1/locks', { body: aLock('put') }, 405, 'no-such-method'],
      ['no content type', 'POST', '/v1/locks', { body: 'x', headers: { 'content-type': '' } }, 415, 'not-json'],
      ['YAML', 'POST', '/v1/locks', { body: 'a: 1', headers: { 'content-type': 'application/yaml' } }, 415, 'not-json'],
      ['a compressed body', 'POST', '/v1/locks', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 415, 'not-json'],
      ['no body', 'POST', '/v1/locks', { headers: { 'content-type': 'application/json' } }, 400, 'bad-input'],
      ['broken JSON', 'POST', '/v1/locks', { body: '{"spec":' }, 400, 'bad-input'],
      ['bytes that are no text', 'POST', '/v1/locks', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'bad-input'],
      ['a list', 'POST', '/v1/locks', { body: [] }, 400, 'bad-input'],
      ['JSON nested a thousand times', 'POST', '/v1/locks', { body: `${'['.repeat(1000)}${']'.repeat(1000)}` }, 400, 'bad-input'],
      ['a body of more than 1 MiB', 'POST', '/v1/locks', { body: Buffer.alloc(MiB + 1, ' ') }, 413, 'too-long'],
      [
        'a body of 20 MiB, its length unsaid',
        'POST',
        '/v1/locks',
        { body: Buffer.alloc(2 * MiB, ' '), headers: { 'transfer-encoding': 'chunked' } },
        413,
        'too-long',
      ],
      ['a parameter that is not known', 'GET', '/v1/locks/feed/any?wiat=ready', {}, 400, 'bad-input'],
      ['a parameter twice', 'GET', '/v1/locks/feed/any?wait=ready&wait=ready', {}, 400, 'bad-input'],
      ['to wait for a day', 'GET', '/v1/locks/feed/any?wait=ready&timeoutSeconds=86400', {}, 400, 'bad-input'],
      ['a name that can be none', 'GET', '/v1/locks/feed/UPPER', {}, 400, 'bad-input'],
      ['a Lock that is not there', 'GET', '/v1/locks/feed/not-there', {}, 404, 'no-such-object'],
    ])('%s: a problem that says so, and nothing changes', async (_what, method, path, question, status, type) => {
      const before = await locksThere();
      const { 'content-type': contentType, ...headers } = question.headers ?? {};
      const given = contentType === '' ? { ...question, headers: { ...headers, 'content-type': 'text/plain' } } : question;
      const answer = await asPipeline(method, path, given);
      expect(problemOf(answer)).toMatchObject({ status, type });
      if (status === 405) expect(answer.headers.allow).toBe('POST');
      expect(await locksThere()).toEqual(before);
    });

    test('everything that is wrong with a question is told at once, with what would be right', async () => {
      const body = {
        ...aLock('wrong'),
        spec: { template: TEMPLATE, count: -3, strategy: 'pack', owner: 'feed-api', ttlSecond: 5, maxPer: { rack: '130%' } },
      };
      const { problems, ...rest } = problemOf(await asPipeline('POST', '/v1/locks', { body }));
      expect(rest).toMatchObject({ status: 400, type: 'bad-input' });
      expect(problems.map(({ path }: { path: string }) => path).sort()).toEqual([
        'spec.count',
        'spec.maxPer.rack',
        'spec.strategy',
        'spec.ttlSecond',
      ]);
      expect(problems).toContainEqual({
        ...{ path: 'spec.count', what: 'count is -3', got: -3 },
        ...{ allowed: 'count is 1 to 5000', remedy: 'For example 200.' },
      });
      expect(problems.find(({ path }: { path: string }) => path === 'spec.ttlSecond').remedy).toBe("Did you mean 'ttlSeconds'?");
    });

    test.each([
      ['an absurd count', { count: 1e9 }],
      ['half a slot', { count: 1.5 }],
      ['both templates', { podFrom: { kind: 'Deployment', name: 'feed-api' } }],
      ['no template', { template: undefined }],
      ['an owner in another namespace', { owner: 'ads/ads-api' }],
    ])('%s is refused', async (_what, spec) => {
      expect(problemOf(await asPipeline('POST', '/v1/locks', { body: aLock('absurd', spec) }))).toMatchObject({
        status: 400,
        type: 'bad-input',
      });
      expect(await locksThere()).not.toContain('absurd');
    });
  });

  describe('a Lock', () => {
    test('is made as its caller asked, and answered again to the same question', async () => {
      const made = await asPipeline('POST', '/v1/locks', { body: aLock('again') });
      expect(made.status).toBe(201);
      expect(LockAnswer.parse(made.body).spec).toMatchObject({ count: 2, strategy: 'spread', ttlSeconds: 300 });
      expect((await lockNow('again')).metadata).toMatchObject({ annotations: { [REQUESTED_BY]: 'system:serviceaccount:feed:pipeline' } });
      const again = await asPipeline('POST', '/v1/locks', { body: aLock('again') });
      expect(again).toMatchObject({
        status: 200,
        body: { metadata: { uid: made.body.metadata.uid, resourceVersion: made.body.metadata.resourceVersion } },
      });
    });

    test('that is there already is shown to nobody who may not get it', async () => {
      await asPipeline('POST', '/v1/locks', { body: aLock('theirs') });
      for (const spec of [{}, { count: 3 }]) {
        const answer = await ask('POST', '/v1/locks', { token: tokens.maker, body: aLock('theirs', spec) });
        expect(problemOf(answer)).toMatchObject({
          type: 'forbidden',
          detail: expect.stringMatching(
            /^Lock feed\/theirs is there already, and \S+:maker may not get locks\.gala\.internal theirs in namespace feed/,
          ),
        });
        expect(answer.body).not.toHaveProperty('problems');
      }
      expect(await ask('POST', '/v1/locks', { token: tokens.maker, body: aLock('own') })).toMatchObject({ status: 201 });
    });

    test('of a name that asks something else is refused, field by field', async () => {
      await asPipeline('POST', '/v1/locks', { body: aLock('taken') });
      const answer = problemOf(await asPipeline('POST', '/v1/locks', { body: aLock('taken', { count: 3, near: 'bj-a' }) }));
      expect(answer).toMatchObject({ status: 409, type: 'another-question' });
      expect(answer.problems.map(({ path }: { path: string }) => path)).toEqual(['spec.count', 'spec.near']);
      expect((await lockNow('taken')).spec.count).toBe(2);
    });

    test('is waited for until it is Ready', async () => {
      const waiting = asPipeline('POST', '/v1/locks?wait=ready', { body: aLock('ready') });
      await appears('ready');
      await writes('ready', { phase: 'Planning', slots: [{ slot: 0, node: 'r12-01' }] });
      const slots = [0, 1].map((slot) => ({ slot, node: 'r12-01' }));
      await writes('ready', { phase: 'Ready', slots, counts: { planned: 2, used: 0 } });
      expect(await waiting).toMatchObject({ status: 201, body: { status: { phase: 'Ready', slots } } });
      expect((await asPipeline('GET', '/v1/locks/feed/ready?wait=ready')).status).toBe(200);
    });

    test('that is not to be had is a refusal with its reasons, for who waits', async () => {
      const waiting = asPipeline('POST', '/v1/locks?wait=ready', { body: aLock('scarce') });
      await appears('scarce');
      const reasons = [{ reason: 'NoAddress', nodes: 31, message: '31 nodes have no address left' }];
      await writes('scarce', { phase: 'Failed', reasons, counts: { planned: 0, used: 0 } });
      const answer = await waiting;
      expect(problemOf(answer)).toMatchObject({
        status: 409,
        type: 'not-enough',
        detail: expect.stringMatching(/wants 2 slots.*31 nodes have no address left/),
      });
      expect(answer.body.lock.status.phase).toBe('Failed');
    });

    test('that is not settled in time is told as it is', async () => {
      const answer = await asPipeline('POST', '/v1/locks?wait=ready&timeoutSeconds=1', { body: aLock('slow') });
      expect(answer).toMatchObject({ status: 202, headers: { 'retry-after': '1' }, body: { metadata: { name: 'slow' } } });
    });

    test('that is deleted while somebody waits is no longer there', async () => {
      const waiting = asPipeline('POST', '/v1/locks?wait=ready', { body: aLock('withdrawn') });
      await appears('withdrawn');
      await api.delete(LOCKS, { namespace: 'feed', name: 'withdrawn' });
      expect(problemOf(await waiting)).toMatchObject({ status: 404 });
    });

    test('is renewed; one that has expired is not', async () => {
      await asPipeline('POST', '/v1/locks', { body: aLock('renewed') });
      const answer = await asPipeline('POST', '/v1/locks/feed/renewed/renew');
      expect(answer.status).toBe(200);
      expect(Date.parse(answer.body.spec.renewedAt)).toBeGreaterThan(Date.now() - 60_000);
      await writes('renewed', { phase: 'Expired' });
      expect(problemOf(await asPipeline('POST', '/v1/locks/feed/renewed/renew'))).toMatchObject({ status: 409, type: 'expired' });
    });

    test('is given back, unless pods use it', async () => {
      await asPipeline('POST', '/v1/locks', { body: aLock('back') });
      await writes('back', { phase: 'Ready', counts: { planned: 2, used: 1 } });
      expect(problemOf(await asPipeline('DELETE', '/v1/locks/feed/back'))).toMatchObject({
        status: 409,
        type: 'in-use',
        detail: '1 of 2 slots of Lock feed/back have pods.',
      });
      await writes('back', { phase: 'Ready', counts: { planned: 2, used: 0 } });
      expect((await asPipeline('DELETE', '/v1/locks/feed/back')).status).toBe(200);
      expect(problemOf(await asPipeline('DELETE', '/v1/locks/feed/back'))).toMatchObject({ status: 404 });
      expect(await locksThere()).not.toContain('back');
    });

    test('that a quota or the namespace refuses is refused in the words of the API server', async () => {
      await bed.apply([
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: 'everywhere' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'feed' }],
        } as never,
      ]);
      const asked = () => ask('POST', '/v1/locks', { token: tokens.reader, body: aLock('lost', {}, 'no-such-namespace') });
      // What was denied is remembered for two seconds, and the API server learns of the binding by its own watch.
      await until('having that right', [], 60, async () => (await asked()).status !== 403);
      const answer = await asked();
      expect(problemOf(answer)).toMatchObject({
        status: 404,
        type: 'no-such-object',
        detail: expect.stringContaining('no-such-namespace'),
      });
    });
  });

  describe('under load', () => {
    test('who waits beyond the bound is told to come again, and nobody else notices', async () => {
      await asPipeline('POST', '/v1/locks', { body: aLock('crowded') });
      const asked = [1, 2, 3].map(() => asPipeline('GET', '/v1/locks/feed/crowded?wait=ready&timeoutSeconds=60'));
      // Two wait; whichever comes third has its answer at once.
      const third = await Promise.race(asked);
      expect(problemOf(third)).toMatchObject({ status: 429, type: 'busy' });
      expect(third.headers['retry-after']).toBe('5');
      expect((await asPipeline('GET', '/v1/locks/feed/crowded')).status).toBe(200);
      await writes('crowded', { phase: 'Ready' });
      expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    });

    test('a connection that sends its headers or its body by drops is ended, and others are served meanwhile', async () => {
      const slow = [
        'POST /v1/locks HTTP/1.1\r\nhost: localhost\r\nx: ',
        `POST /v1/locks HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${tokens.pipeline}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      ].map(
        (begin) =>
          new Promise<string>((resolve) => {
            let said = '';
            const socket = connectTls({ port: server.port, host: 'localhost', rejectUnauthorized: false }, () => {
              socket.write(begin);
              const dripping = setInterval(() => socket.write('a'), 100);
              socket.on('close', () => {
                clearInterval(dripping);
                resolve(said);
              });
            });
            socket.on('data', (data) => {
              said += data;
            });
            socket.on('error', () => {});
          }),
      );
      expect((await asPipeline('GET', '/openapi.json')).status).toBe(200);
      for (const said of await Promise.all(slow)) expect(said).toMatch(/^HTTP\/1\.1 408/);
    });

    test('one who never finishes the handshake is ended too', async () => {
      const ended = new Promise((resolve) => {
        const socket = connectPlain({ port: server.port, host: '127.0.0.1' });
        socket.on('close', resolve).on('error', () => {});
      });
      await ended;
    });

    test('more questions at once than the bound are told to come again, until one has its answer', async () => {
      // Questions whose end is yet to come, each on a connection of its own.
      const begun = await Promise.all(Array.from({ length: 8 }, () => begin('{')));
      let answer = await asPipeline('GET', '/v1/locks/feed/crowded');
      for (let tries = 0; answer.status !== 429 && tries < 400; tries++) answer = await asPipeline('GET', '/v1/locks/feed/crowded');
      expect(problemOf(answer)).toMatchObject({ status: 429, type: 'busy' });
      for (const { finish } of begun) finish();
      for (const { said } of begun) expect(await said).toMatch(/^HTTP\/1\.1 400/);
      expect((await asPipeline('GET', '/v1/locks/feed/crowded')).status).toBe(200);
    });

    async function begin(body: string) {
      const { promise: said, resolve } = Promise.withResolvers<string>();
      const socket = connectTls({ port: server.port, host: 'localhost', rejectUnauthorized: false });
      await new Promise((done) => socket.once('secureConnect', done));
      socket.once('data', (data) => {
        resolve(String(data));
        socket.destroy();
      });
      const headers = `host: localhost\r\nauthorization: Bearer ${tokens.pipeline}\r\ncontent-type: application/json\r\ncontent-length: ${body.length + 1}`;
      socket.write(`POST /v1/locks HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
      return { said, finish: () => socket.write('x') };
    }
  });

  test('each answer says how old what is known is', async () => {
    expect((await asPipeline('GET', '/v1/locks/feed/not-there')).headers).toMatchObject({
      'gala-snapshot-age': '0.400',
      'cache-control': 'no-store',
    });
  });

  test('what the API is, and what its problems mean, anybody may read', async () => {
    const { body } = await ask('GET', '/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', paths: { '/v1/locks': { post: { operationId: 'createLock' } } } });
    const page = (await ask('GET', '/problems')).body;
    for (const type of Object.keys(PROBLEMS)) expect(page).toContain(`\n## ${type}\n`);
  });

  test('with the API server away each question is told so, with when to ask again; when it is back they are answered, by the same process', async () => {
    await asPipeline('POST', '/v1/locks', { body: aLock('before') });
    await bed.end('kube-apiserver');
    const known = await asPipeline('POST', '/v1/locks', { body: aLock('meanwhile') });
    expect(problemOf(known)).toMatchObject({ status: 503, type: 'unavailable' });
    expect(known.headers['retry-after']).toBe('2');
    expect(problemOf(await ask('GET', '/v1/locks/feed/before', { token: 'unheard-of' }))).toMatchObject({
      status: 503,
      type: 'unavailable',
    });
    expect((await ask('GET', '/openapi.json')).status).toBe(200);
    bed.again('kube-apiserver');
    await until('back', [], 60, async () => (await asPipeline('GET', '/v1/locks/feed/before')).status === 200);
    expect((await asPipeline('POST', '/v1/locks', { body: aLock('meanwhile') })).status).toBe(201);
  });

  async function appears(name: string): Promise<void> {
    await until(`Lock ${name} made`, [], 60, async () => (await locksThere()).includes(name));
  }
});

const role = (name: string, verbs: string[]) => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace: 'feed' } },
  rules: [{ apiGroups: ['gala.internal'], resources: ['locks'], verbs }],
});
const binding = (name: string) => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name, namespace: 'feed' } },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  subjects: [{ kind: 'ServiceAccount', name, namespace: 'feed' }],
});
