/** EC2 where a bed's nodes reach it: they have a network of their own, in which the stand-in is not. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bed } from '../control-plane.ts';
import { start, until } from '../process.ts';
import { rackSwitch } from '../rack-switch.ts';
import type { Ec2 } from './ec2.ts';

const FORWARD = fileURLToPath(new URL('forward.ts', import.meta.url));
/** Any that no part of the bed has. */
const PORT = 8773;
const READY_SECONDS = 60;

/**
 * Has it listen in the bed's rack as well, for as long as the bed is there.
 * @returns the endpoint for programs on nodes
 * @example env: { AWS_ENDPOINT_URL_EC2: await ec2ForNodes(bed, ec2) }
 */
export async function ec2ForNodes(bed: Bed, ec2: Pick<Ec2, 'alsoOn'>): Promise<string> {
  const socket = join(bed.folder, 'ec2.sock');
  await ec2.alsoOn(socket);
  const { gateway } = rackSwitch(bed);
  const command = bed.network.within([process.execPath, FORWARD, gateway, String(PORT), socket]);
  const forwarder = start('ec2 for nodes', [...command] as [string, ...string[]], join(bed.folder, 'ec2-for-nodes.log'));
  bed.hold(forwarder);
  await until('ready', forwarder, READY_SECONDS, async () => forwarder.log().includes('ready'));
  return `http://${gateway}:${PORT}`;
}
