/**
 * Preflight: what an account lacks for so many instances more of a pool: types, addresses, reservations, groups. Pure; what EC2 says
 * comes in (preflight-account.ts), findings go out, each with its remedy. Asked before the night, not during it.
 */
import type { Ec2Pool } from '../api/cluster.ts';
import type { Ec2Type } from './ec2.ts';
import { carries } from './pod-instance.ts';

export interface PreflightSeen {
  /** Those that exist, by id. */
  readonly subnets: ReadonlyMap<string, { readonly zone: string; readonly free: number; readonly cidr: string }>;
  /** Those that exist, by name. */
  readonly types: ReadonlyMap<string, Ec2Type & { readonly vcpus: number }>;
  /** Types that a zone offers. */
  readonly offered: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those that exist, by id. */
  readonly reservations: ReadonlyMap<
    string,
    { readonly type: string; readonly zone: string; readonly state: string; readonly free: number }
  >;
  readonly groups: ReadonlySet<string>;
  /** Quota `vpc-max-security-groups-per-interface`; undefined: EC2 does not say. */
  readonly groupsPerInterface: number | undefined;
}

export interface Finding {
  /** The same in every version. */
  readonly check: 'types' | 'enis' | 'subnets' | 'addresses' | 'groups' | 'reservations' | 'quota';
  readonly verdict: 'ok' | 'lacks' | 'unknown';
  readonly what: string;
  /** Of what lacks, or could not be asked. */
  readonly remedy?: string;
}

type Asked = Pick<
  Ec2Pool,
  'name' | 'instanceTypes' | 'zones' | 'warmEnis' | 'volumes' | 'securityGroupIds' | 'capacityReservationIds' | 'region' | 'cni'
>;

/** @param more instances that are to come */
export function preflight(pool: Asked, more: number, seen: PreflightSeen): Finding[] {
  return [
    ...types(pool, seen),
    ...enis(pool, seen),
    ...subnets(pool, seen),
    addresses(pool, more, seen),
    ...groups(pool, seen),
    ...reservations(pool, more, seen),
    quota(pool, more, seen),
  ];
}

/** Where somebody has to act 3, what could not be asked 4. */
export const exitCodeOf = (findings: readonly Finding[]): 0 | 3 | 4 =>
  findings.some(({ verdict }) => verdict === 'lacks')
    ? 3
    : findings.some(({ verdict, check }) => verdict === 'unknown' && check !== 'quota')
      ? 4
      : 0;

const path = ({ name }: Asked, key: string): string => `pools.${name}.${key}`;

function types(pool: Asked, { types, offered }: PreflightSeen): Finding[] {
  const none = pool.instanceTypes.filter((type) => !types.has(type));
  const unknown = none.map(
    (type): Finding => ({
      ...{ check: 'types', verdict: 'lacks', what: `EC2 knows no instance type ${type} in ${pool.region}` },
      remedy: `Take it out of ${path(pool, 'instanceTypes')}, or correct it.`,
    }),
  );
  const zones = pool.zones.map(({ name }): Finding => {
    const there = pool.instanceTypes.filter((type) => offered.get(name)?.has(type));
    const what = `${name} offers ${there.join(', ') || 'none'} of ${pool.instanceTypes.join(', ')}`;
    if (there.length > 0) return { check: 'types', verdict: 'ok', what };
    return {
      check: 'types',
      verdict: 'lacks',
      what,
      remedy: `Add a type that ${name} offers, or leave the zone out of ${path(pool, 'zones')}.`,
    };
  });
  return [...unknown, ...zones];
}

/** What the table of a release knows of types may be older than the type. */
function enis(pool: Asked, { types }: PreflightSeen): Finding[] {
  if (pool.cni !== undefined) return [];
  return pool.instanceTypes.flatMap((name): Finding[] => {
    const type = types.get(name);
    if (type === undefined) return [];
    const room = carries(type, pool.volumes.length);
    const what = `${name} carries ${room} pod ENIs beside its own, ${pool.volumes.length} volumes counted; ${pool.warmEnis} are wanted`;
    if (room >= pool.warmEnis) return [{ check: 'enis', verdict: 'ok', what }];
    return [{ check: 'enis', verdict: 'lacks', what, remedy: `Set ${path(pool, 'warmEnis')} to ${room}, or take a larger type.` }];
  });
}

function subnets(pool: Asked, { subnets }: PreflightSeen): Finding[] {
  return pool.zones.flatMap(({ name, nodeSubnetId, podSubnetId, podSubnetCidr }) =>
    Object.entries({ nodeSubnetId, podSubnetId }).flatMap(([key, id]): Finding[] => {
      const where = path(pool, `zones.${name}.${key}`);
      const subnet = subnets.get(id);
      if (subnet === undefined)
        return [{ check: 'subnets', verdict: 'lacks', what: `there is no subnet ${id} in ${pool.region}`, remedy: `Correct ${where}.` }];
      if (subnet.zone !== name)
        return [
          {
            check: 'subnets',
            verdict: 'lacks',
            what: `${id} is in ${subnet.zone}, not in ${name}`,
            remedy: `Give ${where} a subnet of ${name}.`,
          },
        ];
      if (key === 'podSubnetId' && podSubnetCidr !== undefined && podSubnetCidr !== subnet.cidr)
        return [
          {
            ...{ check: 'subnets', verdict: 'lacks', what: `${id} is ${subnet.cidr}, and podSubnetCidr says ${podSubnetCidr}` },
            remedy: `Write ${subnet.cidr}, or leave podSubnetCidr out: nodes ask for it.`,
          },
        ];
      return [{ check: 'subnets', verdict: 'ok', what: `${id} (${name}, ${key}) has ${subnet.free} addresses free` }];
    }),
  );
}

/** How many instances each zone has addresses for: those of a subnet that both use are counted once. */
function addresses(pool: Asked, more: number, { subnets, offered }: PreflightSeen): Finding {
  const pods = pool.cni === undefined ? pool.warmEnis : 0;
  const free = new Map([...subnets].map(([id, subnet]) => [id, subnet.free]));
  const rooms = pool.zones.map(({ name, nodeSubnetId, podSubnetId }) => {
    if (!pool.instanceTypes.some((type) => offered.get(name)?.has(type))) return { name, room: 0 };
    const each = new Map<string, number>([[nodeSubnetId, 1]]);
    if (pods > 0) each.set(podSubnetId, (each.get(podSubnetId) ?? 0) + pods);
    const room = Math.min(...[...each].map(([id, count]) => Math.floor((free.get(id) ?? 0) / count)));
    // Zones may share a subnet of the nodes by mistake only, and then it is said above; what one takes another has not.
    const taken = Math.min(room, more);
    for (const [id, count] of each) free.set(id, (free.get(id) ?? 0) - taken * count);
    return { name, room };
  });
  const sum = rooms.reduce((all, { room }) => all + room, 0);
  const share = Math.ceil(more / Math.max(1, pool.zones.length));
  const what = `addresses for ${sum} instances more (${rooms.map(({ name, room }) => `${name} ${room}`).join(', ')}), each with ${1 + pods}; ${more} are wanted`;
  if (sum < more)
    return {
      check: 'addresses',
      verdict: 'lacks',
      what,
      remedy: `Larger subnets, another zone, or fewer warmEnis; or at most ${sum} instances more.`,
    };
  const short = rooms.filter(({ room }) => room < share).map(({ name }) => name);
  return {
    check: 'addresses',
    verdict: 'ok',
    what: short.length === 0 ? what : `${what}; ${short.join(', ')} can't take an even share of ${share}`,
  };
}

function groups(pool: Asked, { groups, groupsPerInterface }: PreflightSeen): Finding[] {
  return Object.entries(pool.securityGroupIds).flatMap(([kind, ids]: [string, readonly string[]]): Finding[] => {
    const where = path(pool, `securityGroupIds.${kind}`);
    const missing = ids.filter((id) => !groups.has(id));
    if (missing.length > 0)
      return [
        {
          check: 'groups',
          verdict: 'lacks',
          what: `there is no security group ${missing.join(', ')} in ${pool.region}`,
          remedy: `Correct ${where}.`,
        },
      ];
    const what = `${ids.length} security groups an interface of ${kind === 'pod' ? 'pods' : 'nodes'}`;
    if (groupsPerInterface === undefined)
      return [
        {
          check: 'groups',
          verdict: 'unknown',
          what: `${what}; EC2 does not say how many it allows`,
          remedy: 'Give the caller ec2:DescribeAccountAttributes.',
        },
      ];
    if (ids.length > groupsPerInterface)
      return [
        {
          check: 'groups',
          verdict: 'lacks',
          what: `${what}; the quota is ${groupsPerInterface}`,
          remedy: `Have quota L-2AFB9258 of VPC raised, or merge groups of ${where}.`,
        },
      ];
    return [{ check: 'groups', verdict: 'ok', what: `${what}, of ${groupsPerInterface}` }];
  });
}

function reservations(pool: Asked, more: number, { reservations }: PreflightSeen): Finding[] {
  const where = path(pool, 'capacityReservationIds');
  let held = 0;
  const each = pool.capacityReservationIds.map((id): Finding => {
    const found = reservations.get(id);
    const lacks = (what: string, remedy: string): Finding => ({ check: 'reservations', verdict: 'lacks', what, remedy });
    if (found === undefined)
      return lacks(`there is no capacity reservation ${id} in ${pool.region}`, `Take it out of ${where}, or correct it.`);
    const { type, zone, state, free } = found;
    if (state !== 'active') return lacks(`${id} is ${state}`, `Make another, or take it out of ${where}.`);
    if (!pool.instanceTypes.includes(type))
      return lacks(`${id} is for ${type}, of which the pool makes none`, `Add ${type} to ${path(pool, 'instanceTypes')}.`);
    if (!pool.zones.some(({ name }) => name === zone))
      return lacks(`${id} is in ${zone}, where the pool has no subnets`, `Add ${zone} to ${path(pool, 'zones')}.`);
    held += free;
    return { check: 'reservations', verdict: 'ok', what: `${id} holds ${free} × ${type} in ${zone}` };
  });
  if (each.length === 0) return [];
  const rest = Math.max(0, more - held);
  return [
    ...each,
    {
      check: 'reservations',
      verdict: 'ok',
      what: `of ${more} instances ${more - rest} are reserved; EC2 promises no capacity for the other ${rest}`,
    },
  ];
}

/** Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances; others have quotas of their own. */
const VCPU_QUOTA = 'L-1216C47A';

/** EC2's own API does not say it: Service Quotas does, to whom may ask that. It is said, and keeps nobody from a scale-up. */
function quota(pool: Asked, more: number, { types }: PreflightSeen): Finding {
  const vcpus = Math.max(0, ...pool.instanceTypes.map((type) => types.get(type)?.vcpus ?? 0));
  return {
    ...{
      check: 'quota',
      verdict: 'unknown',
      what: `${more} instances take up to ${more * vcpus} vCPUs of the account's quota, beside what runs already`,
    },
    remedy: `aws service-quotas get-service-quota --service-code ec2 --quota-code ${VCPU_QUOTA} --region ${pool.region} says the quota of standard families; have it raised days ahead.`,
  };
}
