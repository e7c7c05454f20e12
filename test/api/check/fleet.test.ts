/** What clusters of one repository can't both have, besides addresses: names, hosts, API servers. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkDefinitions } from '../../../constructs/check.ts';
import { checkFleet } from '../../../lib/api/check/fleet.ts';
import { aDefinition, aRackedPool } from '../a-definition.ts';
import { aCluster, linesOf, problemsOf, vlanIn } from './a-fleet.ts';

const slice = (name: string, parts: object = {}) => aDefinition({ name, pools: {}, existing: { cni: 'calico' }, concerns: [], ...parts });
const one = aCluster('one', { 110: vlanIn(110) });

test('a rack given twice is one line, with the first host and how many more', () => {
  const racks = { r1: 'a-[1-8]', r2: 'a-[1-8]', r3: 'b-1,b-1,b-2,b-2' };
  expect(linesOf(aDefinition({ pools: { web: aRackedPool({ racks }) } }))).toEqual([
    'a.ts: pools.web.racks.r3: host b-1 and 1 more stand in this nodeset twice; a host is in a rack once. Name it once.',
    'a.ts: pools.web.racks.r2: host a-1 and 7 more stand in pools.web.racks.r1 too; a host is in one rack of one pool. Take it out of pools.web.racks.r1 or out of here.',
  ]);
});

test('a rack whose hosts are no names is one line', () =>
  expect(linesOf(aCluster('one', { 110: vlanIn(110) }, { pool: { racks: { r1: 'a.intra-[1-8]' } } }))).toEqual([
    "a.ts: pools.web.racks.r1: host is 'a.intra-1', and 7 more are no names; a host name is lower-case letters, digits and -, at most 63, and becomes the Node name. Name the host as its kubelet registers it.",
  ]));

test('a rack that two others and another cluster have hosts of is one line for each of them', () => {
  const racks = (it: object) => ({ pool: { racks: it } });
  expect(
    linesOf(
      aCluster('one', { 110: vlanIn(110) }, racks({ r1: 'a-[1-4]', r2: 'a-[5-8]' })),
      aCluster('two', { 120: vlanIn(120) }, racks({ r9: 'a-[3-7]' })),
    ),
  ).toEqual([
    'b.ts: pools.web.racks.r9: host a-3 and 1 more stand in a.ts: pools.web.racks.r1 too; a host belongs to one cluster. Take it out of one of them.',
    'b.ts: pools.web.racks.r9: host a-5 and 2 more stand in a.ts: pools.web.racks.r2 too; a host belongs to one cluster. Take it out of one of them.',
  ]);
});

describe('two definitions for one API server', () => {
  test('are a warning when both have pools', () =>
    expect(linesOf(one, aCluster('two', { 120: vlanIn(120) }, { apiServer: 'https://10.8.0.10:6443/' }))).toEqual([
      'warning: b.ts: apiServer: API server is 10.8.0.10:6443, as in a.ts; a cluster with pools has an API server of its own. Correct one of them, or make one a slice with pools: {}.',
    ]));

  test('are fine when one is a slice, or both are', () => {
    const { apiServer } = one;
    expect(linesOf(one, slice('two', { apiServer }))).toEqual([]);
    expect(linesOf(slice('two', { apiServer }), one, slice('three', { apiServer }))).toEqual([]);
  });

  test('are fine when it is the proxy on each host', () => {
    const apiServer = 'https://127.0.0.1:6443';
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }, { apiServer }), aCluster('two', { 120: vlanIn(120) }, { apiServer }))).toEqual([]);
  });

  test('of one name are told once, for the name', () =>
    expect(linesOf(one, { ...aCluster('two', { 120: vlanIn(120) }), name: 'one', apiServer: one.apiServer })).toEqual([
      expect.stringContaining('b.ts: name: name is one, as in a.ts'),
    ]));
});

test('what clusters share is told in the same run as what is wrong in each of them', () => {
  const wrong = aCluster('one', { 110: vlanIn(110, { addresses: '10.110.0.64-10.110.0.99' }), 5000: vlanIn(50) }, { kubernetes: '1.2' });
  expect(linesOf(one, { ...wrong, apiServer: 'http://two' }).map((line) => line.split(':').slice(0, 2).join(':'))).toEqual([
    'b.ts: kubernetes',
    'b.ts: apiServer',
    'b.ts: pools.web.vlans.5000',
    'b.ts: name',
    'b.ts: pools.web.racks.r1',
    'b.ts: pools.web.vlans.110.addresses',
  ]);
});

test('a definition is its own, with errors or without: a fleet of one has no problem of the fleet', () =>
  fc.assert(
    fc.property(fc.anything({ maxDepth: 3 }), fc.constantFrom('name', 'apiServer', 'pools', 'services'), (value, place) => {
      const definition = { ...one, [place]: value };
      expect(problemsOf(definition)).toEqual(problemsOf(definition, null).filter(({ file }) => file === 'a.ts'));
    }),
  ));

test('nothing that can be typed beside a right definition makes checking throw', () =>
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4, withNullPrototype: true }), fc.anything({ maxDepth: 3 }), (value, pool) => {
      const sources = [one, value, { ...one, pools: { web: pool } }].map((definition, i) => ({ file: `${i}.ts`, definition }));
      expect(checkDefinitions(sources, []).clusters.map(({ file }) => file)).toContain('0.ts');
    }),
  ));

test('two clusters share hosts exactly when a name is in both, and each such host is counted once for its rack', () => {
  const hosts = fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(hosts, { maxLength: 5 }), (fleet) => {
      const counted = new Map<string, number>();
      checkFleet(
        fleet.map((numbers, i) => ({
          file: `${i}.ts`,
          draft: { name: `c${i}`, pools: { web: { shape: 'intranet' as const, racks: { r1: numbers.map((n) => `h-${n}`).join() } } } },
        })),
        (file) =>
          ({ what }) =>
            void counted.set(file, (counted.get(file) ?? 0) + 1 + Number(/ and ([0-9]+) more stand /.exec(what)?.[1] ?? 0)),
      );
      fleet.forEach((numbers, i) => {
        const shared = numbers.filter((n) => fleet.slice(0, i).some((earlier) => earlier.includes(n)));
        expect(counted.get(`${i}.ts`) ?? 0).toBe(shared.length);
      });
    }),
  );
});
