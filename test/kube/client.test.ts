/** The client's promises about calls: deadlines, bounds, what a fault says, who one is. The server is the test's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { inCluster } from '../../lib/kube/access.ts';
import { type Api, apiOf, apiOver } from '../../lib/kube/client.ts';
import { isGone } from '../../lib/kube/error.ts';
import { CONFIGMAPS, LEASES, PODS } from '../../lib/kube/kinds.ts';
import { aClock } from './a-clock.ts';
import { anAuthority } from './an-authority.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Site {
  readonly url: string;
  readonly sockets: Set<Socket>;
}

async function served(listener: RequestListener, tls?: object): Promise<Site> {
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const sockets = new Set<Socket>();
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

async function asking(listener: RequestListener): Promise<Api & Site> {
  const site = await served(listener);
  const api = apiOf({ url: site.url });
  ends.push(api.close);
  return { ...api, ...site };
}

const GET = { method: 'GET', path: '/x' };

async function faultOf(call: Promise<unknown>): Promise<Error> {
  const answer = await call.catch((error: unknown) => ({ error }));
  if (answer !== null && typeof answer === 'object' && 'error' in answer) return answer.error as Error;
  throw new Error(`it worked: ${JSON.stringify(answer)}`);
}

describe('an answer', () => {
  test('is parsed when it is JSON, and text otherwise', async () => {
    const { request } = await asking((asked, answer) => {
      if (asked.url === '/x') answer.setHeader('content-type', 'application/json').end('{"a":1}');
      else answer.end('ok');
    });
    expect(await request(GET)).toMatchObject({ status: 200, body: { a: 1 } });
    expect(await request({ ...GET, path: '/readyz' })).toMatchObject({ status: 200, body: 'ok' });
  });

  test('says the time by the server’s clock, where the server does', async () => {
    const { request } = await asking((asked, answer) => {
      if (asked.url === '/x') answer.setHeader('date', 'Tue, 16 Feb 2027 19:58:02 GMT').end('ok');
      else {
        answer.sendDate = false;
        answer.end('ok');
      }
    });
    expect(await request(GET)).toEqual({ status: 200, body: 'ok', atMs: Date.parse('2027-02-16T19:58:02Z') });
    expect(await request({ ...GET, path: '/readyz' })).toEqual({ status: 200, body: 'ok' });
  });

  test('that says no is an ApiError, with the words of its Status', async () => {
    const details = { name: 'feed-0', kind: 'pods' };
    const { get } = await asking((_asked, answer) => {
      answer.writeHead(404, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ kind: 'Status', reason: 'NotFound', message: 'pods "feed-0" not found', details }));
    });
    expect(await faultOf(get(PODS, { namespace: 'web', name: 'feed-0' }))).toMatchObject({
      ...{ name: 'ApiError', status: 404, reason: 'NotFound', details },
      message: 'GET /api/v1/namespaces/web/pods/feed-0: 404 NotFound: pods "feed-0" not found',
    });
  });

  test('of something between, which knows no Status, has the reason of its code and the wait it asks for', async () => {
    const { request } = await asking((_asked, answer) => answer.writeHead(503, { 'retry-after': '7' }).end('<html>upstream is away'));
    expect(await faultOf(request(GET))).toMatchObject({ status: 503, reason: 'ServiceUnavailable', retryAfterSeconds: 7 });
    expect((await faultOf(request(GET))).message).toContain('upstream is away');
  });

  test('is bounded', async () => {
    const { request } = await asking((_asked, answer) => {
      const part = Buffer.alloc(2 ** 20);
      const more = () => {
        while (answer.write(part));
      };
      answer.on('drain', more);
      more();
    });
    expect(await faultOf(request(GET))).toMatchObject({
      ...{ name: 'NoAnswer', maybeDone: true, message: expect.stringContaining('an answer of more than 64 MiB. Ask for less') },
    });
  });

  test('that breaks off is none, and is told from one that is no JSON', async () => {
    const { request } = await asking((asked, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json', ...(asked.url === '/x' ? { 'content-length': 100 } : {}) });
      answer.write('{"a":', () => (asked.url === '/x' ? asked.socket.resetAndDestroy() : answer.end()));
    });
    expect(await faultOf(request(GET))).toMatchObject({ name: 'NoAnswer', maybeDone: true, aborted: false });
    expect(await faultOf(request({ ...GET, path: '/half' }))).toMatchObject({ name: 'NoAnswer', cause: expect.any(SyntaxError) });
  });
});

describe('a call', () => {
  test('has a deadline, to the last byte of its answer', async () => {
    const { request } = await asking((asked, answer) => {
      if (asked.url === '/slow') answer.writeHead(200).write('the first byte');
    });
    for (const path of ['/x', '/slow'])
      expect(await faultOf(request({ ...GET, path, timeoutMs: 50 }))).toMatchObject({
        ...{ name: 'NoAnswer', maybeDone: true, aborted: false, message: expect.stringContaining(`${path}: no answer within 0.05 s`) },
      });
  });

  test('that never left this process was surely not done', async () => {
    const { url, sockets } = await served(() => {});
    const gone = apiOf({ url: url.replace(/\d+$/, '1') });
    expect(await faultOf(gone.request(GET))).toMatchObject({
      name: 'NoAnswer',
      maybeDone: false,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(sockets.size).toBe(0);
    const unsure = apiOf({ url });
    ends.push(unsure.close);
    const asked = faultOf(unsure.request(GET));
    while (sockets.size === 0) await new Promise(setImmediate);
    for (const socket of sockets) socket.destroy();
    expect(await asked).toMatchObject({ name: 'NoAnswer', maybeDone: true });
  });

  test('ends with its signal, and by the closing of the client', async () => {
    const { request, close } = await asking(() => {});
    const giveUp = new AbortController();
    const asked = faultOf(request({ ...GET, signal: giveUp.signal }));
    const other = faultOf(request(GET));
    setTimeout(() => giveUp.abort(), 10);
    expect(await asked).toMatchObject({ aborted: true, message: expect.stringContaining('given up') });
    close();
    expect(await other).toMatchObject({ aborted: true });
    expect(await faultOf(request(GET))).toMatchObject({
      aborted: true,
      maybeDone: false,
      message: expect.stringContaining('the client is closed'),
    });
  });

  test('over a connection that died while it waited is made once more, if it only reads', async () => {
    const used = new WeakSet<Socket>();
    const { request } = await asking((asked, answer) => {
      if (used.has(asked.socket)) return void asked.socket.resetAndDestroy();
      used.add(asked.socket);
      answer.end('ok');
    });
    for (let i = 0; i < 3; i++) expect((await request(GET)).body).toBe('ok');
    expect(await faultOf(request({ ...GET, method: 'POST' }))).toMatchObject({ name: 'NoAnswer', maybeDone: true });
  });

  test('does not wait for watches, however many', async () => {
    const { request, stream } = await asking((asked, answer) => {
      answer.writeHead(200);
      if (asked.url === '/watch') answer.write('.');
      else answer.end('ok');
    });
    const watches = await Promise.all(Array.from({ length: 100 }, () => stream({ ...GET, path: '/watch' })));
    expect((await request(GET)).body).toBe('ok');
    for (const watch of watches) watch.destroy();
  });

  test('shares 64 connections with all others', async () => {
    const { request, sockets } = await asking((_asked, answer) => void setTimeout(() => answer.end(), 5));
    await Promise.all(Array.from({ length: 300 }, () => request(GET)));
    expect(sockets.size).toBe(64);
  });

  test('about a Lease waits for none of the others', async () => {
    const { request, get } = await asking((asked, answer) => {
      if (asked.url !== '/x') answer.setHeader('content-type', 'application/json').end('{}');
    });
    const stuck = Array.from({ length: 100 }, () => faultOf(request({ ...GET, timeoutMs: 2_000 })));
    await get(LEASES, { namespace: 'default', name: 'writer' }, { timeoutMs: 1_900 });
    expect((await Promise.all(stuck)).every(({ name }) => name === 'NoAnswer')).toBe(true);
  });
});

describe('a stream', () => {
  test('has a deadline for its first byte only, and a signal to its end', async () => {
    const { stream } = await asking((asked, answer) => {
      if (asked.url === '/x') answer.writeHead(200).write('a');
    });
    expect(await faultOf(stream({ ...GET, path: '/never', timeoutMs: 20 }))).toMatchObject({
      message: expect.stringContaining('no answer within'),
    });
    const giveUp = new AbortController();
    const body = await stream({ ...GET, timeoutMs: 20, signal: giveUp.signal });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(body.destroyed).toBe(false);
    const ended = new Promise((resolve) => body.on('error', resolve));
    giveUp.abort();
    await ended;
  });

  test('that is refused says why', async () => {
    const { stream } = await asking((_asked, answer) => answer.writeHead(410).end('too old'));
    expect(isGone(await faultOf(stream(GET)))).toBe(true);
  });
});

describe('a list', () => {
  test('whose page is larger than an answer may be is asked for in smaller ones', async () => {
    const asked: string[] = [];
    const { list } = await asking(({ url }, answer) => {
      const query = new URL(url!, 'http://a').searchParams;
      asked.push(`${query.get('limit')} ${query.get('continue')}`);
      answer.setHeader('content-type', 'application/json');
      if (Number(query.get('limit')) > 100) for (let i = 0; i < 70; i++) answer.write(Buffer.alloc(2 ** 20, 32));
      const more = query.has('continue') ? {} : { continue: 'c' };
      answer.end(JSON.stringify({ metadata: { resourceVersion: '5', ...more }, items: [{ metadata: { name: `n${asked.length}` } }] }));
    });
    expect(await list(CONFIGMAPS)).toMatchObject({
      resourceVersion: '5',
      items: [{ kind: 'ConfigMap', metadata: { name: 'n3' } }, { apiVersion: 'v1' }],
    });
    expect(asked).toEqual(['500 null', '125 null', '32 null', '32 c']);
  });
});

describe('who one is', () => {
  test('plain HTTP is for loopback only: it would show the token', () => {
    for (const url of ['http://10.0.0.1:8080', 'http://api.example', 'http://127.0.0.1.example:80'])
      expect(() => apiOf({ url })).toThrow(`API server ${url}: plain HTTP would show the token to the network. Use https://`);
    for (const url of ['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001', 'https://10.0.0.1:6443'])
      apiOf({ url }).close();
    for (const url of ['10.0.0.1:6443', 'ftp://a', '']) expect(() => apiOf({ url })).toThrow('not a URL of the form https://host:port');
  });

  test('a client certificate is shown, and a server of another authority is not talked to', async () => {
    const [ours, theirs] = [await anAuthority('ours'), await anAuthority('theirs')];
    const server = await ours.signServer();
    const { url } = await served((asked, answer) => answer.end((asked.socket as TLSSocket).getPeerCertificate().subject.CN), {
      ...{ ...server, ca: theirs.cert, requestCert: true },
    });
    const known = apiOf({ url, ca: ours.cert, ...(await theirs.signClient('CN=hua')) });
    ends.push(known.close);
    expect((await known.request(GET)).body).toBe('hua');
    const wary = apiOf({ url, ca: theirs.cert, token: 'secret' });
    ends.push(wary.close);
    expect(await faultOf(wary.request(GET))).toMatchObject({ name: 'NoAnswer', maybeDone: false });
  });

  test('a token that was refused is read anew, and the call made once more', async () => {
    const seen: (string | undefined)[] = [];
    const site = await served((asked, answer) => {
      seen.push(asked.headers.authorization);
      answer.writeHead(asked.headers.authorization === 'Bearer new' ? 200 : 401).end('ok');
    });
    let token = 'old';
    const identity = () => ({ authorization: `Bearer ${token}` });
    const api = apiOver({ url: site.url, namespace: 'default', identity: () => ({ authorization: 'Bearer old' }), renew: identity });
    ends.push(api.close);
    expect(await faultOf(api.request(GET))).toMatchObject({ status: 401 });
    expect(seen).toEqual(['Bearer old']);
    token = 'new';
    expect(await api.request({ ...GET, method: 'POST', body: { a: 1 } })).toMatchObject({ status: 200 });
    expect(seen).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
  });
});

describe('in a cluster', () => {
  test('the token is read anew each minute, and an unreadable moment leaves the old one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gala-account-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    for (const [name, text] of Object.entries({ token: 't1\n', 'ca.crt': 'CA', namespace: 'gala-system' })) write(name, text);
    const clock = aClock();
    const access = inCluster(folder, { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }, clock);
    expect(access).toMatchObject({ url: 'https://[fd00::1]:6443', namespace: 'gala-system' });
    write('token', 't2');
    expect(access.identity()).toEqual({ ca: 'CA', authorization: 'Bearer t1' });
    clock.advance(60_000);
    expect(access.identity()).toEqual({ ca: 'CA', authorization: 'Bearer t2' });
    rmSync(join(folder, 'token'));
    clock.advance(60_000);
    expect(access.identity()).toEqual({ ca: 'CA', authorization: 'Bearer t2' });
    write('token', 't3');
    expect(access.renew!()).toEqual({ ca: 'CA', authorization: 'Bearer t3' });
  });

  test('without an address there is no way in', () => {
    expect(() => inCluster('/nowhere', {})).toThrow('KUBERNETES_SERVICE_HOST is not set');
  });
});
