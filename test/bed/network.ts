/**
 * Where a bed's processes listen: in a network namespace of their own as root, on free loopback ports otherwise.
 * The namespace has no name: it is gone, with both ends of its link, when the last process in it is.
 */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Started, start, until } from './process.ts';

export interface Network {
  /** The address on which the test process reaches what listens on `host`. */
  readonly address: string;
  /** What servers bind to. */
  readonly host: string;
  /** The port to use for a server whose usual one is `usual`. */
  port(usual: number): Promise<number>;
  /** A command that runs `command` in this network. */
  within(command: readonly [string, ...string[]]): readonly [string, ...string[]];
  /** The process that holds the namespace; none on loopback. */
  readonly holder?: Started;
}

export const loopback: Network = {
  address: '127.0.0.1',
  host: '127.0.0.1',
  port: freePort,
  within: (command) => command,
};

/** A namespace where it can be had (root with CAP_NET_ADMIN, `ip` installed), loopback otherwise. */
export async function aNetwork(folder: string): Promise<Network> {
  if (process.getuid?.() !== 0) return loopback;
  try {
    return await aNamespace(folder);
  } catch {
    return loopback;
  }
}

async function aNamespace(folder: string): Promise<Network> {
  const holder = start(
    'namespace',
    ['unshare', '--net', 'sh', '-c', 'ip link set lo up && echo ready && exec sleep infinity'],
    join(folder, 'namespace.log'),
  );
  try {
    await until('ready', holder, 60, async () => holder.log().includes('ready'));
    const { inside, outside, link } = plugIn(holder.pid);
    ip('addr', 'add', `${outside}/30`, 'dev', link);
    ip('link', 'set', link, 'up');
    const within = (command: readonly string[]) => ['nsenter', `--net=/proc/${holder.pid}/ns/net`, ...command] as [string, ...string[]];
    const [program, ...args] = within(['ip', 'addr', 'add', `${inside}/30`, 'dev', 'eth0']);
    execFileSync(program, args, { stdio: 'pipe' });
    execFileSync(program, [...within(['ip', 'link', 'set', 'eth0', 'up']).slice(1)], { stdio: 'pipe' });
    return { address: inside, host: '0.0.0.0', port: async (usual) => usual, within, holder };
  } catch (error) {
    await holder.kill();
    throw error;
  }
}

/**
 * Links the namespace to this machine. The kernel refuses a link whose name is taken, so the name decides between beds that
 * start at once, and the addresses follow from it: /30 nets of 198.18.0.0/15, which RFC 2544 sets aside for test networks.
 */
function plugIn(pid: number): { link: string; outside: string; inside: string } {
  let last: unknown;
  for (let n = 0; n < 64; n++) {
    const link = `galabed${n}`;
    try {
      ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
      return { link, outside: `198.18.0.${4 * n + 1}`, inside: `198.18.0.${4 * n + 2}` };
    } catch (error) {
      last = error;
    }
  }
  throw new Error('no link into a network namespace could be made', { cause: last });
}

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });

const given = new Set<number>();

/** A loopback port that nobody listens on and that this process has not handed out before. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}
