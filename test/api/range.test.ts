import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { toNumber as quantity } from '../../lib/api/quantity.ts';
import { addressRange, cidrRange, contains, overlaps, size, specialUse, spell, toAddress, toNumber, within } from '../../lib/api/range.ts';

const address = fc.nat(2 ** 32 - 1);
const range = fc.tuple(address, address).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

test('an address and its number are the same thing', () =>
  fc.assert(fc.property(address, (number) => expect(toNumber(toAddress(number))).toBe(number))));

test('two ranges overlap just when an end of one lies in the other', () =>
  fc.assert(fc.property(range, range, (a, b) => expect(overlaps(a, b)).toBe(within(a, b.first) || within(b, a.first)))));

test('a network holds as many addresses as its prefix leaves, its own among them', () =>
  fc.assert(
    fc.property(address, fc.nat(32), (number, prefix) => {
      const network = cidrRange(`${toAddress(number)}/${prefix}`);
      expect(size(network)).toBe(2 ** (32 - prefix));
      expect(contains(network, { first: number, last: number })).toBe(true);
    }),
  ));

test('a range is written as it is read', () => fc.assert(fc.property(range, (it) => expect(addressRange(spell(it))).toEqual(it))));

test.each([
  [64, 64],
  ['500m', 0.5],
  ['256Gi', 256 * 2 ** 30],
  ['25G', 25e9],
  ['1.5Ti', 1.5 * 2 ** 40],
])('%s is %d', (text, number) => expect(quantity(text)).toBeCloseTo(number, 6));

test('what is no quantity is refused with the ways to write one', () =>
  expect(() => quantity('12 GB')).toThrow("12 GB is no quantity; write 64, '500m' or '256Gi'"));

test('a network is of special use just when one of its addresses is, but private, carrier-grade NAT and public unicast are not', () => {
  const ordinary = ['private', 'carrierGradeNat', 'unicast'];
  const special = fc.constantFrom(
    '0.1.2.3',
    '127.9.9.9',
    '169.254.1.1',
    '192.0.2.1',
    '224.0.0.9',
    '250.1.1.1',
    '10.1.1.1',
    '100.64.1.1',
    '9.9.9.9',
  );
  fc.assert(
    fc.property(fc.oneof(address, special.map(toNumber)), (number) => {
      const use = specialUse({ first: number, last: number });
      expect(use === undefined).toBe(ordinary.includes(ipaddr.IPv4.parse(toAddress(number)).range()));
    }),
  );
  expect(specialUse(cidrRange('126.0.0.0/7'))).toMatchObject({ kind: 'loopback', block: '127.0.0.0/8' });
  expect(specialUse(cidrRange('10.0.0.0/8'))).toBeUndefined();
});
