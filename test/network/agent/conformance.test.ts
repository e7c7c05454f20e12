/**
 * The CNI specification 1.1.0, verb by verb, over both modes: the shim as containerd calls it, the agent behind it, and this machine's
 * kernel.
 */
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { required } from '../../bed/parts.ts';
import { aStand, canMakeNamespaces, ip, MODES, type Netns, type Stand } from './a-stand.ts';

const suite = canMakeNamespaces() || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED CNI conformance: network namespaces need root with CAP_NET_ADMIN\n');

let stand: Stand;
const links = (netns: string) =>
  JSON.parse(ip('-n', netns, '-j', 'addr') || '[]') as { ifname: string; address: string; addr_info: object[] }[];
const namesIn = (netns: string) =>
  links(netns)
    .map(({ ifname }) => ifname)
    .sort();

suite('the CNI specification', () => {
  beforeAll(async () => {
    stand = await aStand();
  }, 60_000);
  afterAll(() => stand?.stop());

  describe.each(['MacVlan', 'ENI'] as const)('%s', (mode) => {
    const { ip: address, mac } = MODES[mode];
    const added = (netns: Netns, config = {}) => {
      const { code, out } = stand.call({ verb: 'ADD', netns, config });
      if (code !== 0) throw new Error(JSON.stringify(out));
      return out;
    };
    const deleted = (netns: Netns) => expect(stand.call({ verb: 'DEL', netns })).toEqual({ code: 0, out: undefined });
    const clean = (before: string[]) => expect(namesIn(stand.host)).toEqual(before);
    let before: string[];
    beforeAll(() => {
      stand.known(mode);
      before = namesIn(stand.host);
    });

    test.each(['0.4.0', '1.0.0', '1.1.0'])('ADD of %s gives the address that was locked, and DEL takes it all back', (cniVersion) => {
      const netns = stand.aNetns();
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
      const netns = stand.aNetns();
      expect(added(netns)).toEqual(added(netns));
      deleted(netns);
      clean(before);
    });

    test('ADD into an interface of somebody else is refused, and leaves that as it is', () => {
      const netns = stand.aNetns();
      ip('-n', netns.name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
      expect(stand.call({ verb: 'ADD', netns })).toMatchObject({ code: 1, out: { code: 111, cniVersion: '1.1.0' } });
      expect(namesIn(netns.name)).toEqual(['eth0', 'lo', 'other']);
      ip('-n', netns.name, 'link', 'del', 'eth0');
      clean(before);
    });

    test('a pod whose address is locked for another, or for none, is refused with the gate or the remedy', () => {
      const netns = stand.aNetns();
      const { code, out } = stand.call({ verb: 'ADD', netns, pod: 'pod-z' });
      expect([code, out.code]).toEqual([1, 100]);
      expect(out.details).toContain('gala.internal/lock');
      expect(namesIn(netns.name)).toEqual(['lo']);
    });

    test('DEL succeeds twice, without a namespace, and for what was never there', () => {
      const netns = stand.aNetns();
      added(netns);
      deleted(netns);
      deleted(netns);
      const other = stand.aNetns();
      // An ENI comes back to the host when its namespace goes (default_device_exit_net); the veth that stands for it here would go too.
      if (mode === 'MacVlan') {
        added(other);
        ip('netns', 'del', other.name);
      }
      expect(stand.call({ verb: 'DEL', netns: other, env: { CNI_NETNS: '' } })).toEqual({ code: 0, out: undefined });
      expect(stand.call({ verb: 'DEL', netns: { ...other, id: 'never' }, env: { CNI_NETNS: '/var/run/netns/gone' } })).toEqual({
        code: 0,
        out: undefined,
      });
      clean(before);
    });

    test('DEL takes back the link of a pod that has called it otherwise, and given it another MAC', () => {
      const netns = stand.aNetns();
      added(netns);
      ip('-n', netns.name, 'link', 'set', 'dev', 'eth0', 'down');
      ip('-n', netns.name, 'link', 'set', 'dev', 'eth0', 'name', 'hid"den#');
      // The veth that stands for an ENI has no MAC that it came with.
      if (mode === 'MacVlan') ip('-n', netns.name, 'link', 'set', 'dev', 'hid"den#', 'address', '0a:00:00:00:00:01');
      deleted(netns);
      expect(namesIn(netns.name)).toEqual(['lo']);
      clean(before);
    });

    test('CHECK is content with what ADD left, and names what was changed', () => {
      const netns = stand.aNetns();
      const prevResult = added(netns);
      expect(stand.call({ verb: 'CHECK', netns, config: { prevResult } })).toEqual({ code: 0, out: undefined });
      ip('-n', netns.name, 'addr', 'del', `${address}/24`, 'dev', 'eth0');
      const { code, out } = stand.call({ verb: 'CHECK', netns, config: { prevResult } });
      expect([code, out.code]).toEqual([1, 115]);
      expect(out.details).toContain(`eth0 has no address ${address}/24`);
      deleted(netns);
      expect(stand.call({ verb: 'CHECK', netns, config: { prevResult } }).out.code).toBe(114);
      clean(before);
    });

    test('GC takes down what the runtime does not know any more, and nothing else', () => {
      const netns = stand.aNetns();
      added(netns);
      const gc = (ids: string[]) =>
        stand.call({ verb: 'GC', config: { 'cni.dev/valid-attachments': ids.map((containerID) => ({ containerID, ifname: 'eth0' })) } });
      expect(gc([netns.id])).toEqual({ code: 0, out: undefined });
      expect(namesIn(netns.name)).toContain('eth0');
      expect(gc([])).toEqual({ code: 0, out: undefined });
      expect(namesIn(netns.name)).toEqual(['lo']);
      clean(before);
    });

    test('limits are set in both directions and change with the annotation of the next ADD', () => {
      const netns = stand.aNetns();
      const limits = { 'kubernetes.io/egress-bandwidth': '10M', 'kubernetes.io/ingress-bandwidth': '20M' };
      stand.known(mode, { annotations: { 'pod-a': limits } });
      added(netns);
      const qdiscs = () => execFileSync('ip', ['netns', 'exec', netns.name, 'tc', 'qdisc'], { encoding: 'utf8' });
      expect(qdiscs()).toMatch(/dev eth0 root .*rate 10Mbit/);
      expect(qdiscs()).toMatch(/dev gala-in root .*rate 20Mbit/);
      deleted(netns);
      stand.known(mode, { annotations: { 'pod-a': { 'kubernetes.io/egress-bandwidth': 'fast' } } });
      expect(stand.call({ verb: 'ADD', netns }).out).toMatchObject({ code: 110, details: expect.stringContaining("'fast'") });
      stand.known(mode);
      clean(before);
    });
  });

  test('STATUS is content, VERSION needs nobody, an unknown version is refused', () => {
    expect(stand.call({ verb: 'STATUS' })).toEqual({ code: 0, out: undefined });
    expect(stand.call({ verb: 'VERSION' }).out.supportedVersions).toEqual(['0.4.0', '1.0.0', '1.1.0']);
    expect(stand.call({ verb: 'STATUS', config: { cniVersion: '2.0.0' } }).out.code).toBe(1);
  });

  test('10 MB on the socket are refused with a sentence, and the agent goes on', async () => {
    const answer = await new Promise<{ status?: number; text: string }>((resolve, reject) => {
      const sent = request({ socketPath: join(stand.folder, 'cni.sock'), path: '/cni', method: 'POST' }, (response) => {
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
    expect(stand.call({ verb: 'STATUS' }).code).toBe(0);
  });
});
