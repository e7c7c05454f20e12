/** An instance metadata service, as far as Gala asks it: of interfaces, by session tokens (IMDSv2). */
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bed } from '../control-plane.ts';
import { start, until } from '../process.ts';
import { rackSwitch } from '../rack-switch.ts';

const FORWARD = fileURLToPath(new URL('forward.ts', import.meta.url));
const ADDRESS = '169.254.169.254';
const READY_SECONDS = 60;
const TOKEN = 'a-session-token';

/** @param subnetOf the network of the subnet of an interface; undefined: it has none of that MAC */
export const metadataService =
  (subnetOf: (mac: string) => Promise<string | undefined>): RequestListener =>
  async ({ method, url = '', headers }, response) => {
    const end = (status: number, text = '') => void response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    if (url === '/latest/api/token') {
      const isAsked = method === 'PUT' && /^\d+$/.test(`${headers['x-aws-ec2-metadata-token-ttl-seconds']}`);
      return isAsked ? end(200, TOKEN) : end(400);
    }
    if (headers['x-aws-ec2-metadata-token'] !== TOKEN) return end(401);
    const [, mac] = /^\/latest\/meta-data\/network\/interfaces\/macs\/([0-9a-f:]{17})\/subnet-ipv4-cidr-block$/.exec(url) ?? [];
    const cidr = mac === undefined ? undefined : await subnetOf(mac);
    return cidr === undefined ? end(404) : end(200, cidr);
  };

/** Has the bed's nodes reach it at its usual address, for as long as the bed is there. */
export async function metadataForNodes(bed: Bed, subnetOf: (mac: string) => Promise<string | undefined>): Promise<void> {
  const socket = join(bed.folder, 'imds.sock');
  const server = createServer(metadataService(subnetOf));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  bed.atEnd(() => void server.close());
  rackSwitch(bed).ip('address', 'add', `${ADDRESS}/32`, 'dev', 'rack');
  const command = bed.network.within([process.execPath, FORWARD, ADDRESS, '80', socket]);
  const forwarder = start('imds for nodes', [...command] as [string, ...string[]], join(bed.folder, 'imds-for-nodes.log'));
  bed.hold(forwarder);
  await until('ready', forwarder, READY_SECONDS, async () => forwarder.log().includes('ready'));
}
