/** A Lock as `gala lock` and `gala locks` show it. Pure. */
import type { Lock } from '../api/kinds.ts';
import { PROBED } from '../api/network.ts';
import { LOCK_ANNOTATION } from '../api/scheduling.ts';
import type { Stored } from '../kube/kinds.ts';
import { ageOf, counted } from './amount.ts';
import { type StockAnswer, stockText } from './stock-text.ts';
import { table, terminalWidth } from './table.ts';

/** What `-o json` prints of a Lock. */
export interface LockSeen {
  readonly namespace: string;
  readonly name: string;
  /** `Asked` while no lock writer has looked at it. */
  readonly phase: 'Asked' | 'Planning' | 'Ready' | 'Failed' | 'Expired';
  readonly owner: string;
  /** Slots: asked for, found, and with a pod. */
  readonly count: number;
  readonly planned: number;
  readonly used: number;
  readonly ttlSeconds: number;
  /** Since it was asked for; RFC 3339. */
  readonly createdAt?: string;
  readonly renewedAt?: string;
  readonly slots: readonly { readonly slot: number; readonly node: string; readonly rack?: string; readonly address?: string }[];
  /** Whether its addresses that wait for a pod were looked for on the wire; left out where no agent looks. */
  readonly probed?: { readonly status: string; readonly reason: string; readonly message?: string };
  /** Why it is not more, the largest first. */
  readonly reasons: readonly { readonly reason: string; readonly nodes: number; readonly message?: string }[];
}

/** @param racks by node, as far as they are known */
export function lockSeen(lock: Stored<Lock>, racks: ReadonlyMap<string, string> = new Map()): LockSeen {
  const { spec, status, metadata } = lock;
  const slots = status?.slots ?? [];
  const probed = status?.conditions?.find(({ type }) => type === PROBED);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    phase: status?.phase ?? 'Asked',
    owner: spec.owner,
    count: spec.count,
    planned: status?.counts?.planned ?? slots.length,
    used: status?.counts?.used ?? 0,
    ttlSeconds: spec.ttlSeconds,
    ...(metadata.creationTimestamp === undefined ? {} : { createdAt: metadata.creationTimestamp }),
    ...(spec.renewedAt === undefined ? {} : { renewedAt: spec.renewedAt }),
    slots: slots.map((slot) => {
      const rack = racks.get(slot.node);
      return rack === undefined || rack === '' ? slot : { ...slot, rack };
    }),
    ...(probed === undefined ? {} : { probed: { status: probed.status, reason: probed.reason, message: probed.message } }),
    reasons: status?.reasons ?? [],
  };
}

interface Beside {
  readonly dryRun: boolean;
  /** What there is now, of a Lock that got nothing. */
  readonly stock?: StockAnswer | string;
}

export function lockText(lock: LockSeen, { dryRun, stock }: Beside): string {
  const id = `${lock.namespace}/${lock.name}`;
  const asked = counted(lock.count, 'slot');
  if (dryRun) return `${id}: ${asked} for ${lock.owner} would be asked for; nothing is stored`;
  switch (lock.phase) {
    case 'Ready': {
      const fewer = lock.planned < lock.count ? `${lock.planned} of ${asked}` : asked;
      const head = `${id} Ready: ${fewer} on ${counted(new Set(lock.slots.map(({ node }) => node)).size, 'node')} for ${lock.owner}`;
      return [head, slotTable(lock), ...(lock.planned < lock.count ? [reasonTable(lock)] : []), nextStep(lock)].join('\n');
    }
    case 'Failed':
      return [
        `${id} Failed: ${asked} ${lock.count === 1 ? 'was' : 'were'} asked for, and nothing is locked`,
        ...(lock.reasons.length === 0 ? [] : [reasonTable(lock)]),
        ...(stock === undefined ? [] : [typeof stock === 'string' ? stock : stockText(stock)]),
        remedyOf(lock, stock),
      ].join('\n');
    case 'Expired':
      return `${id} Expired: no pod came within ${ageOf(lock.ttlSeconds * 1000)} of its last renewal. Ask anew under another --name.`;
    case 'Asked':
    case 'Planning':
      return `${id}: ${asked} for ${lock.owner} asked for${lock.phase === 'Planning' ? ', being planned' : ''}`;
    default:
      return lock.phase satisfies never;
  }
}

/** Of a Lock that has Failed: its answer stays with its name. */
function remedyOf({ count }: LockSeen, stock: Beside['stock']): string {
  if (stock === undefined) return 'Fewer, or with --allow-partial what there is: gala stock says how many fit.';
  if (typeof stock === 'string') return `Ask again${ANOTHER_NAME}.`;
  if ((stock.want?.found ?? 0) >= count) return `So many fit by now: ask again${ANOTHER_NAME}.`;
  if (stock.count === 0) return `None fits now: mend what limits them, then ask again${ANOTHER_NAME}.`;
  return `Ask for ${stock.count} or fewer, or with --allow-partial for what there is${ANOTHER_NAME}.`;
}
const ANOTHER_NAME = '; where --name was given, under another one';

/** More nodes than fit a screen are told by rack. */
const FEW_NODES = 12;

function slotTable({ slots }: LockSeen): string {
  const byNode = [...Map.groupBy(slots, ({ node }) => node)].sort(([a], [b]) => (a < b ? -1 : 1));
  const racks = [...Map.groupBy(byNode, ([, [slot]]) => slot?.rack ?? '')].sort(([a], [b]) => (a < b ? -1 : 1));
  const known = racks.some(([rack]) => rack !== '');
  if (byNode.length <= FEW_NODES || !known) {
    const rows = byNode.slice(0, FEW_NODES).map(([node, on]) => [on[0]?.rack ?? '-', node, String(on.length), addressesOf(on)]);
    const rest = byNode.length - rows.length;
    return [
      table([['RACK', 'NODE', 'SLOTS', 'ADDRESSES'], ...rows], { right: [2], width: terminalWidth() }),
      ...(rest <= 0 ? [] : [`  … and ${counted(rest, 'node')} more: -o json`]),
    ].join('\n');
  }
  const rows = racks.map(([rack, nodes]) => {
    const each = nodes.map(([, on]) => on.length);
    const [least, most] = [Math.min(...each), Math.max(...each)];
    return [
      rack === '' ? '-' : rack,
      String(nodes.length),
      String(each.reduce((a, b) => a + b)),
      least === most ? `${most}` : `${least} to ${most}`,
    ];
  });
  return table([['RACK', 'NODES', 'SLOTS', 'A NODE'], ...rows], { right: [1, 2] });
}

/** The first ones of a node; a lock without addresses holds slots alone. */
function addressesOf(slots: LockSeen['slots']): string {
  const addresses = slots.flatMap(({ address }) => address ?? []);
  if (addresses.length === 0) return '-';
  return addresses.length <= 4 ? addresses.join(' ') : `${addresses.slice(0, 3).join(' ')} … ${addresses.at(-1)}`;
}

function reasonTable({ reasons }: LockSeen): string {
  // Most reasons are said by their word.
  const why = reasons.some(({ message }) => message !== undefined) ? ['WHY'] : [];
  const rows = reasons.map(({ nodes, reason, message = '' }) => [String(nodes), reason, ...(why.length === 0 ? [] : [message])]);
  return table([['NODES', 'REASON', ...why], ...rows], { right: [0], width: terminalWidth() });
}

const nextStep = ({ namespace, name, ttlSeconds }: LockSeen): string =>
  `Its pods say ${LOCK_ANNOTATION}: ${name} in their annotations. An unused slot waits ${ageOf(ttlSeconds * 1000)}; gala lock --renew ${name} -n ${namespace} begins that anew.`;

export const noSuchLock = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}: there is no such Lock. gala locks -A lists those of all namespaces; -n names another one.`;

/** @param namespace left out: of all @param nowMs Unix milliseconds */
export function locksText(locks: readonly LockSeen[], nowMs: number, namespace?: string): string {
  const allNamespaces = namespace === undefined;
  if (locks.length === 0)
    return allNamespaces ? 'No Locks in any namespace.' : `No Locks in namespace ${namespace}. gala locks -A lists those of all.`;
  const header = [...(allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'PHASE', 'SLOTS', 'USED', 'OWNER', 'TTL', 'AGE', 'WHY NOT MORE'];
  const rows = locks.map((lock) => [
    ...(allNamespaces ? [lock.namespace] : []),
    ...[lock.name, lock.phase],
    lock.planned === lock.count || lock.phase !== 'Ready' ? String(lock.count) : `${lock.planned} of ${lock.count}`,
    ...[String(lock.used), lock.owner, ageOf(lock.ttlSeconds * 1000)],
    lock.createdAt === undefined ? '-' : ageOf(nowMs - Date.parse(lock.createdAt)),
    lock.reasons.map(({ reason, nodes }) => `${reason} ${nodes}`).join(' · ') || '-',
  ]);
  const first = allNamespaces ? 1 : 0;
  return table([header, ...rows], { indent: 0, right: [first + 2, first + 3], width: terminalWidth() });
}
