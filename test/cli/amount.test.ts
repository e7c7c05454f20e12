import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ageOf, amountOf, secondsOf, supplyName } from '../../lib/cli/amount.ts';

test.each([
  ['cpu', 2, '2'],
  ['cpu', 0.5, '500m'],
  ['cpu', 1.5, '1.5'],
  ['memory', 4 * 2 ** 30, '4Gi'],
  ['memory', 1000, '1000'],
  ['ephemeral-storage', 20 * 2 ** 30, '20Gi'],
  ['storage/gala-log', 1.3 * 2 ** 41, '2.6Ti'],
  ['egress', 200e6, '200M'],
  ['ingress', 25e9, '25G'],
  ['nvidia.com/gpu', 8, '8'],
])('%s of %p is %s', (supply, amount, text) => {
  expect(amountOf(supply, amount)).toBe(text);
});

test('a volume of Gala’s is called by its own name, another one by its class', () => {
  expect(['storage/gala-log', 'storage/ceph', 'cpu'].map(supplyName)).toEqual(['log', 'ceph', 'cpu']);
});

test.each([
  [400, '0.4 s'],
  [11_000, '11 s'],
  [42_000, '42 s'],
  [60_000, '1 m'],
  [250_000, '4 m 10 s'],
  [540_000, '9 m'],
  [3_000_000, '50 m'],
  [7_500_000, '2 h 5 m'],
  [200_000_000, '2 d 8 h'],
  [-3, '0 s'],
])('%p ms is %s', (ms, text) => {
  expect(ageOf(ms)).toBe(text);
});

test('no age has sixty of a unit', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e10 }), (ms) => !/\b60 [sm]\b|\b24 h\b/.test(ageOf(ms))));
});

test.each([
  ['90', 90],
  ['90s', 90],
  ['5m', 300],
  ['1h30m', 5400],
  ['1h', 3600],
  ['0', 0],
])('%s is %p seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});

test.each(['', 'x', '5 m', '-5m', '5d', '1.5h', 'm'])('%p is no duration', (text) => {
  expect(secondsOf(text)).toBeUndefined();
});
