import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toMilli, toNumber } from '../../lib/api/quantity.ts';

test.each([
  ['0', 0],
  ['2', 2],
  ['+2', 2],
  ['1.', 1],
  ['.5', 0.5],
  ['500m', 0.5],
  ['250u', 0.00025],
  ['7n', 7e-9],
  ['3k', 3000],
  ['1.1G', 1_100_000_000],
  ['2E', 2e18],
  ['12e6', 12e6],
  ['1E3', 1000],
  ['5e-1', 0.5],
  ['1Ki', 1024],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['1Ei', 2 ** 60],
])('the API server takes %s for %d', (text, number) => expect(toNumber(text)).toBe(number));

test.each(['', '1 Gi', '1gi', '1KI', 'Gi', '1e', '1e+', '1Gi3', '0x10', '1_000', '1,5', '-1', '1.2.3', 'NaN', '١'])(
  "'%s' is no quantity to it, or a negative one",
  (text) => expect(() => toNumber(text)).toThrow(`${text} is no quantity`),
);

test('thousandths are read as they are written, and rounded up', () => {
  expect(toMilli('1.1')).toBe(1100);
  expect(toMilli('0.57')).toBe(570);
  expect(toMilli('1u')).toBe(1);
  expect(toMilli('1001u')).toBe(2);
  expect(toMilli('2Ki')).toBe(2_048_000);
  fc.assert(fc.property(fc.nat(10_000_000), (milli) => toMilli(`${milli}m`) === milli && toMilli(milli / 1000) === milli));
});
