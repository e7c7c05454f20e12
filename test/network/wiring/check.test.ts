/** What iproute2 prints is compared with what was planned; kernel.test.ts does the same with what it really prints. */
import { describe, expect, test } from '@jest/globals';
import { deviations, type Seen } from '../../../lib/network/wiring/check.ts';
import type { Step, Where } from '../../../lib/network/wiring/step.ts';

const NOTHING: Seen = { links: [], routes: [], neighbours: [], qdiscs: [] };
const check = (step: Step, seen: Partial<Seen>, where: Where = 'pod') =>
  deviations([step], { host: NOTHING, pod: NOTHING, [where]: { ...NOTHING, ...seen } });
const aLink = (over: Partial<Seen['links'][number]> = {}) => ({ ifname: 'eth0', mtu: 1500, flags: ['UP'], addr_info: [], ...over });

describe('CHECK', () => {
  test('knows an IPv6 address however it is written', () => {
    const step: Step = { do: 'address', link: 'eth0', address: 'fd00:110::10.110.2.37/118' };
    expect(check(step, { links: [aLink({ addr_info: [{ local: 'fd00:110::a6e:225', prefixlen: 118 }] })] })).toEqual([]);
    expect(check(step, { links: [aLink({ addr_info: [{ local: 'fd00:110::a6e:225', prefixlen: 64 }] })] })).toEqual([
      'pod: eth0 has no address fd00:110::10.110.2.37/118',
    ]);
  });

  test('knows the default route of each family', () => {
    const v4: Step = { do: 'route', where: 'pod', to: '0.0.0.0/0', via: '10.110.0.1', link: 'eth0' };
    const v6: Step = { ...v4, to: '::/0', via: 'fd00:110::10.110.0.1' };
    const routes = [
      { dst: 'default', gateway: '10.110.0.1', dev: 'eth0' },
      { dst: 'default', gateway: 'fd00:110::a6e:1', dev: 'eth0' },
    ];
    expect([...check(v4, { routes }), ...check(v6, { routes })]).toEqual([]);
    expect(check(v4, { routes: routes.slice(1) })).toEqual(['pod: there is no route to 0.0.0.0/0 via 10.110.0.1 on eth0']);
    expect(check(v6, { routes: routes.slice(0, 1) })).toEqual(['pod: there is no route to ::/0 via fd00:110::10.110.0.1 on eth0']);
  });

  test('finds a MAC, a neighbour, a limit and a way to the metadata service that were changed', () => {
    const mac = '02:67:0a:6e:02:25';
    const other = '52:54:00:00:00:01';
    expect(check({ do: 'macvlan', on: 'bond0.110', link: 'eth0', mac, netns: '/n' }, { links: [aLink({ address: other })] })).toEqual([
      `pod: eth0 has MAC ${other}, not ${mac}`,
    ]);
    const neighbours = [{ dst: '10.8.1.11', dev: 'gala-node', lladdr: mac, state: ['STALE'] }];
    expect(check({ do: 'neighbour', where: 'pod', ip: '10.8.1.11', mac, link: 'gala-node' }, { neighbours })).toHaveLength(1);
    const qdiscs = [{ kind: 'tbf', dev: 'eth0', root: true, options: { rate: 1_250_000 } }];
    expect(check({ do: 'shape', link: 'eth0', bitsPerSecond: 10_000_001 }, { qdiscs })).toEqual([]);
    expect(check({ do: 'shape', link: 'eth0', bitsPerSecond: 20_000_000 }, { qdiscs })).toEqual([
      'pod: eth0 has a limit of 10000000 bit/s, not 20000000',
    ]);
    const routes = [{ dst: '169.254.169.254', dev: 'eth0' }];
    expect(check({ do: 'unreachable', to: '169.254.169.254/32' }, { routes })).toEqual(['pod: 169.254.169.254/32 is reachable']);
  });

  test('says of a link that is gone that it is gone, and no more', () => {
    expect(check({ do: 'up', where: 'pod', link: 'eth0' }, {})).toEqual([]);
    expect(check({ do: 'mtu', where: 'pod', link: 'eth0', bytes: 1400 }, {})).toEqual([]);
    expect(check({ do: 'vlan', trunk: 'bond0', id: 110, link: 'bond0.110' }, {}, 'host')).toEqual(['host: there is no link bond0.110']);
  });
});
