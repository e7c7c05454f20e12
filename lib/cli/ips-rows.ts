/** Addresses one by one: which of them were asked for, and as what they are shown. Pure; made while they are read, so that none is kept. */
import type { IPLock } from '../api/kinds.ts';
import { toAddress } from '../api/range.ts';
import { type AddressBook, type Block, type Host, namespaceOf, type Said, type Taken } from './address-book.ts';
import { ageOf } from './amount.ts';
import type { Column } from './row-stream.ts';

export const STATES = ['Free', 'Locked', 'Bound', 'Held', 'Quarantined'] as const;
export type State = (typeof STATES)[number];

/** What is asked for; a field that is left out asks for all. */
export interface Asked {
  readonly states?: readonly State[];
  readonly pools?: readonly string[];
  readonly vlans?: readonly number[];
  /** Free ones: that these reach. */
  readonly nodes?: readonly string[];
  /** Of owners; free ones: that these may have. */
  readonly namespaces?: readonly string[];
}

/** What `-o json` prints of an address; names are as in `gala who`. */
export interface AddressRow {
  readonly address: string;
  readonly state: 'Free' | IPLock['spec']['phase'];
  /** Empty: in no VLAN or ENI of a pool. */
  readonly pools: readonly string[];
  readonly vlan?: number;
  readonly subnet?: string;
  readonly node?: string;
  readonly owner?: string;
  readonly pod?: string;
  readonly lock?: string;
  readonly mac?: string;
  /** When its IPLock was last written, RFC 3339; a snapshot does not know. */
  readonly since?: string;
  readonly takenAt?: string;
  readonly wired?: Said;
  readonly probed?: Said;
}

/** Lowest address first, taken and free ones among each other. */
export function* rowsOf(book: AddressBook, asked: Asked): Generator<AddressRow> {
  const states = new Set<State>(asked.states ?? STATES.filter((state) => state !== 'Free'));
  const taken = takenRows(book, asked, states);
  yield* states.has('Free') ? merged(taken, freeRows(book, asked)) : rows(taken);
}

/** An address with its row, which is made when it is its turn. */
type Turn = readonly [address: number, row: () => AddressRow];

function* takenRows(book: AddressBook, { pools, vlans, nodes, namespaces }: Asked, states: ReadonlySet<State>): Generator<Turn> {
  for (const taken of book.taken) {
    const { address, state, node, owner } = taken;
    if (!states.has(state) || nodes?.includes(node) === false || namespaces?.includes(namespaceOf(owner)) === false) continue;
    const block = book.blockOf(address);
    if (pools !== undefined && !block?.reach.some(({ pool }) => pools.includes(pool))) continue;
    if (vlans !== undefined && !vlans.includes(block?.vlan ?? 0)) continue;
    yield [address, () => takenRow(taken, block)];
  }
}

function takenRow({ address, sinceMs, takenMs, ...taken }: Taken, block: Block | undefined): AddressRow {
  const { state, node, owner, pod, lock, mac, wired, probed } = taken;
  return {
    ...{ address: toAddress(address), state, ...originOf(block), node, owner },
    ...(pod === undefined ? {} : { pod }),
    ...(lock === undefined ? {} : { lock }),
    mac,
    ...(sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() }),
    ...(takenMs === undefined ? {} : { takenAt: new Date(takenMs).toISOString() }),
    ...(wired === undefined ? {} : { wired }),
    ...(probed === undefined ? {} : { probed }),
  };
}

const originOf = (block: Block | undefined): Pick<AddressRow, 'pools' | 'vlan' | 'subnet'> => ({
  pools: block?.reach.map(({ pool }) => pool) ?? [],
  ...(block?.vlan === undefined ? {} : { vlan: block.vlan }),
  ...(block?.subnet === undefined ? {} : { subnet: block.subnet }),
});

function* freeRows(book: AddressBook, asked: Asked): Generator<Turn> {
  const hosts = asked.nodes === undefined ? undefined : book.hosts.filter(({ name }) => asked.nodes?.includes(name));
  const lowest = (block: Block): number => {
    for (const address of block.all()) return address;
    return 0;
  };
  const blocks = book.blocks.filter((block) => !block.nameless && isAsked(block, hosts, asked)).sort((a, b) => lowest(a) - lowest(b));
  for (const block of blocks)
    for (const address of block.all()) {
      if (book.isTaken(address)) continue;
      const eni = block.eni?.(address);
      if (eni !== undefined && asked.nodes?.includes(eni.node) === false) continue;
      yield [address, () => ({ address: toAddress(address), state: 'Free', ...originOf(block), ...eni })];
    }
}

function isAsked({ reach, vlan, eni }: Block, hosts: readonly Host[] | undefined, { pools, vlans, namespaces }: Asked): boolean {
  if (vlans !== undefined && !vlans.includes(vlan ?? 0)) return false;
  return reach.some(
    ({ pool, racks, namespaces: only }) =>
      (pools === undefined || pools.includes(pool)) &&
      (namespaces === undefined || only === undefined || namespaces.some((one) => only.has(one))) &&
      (hosts === undefined || eni !== undefined || hosts.some((host) => host.pool === pool && (racks?.has(host.rack ?? '') ?? true))),
  );
}

function* merged(a: Generator<Turn>, b: Generator<Turn>): Generator<AddressRow> {
  let [left, right] = [a.next(), b.next()];
  while (!left.done || !right.done) {
    const first = right.done || (!left.done && left.value[0] <= right.value[0]) ? 'left' : 'right';
    const { value } = first === 'left' ? left : right;
    yield (value as Turn)[1]();
    if (first === 'left') left = a.next();
    else right = b.next();
  }
}

function* rows(turns: Generator<Turn>): Generator<AddressRow> {
  for (const [, row] of turns) yield row();
}

/** @param wide with MAC address, Lock and conditions @param nowMs what ages are counted to; Unix milliseconds */
export function columnsOf(wide: boolean, nowMs: number): Column<AddressRow>[] {
  const ago = (time: string | undefined) => (time === undefined ? '-' : ageOf(nowMs - Date.parse(time)));
  return [
    { title: 'ADDRESS', of: ({ address }) => address },
    { title: 'STATE', of: ({ state }) => state },
    { title: 'POOL', of: ({ pools }) => pools.join(',') || '-' },
    { title: 'VLAN / SUBNET', of: ({ vlan, subnet = '-' }) => (vlan === undefined ? subnet : String(vlan)) },
    { title: 'NODE', of: ({ node = '-' }) => node },
    { title: 'OWNER', of: ({ owner = '-' }) => owner },
    { title: 'POD', of: ({ pod = '-' }) => pod },
    ...(wide
      ? [
          { title: 'LOCK', of: ({ lock = '-' }: AddressRow) => lock },
          { title: 'MAC', of: ({ mac = '-' }: AddressRow) => mac },
        ]
      : []),
    ...(wide
      ? [
          { title: 'WIRED', of: ({ wired }: AddressRow) => wired?.status ?? '-' },
          { title: 'PROBED', of: ({ probed }: AddressRow) => probed?.reason ?? '-' },
        ]
      : []),
    { title: 'SINCE', of: ({ since }) => ago(since) },
    { title: 'AGE', of: ({ takenAt }) => ago(takenAt) },
  ];
}
