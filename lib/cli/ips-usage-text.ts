/** Utilisation as `gala ips` prints it for people. Pure. */
import type { HeldFor, NearlyFull, Usage, UsageRow } from './ips-usage.ts';
import { table } from './table.ts';

/** @param wide with ranges, and what else there is @param width of the terminal */
export function usageText(
  { by, rows, nearlyFull }: Usage,
  { wide = false, width }: { readonly wide?: boolean; readonly width?: number } = {},
): string {
  if (rows.length === 0)
    return 'No pool has addresses of Gala. gala status says which kinds are there; docs/definitions.md how pools declare VLANs.';
  const columns = COLUMNS.filter(({ shows }) => shows({ by, wide, rows }));
  const right = columns.flatMap(({ right = false }, index) => (right ? [index] : []));
  const body = rows.map((row) => columns.map(({ of }) => of(row)));
  return [
    table([columns.map(({ title }) => title), ...body], { right, width }),
    ...((by === 'node' || by === 'rack') && rows.some(({ rack, zone }) => rack !== undefined && zone === undefined) ? [SHARED[by]] : []),
    ...nearlyFull.map(nearlyFullText),
  ].join('\n');
}

const SHARED = {
  rack: 'TOTAL and FREE are what a rack reaches: racks share it. The states are of what is on its hosts.',
  node: 'TOTAL and FREE are what a node reaches, at most one address a MAC on its port: nodes share it. The states are of what is on it.',
};

interface Shown extends Pick<Usage, 'by' | 'rows'> {
  readonly wide: boolean;
}

interface Column {
  readonly title: string;
  readonly right?: boolean;
  readonly shows: (shown: Shown) => boolean;
  readonly of: (row: UsageRow) => string;
}

const always = () => true;

const COLUMNS: readonly Column[] = [
  { title: 'POOL', shows: always, of: ({ pools }) => pools.join(', ') || 'none' },
  { title: 'VLAN / SUBNET', shows: ({ by }) => by === 'vlan', of: originText },
  { title: 'RACK / ZONE', shows: ({ by }) => by === 'rack' || by === 'node', of: ({ rack, zone }) => rack ?? zone ?? '-' },
  { title: 'NODE', shows: ({ by }) => by === 'node', of: ({ node = '-' }) => node },
  { title: 'ADDRESSES', shows: ({ by, wide }) => by === 'vlan' && wide, of: ({ range = '-' }) => range },
  { title: 'TOTAL', right: true, shows: always, of: ({ total }) => String(total) },
  { title: 'FREE', right: true, shows: always, of: ({ free }) => String(free) },
  { title: 'LOCKED', right: true, shows: always, of: ({ locked }) => String(locked) },
  { title: 'BOUND', right: true, shows: always, of: ({ bound }) => String(bound) },
  { title: 'HELD', right: true, shows: always, of: ({ held }) => String(held) },
  { title: 'QUARANTINED', right: true, shows: always, of: ({ quarantined }) => String(quarantined) },
  { title: 'USED', right: true, shows: always, of: ({ total, usedPercent }) => (total === 0 ? '-' : `${usedPercent} %`) },
  {
    title: 'MACS',
    right: true,
    shows: ({ by, wide, rows }) => by === 'node' && wide && rows.some(({ macs }) => macs !== undefined),
    of: ({ macs }) => (macs === undefined ? '-' : `${macs.used} of ${macs.most}`),
  },
  { title: 'FIRST FREE', shows: always, of: ({ firstFree = '-' }) => firstFree },
];

function originText({ pools, vlan, subnet, zone }: Pick<UsageRow, 'pools' | 'vlan' | 'subnet' | 'zone'>): string {
  if (vlan !== undefined) return String(vlan);
  if (subnet !== undefined) return zone === undefined ? subnet : `${subnet} (${zone})`;
  return pools.length === 0 ? 'of no pool' : '-';
}

/** Most owners that are told one by one. */
const FEW = 3;

/** `VLAN 110 of web: 12 of 480 free. Held: 26 for feed/feed-old (gala ips free --held feed/feed-old).` */
function nearlyFullText(full: NearlyFull): string {
  const { pools, vlan, total, free, held, quarantined } = full;
  const where = `${vlan === undefined ? originText(full) : `VLAN ${vlan}`} of ${pools.join(', ')}`;
  const some = held.slice(0, FEW).map(wayOf);
  const rest = held.slice(FEW).reduce((sum, { addresses }) => sum + addresses, 0);
  const ways = [
    ...(held.length === 0 ? [] : [`Held: ${[...some, ...(rest === 0 ? [] : [`${rest} for others (gala ips list --held)`])].join(', ')}.`]),
    ...(quarantined === 0 ? [] : [`Quarantined: ${quarantined} (gala ips list --quarantined).`]),
  ];
  return [`${where}: ${free} of ${total} free.`, ...(ways.length === 0 ? [moreOf(full)] : ways)].join(' ');
}

const wayOf = ({ owner, addresses }: HeldFor): string => `${addresses} for ${owner} (gala ips free --held ${owner})`;

const moreOf = ({ pools, vlan }: NearlyFull): string =>
  vlan === undefined
    ? `None is Held: more instances bring more (kubectl scale hostpool ${pools[0]} --replicas).`
    : `None is Held: give the VLAN more (pools.${pools[0]}.vlans.${vlan}.addresses), or the pool another VLAN.`;
