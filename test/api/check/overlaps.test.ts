/** What two VLANs can't both have, in one definition and across a fleet. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkFleet } from '../../../lib/api/check/fleet.ts';
import { cidrRange, overlaps, type Range, spell, toAddress } from '../../../lib/api/range.ts';
import { aDefinition, aRackedPool } from '../a-definition.ts';
import { aCluster, linesOf, vlanIn } from './a-fleet.ts';

const inHall = (datacenter: string) => ({ pool: { datacenter } });
const upper = { addresses: '10.110.0.128/26' };

describe('two clusters', () => {
  test('may share a VLAN, each with addresses of its own', () =>
    expect(
      linesOf(aCluster('one', { 110: vlanIn(110) }, inHall('hall')), aCluster('two', { 110: vlanIn(110, upper) }, inHall('hall'))),
    ).toEqual([]));

  test('have no overlapping subnets, though their addresses are apart', () =>
    expect(
      linesOf(
        aCluster('one', { 110: vlanIn(110) }),
        aCluster('two', { 120: { subnet: '10.110.0.128/25', gateway: '10.110.0.129', addresses: '10.110.0.192/27' } }),
      ),
    ).toEqual([
      'b.ts: pools.web.vlans.120.subnet: subnet 10.110.0.128/25 overlaps 10.110.0.0/24 of a.ts: pools.web.vlans.110; each VLAN has a network of its own. Correct the one that differs from the router.',
    ]));

  test('have one VLAN id for a subnet', () =>
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }), aCluster('two', { 120: vlanIn(110, upper) }))).toEqual([
      'b.ts: pools.web.vlans.120.subnet: subnet 10.110.0.0/24 is VLAN 120 here and VLAN 110 in a.ts: pools.web.vlans.110; each VLAN has a network of its own. Correct the one that differs from the router.',
    ]));

  test('may have two ids for a subnet that is stretched between datacenters, with a warning', () =>
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }, inHall('a')), aCluster('two', { 120: vlanIn(110, upper) }, inHall('b')))).toEqual([
      expect.stringMatching(/^warning: b\.ts: .* Correct one, unless the network is stretched between the datacenters\.$/),
    ]));

  test('have one subnet for a VLAN id of a datacenter', () =>
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }, inHall('a')), aCluster('two', { 110: vlanIn(120) }, inHall('a')))).toEqual([
      'b.ts: pools.web.vlans.110.subnet: VLAN 110 has subnet 10.120.0.0/24 here and 10.110.0.0/24 in a.ts: pools.web.vlans.110; a VLAN of a datacenter has one subnet. Give both the same subnet and ranges of their own.',
    ]));

  test('may use one id for two subnets where they do not stand in one datacenter', () => {
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }, inHall('a')), aCluster('two', { 110: vlanIn(120) }, inHall('b')))).toEqual([]);
    expect(linesOf(aCluster('one', { 110: vlanIn(110) }), aCluster('two', { 110: vlanIn(120) }))).toEqual([]);
  });
});

test('an overlap hidden behind a longer range of the same file is found', () =>
  expect(
    linesOf(
      aCluster('one', { 110: vlanIn(110, { addresses: '10.110.0.64-10.110.0.79' }) }),
      aDefinition({
        name: 'two',
        pools: {
          web: aRackedPool({ racks: { r1: 'b-1' }, vlans: { 110: vlanIn(110, { addresses: '10.110.0.32-10.110.0.99' }) } }),
          ml: aRackedPool({ racks: { r2: 'b-2' }, vlans: { 110: vlanIn(110, { addresses: '10.110.0.66-10.110.0.67' }) } }),
        },
      }),
    ).filter((line) => line.includes('a.ts: pools')),
  ).toEqual([
    expect.stringContaining('b.ts: pools.web.vlans.110.addresses: addresses 10.110.0.32-10.110.0.99 overlap'),
    expect.stringContaining('b.ts: pools.ml.vlans.110.addresses: addresses 10.110.0.66-10.110.0.67 overlap'),
  ]));

/** A network of 10.110.0.0/24 with a range in it; small, so that random ones meet. */
const place = fc.record({
  id: fc.constantFrom(110, 120),
  prefix: fc.integer({ min: 25, max: 28 }),
  base: fc.nat(255),
  first: fc.nat(255),
  length: fc.nat(6),
  datacenter: fc.constantFrom(undefined, 'a', 'b'),
});
type Place = typeof place extends fc.Arbitrary<infer P> ? P : never;
interface Seen {
  readonly file: string;
  readonly at: string;
  readonly id: number;
  readonly datacenter: string | undefined;
  readonly subnet: Range;
  readonly addresses: Range;
}

/** Each file with its pools, a VLAN a pool. Gateways lie far away: they are another test's. */
const seen = (fleet: readonly (readonly Place[])[]): Seen[] =>
  fleet.flatMap((pools, i) =>
    pools.map(({ id, prefix, base, first, length, datacenter }, j) => {
      const start = 0x0a6e0000 + first;
      const subnet = cidrRange(`${toAddress(0x0a6e0000 + base)}/${prefix}`);
      return { file: `${i}.ts`, at: `pools.p${j}.vlans.${id}`, id, datacenter, subnet, addresses: { first: start, last: start + length } };
    }),
  );

const drafts = (fleet: readonly (readonly Place[])[], all: readonly Seen[]) =>
  fleet.map((pools, i) => ({
    file: `${i}.ts`,
    draft: {
      name: `c${i}`,
      pools: Object.fromEntries(
        pools.map(({ id, prefix, datacenter }, j) => {
          const { subnet, addresses } = all.find(({ file, at }) => file === `${i}.ts` && at === `pools.p${j}.vlans.${id}`)!;
          const vlan = { subnet: `${toAddress(subnet.first)}/${prefix}`, gateway: '10.9.0.1', addresses: spell(addresses) };
          return [`p${j}`, { shape: 'intranet' as const, datacenter, vlans: { [id]: vlan } }];
        }),
      ),
    },
  }));

const fleets = fc.array(fc.array(place, { maxLength: 4 }), { maxLength: 5 });

/** Problems as `<file> <path>` and the rival's, as the sentence names it. */
function reported(fleet: readonly (readonly Place[])[], all: readonly Seen[]) {
  const found: { here: string; there: string; kind: string; severity: string }[] = [];
  checkFleet(drafts(fleet, all), (file) => ({ path, what, severity = 'error' }) => {
    const [, there = ''] = / (?:of|in) ([0-9]\.ts: \S+)$/.exec(what) ?? [];
    found.push({ here: `${file}: ${path.replace(/\.[a-z]+$/, '')}`, there, kind: path.split('.').at(-1)!, severity });
  });
  return found;
}

const nameOf = ({ file, at }: Seen) => `${file}: ${at}`;
const pairs = (all: readonly Seen[]) =>
  all.flatMap((a, i) => all.slice(i + 1).flatMap((b) => (a.file === b.file ? [] : [[a, b] as const])));

test('the fleet has an overlap of addresses exactly when two files have an address in common', () =>
  fc.assert(
    fc.property(fleets, (fleet) => {
      const all = seen(fleet);
      const found = reported(fleet, all).filter(({ kind }) => kind === 'addresses');
      const common = pairs(all).filter(([a, b]) => overlaps(a.addresses, b.addresses));
      const commonNames = common.map(([a, b]) => `${nameOf(a)} ${nameOf(b)}`);
      for (const { here, there } of found) expect(commonNames).toContain(`${there} ${here}`);
      const told = new Set(found.flatMap(({ here, there }) => [here, there]));
      for (const pair of common) expect(pair.some((it) => told.has(nameOf(it)))).toBe(true);
      // A range can only hide behind one of its own file, which that file's own check has told.
      const clean = all.every((a, i) => all.slice(i + 1).every((b) => a.file !== b.file || !overlaps(a.addresses, b.addresses)));
      if (clean) expect(told).toEqual(new Set(common.flatMap((pair) => pair.map(nameOf))));
    }),
    { numRuns: 500 },
  ));

test('the fleet has a wrong subnet exactly when two files disagree about a network', () => {
  const apart = (a: Seen, b: Seen) => a.datacenter !== undefined && b.datacenter !== undefined && a.datacenter !== b.datacenter;
  const judged = (a: Seen, b: Seen): 'error' | 'warning' | undefined => {
    const same = a.subnet.first === b.subnet.first && a.subnet.last === b.subnet.last;
    if (same) return a.id === b.id ? undefined : apart(a, b) ? 'warning' : 'error';
    if (overlaps(a.subnet, b.subnet)) return 'error';
    return a.id === b.id && a.datacenter !== undefined && a.datacenter === b.datacenter ? 'error' : undefined;
  };
  fc.assert(
    fc.property(fleets, (fleet) => {
      const all = seen(fleet);
      const found = reported(fleet, all).filter(({ kind }) => kind === 'subnet');
      const wrong = pairs(all).flatMap(([a, b]) =>
        judged(a, b) === undefined ? [] : [{ names: `${nameOf(a)} ${nameOf(b)}`, severity: judged(a, b) }],
      );
      for (const { here, there, severity } of found) expect(wrong).toContainEqual({ names: `${there} ${here}`, severity });
      expect(found.some(({ severity }) => severity === 'error')).toBe(wrong.some(({ severity }) => severity === 'error'));
      expect(found.length > 0).toBe(wrong.length > 0);
      // Each VLAN that is in a wrong pair stands in some line.
      const told = new Set(found.flatMap(({ here, there }) => [here, there]));
      for (const { names } of wrong) expect(names.split(/ (?=[0-9]\.ts)/).some((name) => told.has(name))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
