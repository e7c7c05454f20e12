import { describe, expect, test } from '@jest/globals';
import { resultOf } from '../../../lib/network/wiring/result.ts';
import { anAsk, anEniAsk, ENI_MAC, planned } from './an-ask.ts';

const SANDBOX = { containerId: 'f2a4c0e1', ifname: 'eth0', netns: '/var/run/netns/cni-1' };
const options = {
  mtu: 1400,
  ipv6Prefix: 'fd00:110::/96',
  routes: [{ to: '172.16.0.0/12', via: '10.110.0.9' }],
  throughNode: ['10.96.0.0/12'],
};

describe('the result of an ADD', () => {
  test('has the link, its addresses and its routes; what goes through the node is no route of the network', () => {
    expect(resultOf(planned(anAsk({ options })), SANDBOX, '1.1.0')).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'eth0', mac: '02:67:0a:6e:00:82', mtu: 1400, sandbox: '/var/run/netns/cni-1' },
        { name: expect.stringMatching(/^gala[0-9a-f]{11}$/), mac: expect.stringMatching(/^02:68:/) },
        { name: 'gala-node', mac: expect.stringMatching(/^02:69:/), sandbox: '/var/run/netns/cni-1' },
      ],
      ips: [
        { address: '10.110.0.130/24', gateway: '10.110.0.1', interface: 0 },
        { address: 'fd00:110::10.110.0.130/120', gateway: 'fd00:110::10.110.0.1', interface: 0 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.110.0.1' },
        { dst: '::/0', gw: 'fd00:110::10.110.0.1' },
        { dst: '172.16.0.0/12', gw: '10.110.0.9' },
      ],
      dns: {},
    });
  });

  test('is the same for an ENI, with its MAC', () => {
    const { interfaces, ips } = resultOf(planned(anEniAsk()), SANDBOX, '1.0.0');
    expect(interfaces[0]).toEqual({ name: 'eth0', mac: ENI_MAC, sandbox: '/var/run/netns/cni-1' });
    expect(ips).toEqual([{ address: '10.16.4.21/24', gateway: '10.16.4.1', interface: 0 }]);
  });

  test('keeps to the words of older versions: no MTU before 1.1.0, and the family of an address in 0.4.0', () => {
    const made = planned(anAsk({ options }));
    expect(resultOf(made, SANDBOX, '1.0.0').interfaces[0]).not.toHaveProperty('mtu');
    expect(resultOf(made, SANDBOX, '1.0.0').ips[0]).not.toHaveProperty('version');
    expect(resultOf(made, SANDBOX, '0.4.0').ips.map(({ version }) => version)).toEqual(['4', '6']);
  });
});
