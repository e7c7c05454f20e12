/** What the agent asks the instance metadata service, and what it does with no answer. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { logger } from '../../../lib/kube/log.ts';
import { subnetOfMac, subnetsBy } from '../../../lib/network/agent/metadata.ts';
import { metadataService } from '../../bed/ec2/metadata.ts';

const MAC = '06:3f:aa:00:00:01';
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const service = () => served(metadataService(async (mac) => (mac === MAC ? '10.16.4.0/24' : undefined)));

test('it asks by a session token, and knows one that is not attached yet from one that fails', async () => {
  const endpoint = await service();
  expect(await subnetOfMac(endpoint, MAC)).toBe('10.16.4.0/24');
  expect(await subnetOfMac(endpoint, '06:3f:aa:00:00:02')).toBeUndefined();
});

test('what is no network is no answer', async () => {
  const endpoint = await served(
    (request, response) => void response.end(request.method === 'PUT' ? 'token' : '<html>captive portal</html>'),
  );
  await expect(subnetOfMac(endpoint, MAC)).rejects.toThrow('HTTP 200: <html>captive portal</html>');
  await expect(subnetOfMac(await served((_, response) => void response.writeHead(403).end()), MAC)).rejects.toThrow(
    '/latest/api/token: HTTP 403',
  );
});

test('a subnet is asked for once, never where the definition says its network, and again where there was no answer', async () => {
  const asked: string[] = [];
  let answers = false;
  const lines: string[] = [];
  const subnets = subnetsBy(
    async (mac) => {
      asked.push(mac);
      if (!answers) throw new Error('connect ECONNREFUSED');
      return mac === MAC ? '10.16.4.0/24' : undefined;
    },
    logger({ level: 'info', write: (line) => void lines.push(line) }),
  );
  const slots = [
    { mac: MAC, subnetId: 'subnet-0d1' },
    { mac: '06:3f:aa:00:00:02', subnetId: 'subnet-0d1' },
    { mac: '06:3f:aa:00:00:03', subnetId: 'subnet-0d2' },
  ];
  await subnets.learn(slots, { 'subnet-0d2': '10.16.8.0/24' });
  expect([subnets.known(), asked]).toEqual([{}, [MAC]]);
  expect(lines.join()).toContain('ECONNREFUSED');
  answers = true;
  for (let times = 0; times < 3; times++) await subnets.learn(slots, { 'subnet-0d2': '10.16.8.0/24' });
  expect([subnets.known(), asked]).toEqual([{ 'subnet-0d1': '10.16.4.0/24' }, [MAC, MAC]]);
});
