/**
 * A stand for benches of `gala cni` as it is published: a control plane of the bed, and on it hosts, each a network namespace with an
 * agent in it: one whose pods stand on a VLAN, one whose pods get an ENI each. Shim and reference plugins are called as containerd
 * calls them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../../../bed/control-plane.ts';
import { type Started, start, until } from '../../../bed/process.ts';
import { compiledShim } from '../../../network/a-shim.ts';
import { bundle } from '../../../tools/bundle.ts';
import type { Tools } from '../../area.ts';
import { REPOSITORY, runWell } from '../../child.ts';

type Command = readonly [string, ...string[]];

/** Pods of the VLAN that are known from the beginning, each with its address. */
export const PODS = 100;
const ENI = { node: 'node-2', ip: '10.16.4.21', mac: '06:3f:aa:00:00:01' };
const VLAN_NODE = 'node-1';
const GALA = '/apis/gala.internal/v1alpha1';
const MERGE = { 'content-type': 'application/merge-patch+json' };
/** As the lock writer gives an address to a pod. */
const GIVEN = { type: 'Wired', status: 'Unknown', reason: 'Given', message: '', lastTransitionTime: '2026-11-27T00:00:00Z' };
export const addressOf = (pod: number) => `10.110.0.${10 + pod}`;
export const macOf = (pod: number) => `02:67:0a:6e:00:${(10 + pod).toString(16).padStart(2, '0')}`;

/** A plugin, as a runtime calls it. */
export interface Plugin {
  readonly program: string;
  readonly config: object;
  readonly args?: string;
}

export interface Host {
  /** Of the agent that runs now. */
  readonly pid: number;
  within(command: Command): Command;
  /** `ip` on the host. */
  ip(...args: string[]): string;
  /** A sandbox's network namespace. */
  aNetns(): string;
  remove(netns: string): void;
  /** @returns milliseconds, from the start of the process to its end, and what it printed; rejects where it fails */
  call(verb: 'ADD' | 'DEL', netns: string, plugin: Plugin): Promise<{ readonly ms: number; readonly out: string }>;
  /** As a DaemonSet does: told to end, and when it has, another one begins. */
  replaceAgent(): Promise<void>;
}

export interface Stand {
  readonly folder: string;
  readonly onVlan: Host;
  readonly onEni: Host;
  /** The CNI shim, for one of the pods of the VLAN, or for that of the ENI. */
  shimFor(pod: number | 'eni'): Plugin;
  /** Gives the address of a pod to one that takes its place, as the lock writer does, once it is wired no more. */
  replacePod(pod: number): Promise<void>;
  /** Sets the limits of a pod that is not wired now; empty: none. */
  limit(pod: number | 'eni', annotations: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** macvlan with addresses by static, of another range than Gala's: both are on one wire. */
export const chainFor = (pod: number, more: object = {}): Plugin => ({
  program: '/usr/lib/cni/macvlan',
  config: {
    ...{ cniVersion: '1.0.0', name: 'chain', type: 'macvlan', master: 'bond0.110', mode: 'bridge', ...more },
    ipam: { type: 'static', addresses: [{ address: `${chainAddressOf(pod)}/23`, gateway: '10.110.0.1' }] },
  },
});
export const chainAddressOf = (pod: number) => `10.110.1.${10 + pod}`;

export async function aStand({ folder }: Tools): Promise<Stand> {
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  try {
    const known = await objects(bed);
    const shim = compiledShim(folder);
    await bundle(join(folder, 'build/bin'));
    execFileSync('cp', [join(REPOSITORY, 'package.json'), folder]);
    const onVlan = await aHost(bed, { folder, shim, node: VLAN_NODE, within: bed.network.within }, (ip) => {
      ip('link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'bond0.110');
      ip('addr', 'add', '10.8.1.11/24', 'dev', 'bond0');
      for (const link of ['bond0', 'bond0.110']) ip('link', 'set', link, 'up');
    });
    const onEni = await aHost(bed, { folder, shim, node: ENI.node, within: linkedTo(bed) }, (ip) => {
      ip('link', 'add', 'ens6', 'address', ENI.mac, 'type', 'veth', 'peer', 'name', 'wire');
      ip('addr', 'add', '10.8.2.11/24', 'dev', 'eth0');
    });
    await probed(bed);
    return {
      ...{ folder, onVlan, onEni, stop: bed.stop },
      shimFor: (pod) => ({
        program: shim,
        config: {
          cniVersion: '1.0.0',
          name: 'gala',
          type: 'gala',
          socket: join(runFolder(folder, pod === 'eni' ? ENI.node : VLAN_NODE), 'cni.sock'),
        },
        args: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${known.nameOf(pod)};K8S_POD_UID=${known.uidOf(pod)}`,
      }),
      replacePod: known.replace,
      limit: known.limit,
    };
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

/** Kinds, both pools and nodes, and an address for each pod. */
async function objects(bed: Bed) {
  const done = async (method: string, path: string, body: object, headers = {}) => {
    const answer = await bed.request(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.message}`);
    return answer.body;
  };
  const kinds = ['hostpools', 'iplocks', 'nodenetworks'].flatMap((name) =>
    parseAllDocuments(readFileSync(join(REPOSITORY, `imports/crds/${name}.yaml`), 'utf8')).map((it) => it.toJS() as KubeObject),
  );
  const gala = (kind: string, name: string, spec: object) =>
    ({ apiVersion: 'gala.internal/v1alpha1', kind, metadata: { name }, spec }) as unknown as KubeObject;
  const vlan = { id: 110, subnet: '10.110.0.0/23', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.200' };
  const node = (name: string, pool: string, providerID?: string) =>
    ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'gala.internal/pool': pool } }, spec: { providerID } }) as KubeObject;
  const zone = { name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1', podSubnetCidr: '10.16.4.0/24' };
  const providerID = 'aws:///ap-northeast-1a/i-0123456789abcdef0';
  const eniSlots = [{ networkCardIndex: 0, deviceIndex: 1, eniId: 'eni-0a1b2c3d', mac: ENI.mac, ip: ENI.ip, subnetId: zone.podSubnetId }];
  const applied = await bed.apply([
    ...kinds,
    gala('HostPool', 'web', { shape: 'intranet', intranet: { trunk: 'bond0', racks: [{ name: 'r1', hosts: VLAN_NODE }], vlans: [vlan] } }),
    gala('HostPool', 'burst', {
      shape: 'ec2',
      ec2: {
        ...{ region: 'ap-northeast-1', instanceTypes: ['c5.large'], zones: [zone], imageId: 'ami-0abc1234', instanceProfile: 'gala-node' },
        ...{ securityGroupIds: { node: ['sg-0123abcd'], pod: ['sg-0123abce'] }, join: { eks: 'bed' }, size: { min: 0, max: 1 } },
      },
    }),
    gala('NodeNetwork', VLAN_NODE, { machineID: 'ab12', pool: 'web', trunk: 'bond0' }),
    gala('NodeNetwork', ENI.node, { providerID, pool: 'burst', eniSlots }),
    node(VLAN_NODE, 'web'),
    node(ENI.node, 'burst', providerID),
    // Without controllers nobody else makes it.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } } as KubeObject,
  ]);
  const wrong = applied.filter(({ result }) => result === 'refused');
  if (wrong.length > 0) throw new Error(wrong.map(({ object, message }) => `${object}: ${message}`).join('\n'));
  for (const [name, address] of [
    [VLAN_NODE, '10.8.1.11'],
    [ENI.node, '10.8.2.11'],
  ] as const)
    await done(
      'PATCH',
      `/api/v1/nodes/${name}/status`,
      { status: { addresses: [{ type: 'InternalIP', address }], nodeInfo: { machineID: 'ab12' } } },
      MERGE,
    );

  const LIMITS = { 'kubernetes.io/egress-bandwidth': '200M', 'kubernetes.io/ingress-bandwidth': '200M' };
  const pods = new Map<number | 'eni', { readonly name: string; readonly uid: string }>();
  async function begin(pod: number | 'eni', annotations: Readonly<Record<string, string>>): Promise<string> {
    const name = `pod-${pod}-${pods.get(pod)?.uid.slice(0, 8) ?? 'first'}`;
    const nodeName = pod === 'eni' ? ENI.node : VLAN_NODE;
    const made = await done('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name, annotations },
      spec: { nodeName, containers: [{ name: 'main', image: 'bed.local/business:1' }] },
    });
    pods.set(pod, { name, uid: made.metadata.uid });
    return made.metadata.uid;
  }
  const lockName = (pod: number | 'eni') => `${GALA}/iplocks/${pod === 'eni' ? ENI.ip : addressOf(pod)}`;
  for (const pod of ['eni' as const, ...Array.from({ length: PODS }, (_, at) => at)]) {
    const podUID = await begin(pod, pod === 'eni' ? {} : LIMITS);
    const place = pod === 'eni' ? { ip: ENI.ip, node: ENI.node, mac: ENI.mac } : { ip: addressOf(pod), node: VLAN_NODE, mac: macOf(pod) };
    const { ip, ...spec } = { ...place, phase: 'Locked', owner: `default/pod-${pod}`, podUID };
    await done('POST', `${GALA}/iplocks`, { ...gala('IPLock', ip, spec), status: { conditions: [GIVEN] } });
  }

  return {
    nameOf: (pod: number | 'eni') => pods.get(pod)!.name,
    uidOf: (pod: number | 'eni') => pods.get(pod)!.uid,
    async limit(pod: number | 'eni', annotations: Readonly<Record<string, string>>) {
      const keys = Object.keys(LIMITS).map((key) => [key, annotations[key] ?? null] as const);
      await done(
        'PATCH',
        `/api/v1/namespaces/default/pods/${pods.get(pod)!.name}`,
        { metadata: { annotations: Object.fromEntries(keys) } },
        MERGE,
      );
    },
    async replace(pod: number) {
      const path = lockName(pod);
      await done('DELETE', `/api/v1/namespaces/default/pods/${pods.get(pod)!.name}`, { gracePeriodSeconds: 0 });
      await eventually(`${addressOf(pod)} is given back`, async () => {
        const { status } = (await bed.request('GET', path)).body as { status?: { conditions?: { type: string; status: string }[] } };
        return status?.conditions?.some(({ type, status }) => type === 'Wired' && status === 'False') === true;
      });
      await done('PATCH', path, { spec: { phase: 'Held', podUID: null } }, MERGE);
      const { status } = (await bed.request('GET', path)).body as { status: { conditions: { type: string }[] } };
      const conditions = [...status.conditions.filter(({ type }) => type !== 'Wired'), GIVEN];
      await done('PATCH', path, { spec: { phase: 'Locked', podUID: await begin(pod, {}) }, status: { conditions } }, MERGE);
    },
  };
}

/** An address is looked for on the wire for about a second once it is locked, and an ADD that comes earlier waits: what it costs is not that. */
async function probed(bed: Bed): Promise<void> {
  await eventually('every IPLock is Probed', async () => {
    const { body } = await bed.request('GET', `${GALA}/iplocks`);
    const all = body.items as { status?: { conditions?: { type: string }[] } }[];
    return all.every(({ status }) => status?.conditions?.some(({ type }) => type === 'Probed'));
  });
}

async function eventually(what: string, right: () => Promise<boolean>): Promise<void> {
  await until(what, [], 90, right);
}

/** A host of its own beside the bed's network, from which it reaches the API server: 198.19.0.0/16 is of the test networks of RFC 2544. */
function linkedTo({ network, atEnd }: Bed): Host['within'] {
  const name = `gala-b${process.pid}-eni`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  ip('netns', 'add', name);
  atEnd(() => ip('netns', 'del', name));
  const onBed = (...args: string[]) => {
    const [program, ...rest] = network.within(['ip', ...args]);
    execFileSync(program, rest, { stdio: 'pipe' });
  };
  onBed('link', 'add', 'to-eni', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `/var/run/netns/${name}`);
  onBed('addr', 'add', '198.19.255.1/30', 'dev', 'to-eni');
  onBed('link', 'set', 'to-eni', 'up');
  ip('-n', name, 'addr', 'add', '198.19.255.2/30', 'dev', 'eth0');
  for (const link of ['lo', 'eth0']) ip('-n', name, 'link', 'set', link, 'up');
  ip('-n', name, 'route', 'add', network.address, 'via', '198.19.255.1');
  return (command) => ['nsenter', `--net=/var/run/netns/${name}`, ...command];
}

/** On tmpfs, as RUN_FOLDER is. */
const runFolder = (folder: string, node: string): string => `/dev/shm/gala-${basename(folder)}-${process.pid}-${node}`;

interface HostOptions {
  readonly folder: string;
  readonly shim: string;
  readonly node: string;
  readonly within: Host['within'];
}

async function aHost(bed: Bed, { folder, shim, node, within }: HostOptions, makeLinks: (ip: Host['ip']) => void): Promise<Host> {
  const ip: Host['ip'] = (...args) => {
    const [command, ...rest] = within(['ip', ...args]);
    return execFileSync(command, rest, { stdio: 'pipe', encoding: 'utf8' });
  };
  makeLinks(ip);
  const at = runFolder(folder, node);
  mkdirSync(at);
  bed.atEnd(async () => rmSync(at, { recursive: true }));
  const options = {
    ...{ '--kubeconfig': bed.kubeconfig, '--node-name': node, '--socket': join(at, 'cni.sock'), '--run-folder': at },
    ...{ '--shim': shim, '--probe': join(folder, 'stage/shim/gala-probe'), '--wire': join(folder, 'stage/shim/gala-wire') },
    ...{ '--cni-bin-dir': join(at, 'bin'), '--cni-conf-dir': join(at, 'conf'), '--cri-socket': join(at, 'nothing.sock') },
    '--health-port': '0',
  };
  const program = `import { run } from ${JSON.stringify(join(folder, 'build/bin/gala.js'))}; await run(process.argv.slice(1));`;
  // As the image sets it (Dockerfile).
  const settings = ['--max-semi-space-size=4', '--input-type=module', '-e', program, '--', 'cni'];
  const sysfs = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', 'mount -t sysfs sysfs /sys && exec "$@"', 'sh'] as const;
  let agents = 0;
  async function begin(): Promise<Started> {
    const command = within([...sysfs, process.execPath, ...settings, ...Object.entries(options).flat()]);
    const begun = start('cni', command, join(at, `cni-${agents++}.log`));
    bed.atEnd(begun.kill);
    return begun;
  }
  let agent = await begin();
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
    get pid() {
      return agent.pid;
    },
    ...{ remove, within, ip },
    aNetns() {
      const name = `gala-b${process.pid}-${node}-${made++}`;
      execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' });
      names.add(name);
      return name;
    },
    call: (verb, netns, plugin) => called(within([plugin.program]), verb, netns, plugin),
    async replaceAgent() {
      process.kill(agent.pid, 'SIGTERM');
      await agent.ended;
      agent = await begin();
    },
  };
}

function called(
  [command, ...rest]: Command,
  verb: string,
  netns: string,
  { program, config, args = '' }: Plugin,
): ReturnType<Host['call']> {
  const env = {
    ...{ CNI_COMMAND: verb, CNI_CONTAINERID: netns, CNI_NETNS: `/var/run/netns/${netns}`, CNI_IFNAME: 'eth0' },
    ...{ CNI_PATH: '/usr/lib/cni', CNI_ARGS: args, PATH: process.env.PATH },
  };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part) => {
        out += part;
      });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ ms: performance.now() - began, out });
      else reject(new Error(`${program} ${verb}: ${out}`));
    });
    child.stdin.end(JSON.stringify(config));
  });
}

/** traffic.c, for the ends of what is measured. */
export async function compiledTraffic(folder: string): Promise<string> {
  const to = join(folder, 'traffic');
  await runWell(['gcc', '-std=gnu11', '-O2', '-static', '-s', '-o', to, join(REPOSITORY, 'test/bench/areas/network/traffic.c')]);
  return to;
}
