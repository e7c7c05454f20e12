/**
 * Pods wired by `gala cni` as it is published, on a control plane of the bed, beside the chain of reference plugins: macvlan, with
 * addresses by static. Both are called as containerd calls them, in one network namespace, one after the other.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../../../bed/control-plane.ts';
import { start, until } from '../../../bed/process.ts';
import { compiledShim } from '../../../network/a-shim.ts';
import { bundle } from '../../../tools/bundle.ts';
import type { Tools } from '../../area.ts';
import { REPOSITORY } from '../../child.ts';

export interface Wired {
  /** Milliseconds of an ADD. */
  readonly ours: readonly number[];
  readonly chain: readonly number[];
  /** Pods a second, of each burst. */
  readonly burst: { readonly ours: readonly number[]; readonly chain: readonly number[] };
  /** Resident, with all pods wired. */
  readonly megabytes: number;
}

const NODE = 'node-1';
const GALA = '/apis/gala.internal/v1alpha1';
const ADDS = 60;
const BURST = 50;
const BURSTS = 5;
const PODS = 100;
const addressOf = (pod: number) => `10.110.0.${10 + pod}`;
const macOf = (pod: number) => `02:67:0a:6e:00:${(10 + pod).toString(16).padStart(2, '0')}`;

export async function wired({ folder, say }: Tools): Promise<Wired> {
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  try {
    const uids = await known(bed);
    const shim = compiledShim(folder);
    const host = await aHost(bed, folder, shim);
    const socket = join(folder, 'run/cni.sock');
    const ours = (pod: number): Called => ({
      program: shim,
      config: { cniVersion: '1.0.0', name: 'gala', type: 'gala', socket },
      args: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-${pod};K8S_POD_UID=${uids[pod]}`,
    });
    // Addresses of another range: both are on one wire.
    const chain = (pod: number): Called => ({
      program: '/usr/lib/cni/macvlan',
      config: {
        ...{ cniVersion: '1.0.0', name: 'chain', type: 'macvlan', master: 'bond0.110', mode: 'bridge' },
        ipam: { type: 'static', addresses: [{ address: `10.110.1.${10 + pod}/23`, gateway: '10.110.0.1' }] },
      },
      args: '',
    });
    await probed(bed);
    const times = { ours: [] as number[], chain: [] as number[] };
    for (let at = 0; at < ADDS; at++) {
      times.ours.push(await once(host, ours(at % PODS)));
      times.chain.push(await once(host, chain(at % PODS)));
    }
    say(`an ADD: ${middle(times.ours)} ms, the chain ${middle(times.chain)} ms`);
    const burst = { ours: [] as number[], chain: [] as number[] };
    for (let turn = 0; turn < BURSTS; turn++) {
      burst.ours.push(await atOnce(host, ours));
      burst.chain.push(await atOnce(host, chain));
    }
    say(`${BURST} at once: ${middle(burst.ours)} pods/s, the chain ${middle(burst.chain)} pods/s`);
    const spaces = Array.from({ length: PODS }, () => host.aNetns());
    for (const [pod, netns] of spaces.entries()) await call(host, 'ADD', netns, ours(pod));
    const megabytes = (Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))![1]) * 1024) / 1e6;
    say(`${PODS} pods: ${megabytes.toFixed(0)} MB`);
    for (const [pod, netns] of spaces.entries()) await call(host, 'DEL', netns, ours(pod));
    for (const netns of spaces) host.remove(netns);
    return { ...times, burst, megabytes };
  } finally {
    await bed.stop();
  }
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!.toFixed(1);

interface Called {
  readonly program: string;
  readonly config: object;
  readonly args: string;
}

interface Host {
  readonly pid: number;
  aNetns(): string;
  remove(netns: string): void;
  within(command: readonly [string, ...string[]]): readonly [string, ...string[]];
}

async function once(host: Host, called: Called): Promise<number> {
  const netns = host.aNetns();
  const took = await call(host, 'ADD', netns, called);
  await call(host, 'DEL', netns, called);
  host.remove(netns);
  return took;
}

/** @returns pods a second */
async function atOnce(host: Host, of: (pod: number) => Called): Promise<number> {
  const spaces = Array.from({ length: BURST }, () => host.aNetns());
  const began = performance.now();
  await Promise.all(spaces.map((netns, pod) => call(host, 'ADD', netns, of(pod))));
  const took = performance.now() - began;
  await Promise.all(spaces.map((netns, pod) => call(host, 'DEL', netns, of(pod))));
  for (const netns of spaces) host.remove(netns);
  return BURST / (took / 1000);
}

/** @returns milliseconds, from the start of the process to its end */
function call(host: Host, verb: string, netns: string, { program, config, args }: Called): Promise<number> {
  const [command, ...rest] = host.within([program]);
  const env = {
    ...{ CNI_COMMAND: verb, CNI_CONTAINERID: netns, CNI_NETNS: `/var/run/netns/${netns}`, CNI_IFNAME: 'eth0' },
    ...{ CNI_PATH: '/usr/lib/cni', CNI_ARGS: args, PATH: process.env.PATH },
  };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.stderr.on('data', (part) => {
      out += part;
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(performance.now() - began) : reject(new Error(`${program} ${verb}: ${out}`))));
    child.stdin.end(JSON.stringify(config));
  });
}

/** Kinds, the pool, this node, and an address for each pod. @returns UIDs */
async function known(bed: Bed): Promise<string[]> {
  const kinds = ['hostpools', 'iplocks', 'nodenetworks'].flatMap((name) =>
    parseAllDocuments(readFileSync(join(REPOSITORY, `imports/crds/${name}.yaml`), 'utf8')).map((it) => it.toJS() as KubeObject),
  );
  const vlan = { id: 110, subnet: '10.110.0.0/23', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.200' };
  const intranet = { trunk: 'bond0', racks: [{ name: 'r1', hosts: NODE }], vlans: [vlan] };
  const gala = (kind: string, name: string, spec: object) =>
    ({ apiVersion: 'gala.internal/v1alpha1', kind, metadata: { name }, spec }) as unknown as KubeObject;
  const limits = { 'kubernetes.io/egress-bandwidth': '200M', 'kubernetes.io/ingress-bandwidth': '200M' };
  const pods = Array.from({ length: PODS }, (_, pod) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${pod}`, annotations: limits },
    spec: { nodeName: NODE, containers: [{ name: 'main', image: 'bed.local/business:1' }] },
  }));
  const applied = await bed.apply([
    ...kinds,
    gala('HostPool', 'web', { shape: 'intranet', intranet }),
    gala('NodeNetwork', NODE, { machineID: 'ab12', pool: 'web', trunk: 'bond0' }),
    { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, labels: { 'gala.internal/pool': 'web' } } } as KubeObject,
    // Without controllers nobody else makes it.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } } as KubeObject,
    ...(pods as unknown as KubeObject[]),
  ]);
  const wrong = applied.filter(({ result }) => result === 'refused');
  if (wrong.length > 0) throw new Error(wrong.map(({ object, message }) => `${object}: ${message}`).join('\n'));
  await bed.request(
    'PATCH',
    `/api/v1/nodes/${NODE}/status`,
    { status: { addresses: [{ type: 'InternalIP', address: '10.8.1.11' }], nodeInfo: { machineID: 'ab12' } } },
    MERGE,
  );
  const uids: string[] = [];
  for (let pod = 0; pod < PODS; pod++) {
    const { body } = await bed.request('GET', `/api/v1/namespaces/default/pods/pod-${pod}`);
    uids.push(body.metadata.uid);
    const spec = { phase: 'Locked', node: NODE, mac: macOf(pod), owner: `default/pod-${pod}`, podUID: body.metadata.uid };
    const made = await bed.request('POST', `${GALA}/iplocks`, gala('IPLock', addressOf(pod), spec));
    if (made.status !== 201) throw new Error(`IPLock ${addressOf(pod)}: ${made.body.message}`);
  }
  return uids;
}

/** An address is looked for on the wire for about a second once it is locked, and an ADD that comes earlier waits: what it costs is not that. */
async function probed(bed: Bed): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { body } = await bed.request('GET', `${GALA}/iplocks`);
    const all = body.items as { status?: { conditions?: { type: string }[] } }[];
    const left = all.filter(({ status }) => !status?.conditions?.some(({ type }) => type === 'Probed')).length;
    if (left === 0) return;
    if (tries > 600) throw new Error(`${left} of ${all.length} IPLocks are not Probed after a minute`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const MERGE = { 'content-type': 'application/merge-patch+json' };

/** The bed's own network namespace plays the host: from there the agent reaches the API server. */
async function aHost(bed: Bed, folder: string, shim: string): Promise<Host> {
  const { network } = bed;
  const ip = (...args: string[]) => {
    const [command, ...rest] = network.within(['ip', ...args]);
    execFileSync(command, rest, { stdio: 'pipe' });
  };
  ip('link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'bond0.110');
  ip('addr', 'add', '10.8.1.11/24', 'dev', 'bond0');
  for (const link of ['bond0', 'bond0.110']) ip('link', 'set', link, 'up');
  await bundle(join(folder, 'build/bin'));
  execFileSync('cp', [join(REPOSITORY, 'package.json'), folder]);
  const options = {
    '--kubeconfig': bed.kubeconfig,
    '--node-name': NODE,
    '--socket': join(folder, 'run/cni.sock'),
    '--run-folder': join(folder, 'run'),
    ...{ '--shim': shim, '--probe': join(folder, 'stage/shim/gala-probe'), '--wire': join(folder, 'stage/shim/gala-wire') },
    ...{ '--cni-bin-dir': join(folder, 'bin'), '--cni-conf-dir': join(folder, 'conf'), '--cri-socket': join(folder, 'nothing.sock') },
    '--health-port': '0',
  };
  const program = `import { run } from ${JSON.stringify(join(folder, 'build/bin/gala.js'))}; await run(process.argv.slice(1));`;
  // As the image sets it (Dockerfile).
  const node = [
    process.execPath,
    '--max-semi-space-size=4',
    '--input-type=module',
    '-e',
    program,
    '--',
    'cni',
    ...Object.entries(options).flat(),
  ];
  const sysfs = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', 'mount -t sysfs sysfs /sys && exec "$@"', 'sh'];
  const agent = start('cni', network.within([sysfs[0]!, ...sysfs.slice(1), ...node] as [string, ...string[]]), join(folder, 'cni.log'));
  bed.atEnd(agent.kill);
  await until('serving', agent, 60, async () => agent.log().includes('installed on the host'));
  let made = 0;
  const names = new Set<string>();
  const remove = (name: string) => {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' });
    names.delete(name);
  };
  bed.atEnd(async () => {
    for (const name of names) remove(name);
  });
  return {
    pid: agent.pid,
    remove,
    within: network.within,
    aNetns() {
      const name = `gala-b${process.pid}-${made++}`;
      execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
      names.add(name);
      return name;
    },
  };
}
