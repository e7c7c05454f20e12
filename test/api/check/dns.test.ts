/** Whom the DNS caches of the nodes ask. */
import { expect, test } from '@jest/globals';
import { aDefinition } from '../a-definition.ts';
import { linesOf } from './a-fleet.ts';

const linesWith = (upstream: readonly string[], parts: object = {}) => linesOf(aDefinition({ dns: { upstream }, ...parts }));

test('addresses that lead somewhere are right', () => {
  expect(linesWith(['10.8.0.10', '10.8.0.11'])).toEqual([]);
  expect(linesWith(['10.8.0.10'], { serviceCidr: '10.96.0.0/16' })).toEqual([]);
});

test.each([
  [['10.96.0.10'], 'dns.upstream[0]: dns.upstream is 10.96.0.10, a ClusterIP of 10.96.0.0/16'],
  [['10.8.0.10', '169.254.20.10'], 'dns.upstream[1]: dns.upstream is 169.254.20.10, the address of the cache itself'],
])('%j is refused', (upstream, words) =>
  expect(linesWith(upstream, { serviceCidr: '10.96.0.0/16' })).toEqual([expect.stringContaining(`a.ts: ${words}`)]),
);

test('a list of nobody is refused, and one beside kube-proxy', () => {
  expect(linesWith([])).toEqual([expect.stringContaining('dns.upstream')]);
  expect(linesWith(['10.8.0.10'], { services: 'kube-proxy' })).toEqual([
    expect.stringContaining('dns.upstream: dns.upstream is there, and so is kube-proxy'),
  ]);
});
