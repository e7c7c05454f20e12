/**
 * A node: a User-Mode Linux machine with a disk of its own, plugged into the bed's switch, that runs containerd and a kubelet. Its
 * root is this machine's own file system, which it cannot change. It ends with the bed, or with whoever started it.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compile } from './compile.ts';
import type { Bed } from './control-plane.ts';
import type { Image } from './images.ts';
import { type NodePort, nodePort, type Ran, type RunOptions } from './node-port.ts';
import { command } from './parts.ts';
import { type Started, start, until } from './process.ts';
import type { RackSwitch } from './rack-switch.ts';

export interface NodeOptions {
  readonly name: string;
  /** With its prefix length, on the trunk itself. */
  readonly address: string;
  /** What its NIC is called. */
  readonly trunk: string;
  /** Files by path that it has at each boot. One that begins with `#!` can be run; `etc/rc.local` is, once the network is up. */
  readonly files: Readonly<Record<string, string>>;
  readonly images: readonly Image[];
  readonly memoryMiB: number;
}

export interface Nic {
  /** Its MAC address, by which the node knows it; `vec1` is what the node's kernel calls it at first. */
  readonly mac: string;
  readonly name: string;
}

export interface BedNode {
  readonly name: string;
  /** Its InternalIP. */
  readonly address: string;
  /** Its own folder, seen under this path from inside too. */
  readonly folder: string;
  /** Runs a command in the node, as root; works without network, kubelet and containerd. */
  exec(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The same, for its stdout; rejects on any other exit code than 0. */
  mustExec(argv: readonly string[], options?: RunOptions): Promise<string>;
  /** Plugs a further NIC in while the node runs, as EC2 attaches an ENI. */
  plugNic(nic: { readonly mac: string }): Promise<Nic>;
  /** Pulls it out, in whichever network namespace of the node it is. */
  unplugNic(nic: { readonly mac: string }): Promise<void>;
  /** Brings an image in; it stays. */
  import(image: Image): Promise<void>;
  /** Switches it on; resolves at the end of its init, when the kubelet is starting. */
  boot(): Promise<void>;
  /** Writes everything to disk and switches off; by force after 20 s. */
  halt(): Promise<void>;
  /** `halt`, then `boot`. */
  reboot(): Promise<void>;
  /** Pulls the plug: nothing is written any more. */
  kill(): Promise<void>;
  /** Whether it is switched on. */
  running(): boolean;
  log(of: 'console' | 'containerd' | 'kubelet'): string;
  /** The end of each log, for messages. */
  lastLines(): string;
}

const INIT = fileURLToPath(new URL('uml/init.sh', import.meta.url));
/** Room for images and volumes; what is not written takes none (sparse). */
const DISK_BYTES = 8 * 1024 ** 3;
/** Two idle cores take 4 s; a machine that is busy otherwise, many times that. */
const BOOT_SECONDS = 120;
const HALT_MS = 20_000;

/** sun_path of unix(7), without the NUL at its end. */
const LONGEST_SOCKET = 107;

/** A node that is switched off. */
export function aNode(bed: Bed, rack: RackSwitch, options: NodeOptions): BedNode {
  const { name, memoryMiB } = options;
  const folder = join(bed.folder, 'nodes', name);
  if (consoleOf(folder).length > LONGEST_SOCKET)
    throw new Error(
      `${name}: ${consoleOf(folder)} has ${consoleOf(folder).length} characters; a socket's path has at most ${LONGEST_SOCKET}. Set XDG_CACHE_HOME to a shorter folder, or give a shorter name.`,
    );
  const within = (file: string) => join(folder, file);
  furnish(folder, rack, options);
  const tap = rack.plug();
  let on: { readonly machine: Started; readonly port: NodePort } | undefined;
  const nics = new Map<string, { readonly device: string; readonly tap: string }>();
  let plugged = 0;

  const running = () => {
    if (on === undefined) throw new Error(`${name} is switched off`);
    return on;
  };
  const exec: BedNode['exec'] = async (argv, limits) => await running().port.run(argv, limits);
  const mustExec: BedNode['mustExec'] = async (argv, limits) => {
    const { code, stdout, stderr } = await exec(argv, limits);
    if (code !== 0) throw new Error(`${argv.join(' ')} in ${name} ended with exit code ${code}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  };
  const log: BedNode['log'] = (of) => (existsSync(within(`${of}.log`)) ? readFileSync(within(`${of}.log`), 'utf8') : '');
  const off = async () => {
    const was = on;
    on = undefined;
    await was?.machine.kill();
  };

  const node: BedNode = {
    ...{ name, folder, exec, mustExec, log },
    address: options.address.replace(/\/.*/, ''),
    running: () => on !== undefined,
    lastLines: () =>
      (['console', 'containerd', 'kubelet'] as const)
        .map((each) => `${name}, ${each}:\n${log(each).trimEnd().split('\n').slice(-8).join('\n')}`)
        .join('\n'),
    boot: async () => {
      if (on !== undefined) throw new Error(`${name} is switched on already`);
      // What was plugged in while it ran is not there at the next start, and a node that was killed leaves a socket and a pid file.
      for (const nic of nics.values()) rack.unplug(nic.tap);
      nics.clear();
      rmSync(within('uml'), { recursive: true, force: true });
      mkdirSync(within('uml'));
      mkdirSync(within('memory'), { recursive: true });
      const machine = start(
        name,
        bed.network.within(kernel(folder, { tap, memoryMiB, mac: macOf(node.address) })),
        within('console.log'),
        undefined,
        true,
      );
      bed.hold(machine);
      const port = nodePort(name, machine.port!, within('exec'), machine.ended);
      on = { machine, port };
      void machine.ended.then(() => {
        if (on?.machine === machine) on = undefined;
      });
      await until('booted', machine, BOOT_SECONDS, async () => port.ready());
    },
    halt: async () => {
      const { machine, port } = running();
      port.halt();
      await Promise.race([machine.ended, new Promise((resolve) => setTimeout(resolve, HALT_MS).unref())]);
      await off();
    },
    reboot: async () => {
      await node.halt();
      await node.boot();
    },
    kill: off,
    plugNic: async ({ mac }) => {
      const nic = { device: `vec${++plugged}`, tap: rack.plug() };
      await mconsole(bed, folder, `config ${nic.device}:transport=tap,ifname=${nic.tap},depth=64,mac=${mac}`);
      nics.set(mac, nic);
      return { mac, name: nic.device };
    },
    unplugNic: async ({ mac }) => {
      const nic = nics.get(mac);
      if (nic === undefined) throw new Error(`${name} has no plugged NIC ${mac}; it has ${[...nics.keys()].join(', ') || 'none'}`);
      await mustExec(['sh', '-c', DOWN, 'sh', mac]);
      await mconsole(bed, folder, `remove ${nic.device}`);
      rack.unplug(nic.tap);
      nics.delete(mac);
    },
    import: async ({ archive }) => {
      const file = within(`images/${basename(archive)}`);
      if (!existsSync(file)) execFileSync('cp', ['--reflink=auto', archive, file]);
      await mustExec(['ctr', '-n', 'k8s.io', 'images', 'import', '--local', file], { seconds: 110 });
    },
  };
  return node;
}

/** The kernel removes a NIC that is down only. One in a pod's namespace is found there. */
const DOWN = `
for name in $(ip -o link | grep "$1" | sed 's/^[0-9]*: //; s/[:@].*//'); do ip link set "$name" down; done
for namespace in $(ip netns list | cut -d' ' -f1); do
  for name in $(ip -n "$namespace" -o link | grep "$1" | sed 's/^[0-9]*: //; s/[:@].*//'); do ip -n "$namespace" link set "$name" down; done
done`;

/**
 * The command line of the machine. It has a process namespace of its own, whose end takes every process of it along (User-Mode
 * Linux has one per process of the node), and its memory on a tmpfs that goes with its mount namespace: on a disk it would be
 * written back all the time.
 */
function kernel(folder: string, { tap, mac, memoryMiB }: { tap: string; mac: string; memoryMiB: number }): [string, ...string[]] {
  const alone = ['unshare', '--mount', '--pid', '--fork', '--kill-child'] as const;
  const memory = join(folder, 'memory');
  return [
    ...alone,
    ...['sh', '-c', `mount -t tmpfs -o mode=700 tmpfs "$0" && TMPDIR="$0" exec "$@"`, memory],
    ...[command('user-mode-linux')[0], `mem=${memoryMiB}M`, 'quiet', 'con=null', 'con0=null,fd:1', 'ssl=null', 'ssl0=fd:3'],
    ...[`uml_dir=${join(folder, 'uml')}/`, 'umid=node', `ubda=${join(folder, 'disk')}`],
    ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${INIT}`, `folder=${folder}`],
    `vec0:transport=tap,ifname=${tap},depth=128,mac=${mac}`,
  ];
}

/** Locally administered, and the same after every boot. Gala's own begin with 02:67. */
const macOf = (address: string) =>
  `02:00:${address
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join(':')}`;

/** Everything the node finds on its own folder at boot: settings, files, programs, images and an empty disk. */
function furnish(folder: string, rack: RackSwitch, { name, address, trunk, files, images }: NodeOptions): void {
  const within = (file: string) => join(folder, file);
  for (const each of ['bin', 'images', 'root']) mkdirSync(within(each), { recursive: true });
  const settings = { name, address, trunk, gateway: rack.gateway };
  writeFileSync(
    within('settings'),
    Object.entries(settings)
      .map(([key, value]) => `${key}='${value}'\n`)
      .join(''),
  );
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(within(`root/${path}`)), { recursive: true, mode: 0o755 });
    // Whatever umask this process has: the kubelet minds.
    writeFileSync(within(`root/${path}`), text);
    chmodSync(within(`root/${path}`), text.startsWith('#!') ? 0o755 : 0o600);
  }
  // By their own names: the node sees every folder of this machine, and one program tells by its name what to be.
  for (const part of ['containerd', 'containerd-shim-runc-v2', 'ctr', 'kubelet', 'runc'] as const)
    symlinkSync(realpathSync(command(part)[0]), within(`bin/${part}`));
  compile('serve', within('bin/serve'));
  for (const { archive } of images) execFileSync('cp', ['--reflink=auto', archive, within('images')]);
  writeFileSync(within('disk'), '');
  truncateSync(within('disk'), DISK_BYTES);
  execFileSync(command('xfsprogs')[0], ['-q', within('disk')], { stdio: 'pipe' });
}

/** Where the running kernel listens: `uml_dir` and `umid` of its command line. */
const consoleOf = (folder: string) => join(folder, 'uml/node/mconsole');

const run = promisify(execFile);

/** Tells the running kernel something; it answers within milliseconds, or never. */
async function mconsole(bed: Bed, folder: string, what: string): Promise<void> {
  // From within: the answer comes to an abstract socket, and those belong to a network namespace.
  const [program, ...args] = bed.network.within([command('uml-utilities')[0], consoleOf(folder), ...what.split(' ')]);
  const { stdout } = await run(program, args, { timeout: 10_000, killSignal: 'SIGKILL' });
  if (!stdout.startsWith('OK')) throw new Error(`${what}: ${stdout.trim()}`);
}
