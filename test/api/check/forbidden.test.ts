/** Gateways and API servers are nobody's pod, in one definition and in another's. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toAddress } from '../../../lib/api/range.ts';
import { aDefinition, aRackedPool } from '../a-definition.ts';
import { aCluster, linesOf, problemsOf, vlanIn } from './a-fleet.ts';

test("a pool's gateway among another pool's addresses on the same VLAN is refused", () => {
  const pools = {
    web: aRackedPool({ racks: { r1: 'a-1' }, vlans: { 110: vlanIn(110, { gateway: '10.110.0.200' }) } }),
    ml: aRackedPool({ racks: { r9: 'b-1' }, vlans: { 110: vlanIn(110, { addresses: '10.110.0.192/28' }) } }),
  };
  expect(linesOf(aDefinition({ pools }))).toEqual([
    'a.ts: pools.ml.vlans.110.addresses: addresses 10.110.0.192/28 hold the gateway 10.110.0.200 of pools.web.vlans.110; pods never have the address of a router. Leave it out of the range.',
  ]);
});

test("a cluster's gateway among another cluster's addresses is refused", () =>
  expect(
    linesOf(
      aCluster('one', { 110: vlanIn(110, { gateway: '10.110.0.200' }) }),
      aCluster('two', { 110: vlanIn(110, { addresses: '10.110.0.192/28' }) }),
    ),
  ).toEqual([
    'b.ts: pools.web.vlans.110.addresses: addresses 10.110.0.192/28 hold the gateway 10.110.0.200 of a.ts: pools.web.vlans.110; pods never have the address of a router. Leave it out of the range.',
  ]));

test("a cluster's API server among another cluster's addresses is refused, whichever file comes first", () => {
  const [server, range] = [
    aCluster('one', { 120: vlanIn(120) }, { apiServer: 'https://10.110.0.70:6443' }),
    aCluster('two', { 110: vlanIn(110) }),
  ];
  expect(linesOf(server, range)).toEqual([
    'b.ts: pools.web.vlans.110.addresses: addresses 10.110.0.64-10.110.0.127 hold the API server 10.110.0.70 of a.ts; pods never have the address of the API server. Leave it out of the range.',
  ]);
  expect(linesOf(range, server)).toEqual([expect.stringMatching(/^a\.ts: pools\.web\.vlans\.110\.addresses: .* of b\.ts;/)]);
});

test("a slice's API server counts too", () =>
  expect(
    linesOf(
      aCluster('one', { 110: vlanIn(110) }),
      aDefinition({ name: 'two', apiServer: 'https://10.110.0.70', pools: {}, existing: {}, concerns: [] }),
    ),
  ).toEqual([expect.stringContaining('hold the API server 10.110.0.70 of b.ts')]));

test('a gateway inside its own range is told once, not again for the pool or the cluster that shares it', () => {
  const wrong = vlanIn(110, { addresses: '10.110.0.1-10.110.0.63' });
  const share = vlanIn(110);
  expect(linesOf(aCluster('one', { 110: wrong }), aCluster('two', { 110: share }))).toEqual([
    'a.ts: pools.web.vlans.110.addresses: addresses hold the gateway 10.110.0.1; pods never have the address of the router. Begin the range above the gateway, or end it below.',
  ]);
});

test('an API server that is a gateway is refused, in one definition and across two', () => {
  const server = { apiServer: 'https://10.110.0.1:6443' };
  expect(linesOf(aCluster('one', { 110: vlanIn(110) }, server))).toEqual([
    'a.ts: apiServer: API server is 10.110.0.1, the gateway of pools.web.vlans.110; a router is no API server. Give the address that the API server answers on, or correct the gateway.',
  ]);
  expect(linesOf(aCluster('one', { 120: vlanIn(120) }, server), aCluster('two', { 110: vlanIn(110) }))).toEqual([
    expect.stringContaining('a.ts: apiServer: API server is 10.110.0.1, the gateway of b.ts: pools.web.vlans.110;'),
  ]);
});

test('a range is refused exactly when some gateway or API server of the fleet lies in it', () => {
  const last = fc.integer({ min: 1, max: 30 });
  const cluster = fc.record({ gateway: last, first: last, length: fc.nat(4), server: last });
  fc.assert(
    fc.property(fc.array(cluster, { minLength: 1, maxLength: 5 }), (fleet) => {
      const at = (host: number) => toAddress(0x0a6e0000 + host);
      const reach = fleet.map(({ first, length }) => ({ first, last: Math.min(30, first + length) }));
      const refused = problemsOf(
        ...fleet.map(({ gateway, server }, i) => {
          const addresses = `${at(reach[i]!.first)}-${at(reach[i]!.last)}`;
          const vlan = { subnet: '10.110.0.0/27', gateway: at(gateway), addresses };
          return aCluster(`c${i}`, { 110: vlan }, { apiServer: `https://${at(server)}:${6443 + i}` });
        }),
      ).filter(({ what }) => / hold the (gateway|API server) /.test(what));
      const points = fleet.flatMap(({ gateway, server }) => [gateway, server]);
      const expected = reach.flatMap((it, i) =>
        points.some((point) => it.first <= point && point <= it.last) ? [`${'abcdefgh'[i]}.ts`] : [],
      );
      expect([...new Set(refused.map(({ file }) => file))].sort()).toEqual(expected);
    }),
  );
});
