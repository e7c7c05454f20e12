/** A VLAN by itself. */
import { describe, expect, test } from '@jest/globals';
import { aCluster, linesOf, vlanIn } from './a-fleet.ts';

describe('a subnet that no host can have an address in is refused', () => {
  test.each([
    ['127.10.0.0/24', '127.0.0.0/8 is loopback'],
    ['224.1.0.0/24', '224.0.0.0/4 is multicast'],
    ['0.10.0.0/24', '0.0.0.0/8 is no address'],
    ['250.1.0.0/24', '240.0.0.0/4 is reserved'],
    ['169.254.7.0/24', '169.254.0.0/16 is link-local'],
    ['126.0.0.0/7', '127.0.0.0/8 is loopback'],
  ])('%s', (subnet, words) => {
    const line = linesOf(aCluster('one', { 110: vlanIn(110, { subnet }) })).find((it) => it.includes('.110.subnet'));
    expect(line).toContain(`subnet is ${subnet}, and ${words}; a network of private, carrier-grade NAT or public unicast addresses.`);
  });
});

test.each(['10.9.0', '172.20.1', '192.168.4', '100.64.9', '8.8.4', '36.110.2'])('a subnet in %s.0/24 is fine', (net) =>
  expect(
    linesOf(
      aCluster('one', { 110: { subnet: `${net}.0/24`, gateway: `${net}.1`, addresses: `${net}.64/26` } }, { pool: { macsPerPort: 99 } }),
    ),
  ).toEqual([]),
);

test('addresses given as a CIDR with host bits are refused, not widened, and not compared with anything', () =>
  expect(linesOf(aCluster('one', { 110: vlanIn(110, { addresses: '10.110.0.5/24' }) }, { pool: { macsPerPort: 256 } }))).toEqual([
    'a.ts: pools.web.vlans.110.addresses: addresses are 10.110.0.5/24, a CIDR with host bits; a CIDR begins with its network address. Write 10.110.0.0/24, or the range that is meant as a-b.',
  ]));

test('a range that runs backwards is one problem, and compared with nothing', () =>
  expect(
    linesOf(aCluster('one', { 110: vlanIn(110, { addresses: '10.110.0.99-10.110.0.64' }) }), aCluster('two', { 110: vlanIn(110) })),
  ).toEqual([expect.stringContaining('a.ts: pools.web.vlans.110.addresses: range 10.110.0.99-10.110.0.64 runs backwards')]));
