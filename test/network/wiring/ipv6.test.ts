import { isIPv6 } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { toAddress } from '../../../lib/api/range.ts';
import { embedded } from '../../../lib/network/wiring/ipv6.ts';

test.each([
  ['fd00:110::/96', 'fd00:110::10.110.2.37'],
  ['fd00:110:0:0:0:0:0:0/96', 'fd00:110::10.110.2.37'],
  ['fd00:1:2:3:4:5::/96', 'fd00:1:2:3:4:5:10.110.2.37'],
  ['fd00::5:6:0:0/96', 'fd00::5:6:10.110.2.37'],
  ['fd2c:7a41:d0e8:110::/96', 'fd2c:7a41:d0e8:110::10.110.2.37'],
])('the twin of 10.110.2.37 in %s is %s', (prefix, twin) => expect(embedded(prefix, '10.110.2.37')).toBe(twin));

test('the first 96 bits are the network, the last 32 the address, however the network is written', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1, 0x110, 0xfd00), { minLength: 6, maxLength: 6 }),
      fc.nat(2 ** 32 - 1),
      fc.boolean(),
      (groups, number, isShort) => {
        const network = new ipaddr.IPv6([...groups, 0, 0]);
        const twin = embedded(`${isShort ? network.toString() : network.toNormalizedString()}/96`, toAddress(number));
        expect(isIPv6(twin)).toBe(true);
        expect(ipaddr.IPv6.parse(twin).parts).toEqual([...groups, number >>> 16, number & 0xffff]);
      },
    ),
  ));
