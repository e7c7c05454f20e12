/** Whatever definition passes the checks, its objects pass the API server: random definitions on a real one. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rendered } from '../../constructs/testing.ts';
import type { ClusterDefinition, PoolDefinition } from '../../lib/api/definition.ts';
import { parseCluster } from '../../lib/api/parse.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';

const name = (prefix: string) => fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?$/).map((rest) => `${prefix}${rest}`);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const gibibytes = (max: number) => fc.integer({ min: 1, max }).map((size) => `${size}Gi`);

const volumes = fc.dictionary(
  name('v'),
  fc.record({ size: fc.constantFrom('1Ti', '2.5Ti', 1099511627776), overcommit: fc.double({ min: 1, max: 10, noNaN: true }) }),
  { maxKeys: 3, noNullPrototype: true },
);
const shared = fc.record({
  volumes: optional(
    volumes.map((all) => Object.fromEntries(Object.entries(all).map(([key, volume], i) => [key, { path: `/data${i}`, ...volume }]))),
  ),
  lends: optional(
    fc.record({
      upTo: fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
      reclaimMinutes: fc.nat(1440),
      windows: optional(fc.constant(['18:00-02:00 Asia/Shanghai'])),
    }),
  ),
  locks: optional(fc.constantFrom('hard', 'advisory')),
});

/** Pool `at` has hosts and networks that no other pool has. */
const racked = (at: number) =>
  fc
    .record({
      shared,
      racks: fc.uniqueArray(name('r'), { minLength: 1, maxLength: 5 }),
      hosts: fc.integer({ min: 1, max: 40 }),
      vlans: fc.uniqueArray(fc.integer({ min: 1, max: 4094 }), { minLength: 1, maxLength: 5 }),
      trunk: fc.constantFrom('bond0', 'eth1', 'ens5f0np0'),
      datacenter: optional(name('dc')),
      namespaces: optional(fc.uniqueArray(name('n'), { minLength: 1, maxLength: 3 })),
      mtu: optional(fc.integer({ min: 1280, max: 9216 })),
      isDual: fc.boolean(),
      isRouted: fc.boolean(),
      macsPerPort: optional(fc.integer({ min: 1, max: 4096 })),
      machine: optional(
        fc.record({ cpu: fc.constantFrom(8, 64, '500m', '1.5'), memory: gibibytes(2048), bandwidth: optional(fc.constant('25G')) }),
      ),
    })
    .map(({ shared, racks, hosts, vlans, namespaces, mtu, isDual, isRouted, ...pool }) => ({
      shape: 'intranet',
      ...pool,
      ...shared,
      racks: Object.fromEntries(racks.map((rack, i) => [rack, `p${at}-x${i}-[1-${hosts}]`])),
      vlans: Object.fromEntries(
        vlans.map((id, i) => [
          id,
          {
            subnet: `10.${at}.${i}.0/24`,
            gateway: `10.${at}.${i}.1`,
            addresses: `10.${at}.${i}.64/26`,
            racks: i === 0 ? undefined : racks.slice(0, 1),
            namespaces,
            mtu,
            ipv6Prefix: isDual ? `fd2c:7a41::${at}:${i}:0:0/96` : undefined,
            routes: isRouted ? [{ to: '10.200.0.0/16', via: `10.${at}.${i}.2` }, { to: '10.201.0.0/16' }] : undefined,
          },
        ]),
      ),
    }));

const launched = fc
  .record({
    shared,
    types: fc.constantFrom(['c5.4xlarge'], ['c5.4xlarge', 'm5.4xlarge'], ['c5.large']),
    warmEnis: fc.constantFrom(undefined, 'all', 1, 2),
    zones: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    join: fc.constantFrom({ eks: 'one' }, { bootstrap: true }),
    min: fc.nat(10),
    more: fc.nat(50),
    reservations: optional(fc.constantFrom([], ['cr-0a'])),
  })
  .map(({ shared: { volumes: _, ...shared }, types, warmEnis, zones, join, min, more, reservations }) => ({
    shape: 'ec2',
    region: 'eu-west-1',
    instanceTypes: types,
    zones: Object.fromEntries(
      zones.map((zone) => [`eu-west-1${zone}`, { nodeSubnetId: `subnet-0${zone}`, podSubnetId: `subnet-1${zone}` }]),
    ),
    securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b', 'sg-0c'] },
    imageId: 'ami-0a',
    instanceProfile: 'gala-node',
    join,
    size: { min, max: min + more },
    warmEnis,
    capacityReservationIds: reservations,
    ...shared,
  }));

const definition = fc
  .record({
    names: fc.uniqueArray(name('p'), { minLength: 1, maxLength: 3 }),
    kubernetes: fc.constantFrom('1.35', '1.36', '1.37'),
    registry: optional(fc.constant('harbor.intra/gala')),
  })
  .chain(({ names, ...rest }) =>
    fc.tuple(...names.map((_, at) => fc.oneof(racked(at), launched))).map((pools) => ({
      name: 'any',
      apiServer: 'https://192.168.0.10:6443',
      services: 'kube-proxy',
      serviceCidr: '172.30.0.0/16',
      concerns: ['scheduling', 'network'],
      ...rest,
      pools: Object.fromEntries(names.map((pool, i) => [pool, pools[i] as unknown as PoolDefinition])),
    })),
  ) as fc.Arbitrary<ClusterDefinition>;

describeBed('any definition that passes the checks', ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
  }, 300_000);
  afterAll(() => bed?.stop());

  test('renders objects that the API server accepts without a warning', async () => {
    let passed = 0;
    const [sample] = fc.sample(definition.filter(passes), { numRuns: 1, seed: 1 });
    await bed.apply(rendered(sample!).objects.filter(({ kind }) => kind !== 'HostPool'));
    await fc.assert(
      fc.asyncProperty(definition, async (any) => {
        if (!passes(any)) return;
        passed++;
        // The rest is the same for every definition.
        const pools = rendered(any).objects.filter(({ kind }) => kind === 'HostPool');
        const applied = await bed.apply(pools, { dryRun: true });
        expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(passed).toBeGreaterThan(30);
  }, 300_000);
});

function passes(any: ClusterDefinition): boolean {
  try {
    return parseCluster(any).cluster !== undefined && rendered(any) !== undefined;
  } catch {
    return false;
  }
}
