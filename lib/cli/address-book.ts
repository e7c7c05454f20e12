/**
 * The address book: every address that pods can have, by the block it comes from, and who has each of those that are taken. Pure: made
 * of HostPools, NodeNetworks, nodes and IPLocks, wherever these were read. `gala ips` counts and lists by it.
 */
import type { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { POOL_LABEL, RACK_LABEL } from '../api/model.ts';
import { PROBED, WIRED } from '../api/network.ts';
import { spell, toNumber } from '../api/range.ts';
import { POD_ANNOTATION } from '../api/scheduling.ts';
import { type Intern, interning } from '../scheduling/intern.ts';
import { type PoolFacts, poolFacts, type VlanFacts } from '../scheduling/inventory/pool-facts.ts';

/** Who reaches a block: hosts of a pool, and the pods of namespaces. */
export interface Reach {
  readonly pool: string;
  /** Undefined: all racks of the pool. */
  readonly racks?: ReadonlySet<string>;
  /** Undefined: all. */
  readonly namespaces?: ReadonlySet<string>;
}

/** Addresses of one origin: those of a VLAN that pods may have, or the pod ENIs of a pool in one subnet. */
export interface Block {
  /** Pools that describe the same VLAN share it; nearly always one. */
  readonly reach: readonly Reach[];
  /** Of a VLAN. */
  readonly vlan?: number;
  /** Of ENIs. */
  readonly subnet?: string;
  readonly zone?: string;
  /** `10.110.1.0-10.110.2.223` */
  readonly range?: string;
  readonly total: number;
  /** EC2 has not given the addresses yet: they are counted, and have no names. */
  readonly nameless?: true;
  /** Lowest first. */
  all(): Iterable<number>;
  /** Of ENIs: the instance that has it, and the ENI's MAC address. */
  eni?(address: number): { readonly node: string; readonly mac: string } | undefined;
}

/** A node that pods with addresses can run on. */
export interface Host {
  readonly name: string;
  readonly pool: string;
  readonly rack?: string;
  readonly zone?: string;
  /** MAC addresses that its switch port may show of pods, and how many it was seen to show; of racked hosts. */
  readonly macsPerPort?: number;
  readonly macsSeen?: number;
}

/** A condition as it is said. */
export interface Said {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message?: string;
  /** When the status last changed, RFC 3339. */
  readonly since?: string;
}

/** An address that somebody has: of its IPLock what is shown, so that 50,000 of them are held at once. */
export interface Taken {
  readonly address: number;
  readonly state: IPLock['spec']['phase'];
  readonly node: string;
  readonly mac: string;
  /** `<namespace>/<name>` */
  readonly owner: string;
  readonly lock?: string;
  readonly pod?: string;
  /** When its IPLock was last written, and when it was made; Unix milliseconds. */
  readonly sinceMs?: number;
  readonly takenMs?: number;
  readonly wired?: Said;
  readonly probed?: Said;
}

export interface AddressBook {
  /** By pool, VLAN and subnet. */
  readonly blocks: readonly Block[];
  /** By pool and name. */
  readonly hosts: readonly Host[];
  /** Racks that pools declare, hosts or none. */
  readonly racks: readonly { readonly pool: string; readonly rack: string }[];
  /** Lowest address first. */
  readonly taken: readonly Taken[];
  blockOf(address: number): Block | undefined;
  isTaken(address: number): boolean;
}

interface Object<T> {
  readonly metadata: { readonly name: string };
  readonly spec: T;
}
export type PoolObject = Object<HostPool['spec']>;
export type NetworkObject = Object<NodeNetwork['spec']> & { readonly status?: NodeNetwork['status'] };

export interface BookFacts {
  readonly pools: Iterable<PoolObject>;
  readonly networks: Iterable<NetworkObject>;
  /** Undefined: they could not be listed; pools and NodeNetworks say then which there are. */
  readonly nodes?: Iterable<{ readonly name: string; readonly labels: Readonly<Record<string, string>> }>;
  readonly taken: Iterable<Taken>;
  /** Addresses of ENIs are placeholders. */
  readonly nameless?: boolean;
}

export function addressBook({ pools: listed, networks: seen, nodes, taken: unordered, nameless = false }: BookFacts): AddressBook {
  const pools = [...listed];
  const networks = [...seen];
  const facts = new Map(pools.map((pool) => [pool.metadata.name, poolFacts(pool as HostPool)]));
  const hosts = hostsOf(facts, networks, nodes);
  const vlans = vlanBlocks([...facts.values()].filter(({ wiredByGala }) => wiredByGala));
  const enis = eniBlocks(pools, networks, new Map(hosts.map((host) => [host.name, host])), nameless);
  const blocks = [...vlans.map(({ block }) => block), ...enis.blocks].sort(byOrigin);
  const taken = [...unordered].sort((a, b) => a.address - b.address);
  const numbers = new Set(taken.map(({ address }) => address));
  return {
    ...{ blocks, hosts, taken },
    racks: [...facts.values()].flatMap(({ name: pool, rackOf }) => [...new Set(rackOf.values())].map((rack) => ({ pool, rack }))),
    blockOf: (address) => vlans.find(({ has }) => has(address))?.block ?? enis.of.get(address),
    isTaken: (address) => numbers.has(address),
  };
}

const byOrigin = (a: Block, b: Block): number =>
  compare(a.reach[0]!.pool, b.reach[0]!.pool) || (a.vlan ?? 0) - (b.vlan ?? 0) || compare(a.subnet ?? '', b.subnet ?? '');
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface VlanBlock {
  readonly block: Block;
  has(address: number): boolean;
}

function vlanBlocks(pools: readonly PoolFacts[]): VlanBlock[] {
  const described = pools.flatMap(({ name, vlans = [] }) => vlans.map((vlan) => ({ pool: name, vlan })));
  const shared = Map.groupBy(described, ({ vlan: { id, range, reserved } }) => JSON.stringify([id, range, reserved.toSorted()]));
  return [...shared.values()].map((of): VlanBlock => {
    const { range, reserved, id } = of[0]!.vlan;
    const nobodys = new Set(reserved);
    return {
      has: (address) => address >= range.first && address <= range.last && !nobodys.has(address),
      block: {
        reach: of.map(({ pool, vlan }) => reachOf(pool, vlan)),
        vlan: id,
        range: spell(range),
        total: range.last - range.first + 1 - nobodys.size,
        *all() {
          for (let address = range.first; address <= range.last; address++) if (!nobodys.has(address)) yield address;
        },
      },
    };
  });
}

const reachOf = (pool: string, { racks, namespaces }: VlanFacts): Reach => ({
  pool,
  ...(racks === undefined ? {} : { racks }),
  ...(namespaces === undefined ? {} : { namespaces }),
});

interface EniBlocks {
  readonly blocks: readonly Block[];
  /** The block of each ENI's address. */
  readonly of: ReadonlyMap<number, Block>;
}

function eniBlocks(
  pools: readonly PoolObject[],
  networks: readonly NetworkObject[],
  hosts: ReadonlyMap<string, Host>,
  nameless: boolean,
): EniBlocks {
  const wired = new Map(pools.filter(({ spec }) => spec.cni === undefined).map(({ metadata, spec }) => [metadata.name, spec]));
  const enis = networks.flatMap(({ metadata: { name: node }, spec: { pool, eniSlots = [] } }) =>
    wired.has(pool)
      ? eniSlots.map(({ ip, mac, subnetId }) => ({ pool, node, mac, address: toNumber(ip), ...originOf(pool, node, subnetId) }))
      : [],
  );
  function originOf(pool: string, node: string, subnetId: string) {
    const zones = wired.get(pool)?.ec2?.zones ?? [];
    const zone = nameless
      ? hosts.get(node)?.zone
      : (zones.find(({ podSubnetId }) => podSubnetId === subnetId)?.name ?? hosts.get(node)?.zone);
    // Placeholders name no subnet: the pool says which its zones have.
    const subnet = nameless ? (zones.find(({ name }) => name === zone)?.podSubnetId ?? subnetId) : subnetId;
    return { subnet, zone };
  }
  const grouped = Map.groupBy(enis, ({ pool, subnet }) => JSON.stringify([pool, subnet]));
  const of = new Map<number, Block>();
  const blocks = [...grouped.values()].map((slots): Block => {
    const { pool, subnet, zone } = slots[0]!;
    const byAddress = new Map(slots.map(({ address, node, mac }) => [address, { node, mac }]));
    const sorted = [...byAddress.keys()].sort((a, b) => a - b);
    const block: Block = {
      reach: [{ pool }],
      ...{ subnet, total: sorted.length },
      ...(zone === undefined ? {} : { zone }),
      ...(nameless ? { nameless } : {}),
      all: () => sorted,
      eni: (address) => byAddress.get(address),
    };
    for (const address of sorted) of.set(address, block);
    return block;
  });
  return { blocks, of };
}

const ZONE = 'topology.kubernetes.io/zone';

function hostsOf(facts: ReadonlyMap<string, PoolFacts>, networks: readonly NetworkObject[], nodes: BookFacts['nodes']): Host[] {
  const seen = new Map(networks.map((network) => [network.metadata.name, network]));
  const named =
    nodes === undefined
      ? networks.map(({ metadata: { name }, spec: { pool } }) => ({ name, pool, labels: {} as Readonly<Record<string, string>> }))
      : [...nodes].flatMap(({ name, labels }) => (labels[POOL_LABEL] === undefined ? [] : [{ name, pool: labels[POOL_LABEL], labels }]));
  return named
    .flatMap(({ name, pool, labels }): Host[] => {
      const known = facts.get(pool);
      if (known === undefined || !known.wiredByGala) return [];
      const rack = labels[RACK_LABEL] ?? known.rackOf.get(name);
      const zone = labels[ZONE];
      const macsInUse = seen.get(name)?.status?.macsInUse;
      return [
        {
          ...{ name, pool },
          ...(known.vlans === undefined || rack === undefined ? {} : { rack }),
          ...(known.vlans !== undefined || zone === undefined ? {} : { zone }),
          ...(known.vlans === undefined ? {} : { macsPerPort: known.macsPerPort }),
          // macsInUse has the host's own in it, macsPerPort has not.
          ...(known.vlans === undefined || macsInUse === undefined ? {} : { macsSeen: Math.max(0, macsInUse - 1) }),
        },
      ];
    })
    .sort((a, b) => compare(a.pool, b.pool) || compare(a.name, b.name));
}

/** An IPLock as it is stored; a snapshot has no managedFields. */
export interface IPLockObject extends Object<IPLock['spec']> {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string | Date;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly time?: string | Date }[];
  };
  readonly status?: IPLock['status'];
}

/** What is shown of an IPLock. @param intern equal texts are kept once */
export function takenOf({ metadata, spec, status }: IPLockObject, intern: Intern = interning()): Taken {
  const { phase: state, node, mac, owner, lock, podUID } = spec;
  const podName = podUID === undefined ? undefined : metadata.annotations?.[POD_ANNOTATION];
  const sinceMs = lastWriteMs(metadata.managedFields);
  const takenMs = metadata.creationTimestamp === undefined ? undefined : Date.parse(String(metadata.creationTimestamp));
  const wired = said(status, WIRED);
  const probed = said(status, PROBED);
  return {
    ...{ address: toNumber(metadata.name), state, mac },
    ...{ node: intern.text(node), owner: intern.text(owner) },
    ...(lock === undefined ? {} : { lock: intern.text(`${lock.namespace}/${lock.name}`) }),
    ...(podName === undefined ? {} : { pod: `${namespaceOf(owner)}/${podName}` }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(takenMs === undefined ? {} : { takenMs }),
    ...(wired === undefined ? {} : { wired }),
    ...(probed === undefined ? {} : { probed }),
  };
}

/** Of an owner, `<namespace>/<name>`. */
export const namespaceOf = (owner: string): string => owner.slice(0, owner.indexOf('/'));

function lastWriteMs(managedFields: IPLockObject['metadata']['managedFields'] = []): number | undefined {
  const times = managedFields.flatMap(({ time }) => (time === undefined ? [] : [Date.parse(String(time))]));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** What an agent found out about an address. */
export function said(status: IPLock['status'], type: typeof WIRED | typeof PROBED): Said | undefined {
  const found = status?.conditions?.find((one) => one.type === type);
  if (found === undefined) return undefined;
  const { status: holds, reason, message, lastTransitionTime: since } = found;
  return { status: holds, reason, ...(message ? { message } : {}), since };
}
