/** What lacks for a scale-up, of what EC2 says. */
import { describe, expect, test } from '@jest/globals';
import { instanceType } from '../../lib/api/instance-types.ts';
import { exitCodeOf, type Finding, type PreflightSeen, preflight } from '../../lib/cloud/preflight.ts';

const ZONES = ['ap-northeast-1a', 'ap-northeast-1c'] as const;
type Pool = Parameters<typeof preflight>[0];
const aPool = (over: Partial<Pool> = {}): Pool => ({
  ...{ name: 'burst', region: 'ap-northeast-1', instanceTypes: ['c5.4xlarge', 'm5.4xlarge'], warmEnis: 7, volumes: [] },
  zones: ZONES.map((name, n) => ({ name, nodeSubnetId: `subnet-0a${n}`, podSubnetId: `subnet-0d${n}`, routes: [] })),
  ...{ securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] }, capacityReservationIds: [] },
  ...over,
});
const types = (...names: string[]): PreflightSeen['types'] =>
  new Map(names.flatMap((name) => (instanceType(name) ? [[name, instanceType(name)!]] : [])));
const subnet = (zone: string, free: number, cidr = '10.16.4.0/22') => ({ zone, free, cidr });
const anAccount = (over: Partial<PreflightSeen> = {}): PreflightSeen => ({
  subnets: new Map(
    ZONES.flatMap((zone, n) => [
      [`subnet-0a${n}`, subnet(zone, 100)],
      [`subnet-0d${n}`, subnet(zone, 220)],
    ]),
  ),
  types: types('c5.4xlarge', 'm5.4xlarge'),
  offered: new Map(ZONES.map((zone) => [zone, new Set(['c5.4xlarge', 'm5.4xlarge'])])),
  ...{ reservations: new Map(), groups: new Set(['sg-0a', 'sg-0b']), groupsPerInterface: 5 },
  ...over,
});
const lacking = (pool: Pool, more: number, seen: PreflightSeen) =>
  preflight(pool, more, seen).flatMap(({ verdict, check, what, remedy }) => (verdict === 'lacks' ? [`${check}: ${what}. ${remedy}`] : []));
const of = (check: Finding['check'], findings: readonly Finding[]) => findings.filter((finding) => finding.check === check);

describe('addresses', () => {
  test('are enough for as many instances as the subnets of all zones take, and not for one more', () => {
    // 220 of the pods' subnet, seven each: 31 a zone.
    expect(lacking(aPool(), 62, anAccount())).toEqual([]);
    expect(lacking(aPool(), 63, anAccount())).toEqual([
      'addresses: addresses for 62 instances more (ap-northeast-1a 31, ap-northeast-1c 31), each with 8; 63 are wanted. ' +
        'Larger subnets, another zone, or fewer warmEnis; or at most 62 instances more.',
    ]);
  });

  test('of a subnet that nodes and pods share are counted once', () => {
    const zones = [{ name: ZONES[0], nodeSubnetId: 'subnet-0d0', podSubnetId: 'subnet-0d0', routes: [] }];
    expect(lacking(aPool({ zones }), 27, anAccount())).toEqual([]);
    expect(lacking(aPool({ zones }), 28, anAccount())).toEqual([expect.stringContaining('addresses for 27 instances')]);
  });

  test('of a zone that offers none of the types help nobody', () => {
    const offered = new Map([
      [ZONES[0], new Set(['c5.4xlarge'])],
      [ZONES[1], new Set<string>()],
    ]);
    expect(lacking(aPool(), 40, anAccount({ offered }))).toEqual([
      expect.stringContaining('ap-northeast-1c offers none of c5.4xlarge, m5.4xlarge'),
      expect.stringContaining('addresses for 31 instances'),
    ]);
  });

  test('of nodes alone count where another CNI wires the pods', () => {
    expect(lacking(aPool({ cni: 'aws-vpc' }), 200, anAccount())).toEqual([]);
  });

  test('a zone that takes less than its share is told, while others take more', () => {
    const subnets = new Map([...anAccount().subnets, ['subnet-0d1', subnet(ZONES[1], 14)]]);
    const [found] = of('addresses', preflight(aPool(), 20, anAccount({ subnets })));
    expect(found).toMatchObject({ verdict: 'ok', what: expect.stringContaining("ap-northeast-1c can't take an even share of 10") });
  });
});

test('subnets that are not there, in another zone, or of another network than the definition says', () => {
  const subnets = new Map([...anAccount().subnets, ['subnet-0a1', subnet(ZONES[0], 9)]]);
  subnets.delete('subnet-0d1');
  const [first, second] = aPool().zones;
  expect(lacking(aPool({ zones: [{ ...first!, podSubnetCidr: '10.16.0.0/22' }, second!] }), 1, anAccount({ subnets }))).toEqual([
    'subnets: subnet-0d0 is 10.16.4.0/22, and podSubnetCidr says 10.16.0.0/22. Write 10.16.4.0/22, or leave podSubnetCidr out: nodes ask for it.',
    'subnets: subnet-0a1 is in ap-northeast-1a, not in ap-northeast-1c. Give pools.burst.zones.ap-northeast-1c.nodeSubnetId a subnet of ap-northeast-1c.',
    'subnets: there is no subnet subnet-0d1 in ap-northeast-1. Correct pools.burst.zones.ap-northeast-1c.podSubnetId.',
  ]);
});

test('a type that EC2 does not know, and one that carries fewer ENIs than are wanted', () => {
  const pool = aPool({ instanceTypes: ['c5.xlarge', 'c99.large'] });
  expect(
    lacking(pool, 1, anAccount({ types: types('c5.xlarge'), offered: new Map(ZONES.map((zone) => [zone, new Set(['c5.xlarge'])])) })),
  ).toEqual([
    'types: EC2 knows no instance type c99.large in ap-northeast-1. Take it out of pools.burst.instanceTypes, or correct it.',
    'enis: c5.xlarge carries 3 pod ENIs beside its own, 0 volumes counted; 7 are wanted. Set pools.burst.warmEnis to 3, or take a larger type.',
  ]);
});

test('reservations: gone, ended, for another type or zone; what is not reserved is said, and is no lack', () => {
  const pool = aPool({ capacityReservationIds: ['cr-1', 'cr-2', 'cr-3', 'cr-4', 'cr-5'] });
  const held = { type: 'c5.4xlarge', zone: ZONES[0], state: 'active', free: 4 };
  const reservations = new Map([
    ['cr-1', held],
    ['cr-2', { ...held, state: 'expired' }],
    ['cr-3', { ...held, type: 'r5.large' }],
    ['cr-4', { ...held, zone: 'ap-northeast-1d' }],
  ]);
  expect(lacking(pool, 10, anAccount({ reservations })).map((line) => line.slice(0, 40))).toEqual([
    'reservations: cr-2 is expired. Make anot',
    'reservations: cr-3 is for r5.large, of w',
    'reservations: cr-4 is in ap-northeast-1d',
    'reservations: there is no capacity reser',
  ]);
  expect(of('reservations', preflight(pool, 10, anAccount({ reservations }))).at(-1)?.what).toBe(
    'of 10 instances 4 are reserved; EC2 promises no capacity for the other 6',
  );
});

test('security groups: one that is not there, more than the quota, and a quota that the caller may not ask', () => {
  const many = aPool({ securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b', 'sg-0c'] } });
  const groups = new Set(['sg-0a', 'sg-0b', 'sg-0c']);
  expect(lacking(many, 1, anAccount())).toEqual([expect.stringContaining('there is no security group sg-0c')]);
  expect(lacking(many, 1, anAccount({ groups, groupsPerInterface: 1 }))).toEqual([expect.stringContaining('the quota is 1')]);
  const unknown = preflight(many, 1, anAccount({ groups, groupsPerInterface: undefined }));
  expect(exitCodeOf(unknown)).toBe(4);
});

test('all is there: exit code 0, and the quota of vCPUs, which EC2 does not tell, with the command that does', () => {
  const findings = preflight(aPool(), 60, anAccount());
  expect(exitCodeOf(findings)).toBe(0);
  expect(of('quota', findings)).toEqual([
    expect.objectContaining({ what: expect.stringContaining('960 vCPUs'), remedy: expect.stringContaining('--quota-code L-1216C47A') }),
  ]);
  expect(exitCodeOf(preflight(aPool(), 600, anAccount()))).toBe(3);
});
