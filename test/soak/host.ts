/**
 * A host of the network's soak: a network namespace with `gala cni` in it, as it is published, on the wire of all hosts; and its
 * container runtime, which this process plays: it makes namespaces, calls the shim, and says by CRI which sandboxes it has.
 *
 * Each host has a /run/netns of its own, as machines have: an agent takes down links that it finds in namespaces of nobody.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { message } from '../../lib/network/agent/grpc.ts';
import type { Bed } from '../bed/control-plane.ts';
import { type Started, start, until } from '../bed/process.ts';
import type { FaultProxy } from '../bed/proxy.ts';
import { aRuntime, type Runtime } from '../network/agent/a-runtime.ts';

export interface HostOptions {
  readonly name: string;
  readonly folder: string;
  /** Links of this host's namespace. */
  readonly proxy: FaultProxy;
  readonly shim: string;
  readonly wire: string;
  readonly probe: string;
  /** The bundle of the programs. */
  readonly gala: string;
  /** Name of the bridge's namespace: the wire. */
  readonly wireNetns: string;
  /** Its own address. */
  readonly ip: string;
  /** Ends the processes. */
  readonly bed: Pick<Bed, 'atEnd'>;
  /** Done when they have ended, the last one first. */
  atEnd(act: () => unknown): void;
}

export interface Sandbox {
  readonly id: string;
  readonly netns: string;
  /** From this process. */
  readonly file: string;
  readonly podUID: string;
  readonly podName: string;
}

export interface Told {
  readonly code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the plugin answers
  readonly out: any;
}

export interface Host {
  readonly name: string;
  kill(): Promise<void>;
  begin(): Promise<void>;
  /** The runtime answers no more, until it is back. */
  runtimeAway(): Promise<void>;
  runtimeBack(): Promise<void>;
  aSandbox(pod: { readonly name: string; readonly uid: string }): Sandbox;
  call(verb: 'ADD' | 'DEL', sandbox: Sandbox): Promise<Told>;
  /** ADD was answered: the runtime lists it. */
  runs(sandbox: Sandbox): void;
  remove(sandbox: Sandbox): void;
  /** IPv4 addresses of all sandboxes there are, with who has them. */
  addresses(): Promise<{ readonly ip: string; readonly sandbox: Sandbox }[]>;
  /** What an agent has on the host: links, routes and neighbours, notes. */
  left(): string[];
  lastLines(): string;
}

const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });

export async function aHost(options: HostOptions): Promise<Host> {
  const { name, folder, proxy, wireNetns, atEnd } = options;
  const at = join(folder, name);
  const namespaces = join(at, 'netns');
  mkdirSync(namespaces, { recursive: true });
  // A mount of its own that is shared: namespaces that come later are seen where it is bound.
  run('mount', '--bind', namespaces, namespaces);
  run('mount', '--make-shared', namespaces);
  atEnd(() => run('umount', '--lazy', namespaces));
  const host = `gala-soak-${process.pid}-${name}`;
  run('ip', 'netns', 'add', host);
  atEnd(() => run('ip', 'netns', 'del', host));
  const ip = (...args: string[]) => run('ip', '-n', host, ...args);
  // A veth for the trunk, and one for the VLAN on it: not every kernel has 802.1Q.
  ip('link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'switch');
  ip('link', 'add', 'bond0.110', 'type', 'veth', 'peer', 'name', name, 'netns', `/run/netns/${wireNetns}`);
  run('ip', '-n', wireNetns, 'link', 'set', name, 'master', 'wire', 'up');
  ip('addr', 'add', `${options.ip}/24`, 'dev', 'bond0');
  for (const link of ['lo', 'switch', 'bond0', 'bond0.110']) ip('link', 'set', link, 'up');
  await forwarded(options, host, at);

  const sandboxes = new Map<string, { readonly sandbox: Sandbox; runs: boolean }>();
  const cri = join(at, 'cri.sock');
  const answer = (path: string, request: Buffer): Buffer | { status: number; message: string } => {
    if (path.endsWith('/ListPodSandbox')) {
      const listed = [...sandboxes.values()].filter((one) => one.runs);
      return Buffer.concat(
        listed.map(({ sandbox: { id, podUID, podName } }) =>
          message({ 1: message({ 1: id, 2: message({ 1: podName, 2: podUID, 3: 'feed' }) }) }),
        ),
      );
    }
    const found = [...sandboxes.values()].find(({ sandbox }) => request.includes(sandbox.id));
    if (found === undefined) return { status: 5, message: 'not found' };
    const info = { runtimeSpec: { linux: { namespaces: [{ type: 'network', path: found.sandbox.netns }] } } };
    return Buffer.concat([message({ 2: message({ 1: 'info', 2: JSON.stringify(info) }) })]);
  };
  let runtime: Runtime | undefined = await aRuntime(cri, answer);
  atEnd(async () => await runtime?.close());

  let agent: Started | undefined;
  let agents = 0;
  let made = 0;
  const given = {
    ...{ '--kubeconfig': proxy.kubeconfig, '--node-name': name, '--socket': join(at, 'cni.sock'), '--run-folder': at },
    ...{ '--shim': options.shim, '--probe': options.probe, '--wire': options.wire, '--cri-socket': cri, '--health-port': '0' },
    ...{ '--cni-bin-dir': join(at, 'bin'), '--cni-conf-dir': join(at, 'conf') },
  };
  const program = `import { run } from ${JSON.stringify(options.gala)}; await run(process.argv.slice(1));`;
  const mounts = `mount -t sysfs sysfs /sys && mount --bind ${namespaces} /run/netns && exec "$@"`;
  const command: [string, ...string[]] = [
    ...['nsenter', `--net=/run/netns/${host}`, 'unshare', '--mount', '--propagation', 'slave', 'sh', '-c', mounts, 'sh'],
    ...[process.execPath, '--input-type=module', '-e', program, '--', 'cni', ...Object.entries(given).flat()],
  ] as [string, ...string[]];

  const it: Host = {
    name,
    async kill() {
      await agent?.kill();
    },
    async begin() {
      agent = start(`cni of ${name}`, command, join(at, `cni-${agents++}.log`));
      options.bed.atEnd(agent.kill);
    },
    async runtimeAway() {
      await runtime?.close();
      runtime = undefined;
    },
    async runtimeBack() {
      rmSync(cri, { force: true });
      runtime = await aRuntime(cri, answer);
    },
    aSandbox({ name: podName, uid: podUID }) {
      const id = `${name}s${process.pid}x${made++}`.replaceAll('-', '');
      const file = join(namespaces, id);
      writeFileSync(file, '');
      run('unshare', `--net=${file}`, 'true');
      const sandbox = { id, file, netns: `/run/netns/${id}`, podUID, podName };
      sandboxes.set(id, { sandbox, runs: false });
      return sandbox;
    },
    call: (verb, sandbox) => called(options.shim, verb, sandbox, join(at, 'cni.sock')),
    runs(sandbox) {
      sandboxes.get(sandbox.id)!.runs = true;
    },
    remove({ id, file }) {
      run('umount', file);
      rmSync(file);
      sandboxes.delete(id);
    },
    async addresses() {
      const all = [...sandboxes.values()].map(({ sandbox }) => sandbox);
      const found = await Promise.all(
        all.map(async (sandbox) => {
          const lines = await said('nsenter', [`--net=${sandbox.file}`, 'ip', '-4', '-o', 'addr', 'show', 'scope', 'global']);
          return [...lines.matchAll(/ inet ([\d.]+)\//g)].map(([, ip]) => ({ ip: ip!, sandbox }));
        }),
      );
      return found.flat();
    },
    left() {
      const links = (JSON.parse(ip('-j', 'link')) as { ifname: string }[]).map(({ ifname }) => `link ${ifname}`);
      const lines = (kind: string, text: string) =>
        text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [`${kind} ${line.trim()}`]));
      return [
        ...links,
        ...lines('route', ip('route')),
        ...lines('neighbour', ip('neigh', 'show', 'nud', 'permanent')),
        ...['journal', 'tombstones'].flatMap((each) => files(join(at, each)).map((file) => `${each} ${file}`)),
        ...[...sandboxes.keys()].map((id) => `sandbox ${id}`),
      ].filter((one) => !before.has(one));
    },
    lastLines: () => `${name}:\n${agent?.lastLines(25)}`,
  };
  const before = new Set<string>();
  for (const one of it.left()) before.add(one);
  await it.begin();
  await until('serving', agent!, 90, async () => agent!.log().includes('installed on the host'));
  return it;
}

/** Programs take plain HTTP on loopback only, and that of the host's namespace is another: by a socket file from there to here. */
async function forwarded({ proxy, bed, atEnd }: HostOptions, host: string, at: string): Promise<void> {
  const path = join(at, 'api.sock');
  const port = Number(new URL(proxy.url).port);
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  atEnd(() => void server.close());
  const there = `const { connect, createServer } = require('node:net');
    createServer((from) => {
      const to = connect(${JSON.stringify(path)});
      for (const [one, other] of [[from, to], [to, from]]) one.on('error', () => other.destroy()).on('close', () => other.destroy());
      from.pipe(to).pipe(from);
    }).listen(${port}, '127.0.0.1', () => console.log('forwarding'));`;
  const forwarder = start('forwarder', ['nsenter', `--net=/run/netns/${host}`, process.execPath, '-e', there], join(at, 'forwarder.log'));
  bed.atEnd(forwarder.kill);
  await until('forwarding', forwarder, 60, async () => forwarder.log().includes('forwarding'));
}

function called(shim: string, verb: string, sandbox: Sandbox, socket: string): Promise<Told> {
  const env = {
    ...{ CNI_COMMAND: verb, CNI_CONTAINERID: sandbox.id, CNI_NETNS: sandbox.netns, CNI_IFNAME: 'eth0', CNI_PATH: '/opt/cni/bin' },
    CNI_ARGS: `K8S_POD_NAMESPACE=feed;K8S_POD_NAME=${sandbox.podName};K8S_POD_UID=${sandbox.podUID}`,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(shim, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: out === '' ? undefined : JSON.parse(out) }));
    child.stdin.end(JSON.stringify({ cniVersion: '1.1.0', name: 'gala', type: 'gala', socket }));
  });
}

function said(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.on('error', reject);
    // One that was removed meanwhile has nothing.
    child.on('close', (code) => resolve(code === 0 ? out : ''));
  });
}

function files(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
