/** Static routes of pods, on VLANs and on EC2. */
import { describe, expect, test } from '@jest/globals';
import { aDefinition, anEc2Pool, aRackedPool } from '../a-definition.ts';
import { aCluster, linesOf, vlanIn } from './a-fleet.ts';

const linesWith = (...routes: object[]) => linesOf(aCluster('one', { 110: vlanIn(110, { routes }) }, { pool: { macsPerPort: 99 } }));

describe('a route that could not work is refused', () => {
  test.each([
    [{ to: '10.20.1.0/16' }, 'to: route leads to 10.20.1.0/16, an address with host bits; a network address. Write 10.20.0.0/16.'],
    [{ to: '0.0.0.0/0' }, 'to: route leads to 0.0.0.0/0, which is everywhere; the way to everywhere is the gateway.'],
    [
      { to: '169.254.20.0/24' },
      'to: route leads to 169.254.20.0/24, and 169.254.0.0/16 is of special use; a network that is routed. Leave the route out.',
    ],
    [{ to: '10.110.0.64/28' }, 'to: route leads to 10.110.0.64/28, inside the subnet itself; neighbours are reached without a router.'],
    [{ to: '10.20.0.0/16', via: '10.111.0.2' }, 'via: via is 10.111.0.2; a neighbour is 10.110.0.1-10.110.0.254.'],
    [{ to: '10.20.0.0/16', via: '10.110.0.255' }, 'via: via is 10.110.0.255; a neighbour is 10.110.0.1-10.110.0.254.'],
    [
      { to: '10.20.0.0/16', via: '10.110.0.64' },
      'via: via is 10.110.0.64, which a pod may have; pods never have the address of a router. Leave it out of addresses.',
    ],
  ])('%j', (route, words) => expect(linesWith(route)).toEqual([expect.stringContaining(`a.ts: pools.web.vlans.110.routes[0].${words}`)]));
});

test('routes by the gateway and by another router are fine, wider ones than the subnet too', () =>
  expect(linesWith({ to: '10.0.0.0/8', via: '10.110.0.2' }, { to: '192.168.7.9/32' })).toEqual([]));

test('one way to each network', () =>
  expect(linesWith({ to: '10.20.0.0/16' }, { to: '10.20.0.0/16', via: '10.110.0.2' })).toEqual([
    expect.stringContaining('pools.web.vlans.110.routes[1].to: "10.20.0.0/16" stands here twice'),
  ]));

test("a router of another pool's routes is nobody's pod", () => {
  const pools = {
    web: aRackedPool({ racks: { r1: 'a-1' }, vlans: { 110: vlanIn(110, { routes: [{ to: '10.20.0.0/16', via: '10.110.0.200' }] }) } }),
    ml: aRackedPool({ racks: { r9: 'b-1' }, vlans: { 110: vlanIn(110, { addresses: '10.110.0.192/28' }) } }),
  };
  expect(linesOf(aDefinition({ pools }))).toEqual([
    'a.ts: pools.ml.vlans.110.addresses: addresses 10.110.0.192/28 hold the router 10.110.0.200 of pools.web.vlans.110; pods never have the address of a router. Leave it out of the range.',
  ]);
});

describe('on EC2', () => {
  const zone = (parts: object) => ({ nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1', ...parts });
  const pool = (a: object, more: object = {}) => anEc2Pool({ zones: { 'ap-northeast-1a': zone(a), ...more } });
  const launched = (a: object, more: object = {}) => linesOf(aDefinition({ services: 'kube-proxy', pools: { burst: pool(a, more) } }));
  const c = (parts: object) => ({ 'ap-northeast-1c': zone({ nodeSubnetId: 'subnet-0a2', podSubnetId: 'subnet-0d2', ...parts }) });

  test('a router lies in the subnet of its zone, where that is known', () => {
    const routes = [{ to: '10.20.0.0/16', via: '10.16.8.9' }];
    expect(launched({ routes })).toEqual([]);
    expect(launched({ routes, podSubnetCidr: '10.16.4.0/22' })).toEqual([
      expect.stringContaining('pools.burst.zones.ap-northeast-1a.routes[0].via: via is 10.16.8.9; a neighbour is 10.16.4.1-10.16.7.254.'),
    ]);
  });

  test.each([
    ['10.16.4.1/22', 'is 10.16.4.1/22, an address with host bits; a network address. Write 10.16.4.0/22.'],
    ['10.16.4.0/29', 'is 10.16.4.0/29; a subnet of a VPC is a /16 to a /28.'],
    ['10.0.0.0/8', 'is 10.0.0.0/8; a subnet of a VPC is a /16 to a /28.'],
    ['224.0.0.0/16', 'is 224.0.0.0/16, and 224.0.0.0/4 is of special use; a network that pods can have.'],
  ])('no VPC has the subnet %s', (podSubnetCidr, words) =>
    expect(launched({ podSubnetCidr })).toEqual([
      expect.stringContaining(`pools.burst.zones.ap-northeast-1a.podSubnetCidr: podSubnetCidr ${words}`),
    ]),
  );

  test('subnets of pods are apart, from VLANs too: an address is one pod’s', () => {
    expect(launched({ podSubnetCidr: '10.16.4.0/22' }, c({ podSubnetCidr: '10.16.6.0/24' }))).toEqual([
      'a.ts: pools.burst.zones.ap-northeast-1c.podSubnetCidr: podSubnetCidr 10.16.6.0/24 overlaps 10.16.4.0/22 of pools.burst.zones.ap-northeast-1a; an address is that of one pod of the cluster. Give the network of the subnet as EC2 has it; if it is that, take another subnet.',
    ]);
    const both = { web: aRackedPool(), burst: pool({ podSubnetCidr: '10.110.0.0/20' }) };
    expect(linesOf(aDefinition({ services: 'kube-proxy', pools: both }))).toEqual([
      expect.stringContaining('podSubnetCidr 10.110.0.0/20 overlaps 10.110.0.0/24 of pools.web.vlans.110;'),
    ]);
  });

  test('a subnet has one network, in all clusters', () => {
    const one = (name: string, podSubnetCidr: string) =>
      aDefinition({ name, services: 'kube-proxy', pools: { burst: pool({ podSubnetCidr }) } });
    expect(linesOf(one('one', '10.16.4.0/22'), one('two', '10.16.4.0/22'))).toEqual([]);
    expect(linesOf(one('one', '10.16.4.0/22'), one('two', '10.16.8.0/22'))).toEqual([
      'b.ts: pools.burst.zones.ap-northeast-1a.podSubnetCidr: subnet subnet-0d1 is 10.16.8.0/22 here and 10.16.4.0/22 in a.ts: pools.burst.zones.ap-northeast-1a; a subnet has one network. Give both as EC2 has it.',
    ]);
  });
});
