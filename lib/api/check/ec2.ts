/** EC2: what the instance types can attach, zones of the region, one way to join. */

import { instanceType, nearestType, podEnis, TABLE_DATE } from '../instance-types.ts';
import { toNumber } from '../quantity.ts';
import type { Draft, DraftLaunched, Report } from './draft.ts';
import { launchedPools } from './draft.ts';

export function checkEc2(draft: Draft, report: Report): void {
  for (const { path, pool } of launchedPools(draft)) {
    checkEnis(path, pool, report);
    checkTypes(path, pool, report);
    checkZones(path, pool, report);
    checkJoin(path, pool, draft.services, report);
    if (pool.size?.min !== undefined && pool.size.max !== undefined && pool.size.min > pool.size.max)
      report({
        path: `${path}.size`,
        what: `size.min is ${pool.size.min}, size.max is ${pool.size.max}`,
        got: pool.size,
        allowed: 'min is at most max',
        remedy: 'Swap them.',
      });
  }
}

/** Pod ENIs each type carries; undefined for a type that the table doesn't have. */
function plans(pool: DraftLaunched): { type: string; enis: number | undefined }[] {
  const volumes = Object.keys(pool.volumes ?? {}).length;
  return (pool.instanceTypes ?? []).flatMap((name) => {
    if (name === undefined) return [];
    const type = instanceType(name);
    return [{ type: name, enis: type === undefined ? undefined : podEnis(type, volumes) }];
  });
}

function checkEnis(path: string, pool: DraftLaunched, report: Report): void {
  const all = plans(pool);
  const wanted = pool.warmEnis ?? 'all';
  all.forEach(({ type, enis }, i) => {
    if (enis === undefined) checkUnknownType(`${path}.instanceTypes[${i}]`, type, wanted, report);
    if (enis === undefined || typeof wanted !== 'number' || wanted <= enis) return;
    report({
      path: `${path}.warmEnis`,
      what: `${wanted} pod ENIs, but a ${type} attaches ${instanceType(type)!.networkInterfaces} and the node keeps one`,
      got: wanted,
      allowed: `${enis} are left for pods beside the pool's volumes`,
      remedy: `Ask for ${enis}${bigger(type, wanted)}.`,
    });
  });
  const known = all.filter(({ enis }) => enis !== undefined);
  if (wanted === 'all' && new Set(known.map(({ enis }) => enis)).size > 1)
    report({
      path: `${path}.instanceTypes`,
      what: `the types carry ${known.map(({ type, enis }) => `${enis} (${type})`).join(', ')} pod ENIs`,
      got: known.map(({ type }) => type),
      allowed: 'all types of a pool carry the same ENI plan, so that an instance of either is the same stock',
      remedy: `Set warmEnis to ${Math.min(...known.map(({ enis }) => enis!))}, or make a pool of each.`,
    });
}

/** One image runs on one architecture; a machine is at most what its smallest type has. */
function checkTypes(path: string, pool: DraftLaunched, report: Report): void {
  const types = (pool.instanceTypes ?? []).flatMap((name) => (name === undefined ? [] : (instanceType(name) ?? [])));
  const architectures = new Set(types.map(({ architecture }) => architecture));
  if (architectures.size > 1)
    report({
      path: `${path}.instanceTypes`,
      what: `the types are ${types.map(({ name, architecture }) => `${name} (${architecture})`).join(', ')}`,
      got: types.map(({ name }) => name),
      allowed: 'one architecture: imageId is an image of one',
      remedy: 'Make a pool of each.',
    });
  for (const { name, vcpus, memoryMiB } of types) {
    const { cpu, memory } = pool.machine ?? {};
    if (cpu !== undefined && toNumber(cpu) > vcpus) tooMuch('cpu', cpu, `a ${name} has ${vcpus}`);
    if (memory !== undefined && toNumber(memory) > memoryMiB * 2 ** 20) tooMuch('memory', memory, `a ${name} has ${memoryMiB}Mi`);
  }
  function tooMuch(amount: string, got: number | string, allowed: string): void {
    report({
      path: `${path}.machine.${amount}`,
      what: `${amount} is ${got}`,
      got,
      allowed,
      remedy: 'Give what the smallest of the types has, or leave machine out.',
    });
  }
}

/** The smallest size of the same family that carries as many. */
function bigger(type: string, wanted: number): string {
  const family = type.slice(0, type.indexOf('.'));
  const size = ['xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge']
    .map((name) => instanceType(`${family}.${name}`))
    .find((candidate) => candidate !== undefined && podEnis(candidate, 0) >= wanted);
  return size === undefined ? '' : `, or use ${size.name} (${size.networkInterfaces})`;
}

function checkUnknownType(path: string, type: string, wanted: unknown, report: Report): void {
  const best = nearestType(type);
  report({
    path,
    what: `instance type is ${type}, which the table of ${TABLE_DATE} does not have`,
    got: type,
    allowed: wanted === 'all' ? "warmEnis: 'all' needs a type whose limit is known" : `${wanted} pod ENIs are taken on trust`,
    remedy:
      best === undefined
        ? 'Give warmEnis as a number, after a look at DescribeInstanceTypes.'
        : `Did you mean '${best}'? Else give warmEnis as a number, after a look at DescribeInstanceTypes.`,
    severity: wanted === 'all' ? 'error' : 'warning',
  });
}

function checkZones(path: string, pool: DraftLaunched, report: Report): void {
  const seen = new Map<string, string>();
  const zones = Object.entries(pool.zones ?? {});
  for (const [zone, subnets] of zones) {
    // us-east-1a; Local and Wavelength Zones go on after a dash: us-east-1-bos-1a.
    if (pool.region !== undefined && !new RegExp(`^${pool.region}([a-z]|-[a-z0-9-]+[a-z])$`).test(zone))
      report({
        path: `${path}.zones.${zone}`,
        what: `zone is ${zone}`,
        got: zone,
        allowed: `a zone of ${pool.region} is its name and a letter`,
        remedy: `Write ${pool.region}a, for example.`,
      });
    for (const key of ['nodeSubnetId', 'podSubnetId'] as const) {
      const id = subnets?.[key];
      const other = id === undefined ? undefined : seen.get(id);
      if (other !== undefined && other !== zone)
        report({
          path: `${path}.zones.${zone}.${key}`,
          what: `subnet ${id} is given for zone ${other} too`,
          got: id,
          allowed: 'a subnet lies in one zone',
          remedy: 'Give the subnet of this zone.',
        });
      if (id !== undefined) seen.set(id, zone);
    }
  }
}

function checkJoin(path: string, pool: DraftLaunched, services: Draft['services'], report: Report): void {
  if (pool.join === undefined) return;
  const { eks, bootstrap } = pool.join;
  if ((eks === undefined) === (bootstrap === undefined) || bootstrap === false)
    report({
      path: `${path}.join`,
      what: `join is ${JSON.stringify(pool.join)}`,
      got: pool.join,
      allowed: 'either { eks: <cluster> } or { bootstrap: true }',
      remedy: 'Keep the one by which the instances join.',
    });
  else if (eks !== undefined && services !== 'kube-proxy')
    report({
      path: 'services',
      what: `services is none, and ${path} joins an EKS cluster`,
      got: services ?? 'none',
      allowed: 'EKS runs kube-proxy, and its nodes are set up for it',
      remedy: "Write services: 'kube-proxy'.",
    });
}
