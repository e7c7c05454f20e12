/** What the agent says of its node in the status of the NodeNetwork: VLANs that are up, MACs behind the port, who else answers. Pure. */
import type { NodeNetwork } from '../../api/kinds.ts';
import { ANSWERED_FOR_ALL, RELEASES } from '../../api/network.ts';
import { type Finding, settled } from '../pool-conditions.ts';
import type { Link } from '../wiring/plan.ts';
import type { Attachment } from './journal.ts';

type Status = NonNullable<NodeNetwork['status']>;

export interface StatusSeen {
  readonly trunk?: string;
  readonly links: readonly Link[];
  readonly attachments: Iterable<Pick<Attachment, 'mac' | 'eni'>>;
  readonly conflicts: readonly NonNullable<Status['conflicts']>[number][];
  /** MAC address of who answers for every address, by VLAN. */
  readonly everybody?: ReadonlyMap<number, string>;
  /** Wired here, and no IPLock says so. */
  readonly wired: NonNullable<Status['wired']>;
  /** The rebuild that `wired` answers; undefined: none was asked for, or it is not answered yet. */
  readonly rebuilt?: string;
  /** Why no pod can be wired now. */
  readonly trouble?: string;
  readonly generation?: number;
  /** As it stands there now. */
  readonly before?: Status;
  /** For people: when the condition last changed. */
  readonly now: Date;
}

/** The most that the schema takes. */
const MOST_CONFLICTS = 64;
const WIRES = 'Wires';
const RELEASES_ALL: Finding = { type: RELEASES, status: 'True', reason: 'OfEveryPod' };

/** @returns undefined: it stands there already */
export function nodeStatus(seen: StatusSeen): Status | undefined {
  const { trunk, links, conflicts, trouble, before, now } = seen;
  const id = (name: string) => (trunk !== undefined && name.startsWith(`${trunk}.`) ? Number(name.slice(trunk.length + 1)) : Number.NaN);
  const vlansUp = links.flatMap(({ name, carrier }) => (carrier && Number.isInteger(id(name)) ? [id(name)] : [])).sort((a, b) => a - b);
  // A MacVlan shows its own MAC behind the port; an ENI is no port of a switch of ours.
  const macs = new Set([...seen.attachments].flatMap(({ mac, eni }) => (eni === undefined ? [mac] : [])));
  const isFine = trouble === undefined;
  const said = isFine ? { status: 'True' as const, reason: 'Ready' } : { status: 'False' as const, reason: 'Trouble', message: trouble };
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const findings = [{ type: WIRES, ...said }, RELEASES_ALL, ...answeredForAll(seen)];
  const status: Status = {
    ...(seen.generation === undefined ? {} : { observedGeneration: seen.generation }),
    vlansUp,
    macsInUse: macs.size + (trunk === undefined ? 0 : 1),
    conflicts: conflicts.slice(0, MOST_CONFLICTS).toSorted((a, b) => (a.ip < b.ip ? -1 : 1)),
    wired: seen.wired,
    ...(seen.rebuilt === undefined ? {} : { rebuilt: seen.rebuilt }),
    conditions: settled(findings, before?.conditions, at),
  };
  return same(status, before) ? undefined : status;
}

/** Said where it is so, and taken back where it was said. */
function answeredForAll({ everybody = new Map(), before }: Pick<StatusSeen, 'everybody' | 'before'>): Finding[] {
  if (everybody.size > 0)
    return [
      {
        type: ANSWERED_FOR_ALL,
        status: 'True',
        reason: 'NothingIsKnown',
        message: [...everybody].map(whoAnswers).join(' ').slice(0, 1024),
      },
    ];
  const wasSaid = before?.conditions?.some(({ type }) => type === ANSWERED_FOR_ALL);
  return wasSaid ? [{ type: ANSWERED_FOR_ALL, status: 'False', reason: 'Nobody' }] : [];
}

/** For people: the condition, and the event. */
export const whoAnswers = ([vlan, mac]: readonly [number, string]): string =>
  `${mac} answers for every address of VLAN ${vlan}: whether one is in use can't be told, so none is quarantined, and pods are wired. ` +
  'Switch proxy ARP off on its router (no ip proxy-arp, no ip local-proxy-arp), or find the machine behind that MAC in the switches and take it off.';

/** In the order of their names: the API server has its own. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && !(Array.isArray(each) && each.length === 0))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, ordered(each)]),
  );
}
