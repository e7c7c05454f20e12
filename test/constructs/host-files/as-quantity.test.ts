/** Numbers as Kubernetes writes them. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesAsQuantity, coresAsQuantity } from '../../../constructs/host-files/as-quantity.ts';
import { toNumber } from '../../../lib/api/quantity.ts';

test.each([
  [8 * 2 ** 30, '8Gi'],
  [1536 * 2 ** 20, '1536Mi'],
  [2 ** 40, '1Ti'],
  [1000, '1000'],
  [0, '0'],
])('%i bytes are %s', (bytes, quantity) => expect(bytesAsQuantity(bytes)).toBe(quantity));

test.each([
  [2, '2'],
  [1.5, '1500m'],
  [0.23, '230m'],
  [0, '0'],
])('%p cores are %s', (cores, quantity) => expect(coresAsQuantity(cores)).toBe(quantity));

test('bytes survive the way there and back', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => toNumber(bytesAsQuantity(bytes)) === bytes));
});
