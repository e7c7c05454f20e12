/** How much of the addresses is in use: by VLAN or subnet, pool, rack or node; and what is nearly full, with what could come free. Pure. */
import { toAddress } from '../api/range.ts';
import type { AddressBook, Block, Host, Taken } from './address-book.ts';

export const BYS = ['vlan', 'pool', 'rack', 'node'] as const;
export type By = (typeof BYS)[number];

/** Addresses by their state. */
export interface Counts {
  readonly locked: number;
  readonly bound: number;
  readonly held: number;
  readonly quarantined: number;
}

/**
 * A row. Racks and nodes share what is free: their `total` and `free` are what they reach, and do not add up; their states are of what
 * is on them.
 */
export interface UsageRow extends Counts {
  /** Empty: in no VLAN or ENI of a pool, or on a node of none. */
  readonly pools: readonly string[];
  readonly vlan?: number;
  readonly subnet?: string;
  readonly zone?: string;
  readonly rack?: string;
  readonly node?: string;
  readonly range?: string;
  readonly total: number;
  readonly free: number;
  /** 100 only when nothing is free. */
  readonly usedPercent: number;
  readonly firstFree?: string;
  /** Of racked nodes: MAC addresses on the switch port, and how many of pods it lets pass. */
  readonly macs?: { readonly used: number; readonly most: number };
}

/** Held addresses of one owner. */
export interface HeldFor {
  /** `<namespace>/<name>` */
  readonly owner: string;
  readonly addresses: number;
}

/** A VLAN or subnet of which little is left. */
export interface NearlyFull {
  readonly pools: readonly string[];
  readonly vlan?: number;
  readonly subnet?: string;
  readonly zone?: string;
  readonly total: number;
  readonly free: number;
  readonly usedPercent: number;
  /** The most first. */
  readonly held: readonly HeldFor[];
  readonly quarantined: number;
}

export interface Usage {
  readonly by: By;
  readonly rows: readonly UsageRow[];
  readonly nearlyFull: readonly NearlyFull[];
}

/** From here on a VLAN or subnet is nearly full. */
export const NEARLY_FULL_PERCENT = 90;

/** @param only these pools; left out: all */
export function usageOf(book: AddressBook, by: By, only?: readonly string[]): Usage {
  const wanted = (pool: string) => only === undefined || only.includes(pool);
  const all = counted(book).filter(({ block }) => block.reach.some(({ pool }) => wanted(pool)));
  const rows = { vlan: byBlock, pool: byPool, rack: byRack, node: byNode }[by](book, all, wanted);
  const isElsewhere = by === 'vlan' || by === 'pool' ? ({ address }: Taken) => book.blockOf(address) === undefined : strayOf(book);
  const strays = only === undefined && by !== 'node' ? book.taken.filter(isElsewhere) : [];
  return {
    by,
    rows: strays.length === 0 ? rows : [...rows, { pools: [], ...NO_ROOM, ...statesOf(strays) }],
    nearlyFull: all.filter(({ total, free }) => total > 0 && percent(total, free) >= NEARLY_FULL_PERCENT).map(nearlyFull),
  };
}

const NO_ROOM = { total: 0, free: 0, usedPercent: 0 } as const;

function strayOf({ hosts }: AddressBook): (taken: Taken) => boolean {
  const names = new Set(hosts.map(({ name }) => name));
  return ({ node }) => !names.has(node);
}

/** A block with who has what of it. */
interface Counted {
  readonly block: Block;
  readonly taken: readonly Taken[];
  readonly total: number;
  readonly free: number;
  readonly firstFree?: number;
}

function counted(book: AddressBook): Counted[] {
  const of = new Map<Block, Taken[]>(book.blocks.map((block) => [block, []]));
  for (const taken of book.taken) {
    const block = book.blockOf(taken.address);
    if (block !== undefined) of.get(block)?.push(taken);
  }
  return [...of].map(([block, taken]) => {
    const free = block.total - taken.length;
    const firstFree = free === 0 || block.nameless ? undefined : firstOf(block, book);
    return { block, taken, total: block.total, free, ...(firstFree === undefined ? {} : { firstFree }) };
  });
}

function firstOf(block: Block, book: AddressBook): number | undefined {
  for (const address of block.all()) if (!book.isTaken(address)) return address;
  return undefined;
}

/** @returns 0 to 100; 100 only when nothing is free, 0 only when nothing is taken */
export function percent(total: number, free: number): number {
  if (total === 0 || free === total) return 0;
  return free <= 0 ? 100 : Math.min(99, Math.max(1, Math.round((100 * (total - free)) / total)));
}

function statesOf(taken: Iterable<Taken>): Counts {
  const counts = { Locked: 0, Bound: 0, Held: 0, Quarantined: 0 };
  for (const { state } of taken) counts[state] += 1;
  return { locked: counts.Locked, bound: counts.Bound, held: counts.Held, quarantined: counts.Quarantined };
}

/** What several blocks have together. */
function roomOf(blocks: readonly Counted[]): Pick<UsageRow, 'total' | 'free' | 'usedPercent' | 'firstFree'> {
  const total = blocks.reduce((sum, one) => sum + one.total, 0);
  const free = blocks.reduce((sum, one) => sum + one.free, 0);
  const first = blocks.find(({ firstFree }) => firstFree !== undefined)?.firstFree;
  return { total, free, usedPercent: percent(total, free), ...(first === undefined ? {} : { firstFree: toAddress(first) }) };
}

type Wanted = (pool: string) => boolean;

function originOf({ reach, vlan, subnet, zone }: Block): Pick<UsageRow, 'pools' | 'vlan' | 'subnet' | 'zone'> {
  return {
    pools: reach.map(({ pool }) => pool),
    ...(vlan === undefined ? {} : { vlan }),
    ...(subnet === undefined ? {} : { subnet }),
    ...(zone === undefined ? {} : { zone }),
  };
}

const byBlock = (_book: AddressBook, all: readonly Counted[]): UsageRow[] =>
  all.map((one) => ({
    ...originOf(one.block),
    ...(one.block.range === undefined ? {} : { range: one.block.range }),
    ...roomOf([one]),
    ...statesOf(one.taken),
  }));

function byPool(_book: AddressBook, all: readonly Counted[], wanted: Wanted): UsageRow[] {
  const pools = [...new Set(all.flatMap(({ block }) => block.reach.map(({ pool }) => pool)))].filter(wanted).sort();
  return pools.map((pool) => {
    const own = all.filter(({ block }) => block.reach.some((reach) => reach.pool === pool));
    return { pools: [pool], ...roomOf(own), ...statesOf(own.flatMap(({ taken }) => taken)) };
  });
}

/** A rack, or a zone of EC2: what hosts there reach. */
const reaches = ({ block }: Counted, pool: string, { rack, zone }: Pick<Host, 'rack' | 'zone'>): boolean =>
  block.reach.some((reach) => reach.pool === pool && (reach.racks?.has(rack ?? '') ?? true)) &&
  (block.subnet === undefined || zone === undefined || block.zone === undefined || block.zone === zone);

function byRack(book: AddressBook, all: readonly Counted[], wanted: Wanted): UsageRow[] {
  const zones = all.flatMap(({ block: { reach, subnet, zone } }) =>
    subnet === undefined ? [] : reach.map(({ pool }) => ({ pool, ...(zone === undefined ? {} : { zone }) })),
  );
  const places = new Map<string, Pick<Host, 'pool' | 'rack' | 'zone'>>();
  const keyOf = ({ pool, rack, zone }: Pick<Host, 'pool' | 'rack' | 'zone'>) => JSON.stringify([pool, rack ?? zone ?? '']);
  for (const { pool, ...place } of [...book.racks, ...book.hosts, ...zones])
    if (wanted(pool)) places.set(keyOf({ pool, ...place }), { pool, ...rackOrZone(place) });
  const placeOf = new Map(book.hosts.map((host) => [host.name, keyOf(host)]));
  const on = Map.groupBy(book.taken, ({ node }) => placeOf.get(node) ?? '');
  return [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { pool, ...place }]) => ({
      pools: [pool],
      ...place,
      ...roomOf(all.filter((one) => reaches(one, pool, place))),
      ...statesOf(on.get(key) ?? []),
    }));
}

const rackOrZone = ({ rack, zone }: Pick<Host, 'rack' | 'zone'>): Pick<Host, 'rack' | 'zone'> => ({
  ...(rack === undefined ? {} : { rack }),
  ...(zone === undefined ? {} : { zone }),
});

function byNode(book: AddressBook, all: readonly Counted[], wanted: Wanted): UsageRow[] {
  const on = Map.groupBy(book.taken, ({ node }) => node);
  const enis = enisByNode(all);
  const rows = book.hosts
    .filter(({ pool }) => wanted(pool))
    .map((host) => {
      const taken = on.get(host.name) ?? [];
      return host.macsPerPort === undefined
        ? ofInstance(host, taken, enis.get(host.name) ?? [], book)
        : ofRacked(host, host.macsPerPort, taken, all);
    });
  const known = new Set(book.hosts.map(({ name }) => name));
  // The Node object is gone, or has left its pool, and addresses still name it.
  const gone = [...on].filter(([node, [first]]) => !known.has(node) && wanted(book.blockOf(first!.address)?.reach[0]?.pool ?? ''));
  return [
    ...rows,
    ...gone.sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, taken]) => ({ pools: [], node, ...NO_ROOM, ...statesOf(taken) })),
  ];
}

function ofRacked(host: Host, most: number, taken: readonly Taken[], all: readonly Counted[]): UsageRow {
  const { name: node, pool, macsSeen = 0 } = host;
  const states = statesOf(taken);
  const used = Math.max(states.locked + states.bound, macsSeen);
  const room = roomOf(all.filter((one) => reaches(one, pool, host)));
  // Its port shows one MAC address a pod: no more than that, however many addresses its VLANs have.
  const total = Math.min(room.total, most);
  const free = Math.min(room.free, Math.max(0, most - used));
  const { firstFree } = room;
  return {
    ...{ pools: [pool], ...rackOrZone(host), node },
    ...{ total, free, usedPercent: percent(total, free) },
    ...(free === 0 || firstFree === undefined ? {} : { firstFree }),
    ...{ ...states, macs: { used, most } },
  };
}

interface Eni {
  readonly address: number;
  readonly nameless: boolean;
}

/** An instance has its own ENIs, and shares none. */
function ofInstance(host: Host, taken: readonly Taken[], enis: readonly Eni[], book: AddressBook): UsageRow {
  const free = enis.filter(({ address }) => !book.isTaken(address));
  const first = free.find(({ nameless }) => !nameless);
  return {
    ...{ pools: [host.pool], ...rackOrZone(host), node: host.name },
    ...{ total: enis.length, free: free.length, usedPercent: percent(enis.length, free.length) },
    ...(first === undefined ? {} : { firstFree: toAddress(first.address) }),
    ...statesOf(taken),
  };
}

function enisByNode(all: readonly Counted[]): ReadonlyMap<string, readonly Eni[]> {
  const found = new Map<string, Eni[]>();
  for (const { block } of all) {
    if (block.eni === undefined) continue;
    for (const address of block.all()) {
      const node = block.eni(address)!.node;
      const of = found.get(node) ?? [];
      found.set(node, of);
      of.push({ address, nameless: block.nameless ?? false });
    }
  }
  return found;
}

function nearlyFull({ block, taken, total, free }: Counted): NearlyFull {
  const held = Map.groupBy(
    taken.filter(({ state }) => state === 'Held'),
    ({ owner }) => owner,
  );
  return {
    ...originOf(block),
    ...{ total, free, usedPercent: percent(total, free) },
    held: [...held]
      .map(([owner, of]) => ({ owner, addresses: of.length }))
      .sort((a, b) => b.addresses - a.addresses || (a.owner < b.owner ? -1 : 1)),
    quarantined: taken.filter(({ state }) => state === 'Quarantined').length,
  };
}
