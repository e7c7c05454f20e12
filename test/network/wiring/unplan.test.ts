import { describe, expect, test } from '@jest/globals';
import { vethNames } from '../../../lib/network/wiring/plan.ts';
import { OWN_INDEX } from '../../../lib/network/wiring/step.ts';
import { unplan } from '../../../lib/network/wiring/unplan.ts';
import { aLink, anAsk, anEniAsk, ENI_MAC, planned } from './an-ask.ts';

const SANDBOX = { containerId: 'f2a4c0e1', ifname: 'eth0', netns: '/var/run/netns/cni-1' };
const veth = vethNames('f2a4c0e1', 'eth0').host;
const lines = (...args: Parameters<typeof unplan>) => unplan(...args).map(({ where, line }) => `${where}: ${line}`);

describe('DEL', () => {
  test('of a pod on a VLAN takes its links away, the address first', () => {
    const links = {
      host: [aLink('bond0'), aLink('bond0.110'), aLink(veth)],
      pod: [aLink('lo'), aLink('eth0', { mac: '02:67:0a:6e:00:82' }), aLink('gala-node')],
    };
    expect(lines(SANDBOX, { links })).toEqual(['pod: link del dev eth0', `host: link del dev ${veth}`]);
    expect(lines(SANDBOX, { links, mac: '02:67:0a:6e:00:82' })).toEqual(['pod: link del dev eth0', `host: link del dev ${veth}`]);
  });

  test("leaves a link of somebody else's under the same name alone", () => {
    const links = { host: [aLink(veth)], pod: [aLink('lo'), aLink('eth0')] };
    expect(lines(SANDBOX, { links })).toEqual([`host: link del dev ${veth}`]);
    expect(lines(SANDBOX, { links, mac: '02:67:0a:6e:00:82' })).toEqual([`host: link del dev ${veth}`]);
  });

  test('finds the link of a pod that has given it another name and another MAC', () => {
    const pod = [aLink('lo', { index: 1 }), aLink('hidden', { mac: '0a:00:00:00:00:01', index: OWN_INDEX })];
    for (const mac of [undefined, '02:67:0a:6e:00:82'])
      expect(lines(SANDBOX, { links: { host: [aLink(veth)], pod }, mac })).toEqual([
        'pod: link del dev hidden',
        `host: link del dev ${veth}`,
      ]);
    const quoted = [aLink('a#"b', { mac: '0a:00:00:00:00:01', index: OWN_INDEX })];
    expect(lines(SANDBOX, { links: { host: [], pod: quoted } })).toEqual(['pod: link del dev if1728053248']);
  });

  test('gives an ENI back with its own MAC, whatever its pod called it', () => {
    const eni = { mac: ENI_MAC, device: 'ens6' };
    const changed = { mac: '0a:00:00:00:00:01', permanentMac: ENI_MAC, index: 7 };
    expect(lines(SANDBOX, { links: { host: [], pod: [aLink('hidden', changed)] }, mac: ENI_MAC, eni })).toEqual([
      'pod: link set dev hidden down',
      `pod: link set dev hidden address ${ENI_MAC}`,
      'pod: link set dev hidden netns /proc/1/ns/net name ens6',
    ]);
    const fell = { links: { host: [aLink('ens6', changed)], pod: [] }, eni };
    expect(lines({ ...SANDBOX, netns: undefined }, fell)).toEqual([
      'host: link set dev ens6 down',
      `host: link set dev ens6 address ${ENI_MAC}`,
    ]);
  });

  test('a second time has nothing to do', () => {
    expect(unplan(SANDBOX, { links: { host: [aLink('bond0'), aLink('bond0.110')], pod: [aLink('lo')] } })).toEqual([]);
  });

  test('of a pod whose namespace is gone takes away what the host has of it', () => {
    expect(lines({ ...SANDBOX, netns: undefined }, { links: { host: [aLink(veth)], pod: [] } })).toEqual([`host: link del dev ${veth}`]);
  });

  test('gives an ENI back under its name', () => {
    const links = { host: [aLink(veth)], pod: [aLink('eth0', { mac: ENI_MAC })] };
    expect(lines(SANDBOX, { links, eni: { mac: ENI_MAC, device: 'ens6' } })).toEqual([
      'pod: link set dev eth0 netns /proc/1/ns/net name ens6',
      `host: link del dev ${veth}`,
    ]);
  });

  test('gives an ENI that fell back with its namespace its name again, silent', () => {
    const left = { links: { host: [aLink('dev7', { mac: ENI_MAC })], pod: [] }, eni: { mac: ENI_MAC, device: 'ens6' } };
    expect(lines({ ...SANDBOX, netns: undefined }, left)).toEqual(['host: link set dev dev7 down', 'host: link set dev dev7 name ens6']);
  });

  test('knows the veth that ADD made, without a journal', () => {
    for (const ask of [anAsk(), anEniAsk()])
      expect(planned({ ...ask, sandbox: SANDBOX }).steps).toContainEqual(expect.objectContaining({ do: 'veth', host: veth }));
  });
});
