/** The range of ClusterIPs. */
import { expect, test } from '@jest/globals';
import { aDefinition, anEc2Pool } from '../a-definition.ts';
import { linesOf } from './a-fleet.ts';

const linesWith = (serviceCidr: string, parts: object = {}) => linesOf(aDefinition({ services: 'kube-proxy', serviceCidr, ...parts }));

test.each([
  ['10.96.0.1/16', 'an address with host bits; a network address. Write 10.96.0.0/16.'],
  ['224.0.0.0/12', 'and 224.0.0.0/4 is of special use;'],
  // kubeadm's default reaches from 10.96 to 10.111.
  [
    '10.96.0.0/12',
    "and subnet 10.110.0.0/24 of pools.web.vlans.110 lies in it; pods send what goes to a ClusterIP to their own node. Give the API server's --service-cluster-ip-range. If it is that, one of the two must move.",
  ],
  ['10.8.0.0/16', 'and the API server 10.8.0.10 lies in it;'],
])('%s is refused', (serviceCidr, words) =>
  expect(linesWith(serviceCidr)).toEqual([expect.stringContaining(`a.ts: serviceCidr: serviceCidr is ${serviceCidr}, ${words}`)]),
);

test("a pod subnet of EC2 doesn't lie in it", () => {
  const zones = { 'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1', podSubnetCidr: '172.20.4.0/22' } };
  expect(linesWith('172.20.0.0/16', { pools: { burst: anEc2Pool({ zones }) } })).toEqual([
    expect.stringContaining('and podSubnetCidr 172.20.4.0/22 of pools.burst.zones.ap-northeast-1a lies in it;'),
  ]);
});

test('a range of its own is fine', () => expect(linesWith('10.96.0.0/16')).toEqual([]));
