import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expand } from '../../lib/api/nodeset.ts';

test.each([
  ['bj-a-r12-[01-03]', ['bj-a-r12-01', 'bj-a-r12-02', 'bj-a-r12-03']],
  ['a[8-10]', ['a8', 'a9', 'a10']],
  ['a,b-[1,3]', ['a', 'b-1', 'b-3']],
  ['r[1-2]h[1-2]', ['r1h1', 'r1h2', 'r2h1', 'r2h2']],
  ['n[0-6/3]', ['n0', 'n3', 'n6']],
  ['n[098-101]x', ['n098x', 'n099x', 'n100x', 'n101x']],
])('%s names its hosts as ClusterShell does', (nodeset, hosts) => expect(expand(nodeset)).toEqual(hosts));

test('a range has as many hosts as it counts, each as wide as its first number', () =>
  fc.assert(
    fc.property(fc.nat(9999), fc.nat(200), fc.integer({ min: 1, max: 6 }), (first, more, width) => {
      const names = expand(`h-[${String(first).padStart(width, '0')}-${first + more}]`);
      expect(names).toHaveLength(more + 1);
      expect(new Set(names).size).toBe(more + 1);
      expect(names[0]).toBe(`h-${String(first).padStart(width, '0')}`);
    }),
  ));

describe('what is no nodeset is refused, with the reason', () => {
  test.each([
    ['a-[1-4', 'its brackets do not match'],
    ['a-]1[', 'its brackets do not match'],
    ['a-[[1]]', 'its brackets do not match'],
    ['a-[4-1]', '[4-1] runs backwards'],
    ['a-[x]', '[x] is no range of numbers'],
    ['a-[]', '[] is no range of numbers'],
    ['a,,b', 'there is an empty name between commas'],
    ['a-[1-9/0]', '[1-9/0] never advances'],
    ['a-[1-99]b-[1-99]', 'it names 9801 hosts; at most 5000 are allowed'],
    ['a-[1-999999999]', 'it names 999999999 hosts; at most 5000 are allowed'],
  ])('%s', (nodeset, reason) => expect(() => expand(nodeset)).toThrow(reason));
});
