/**
 * The CNI specification 1.1.0, verb by verb, over both modes: the shim as containerd calls it, the agent behind it, and this machine's
 * kernel. A veth stands for the VLAN's sub-interface, another for the ENI.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { required } from '../../bed/parts.ts';
import { INTRANET } from '../a-pool.ts';
import { compiledShim } from '../a-shim.ts';
import type { KnownAlone } from './agent-alone.ts';

const HOST = `gala-ah${process.pid}`;
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const canMakeNamespaces =
  process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'name', 'gala-in', 'type', 'ifb']).status === 0;
const suite = canMakeNamespaces || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED CNI conformance: network namespaces need root with CAP_NET_ADMIN\n');

const ENI_MAC = '06:3f:aa:00:00:01';
const MODES = {
  MacVlan: {
    ip: '10.110.0.130',
    mac: '02:67:0a:6e:00:82',
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

let folder: string;
let shim: string;
let agents: ReturnType<typeof spawn>;
let pods = 0;

/** A namespace as containerd makes one. */
const aNetns = () => {
  const name = `gala-ap${process.pid}-${pods++}`;
  ip('netns', 'add', name);
  return { name, path: `/var/run/netns/${name}`, id: `c${name.replaceAll('-', '')}` };
};
type Netns = ReturnType<typeof aNetns>;

function known(mode: keyof typeof MODES, over: Partial<KnownAlone> = {}): void {
  const { ip: address, mac, pool, network } = MODES[mode];
  const lock = { phase: 'Locked', node: 'h-r12-01', mac, owner: 'feed/a', podUID: 'pod-a' } as const;
  const all: KnownAlone = { node: 'h-r12-01', nodeIP: '10.8.1.11', pool, network, locks: { [address]: lock }, ...over };
  writeFileSync(join(folder, 'known.json'), JSON.stringify(all));
}

interface Asked {
  readonly verb: string;
  readonly netns?: Netns;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly pod?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the plugin answers
function call({ verb, netns, env = {}, config = {}, pod = 'pod-a' }: Asked): { code: number | null; out: any } {
  const given = { cniVersion: '1.1.0', name: 'gala', type: 'gala', socket: join(folder, 'cni.sock'), ...config };
  const all = {
    CNI_COMMAND: verb,
    CNI_PATH: '/opt/cni/bin',
    ...(netns && { CNI_CONTAINERID: netns.id, CNI_NETNS: netns.path, CNI_IFNAME: 'eth0' }),
    CNI_ARGS: `K8S_POD_NAMESPACE=feed;K8S_POD_NAME=a;K8S_POD_UID=${pod}`,
    ...env,
  };
  const { status, stdout } = spawnSync(shim, { env: all, input: JSON.stringify(given), encoding: 'utf8' });
  return { code: status, out: stdout === '' ? undefined : JSON.parse(stdout) };
}
const links = (netns: string) =>
  JSON.parse(ip('-n', netns, '-j', 'addr') || '[]') as { ifname: string; address: string; addr_info: object[] }[];
const namesIn = (netns: string) =>
  links(netns)
    .map(({ ifname }) => ifname)
    .sort();

suite('the CNI specification', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gala-agent-'));
    shim = compiledShim(folder);
    ip('netns', 'add', HOST);
    ip('-n', HOST, 'link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'bond0.110');
    ip('-n', HOST, 'link', 'add', 'ens6', 'address', ENI_MAC, 'type', 'veth', 'peer', 'name', 'wire');
    ip('-n', HOST, 'addr', 'add', '10.8.1.11/24', 'dev', 'bond0');
    for (const link of ['lo', 'bond0', 'bond0.110', 'wire']) ip('-n', HOST, 'link', 'set', link, 'up');
    known('MacVlan');
    const given = JSON.stringify({ folder, known: join(folder, 'known.json') });
    const program = join(import.meta.dirname, 'agent-alone.ts');
    agents = spawn('ip', ['netns', 'exec', HOST, process.execPath, '-C', 'gala-source', program, given], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      agents.stdout!.once('data', () => resolve());
      agents.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    });
  }, 60_000);
  afterAll(() => {
    agents?.kill();
    for (let at = 0; at < pods; at++) spawnSync('ip', ['netns', 'del', `gala-ap${process.pid}-${at}`]);
    spawnSync('ip', ['netns', 'del', HOST]);
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(['MacVlan', 'ENI'] as const)('%s', (mode) => {
    const { ip: address, mac } = MODES[mode];
    const added = (netns: Netns, config = {}) => {
      const { code, out } = call({ verb: 'ADD', netns, config });
      if (code !== 0) throw new Error(JSON.stringify(out));
      return out;
    };
    const deleted = (netns: Netns) => expect(call({ verb: 'DEL', netns })).toEqual({ code: 0, out: undefined });
    const clean = (before: string[]) => expect(namesIn(HOST)).toEqual(before);
    let before: string[];
    beforeAll(() => {
      known(mode);
      before = namesIn(HOST);
    });

    test.each(['0.4.0', '1.0.0', '1.1.0'])('ADD of %s gives the address that was locked, and DEL takes it all back', (cniVersion) => {
      const netns = aNetns();
      const out = added(netns, { cniVersion });
      expect(out.cniVersion).toBe(cniVersion);
      expect(out.ips[0]).toMatchObject({ address: `${address}/24`, interface: 0 });
      expect(out.interfaces[0]).toMatchObject({ name: 'eth0', mac, sandbox: netns.path });
      const eth0 = links(netns.name).find(({ ifname }) => ifname === 'eth0');
      expect(eth0).toMatchObject({
        address: mac,
        addr_info: expect.arrayContaining([expect.objectContaining({ local: address, prefixlen: 24 })]),
      });
      deleted(netns);
      expect(namesIn(netns.name)).toEqual(['lo']);
      clean(before);
    });

    test('ADD again for what is wired says the same, since its answer may have been lost', () => {
      const netns = aNetns();
      expect(added(netns)).toEqual(added(netns));
      deleted(netns);
      clean(before);
    });

    test('ADD into an interface of somebody else is refused, and leaves that as it is', () => {
      const netns = aNetns();
      ip('-n', netns.name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
      expect(call({ verb: 'ADD', netns })).toMatchObject({ code: 1, out: { code: 111, cniVersion: '1.1.0' } });
      expect(namesIn(netns.name)).toEqual(['eth0', 'lo', 'other']);
      ip('-n', netns.name, 'link', 'del', 'eth0');
      clean(before);
    });

    test('a pod whose address is locked for another, or for none, is refused with the gate or the remedy', () => {
      const netns = aNetns();
      const { code, out } = call({ verb: 'ADD', netns, pod: 'pod-z' });
      expect([code, out.code]).toEqual([1, 100]);
      expect(out.details).toContain('gala.internal/lock');
      expect(namesIn(netns.name)).toEqual(['lo']);
    });

    test('DEL succeeds twice, without a namespace, and for what was never there', () => {
      const netns = aNetns();
      added(netns);
      deleted(netns);
      deleted(netns);
      const other = aNetns();
      // An ENI comes back to the host when its namespace goes; the veth that stands for it here would go too (nodes.bed.test.ts).
      if (mode === 'MacVlan') {
        added(other);
        ip('netns', 'del', other.name);
      }
      expect(call({ verb: 'DEL', netns: other, env: { CNI_NETNS: '' } })).toEqual({ code: 0, out: undefined });
      expect(call({ verb: 'DEL', netns: { ...other, id: 'never' }, env: { CNI_NETNS: '/var/run/netns/gone' } })).toEqual({
        code: 0,
        out: undefined,
      });
      clean(before);
    });

    test('CHECK is content with what ADD left, and names what was changed', () => {
      const netns = aNetns();
      const prevResult = added(netns);
      expect(call({ verb: 'CHECK', netns, config: { prevResult } })).toEqual({ code: 0, out: undefined });
      ip('-n', netns.name, 'addr', 'del', `${address}/24`, 'dev', 'eth0');
      const { code, out } = call({ verb: 'CHECK', netns, config: { prevResult } });
      expect([code, out.code]).toEqual([1, 115]);
      expect(out.details).toContain(`eth0 has no address ${address}/24`);
      deleted(netns);
      expect(call({ verb: 'CHECK', netns, config: { prevResult } }).out.code).toBe(114);
      clean(before);
    });

    test('GC takes down what the runtime does not know any more, and nothing else', () => {
      const netns = aNetns();
      added(netns);
      const gc = (ids: string[]) =>
        call({ verb: 'GC', config: { 'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })) } });
      expect(gc([netns.id])).toEqual({ code: 0, out: undefined });
      expect(namesIn(netns.name)).toContain('eth0');
      expect(gc([])).toEqual({ code: 0, out: undefined });
      expect(namesIn(netns.name)).toEqual(['lo']);
      clean(before);
    });

    test('limits are set in both directions and change with the annotation of the next ADD', () => {
      const netns = aNetns();
      const limits = { 'kubernetes.io/egress-bandwidth': '10M', 'kubernetes.io/ingress-bandwidth': '20M' };
      known(mode, { annotations: { 'pod-a': limits } });
      added(netns);
      const qdiscs = () => execFileSync('ip', ['netns', 'exec', netns.name, 'tc', 'qdisc'], { encoding: 'utf8' });
      expect(qdiscs()).toMatch(/dev eth0 root .*rate 10Mbit/);
      expect(qdiscs()).toMatch(/dev gala-in root .*rate 20Mbit/);
      deleted(netns);
      known(mode, { annotations: { 'pod-a': { 'kubernetes.io/egress-bandwidth': 'fast' } } });
      expect(call({ verb: 'ADD', netns }).out).toMatchObject({ code: 110, details: expect.stringContaining("'fast'") });
      known(mode);
      clean(before);
    });
  });

  test('STATUS is content, VERSION needs nobody, an unknown version is refused', () => {
    expect(call({ verb: 'STATUS' })).toEqual({ code: 0, out: undefined });
    expect(call({ verb: 'VERSION' }).out.supportedVersions).toEqual(['0.4.0', '1.0.0', '1.1.0']);
    expect(call({ verb: 'STATUS', config: { cniVersion: '2.0.0' } }).out.code).toBe(1);
  });

  test('10 MB on the socket are refused with a sentence, and the agent goes on', async () => {
    const answer = await new Promise<{ status?: number; text: string }>((resolve, reject) => {
      const sent = request({ socketPath: join(folder, 'cni.sock'), path: '/cni', method: 'POST' }, (response) => {
        let text = '';
        response.on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      sent.on('error', reject);
      sent.end(Buffer.alloc(10 * 1024 * 1024, 'a'));
    });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).details).toContain('2 MiB');
    expect(call({ verb: 'STATUS' }).code).toBe(0);
  });
});
