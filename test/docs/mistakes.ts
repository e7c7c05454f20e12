/**
 * Mistakes in definitions, one of each kind that docs/definitions.md tells of, and the lines that synth prints for them.
 * The page quotes these lines and no others (messages.test.ts).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDefinitions, problemLine } from '../../constructs/check.ts';
import type { Concern } from '../../constructs/concern.ts';
import { CONCERNS } from '../../constructs/concerns.ts';
import { load } from '../../constructs/load.ts';
import { ddos } from '../../examples/own-concern/ddos.ts';
import { aDefinition, anEc2Pool, aRackedPool, aVlan } from '../api/a-definition.ts';

const concerns: readonly Concern[] = [...CONCERNS, ddos];

const linesOf = (...definitions: unknown[]): string[] =>
  checkDefinitions(
    definitions.map((definition, i) => ({ file: ['clusters/one.ts', 'clusters/two.ts'][i]!, definition })),
    concerns,
  ).problems.map(problemLine);

/** A definition with one key more or another value. */
const one = (parts: Record<string, unknown>) => linesOf(aDefinition(parts));
/** A racked pool with one key more or another value. */
const racked = (parts: Record<string, unknown>) => one({ pools: { web: aRackedPool(parts) } });
const vlans = (parts: Record<number, Record<string, unknown>>) =>
  racked({ vlans: Object.fromEntries(Object.entries(parts).map(([id, vlan]) => [id, aVlan(vlan)])) });
const launched = (parts: Record<string, unknown>) => one({ services: 'kube-proxy', pools: { burst: anEc2Pool(parts) } });

/** A pool in one or two zones, whose pod subnets have these networks. */
const zoned = (...cidrs: string[]) => {
  const zone = (podSubnetCidr: string, i: number) => ({ nodeSubnetId: `subnet-0a${i}`, podSubnetId: `subnet-0d${i}`, podSubnetCidr });
  const zones = Object.fromEntries(cidrs.map((cidr, i) => [`ap-northeast-1${'ac'[i]}`, zone(cidr, i)]));
  return { services: 'kube-proxy', serviceCidr: '172.20.0.0/16', pools: { burst: anEc2Pool({ zones }) } };
};
const podSubnets = (...cidrs: string[]) => one(zoned(...cidrs));

/** Two pools on VLAN 110. */
const sharing = (first: Record<string, unknown>, second: Record<string, unknown>) => {
  const spare = { racks: { s: 'dc1-s-1' }, vlans: { 110: aVlan({ addresses: '10.110.0.192/28', ...second }) } };
  return one({ pools: { web: aRackedPool({ vlans: { 110: aVlan(first) } }), spare: aRackedPool(spare) } });
};

const elsewhere = { 120: { subnet: '10.120.0.0/24', gateway: '10.120.0.1', addresses: '10.120.0.64/26' } };
const hosts = { r1: 'dc2-r1-[1-4]' };
/** A second cluster with nothing of the first. */
const elsewhereOnly = { name: 'two', pools: { web: aRackedPool({ racks: hosts, vlans: { 120: aVlan(elsewhere[120]) } }) } };
/** A second cluster with one pool, beside the first. */
const besides = (pool: Record<string, unknown>) => linesOf(aDefinition(), aDefinition({ name: 'two', pools: { web: aRackedPool(pool) } }));
/** Two clusters in datacenters, the second with VLANs of its own. */
const halls = (one: string, vlans: Record<number, unknown>, two: string) =>
  linesOf(
    aDefinition({ pools: { web: aRackedPool({ datacenter: one }) } }),
    aDefinition({ name: 'two', pools: { web: aRackedPool({ datacenter: two, racks: hosts, vlans }) } }),
  );

async function file(name: string, text: string | undefined): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'gala-docs-'));
  try {
    if (text !== undefined) writeFileSync(join(root, name), text);
    const { problems } = await load([join(root, name)], root);
    return problems.map((problem) => problemLine({ ...problem, file: `clusters/${problem.file}` }));
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Every line that the mistakes yield, once. */
export async function producedLines(): Promise<ReadonlySet<string>> {
  const lines = [
    // fields
    one({ kubernetes: '1.12' }),
    one({ apiServer: 'http://10.8.0.10' }),
    one({ sevices: 'none' }),
    racked({ trunk: undefined }),
    vlans({ 5000: {} }),
    // hosts and racks
    racked({ racks: { r1: 'dc1-r1-[1-4' } }),
    racked({ racks: { r1: 'dc1-r1-[1-4]', r2: 'dc1-r1-4' } }),
    racked({ racks: { r1: 'dc1-r1-[1-4]', r2: 'dc1-r1-[1-4]' } }),
    racked({ racks: { r1: 'dc1-r1-[1-4],dc1-r1-2' } }),
    racked({ racks: { r1: 'DC1-r1-1' } }),
    vlans({ 110: { racks: ['r11'] } }),
    // VLANs
    vlans({ 110: { subnet: '10.110.0.5/24' } }),
    vlans({ 110: {}, 120: { subnet: '10.110.0.128/25', gateway: '10.110.0.129', addresses: '10.110.0.160/27' } }),
    vlans({ 110: {}, 120: {} }),
    vlans({ 110: { subnet: '127.0.0.0/24', gateway: undefined, addresses: undefined } }).filter((line) => line.includes('subnet')),
    vlans({ 110: { addresses: '10.110.0.70/26' } }),
    vlans({ 110: { addresses: '10.110.0.127-10.110.0.64' } }),
    vlans({ 110: { addresses: '10.110.1.0-10.110.1.63' } }),
    vlans({ 110: { addresses: '10.110.0.192-10.110.0.255' } }),
    vlans({ 110: { gateway: '10.110.0.0' } }),
    vlans({ 110: { addresses: '10.110.0.1-10.110.0.63' } }),
    one({ apiServer: 'https://10.110.0.100:6443' }),
    one({ apiServer: 'https://10.110.0.1:6443' }),
    one({
      pools: {
        web: aRackedPool({ vlans: { 110: aVlan({ gateway: '10.110.0.200' }) } }),
        spare: aRackedPool({ racks: { s: 'dc1-s-1' }, vlans: { 110: aVlan({ addresses: '10.110.0.192/28' }) } }),
      },
    }),
    vlans({ 110: { subnet: '10.110.0.0/31', gateway: undefined, addresses: undefined } }).filter((line) => line.includes('/30')),
    one({
      pools: {
        web: aRackedPool(),
        spare: aRackedPool({
          racks: { s: 'dc1-s-1' },
          vlans: { 110: aVlan({ subnet: '10.111.0.0/24', gateway: '10.111.0.1', addresses: '10.111.0.64/26' }) },
        }),
      },
    }),
    vlans({ 110: { mtu: 1279, ipv6Prefix: 'fd2c:7a41:d0e8:110::/96' } }),
    ...['fd2c:7a41:d0e8:110::7/96', 'fd2c:7a41:d0e8:110:1200::/96', '64:ff9b::/96', 'fd2c::110::/96'].map((ipv6Prefix) =>
      vlans({ 110: { ipv6Prefix } }),
    ),
    ...[{ to: '10.20.1.0/16' }, { to: '0.0.0.0/0' }, { to: '169.254.20.0/24' }, { to: '10.110.0.128/26' }].map((route) =>
      vlans({ 110: { routes: [route] } }),
    ),
    ...['10.111.0.2', '10.110.0.64'].map((via) => vlans({ 110: { routes: [{ to: '10.20.0.0/16', via }] } })),
    sharing({ mtu: 9000 }, { mtu: 1500 }),
    sharing({ ipv6Prefix: 'fd2c:7a41:d0e8:110::/96' }, { ipv6Prefix: 'fd2c:7a41:d0e8:111::/96' }),
    sharing({ routes: [{ to: '10.20.0.0/16', via: '10.110.0.200' }] }, {}),
    // machines and volumes
    one({
      pools: {
        'web-of-hall-a-for-the-festival-2027': aRackedPool({ volumes: { 'logs-of-all-the-services': { path: '/data1', size: '2Ti' } } }),
      },
    }),
    racked({ machine: { cpu: 4, memory: '8Gi', reserved: { cpu: 8, memory: '1Gi' } } }),
    racked({ volumes: { log: { path: '/data1', size: '2Ti', maxQuota: '4Ti' } } }),
    racked({ volumes: { log: { path: '/data1', size: '2Ti' }, tmp: { path: '/data1/tmp', size: '1Ti' } } }),
    racked({ swap: 'limited' }),
    // EC2
    launched({ instanceTypes: ['c5.large'], warmEnis: 4 }),
    launched({ instanceTypes: ['c5.4xlarge', 'c5.large'] }),
    launched({ instanceTypes: ['c5.4xlarg'] }),
    launched({ zones: { 'us-east-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' } } }),
    launched({
      zones: {
        'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' },
        'ap-northeast-1c': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d2' },
      },
    }),
    podSubnets('10.16.4.1/22'),
    podSubnets('10.16.4.0/29'),
    podSubnets('224.0.0.0/16'),
    podSubnets('10.16.4.0/22', '10.16.6.0/24'),
    launched({ join: {} }),
    launched({ size: { min: 3, max: 1 } }),
    // clusters
    one({ capacityOrder: ['web', 'wbe'] }),
    one({ pools: {} }),
    one({ concerns: ['schedulign'] }),
    one({ serviceCidr: '10.96.0.1/16' }),
    one({ serviceCidr: '224.0.0.0/12' }),
    one({ serviceCidr: '10.96.0.0/12' }),
    one({ services: 'kube-proxy', concerns: ['scheduling', 'network'] }),
    one({ concerns: ['network'] }),
    one({ services: 'kube-proxy', pools: { burst: anEc2Pool() }, ddos: { mode: 'drop' } }),
    // fleet
    linesOf(aDefinition(), aDefinition({ pools: {}, concerns: [] })),
    linesOf(
      aDefinition(),
      aDefinition({
        name: 'two',
        pools: { web: aRackedPool({ vlans: { 120: aVlan(elsewhere[120]) } }) },
      }),
    ),
    besides({ racks: { r1: 'dc2-r1-[1-4]' } }),
    besides({ racks: hosts, vlans: { 110: aVlan({ gateway: '10.110.0.100', addresses: '10.110.0.128/26' }) } }),
    besides({ racks: hosts, vlans: { 120: aVlan({ subnet: '10.110.0.0/23', addresses: '10.110.1.0/26' }) } }),
    besides({ racks: hosts, vlans: { 120: aVlan({ addresses: '10.110.0.128/26' }) } }),
    linesOf(aDefinition(), aDefinition({ ...elsewhereOnly, apiServer: 'https://10.110.0.100:6443' })),
    linesOf(aDefinition(), aDefinition({ ...elsewhereOnly, apiServer: 'https://10.110.0.1:6443' })),
    halls('hall-a', { 110: aVlan(elsewhere[120]) }, 'hall-a'),
    linesOf(...['10.16.4.0/22', '10.16.8.0/22'].map((cidr, i) => aDefinition({ name: ['one', 'two'][i], ...zoned(cidr) }))),
    // warnings
    linesOf(aDefinition(), aDefinition({ ...elsewhereOnly, apiServer: aDefinition().apiServer })),
    halls('hall-a', { 120: aVlan({ addresses: '10.110.0.128/26' }) }, 'hall-b'),
    racked({ macsPerPort: 4 }),
    vlans({ 110: { racks: ['r1'] } }),
    one({
      pools: {
        web: aRackedPool(),
        spare: aRackedPool({ racks: { s: 'dc1-s-1' }, vlans: { 110: aVlan({ addresses: '10.110.0.32/30' }) } }),
      },
      capacityOrder: ['web'],
    }),
    launched({ instanceTypes: ['c9.large'], warmEnis: 2 }),
    one({ concerns: ['scheduling'], ddos: { mode: 'observe' } }),
    // files
    await file('none.yaml', undefined),
    await file('two.yaml', 'name: two\npools: {}\nname: three\n'),
    await file('none.mjs', 'export const cluster = {};\n'),
    await file('throws.mjs', "throw new Error('the inventory does not answer');\n"),
  ];
  const silent = lines.findIndex((found) => found.length === 0);
  if (silent >= 0) throw new Error(`mistake ${silent} yields no problem`);
  return new Set(lines.flat());
}
