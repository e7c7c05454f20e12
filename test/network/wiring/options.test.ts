/** What of the definition reaches a pod's links: the same on a VLAN and on an ENI. */
import { expect, test } from '@jest/globals';
import type { HostPool, NodeNetwork } from '../../../lib/api/kinds.ts';
import { optionsOf } from '../../../lib/network/wiring/options.ts';
import { batches, linesOf } from '../../../lib/network/wiring/step.ts';
import { INTRANET } from '../a-pool.ts';
import { anAsk, anEniAsk, planned } from './an-ask.ts';

const ROUTES = [{ to: '10.64.0.0/12' }, { to: '192.168.4.0/24', via: '10.16.4.9' }];
const zone = (name: string, podSubnetId: string, routes?: typeof ROUTES) => ({ name, nodeSubnetId: 'subnet-0a1', podSubnetId, routes });
const anEc2 = (over: object = {}) =>
  ({ ec2: { zones: [zone('a', 'subnet-0d1', ROUTES), zone('c', 'subnet-0d2')], ...over } }) as unknown as HostPool['spec'];
const slot = (ip: string, subnetId: string, deviceIndex: number) => ({
  ...{ ip, subnetId, deviceIndex, networkCardIndex: 0, eniId: `eni-0a${deviceIndex}`, mac: `06:3f:aa:00:00:0${deviceIndex}` },
});
const SLOTS: NodeNetwork['spec']['eniSlots'] = [slot('10.16.4.21', 'subnet-0d1', 1), slot('10.16.8.7', 'subnet-0d2', 2)];

test("an ENI's pod gets the routes of the zone that its subnet is in, and no other zone's", () => {
  expect(optionsOf(anEc2({ mtu: 1500 }), '10.16.4.21', SLOTS)).toEqual({ mtu: 1500, routes: ROUTES });
  expect(optionsOf(anEc2(), '10.16.8.7', SLOTS)).toEqual({});
});

test('they lead by their router, or by that of the subnet', () => {
  const options = optionsOf(anEc2(), '10.16.4.21', SLOTS);
  const lines = batches(planned(anEniAsk({ options })).steps.flatMap(linesOf)).flatMap(({ lines }) => lines);
  expect(lines.filter((line) => /^route replace (10\.64|192\.168)/.test(line))).toEqual([
    'route replace 10.64.0.0/12 via 10.16.4.1 dev eth0',
    'route replace 192.168.4.0/24 via 10.16.4.9 dev eth0',
  ]);
});

test("a VLAN's pod gets those of its VLAN", () => {
  const vlans = INTRANET.vlans.map((vlan) => (vlan.id === 130 ? { ...vlan, mtu: 9000, routes: [{ to: '10.64.0.0/12' }] } : vlan));
  const pool = { intranet: { ...INTRANET, vlans } };
  expect(optionsOf(pool, '10.130.0.65', undefined)).toEqual({ mtu: 9000, routes: [{ to: '10.64.0.0/12' }] });
  const options = optionsOf(pool, '10.110.0.130', undefined);
  expect(options).toEqual({});
  expect(planned(anAsk({ options })).steps.some((step) => JSON.stringify(step).includes('10.64.0.0'))).toBe(false);
});

test('an address that nobody has locked, or that no ENI of the node has, gets none', () => {
  expect(optionsOf(anEc2({ mtu: 1500 }), undefined, SLOTS)).toEqual({});
  expect(optionsOf(anEc2(), '10.16.4.99', SLOTS)).toEqual({});
});
