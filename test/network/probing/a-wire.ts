/**
 * A wire in network namespaces of a test's own: `host` with the link `bond0.110`, where the probe runs; `wire`, a bridge with the
 * gateway 10.110.0.1; `pod`, on a MacVlan on the host's link. A veth plays the VLAN's sub-interface: not every kernel that tests run
 * on has 802.1Q.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { required } from '../../bed/parts.ts';
import { stageRoot } from '../../tools/image-root.ts';

const SOURCES = join(import.meta.dirname, '../../../lib/network/shim');
const FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror'];

export interface Programs {
  readonly folder: string;
  /** gala-probe, as the image has it. */
  readonly probe: string;
  readonly stranger: string;
  remove(): void;
}

/** Both with the compiler's own checks of memory and arithmetic where `checked`. */
export function compiled({ checked = false } = {}): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'gala-probe-'));
  // For tests as another user.
  chmodSync(folder, 0o755);
  const flags = [...FLAGS, ...(checked ? ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover'] : [])];
  const compile = (to: string, ...sources: string[]) => {
    const ended = spawnSync('gcc', [...flags, `-I${SOURCES}`, '-o', to, ...sources], { encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`gcc: ${ended.stderr}`);
    return to;
  };
  const source = (name: string) => join(SOURCES, name);
  if (!checked) stageRoot('shim', join(folder, 'stage'), FLAGS.slice(1).join(' '));
  return {
    folder,
    probe: checked
      ? compile(join(folder, 'gala-probe'), source('probe.c'), source('frames.c'), source('json.c'))
      : join(folder, 'stage/shim/gala-probe'),
    stranger: compile(join(folder, 'stranger'), join(import.meta.dirname, 'stranger.c'), source('frames.c')),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Root may lack CAP_NET_ADMIN, as in most containers. */
const canMakeNamespaces =
  process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'name', 'gala-in', 'type', 'ifb']).status === 0;

/** `describe`, for tests that need namespaces. */
export function describeWire(name: string, tests: () => void): void {
  const isPossible = canMakeNamespaces || required();
  if (!isPossible) process.stderr.write(`SKIPPED ${name}: network namespaces need root with CAP_NET_ADMIN\n`);
  (isPossible ? describe : describe.skip)(name, tests);
}

export const GATEWAY = '10.110.0.1';
export const LINK = 'bond0.110';

export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Wire {
  /** Words before a command, to run it on the host. */
  readonly onHost: readonly [string, ...string[]];
  /** In a namespace of the wire. */
  ip(where: 'host' | 'wire' | 'pod', ...args: string[]): string;
  command(where: 'host' | 'wire' | 'pod', ...args: string[]): string;
  /** Says these frames over and over, until the strangers are ended; resolves when each was sent once. */
  stranger(...frames: string[]): Promise<void>;
  endStrangers(): Promise<void>;
  /** Killed, status null, where it takes 20 s. */
  probe(...args: string[]): Said;
  macOf(where: 'host' | 'wire' | 'pod', link: string): string;
  remove(): Promise<void>;
}

export function aWire({ probe, stranger }: Programs): Wire {
  const name = (where: string) => `gala-${where}-${process.pid}`;
  const all = ['host', 'wire', 'pod'] as const;
  const run = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
  const ip: Wire['ip'] = (where, ...args) => run('-n', name(where), ...args);
  for (const where of all) run('netns', 'add', name(where));
  ip('host', 'link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'port', 'netns', name('wire'));
  ip('wire', 'link', 'add', 'wire', 'type', 'bridge');
  ip('wire', 'link', 'set', 'port', 'master', 'wire', 'up');
  ip('wire', 'link', 'set', 'wire', 'up');
  ip('host', 'link', 'set', LINK, 'up');
  ip('wire', 'addr', 'add', `${GATEWAY}/24`, 'dev', 'wire');
  ip('wire', 'addr', 'add', `fd00:110::${GATEWAY}/120`, 'dev', 'wire', 'nodad');
  ip(
    'host',
    'link',
    'add',
    'link',
    LINK,
    'name',
    'eth0',
    'address',
    '02:67:0a:6e:00:83',
    'netns',
    name('pod'),
    'type',
    'macvlan',
    'mode',
    'bridge',
  );
  ip('pod', 'addr', 'add', '10.110.0.131/24', 'dev', 'eth0');
  ip('pod', 'addr', 'add', 'fd00:110::10.110.0.131/120', 'dev', 'eth0', 'nodad');
  ip('pod', 'link', 'set', 'eth0', 'up');

  const strangers = new Set<ChildProcess>();
  const endStrangers = async () => {
    const ended = [...strangers].map(
      (one) => new Promise((resolve) => ((one.exitCode ?? one.signalCode) === null ? one.once('exit', resolve) : resolve(0))),
    );
    for (const one of strangers) one.kill('SIGKILL');
    strangers.clear();
    await Promise.all(ended);
  };
  return {
    onHost: ['ip', 'netns', 'exec', name('host')],
    ip,
    command: (where, ...args) => run('netns', 'exec', name(where), ...args),
    stranger(...frames) {
      const child = spawn('ip', ['netns', 'exec', name('wire'), stranger, 'wire', ...frames], { stdio: ['ignore', 'pipe', 'ignore'] });
      strangers.add(child);
      return new Promise((resolve, reject) => {
        child.stdout.once('data', () => resolve());
        child.once('exit', (code) => reject(new Error(`the stranger ended with ${code}`)));
      });
    },
    endStrangers,
    probe(...args) {
      const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', name('host'), probe, ...args], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      return { status, stdout, stderr };
    },
    macOf: (where, link) => JSON.parse(ip(where, '-j', 'link', 'show', 'dev', link))[0].address,
    async remove() {
      await endStrangers();
      for (const where of all) run('netns', 'del', name(where));
    },
  };
}
