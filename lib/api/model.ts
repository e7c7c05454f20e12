/** From a checked definition to the cluster that constructs see: written out, in numbers, in a fixed order. */
import type { Cluster, Ec2Pool, IntranetPool, Machine, Pool, Volume } from './cluster.ts';
import type { Checked, CheckedPool } from './definition.ts';
import { instanceType, podEnis } from './instance-types.ts';
import { expand } from './nodeset.ts';
import { toNumber } from './quantity.ts';
import { addressRange, size } from './range.ts';

type Racked = Extract<CheckedPool, { shape: 'intranet' }>;
type Launched = Extract<CheckedPool, { shape: 'ec2' }>;

/** Label of the nodes of a pool. */
export const POOL_LABEL = 'gala.internal/pool';
/** Label of the hosts of a rack. */
export const RACK_LABEL = 'gala.internal/rack';

/** What a pool says as its `cni` when Gala wires its pods beside another CNI of the cluster. */
const GALA_CNI = 'gala';

/** Kubernetes is tested to 110 pods a node; the kubelet and containerd go on to about 250, which is where managed offers stop too. */
const MOST_PODS = 250;

export function clusterOf(checked: Checked, concerns: readonly { readonly name: string; readonly optIn?: boolean }[]): Cluster {
  const cni = checked.existing?.cni;
  const pools = byName(checked.pools).map(
    ([name, pool]): Pool => (pool.shape === 'intranet' ? racked(name, pool, cni) : launched(name, pool, cni)),
  );
  const url = new URL(checked.apiServer);
  const known = concerns.map(({ name }) => name);
  return {
    name: checked.name,
    kubernetes: checked.kubernetes,
    apiServer: { url: url.origin, host: url.hostname, port: Number(url.port || 443) },
    services: checked.services,
    serviceCidr: checked.serviceCidr,
    dns: checked.dns,
    registry: checked.registry,
    metrics: checked.metrics,
    existing: checked.existing ?? {},
    concerns: concerns
      .filter(({ name, optIn = false }) => (checked.concerns === undefined ? !optIn : checked.concerns.includes(name)))
      .map(({ name }) => name),
    options: Object.fromEntries(known.map((name) => [name, (checked as Record<string, unknown>)[name] ?? {}])),
    pools,
    intranetPools: pools.filter((pool) => pool.shape === 'intranet'),
    ec2Pools: pools.filter((pool) => pool.shape === 'ec2'),
    capacityOrder: checked.capacityOrder ?? pools.map(({ name }) => name),
  };
}

function racked(name: string, pool: Racked, cni: string | undefined): IntranetPool {
  const racks = byName(pool.racks).map(([rack, nodeset]) => ({ name: rack, nodeset, hosts: expand(nodeset) }));
  const vlans = Object.entries(pool.vlans)
    .map(([id, vlan]) => ({
      id: Number(id),
      subnet: vlan.subnet,
      gateway: vlan.gateway,
      addresses: vlan.addresses,
      range: addressRange(vlan.addresses),
      racks: vlan.racks === undefined ? racks.map((rack) => rack.name) : [...vlan.racks].sort(),
      namespaces: [...(vlan.namespaces ?? [])].sort(),
      mtu: vlan.mtu,
      routes: byNetwork(vlan.routes) ?? [],
      ipv6Prefix: vlan.ipv6Prefix,
    }))
    .sort((a, b) => a.id - b.id);
  const addresses = vlans.reduce((sum, { range }) => sum + size(range), 0);
  return {
    ...shared(name, pool, cni),
    shape: 'intranet',
    datacenter: pool.datacenter,
    racks,
    trunk: pool.trunk,
    vlans,
    macsPerPort: pool.macsPerPort,
    wirablePods: Math.min(addresses, pool.macsPerPort, MOST_PODS),
  };
}

function launched(name: string, pool: Launched, cni: string | undefined): Ec2Pool {
  const volumes = Object.keys(pool.volumes ?? {}).length;
  const carried = pool.instanceTypes.flatMap((type) => instanceType(type) ?? []).map((type) => podEnis(type, volumes));
  const warmEnis = typeof pool.warmEnis === 'number' ? pool.warmEnis : Math.min(...carried);
  return {
    ...shared(name, pool, cni),
    shape: 'ec2',
    region: pool.region,
    // In order of preference, which is the operator's.
    instanceTypes: pool.instanceTypes,
    zones: byName(pool.zones).map(([zone, subnets]) => ({ name: zone, ...subnets, routes: byNetwork(subnets.routes) ?? [] })),
    securityGroupIds: { node: [...pool.securityGroupIds.node].sort(), pod: [...pool.securityGroupIds.pod].sort() },
    imageId: pool.imageId,
    instanceProfile: pool.instanceProfile,
    join: pool.join,
    size: pool.size,
    mtu: pool.mtu,
    warmEnis,
    capacityReservationIds: [...(pool.capacityReservationIds ?? [])].sort(),
    wirablePods: warmEnis,
  };
}

function shared(name: string, pool: CheckedPool, existing: string | undefined) {
  const cni = pool.cni ?? existing;
  return {
    name,
    checked: pool,
    machine: pool.machine === undefined ? undefined : machine(pool.machine),
    volumes: byName(pool.volumes ?? {}).map(
      ([volume, it]): Volume => ({
        name: volume,
        path: it.path,
        sizeBytes: toNumber(it.size),
        overcommit: it.overcommit,
        maxQuotaBytes: it.maxQuota === undefined ? undefined : toNumber(it.maxQuota),
      }),
    ),
    locks: pool.locks,
    cni: cni === GALA_CNI ? undefined : cni,
    lends: pool.lends === undefined ? undefined : { ...pool.lends, windows: pool.lends.windows && [...pool.lends.windows].sort() },
    nodeSelector: { [POOL_LABEL]: name },
  };
}

function machine({ cpu, memory, bandwidth, swap, reserved }: NonNullable<CheckedPool['machine']>): Machine {
  return {
    cpu: toNumber(cpu),
    memoryBytes: toNumber(memory),
    bandwidth: bandwidth === undefined ? undefined : toNumber(bandwidth),
    swapBytes: swap === undefined ? undefined : toNumber(swap),
    reserved: reserved === undefined ? undefined : { cpu: toNumber(reserved.cpu), memoryBytes: toNumber(reserved.memory) },
  };
}

/** Entries in the order of code points: the same in every locale. */
export function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Routes in the order of the networks they lead to: which one counts is said by how narrow they are, not by where they stand. */
export function byNetwork<R extends { readonly to: string }>(routes: readonly R[] | undefined): R[] | undefined {
  return routes === undefined ? undefined : [...routes].sort((a, b) => (a.to < b.to ? -1 : 1));
}
