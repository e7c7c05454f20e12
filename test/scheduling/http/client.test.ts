/** The client of the stock API, where somebody else answers at an endpoint of its Service. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stockApi } from '../../../lib/scheduling/http/client.ts';
import { makeAuthority, makeServing } from '../../../lib/scheduling/http/issue.ts';
import { type HttpsServer, serveHttps } from '../../../lib/scheduling/http/server.ts';

const NAME = 'gala-scheduler.gala-system.svc';
let ours: string;
let server: HttpsServer;

beforeAll(async () => {
  const authority = await makeAuthority(Date.now());
  ours = authority.cert;
  const certificate = await makeServing(
    authority,
    Array.from({ length: 20 }, (_, at) => `mirror-${at}.example`),
    Date.now(),
  );
  server = await serveHttps({ host: '127.0.0.1', port: 0, certificate, handle: (_, response) => Promise.resolve(void response.end('{}')) });
});
afterAll(() => server.close(0));

async function asked(ca: string): Promise<unknown> {
  const api = stockApi({ replicas: [`127.0.0.1:${server.port}`], ca, serverName: NAME, authorization: async () => 'Bearer t' });
  const answer = await api.ask('POST', '/v1/stock', {});
  api.close();
  return answer;
}

test('a certificate of other names is said to be another server’s, without all its names', async () => {
  expect(await asked(ours)).toEqual({
    absent: `127.0.0.1:${server.port}: another server answers there, its certificate is not for ${NAME}`,
  });
});

test('a certificate of another authority is said to be so', async () => {
  const { cert } = await makeAuthority(Date.now());
  expect(await asked(cert)).toEqual({
    absent: `127.0.0.1:${server.port}: another server answers there, its certificate is not of the authority in ConfigMap gala-scheduler-ca`,
  });
});
