/** Probes and metrics, asked over loopback as the kubelet and Prometheus ask. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type Health, type HealthOptions, serveHealth } from '../../lib/kube/health.ts';
import { metrics } from '../../lib/kube/metrics.ts';

const served: Health[] = [];
afterEach(async () => {
  await Promise.all(served.splice(0).map((health) => health.close()));
});

async function aHealth(options: Partial<HealthOptions> = {}) {
  const health = await serveHealth({ port: 0, ...options });
  served.push(health);
  return (path: string, method = 'GET') =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: health.port, path, method }, async (answer) => {
        let body = '';
        for await (const chunk of answer) body += chunk;
        resolve({ status: answer.statusCode!, body });
      });
      asked.on('error', reject);
      asked.end();
    });
}

test('a probe is 200 while every check has nothing to say, and 500 with what it said', async () => {
  let wrong: string | undefined = 'pods not read yet';
  const ask = await aHealth({ live: { loop: () => undefined }, ready: { world: () => wrong, api: () => undefined } });
  expect(await ask('/livez')).toEqual({ status: 200, body: 'ok' });
  expect(await ask('/readyz')).toEqual({ status: 500, body: '[-]world failed: pods not read yet\n[+]api ok\nreadyz check failed\n' });
  wrong = undefined;
  expect(await ask('/readyz')).toEqual({ status: 200, body: 'ok' });
  expect(await ask('/readyz?verbose')).toEqual({ status: 200, body: '[+]world ok\n[+]api ok\nreadyz check passed\n' });
});

test('one check can be asked by its name; a check that throws has failed', async () => {
  const ask = await aHealth({
    ready: {
      world: () => undefined,
      lease() {
        throw new Error('no clock');
      },
    },
  });
  expect(await ask('/readyz/world')).toEqual({ status: 200, body: 'ok' });
  expect(await ask('/readyz/lease')).toEqual({ status: 500, body: '[-]lease failed: no clock\nreadyz check failed\n' });
  expect((await ask('/readyz/constructor')).status).toBe(404);
  expect((await ask('/readyz/world/more')).status).toBe(404);
});

test('what is not there is 404, what is not asked 405, and a HEAD has no body', async () => {
  const ask = await aHealth();
  expect(await ask('/')).toMatchObject({ status: 404 });
  expect(await ask('/metrics')).toMatchObject({ status: 404 });
  expect(await ask('/livez/%E0%A4%A')).toMatchObject({ status: 404 });
  expect(await ask('/livez', 'POST')).toMatchObject({ status: 405 });
  expect(await ask('/livez', 'HEAD')).toEqual({ status: 200, body: '' });
});

test('a program answers more on the same port', async () => {
  const ask = await aHealth({
    handle(asked, response) {
      if (asked.url !== '/filter') return false;
      response.end('mine');
      return true;
    },
  });
  expect(await ask('/filter')).toEqual({ status: 200, body: 'mine' });
  expect(await ask('/livez')).toEqual({ status: 200, body: 'ok' });
});

test('metrics are those of the registry', async () => {
  const { registry, queue } = await metrics();
  queue('locks', { depth: 3, running: 1, counts: { worked: 7, failed: 2, terminal: 1, workedMs: 1_500 } });
  const ask = await aHealth({ registry });
  const { body } = await ask('/metrics');
  for (const line of [
    'gala_queue_depth{queue="locks"} 3',
    'gala_queue_worked_total{queue="locks"} 7',
    'gala_queue_work_seconds_total{queue="locks"} 1.5',
  ])
    expect(body).toContain(line);
  expect(await ask('/metrics')).toMatchObject({ body: expect.stringContaining('gala_queue_worked_total{queue="locks"} 7\n') });
});

test('a port that is taken is said to be', async () => {
  const { port } = await serveHealth({ port: 0 }).then((health) => {
    served.push(health);
    return health;
  });
  await expect(serveHealth({ port })).rejects.toThrow(`listening on 127.0.0.1:${port}: another program has it`);
});

test('closing does not wait for whoever keeps a connection without asking', async () => {
  const health = await serveHealth({ port: 0 });
  const idle = connect(health.port, '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  await health.close();
  idle.destroy();
});
