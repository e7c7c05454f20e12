/** IPv6 of a VLAN, and what everybody on it has alike. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonical } from '../../../lib/api/check/ipv6.ts';
import { aDefinition, aRackedPool } from '../a-definition.ts';
import { aCluster, linesOf, vlanIn } from './a-fleet.ts';

const linesWith = (parts: object) => linesOf(aCluster('one', { 110: vlanIn(110, { ...parts }) }, { pool: { macsPerPort: 99 } }));
const PREFIX = 'fd2c:7a41:d0e8:110::/96';

describe('a prefix that the pods of a VLAN cannot have is refused', () => {
  test.each([
    ['::/96', 'and that is no address'],
    ['fe80::/96', 'and that is link-local'],
    ['ff05:1::/96', 'and that is multicast'],
    ['2001:db8:110::/96', 'and that is reserved'],
    ['64:ff9b::/96', 'and that is for translation to the Internet (NAT64)'],
    [
      'fd2c:7a41:d0e8:110::7/96',
      'an address with bits below its 96; the last 32 bits are for the IPv4 address, and zero here. Write fd2c:7a41:d0e8:110::/96.',
    ],
    [
      'fd2c:7a41:d0e8:110:1200::/96',
      'with bits 64 to 71 set; RFC 6052 keeps them free: the fifth group is 0 to ff. Write fd2c:7a41:d0e8:110::/96.',
    ],
    ['fd2c::110::/96', 'it is an IPv6 network'],
    ['fd2c:7a41:d0e8:110::/64', 'it is an IPv6 network of 96 bits such as fd2c:7a41:d0e8:110::/96'],
  ])('%s', (ipv6Prefix, words) => {
    const [line, ...more] = linesWith({ ipv6Prefix });
    expect(line).toMatch(/^a\.ts: pools\.web\.vlans\.110\.ipv6Prefix: ipv6Prefix is /);
    expect(line).toContain(words);
    expect(more).toEqual([]);
  });
});

test.each([PREFIX, '2a05:d014:7::/96', 'fd2c:7a41:d0e8:110:ff:1::/96'])('%s is fine', (ipv6Prefix) =>
  expect(linesWith({ ipv6Prefix })).toEqual([]),
);

test('a link with IPv6 has room for it', () => {
  expect(linesWith({ ipv6Prefix: PREFIX, mtu: 1279 })).toEqual([
    'a.ts: pools.web.vlans.110.mtu: MTU is 1279, and the VLAN has an ipv6Prefix; a link that carries IPv6 has 1280 or more. Raise it, or leave ipv6Prefix out.',
  ]);
  expect(linesWith({ ipv6Prefix: PREFIX, mtu: 1280 })).toEqual([]);
  expect(linesWith({ mtu: 576 })).toEqual([]);
  expect(linesWith({ mtu: 575 })).toEqual([expect.stringContaining('an MTU is 576 to 9216')]);
});

describe('who shares a VLAN', () => {
  const share = (one: Record<string, unknown>, two: Record<string, unknown>) =>
    linesOf(
      aDefinition({
        pools: {
          web: aRackedPool({ racks: { r1: 'a-1' }, vlans: { 110: vlanIn(110, one) } }),
          ml: aRackedPool({ racks: { r9: 'b-1' }, vlans: { 110: vlanIn(110, { addresses: '10.110.0.192/28', ...two }) } }),
        },
      }),
    );
  const halls = (one: string, two: string, parts: Record<string, unknown>) =>
    linesOf(
      aCluster('one', { 110: vlanIn(110, { mtu: 9000 }) }, { pool: { datacenter: one } }),
      aCluster('two', { 110: vlanIn(110, { addresses: '10.110.0.192/28', ...parts }) }, { pool: { datacenter: two } }),
    );

  test('has its MTU', () => {
    expect(share({ mtu: 9000 }, { mtu: 1500 })).toEqual([
      'a.ts: pools.ml.vlans.110.mtu: VLAN 110 has MTU 1500 here and 9000 in pools.web.vlans.110; a VLAN has one MTU. Give both the same: what is larger than a neighbour takes is dropped.',
    ]);
    expect(share({ mtu: 9000 }, { mtu: 9000 })).toEqual([]);
    expect(share({ mtu: 9000 }, {})).toEqual([]);
  });

  test('has its IPv6 prefix, however it is written', () => {
    expect(share({ ipv6Prefix: PREFIX }, { ipv6Prefix: 'fd2c:7a41:d0e8:111::/96' })).toEqual([
      'a.ts: pools.ml.vlans.110.ipv6Prefix: VLAN 110 has IPv6 prefix fd2c:7a41:d0e8:111::/96 here and fd2c:7a41:d0e8:110::/96 in pools.web.vlans.110; a VLAN has one IPv6 prefix. Give both the one that the router has.',
    ]);
    expect(share({ ipv6Prefix: PREFIX }, { ipv6Prefix: 'fd2c:7a41:d0e8:0110:0:0::/96' })).toEqual([]);
  });

  test('counts across clusters of one datacenter, and not of two', () => {
    expect(halls('hall-a', 'hall-a', { mtu: 1500 })).toEqual([
      expect.stringContaining('b.ts: pools.web.vlans.110.mtu: VLAN 110 has MTU 1500 here and 9000 in a.ts: pools.web.vlans.110'),
    ]);
    expect(halls('hall-a', 'hall-b', { mtu: 1500 })).toEqual([]);
  });
});

test('two VLANs may have one prefix: their addresses are apart because the IPv4 ones are', () =>
  expect(
    linesOf(
      aCluster(
        'one',
        { 110: vlanIn(110, { ipv6Prefix: PREFIX }), 120: vlanIn(120, { ipv6Prefix: PREFIX }) },
        { pool: { macsPerPort: 256 } },
      ),
    ),
  ).toEqual([]));

test('a prefix has one spelling', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 6, maxLength: 6 }), (groups) => {
      const long = `${groups.map((group) => group.toString(16).padStart(4, '0')).join(':')}:0:0/96`;
      const short = `${canonical(long)}/96`;
      return canonical(short) === canonical(long);
    }),
  ));
