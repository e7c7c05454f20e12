/**
 * A stand: a network namespace that plays a host, with an agent in it (agent-alone.ts), the shim as the image has it, and namespaces
 * that play sandboxes. A veth stands for the VLAN's sub-interface, another for the ENI.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INTRANET } from '../a-pool.ts';
import { compiledShim } from '../a-shim.ts';
import type { KnownAlone } from './agent-alone.ts';

export const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

/** Root may lack CAP_NET_ADMIN, as in most containers. */
export const canMakeNamespaces = (): boolean =>
  process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'name', 'gala-in', 'type', 'ifb']).status === 0;

const ENI_MAC = '06:3f:aa:00:00:01';
const vlanMac = (host: number) => `02:67:0a:6e:00:${host.toString(16).padStart(2, '0')}`;

/** What an address of each mode has: `web` on a VLAN, `burst` on ENIs. */
export const MODES = {
  MacVlan: {
    ip: '10.110.0.130',
    mac: vlanMac(130),
    pool: { shape: 'intranet', intranet: INTRANET, locks: 'hard' },
    network: { pool: 'web', trunk: 'bond0', machineID: 'ab12' },
  },
  ENI: {
    ip: '10.16.4.21',
    mac: ENI_MAC,
    pool: {
      shape: 'ec2',
      locks: 'hard',
      ec2: { zones: [{ name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1', podSubnetCidr: '10.16.4.0/24' }] },
    },
    network: {
      pool: 'burst',
      providerID: 'aws:///ap-northeast-1a/i-0123456789abcdef0',
      eniSlots: [{ networkCardIndex: 0, deviceIndex: 1, eniId: 'eni-0a1', mac: ENI_MAC, ip: '10.16.4.21', subnetId: 'subnet-0d1' }],
    },
  },
} as unknown as Record<'MacVlan' | 'ENI', Pick<KnownAlone, 'pool' | 'network'> & { ip: string; mac: string }>;
export type Mode = keyof typeof MODES;

/** As containerd makes one. */
export interface Netns {
  readonly name: string;
  readonly path: string;
  /** Container id. */
  readonly id: string;
}

export interface Asked {
  readonly verb: string;
  readonly netns?: Netns;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** UID of the pod. @default 'pod-a' */
  readonly pod?: string;
  /** Of who calls. @default root */
  readonly uid?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the plugin answers
export type Told = { readonly code: number | null; readonly out: any };

export interface Stand {
  readonly host: string;
  readonly folder: string;
  readonly shim: string;
  readonly pid: number;
  aNetns(): Netns;
  /** What the agent knows from now on: by default pod-a with the address of the mode. */
  known(mode: Mode, over?: Partial<KnownAlone>): void;
  call(asked: Asked): Told;
  /** The same, while others are called too. */
  calling(asked: Asked): Promise<Told>;
  /** Ends the agent with a signal, and starts another. */
  restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  stop(): void;
}

/** `{ 'pod-1': '10.110.0.131' }` as IPLocks of the VLAN. */
export const locksOf = (pods: Readonly<Record<string, string>>): KnownAlone['locks'] =>
  Object.fromEntries(
    Object.entries(pods).map(([podUID, address]) => [
      address,
      { phase: 'Locked', node: 'h-r12-01', mac: vlanMac(Number(address.split('.')[3])), owner: 'feed/a', podUID },
    ]),
  );

let stands = 0;

export async function aStand(): Promise<Stand> {
  const host = `gala-h${process.pid}-${stands++}`;
  const folder = mkdtempSync(join(tmpdir(), 'gala-stand-'));
  const shim = compiledShim(folder);
  const made: string[] = [];
  ip('netns', 'add', host);
  ip('-n', host, 'link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'bond0.110');
  ip('-n', host, 'link', 'add', 'ens6', 'address', ENI_MAC, 'type', 'veth', 'peer', 'name', 'wire');
  ip('-n', host, 'addr', 'add', '10.8.1.11/24', 'dev', 'bond0');
  for (const link of ['lo', 'bond0', 'bond0.110', 'wire']) ip('-n', host, 'link', 'set', link, 'up');

  const known: Stand['known'] = (mode, over = {}) => {
    const { ip: address, mac, pool, network } = MODES[mode];
    const lock = { phase: 'Locked', node: 'h-r12-01', mac, owner: 'feed/a', podUID: 'pod-a' } as const;
    const all: KnownAlone = { node: 'h-r12-01', nodeIP: '10.8.1.11', pool, network, locks: { [address]: lock }, ...over };
    writeFileSync(join(folder, 'known.json'), JSON.stringify(all));
  };
  known('MacVlan');
  let agent = await anAgent(host, folder);

  const asking = ({ verb, netns, env = {}, config = {}, pod = 'pod-a' }: Asked) => ({
    input: JSON.stringify({ cniVersion: '1.1.0', name: 'gala', type: 'gala', socket: join(folder, 'cni.sock'), ...config }),
    env: {
      CNI_COMMAND: verb,
      CNI_PATH: '/opt/cni/bin',
      ...(netns && { CNI_CONTAINERID: netns.id, CNI_NETNS: netns.path, CNI_IFNAME: 'eth0' }),
      CNI_ARGS: `K8S_POD_NAMESPACE=feed;K8S_POD_NAME=a;K8S_POD_UID=${pod}`,
      ...env,
    },
  });
  const told = (code: number | null, stdout: string): Told => ({ code, out: stdout === '' ? undefined : JSON.parse(stdout) });
  return {
    ...{ host, folder, shim, known },
    get pid() {
      return agent.pid!;
    },
    aNetns() {
      const name = `${host}-${made.length}`;
      made.push(name);
      ip('netns', 'add', name);
      return { name, path: `/var/run/netns/${name}`, id: name.replaceAll('-', '') };
    },
    call(asked) {
      const { status, stdout } = spawnSync(shim, { ...asking(asked), uid: asked.uid, encoding: 'utf8' });
      return told(status, stdout);
    },
    calling: (asked) => {
      const { env, input } = asking(asked);
      return new Promise((resolve, reject) => {
        const child = spawn(shim, { env, stdio: ['pipe', 'pipe', 'inherit'] });
        let out = '';
        child.stdout.on('data', (part) => {
          out += part;
        });
        child.on('error', reject);
        child.on('close', (code) => resolve(told(code, out)));
        child.stdin.end(input);
      });
    },
    async restart(signal) {
      const ended = new Promise((resolve) => agent.once('exit', resolve));
      agent.removeAllListeners('exit');
      const done = new Promise((resolve) => agent.once('exit', resolve));
      agent.kill(signal);
      await Promise.race([ended, done]);
      agent = await anAgent(host, folder);
    },
    stop() {
      agent.removeAllListeners('exit');
      agent.kill('SIGKILL');
      for (const name of made) spawnSync('ip', ['netns', 'del', name]);
      spawnSync('ip', ['netns', 'del', host]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function anAgent(host: string, folder: string) {
  const given = JSON.stringify({ folder, known: join(folder, 'known.json') });
  const program = join(import.meta.dirname, 'agent-alone.ts');
  // `exec`: nsenter becomes the program, so its pid is the program's.
  const agent = spawn(
    'nsenter',
    [
      `--net=/var/run/netns/${host}`,
      'unshare',
      '--mount',
      '--propagation',
      'slave',
      'sh',
      '-c',
      'mount -t sysfs sysfs /sys && exec "$@"',
      'sh',
      process.execPath,
      '-C',
      'gala-source',
      program,
      given,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await new Promise<void>((resolve, reject) => {
    agent.stdout.once('data', () => resolve());
    agent.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
  });
  return agent;
}
