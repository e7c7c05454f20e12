/** What is amiss with an intranet pool, as conditions: True names the hosts or addresses and what to do, False says that all is well. Pure. */
import type { HostPool } from '../api/kinds.ts';
import { POOL_LABEL, RACK_LABEL } from '../api/model.ts';
import { toAddress, within } from '../api/range.ts';
import { type Address, isOnNode } from './address.ts';
import type { Host } from './host.ts';
import { type Layout, racksOf } from './layout.ts';
import type { PoolSeen } from './pool-status.ts';

export type Condition = NonNullable<NonNullable<HostPool['status']>['conditions']>[number];

/** A condition without its time. `message` where it is True. */
export type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

interface Rule {
  readonly type: string;
  /** Reasons when it is True and when it is False. */
  readonly reasons: readonly [bad: string, good: string];
  /** What is amiss, in a fixed order. */
  readonly find: (seen: PoolSeen, layout: Layout) => readonly string[];
  /** @param some as many of them as there is room for */
  readonly say: (some: string, count: number, seen: PoolSeen, layout: Layout) => string;
}

const RULES: readonly Rule[] = [
  {
    type: 'AddressesCutOff',
    reasons: ['SpecChanged', 'AllInReach'],
    find: cutOff,
    say: (some, count) =>
      `Taken addresses out of the reach of the spec (${count}): ${some}. Each stays with its pod and goes to no other. ` +
      'Delete the pods, or put back what the spec lost.',
  },
  {
    type: 'HostsMissing',
    reasons: ['NoNode', 'AllThere'],
    find: ({ hosts }, { rackOf }) => [...rackOf.keys()].filter((name) => hosts.get(name) === undefined).sort(),
    say: (some, count, _, { rackOf }) =>
      `Hosts without a Node (${count} of ${rackOf.size}): ${some}. Start their kubelets, or take them out of racks in the definition.`,
  },
  {
    type: 'NodesOutsideRacks',
    reasons: ['NotListed', 'AllListed'],
    find: (seen, { rackOf }) => mine(seen, ({ name }) => !rackOf.has(name)).map(({ name }) => name),
    say: (some, count, { pool }) =>
      `Nodes with the label ${POOL_LABEL}=${pool.metadata.name} that stand in none of its racks (${count}): ${some}. ` +
      'Add them to racks in the definition, or take the label away.',
  },
  {
    type: 'PoolLabelWrong',
    reasons: ['OtherPool', 'AllLabelled'],
    find: strangers,
    say: (some, count, { pool }) =>
      `Hosts of the racks that do not say so (${count}): ${some}. kubectl label node <node> ${POOL_LABEL}=${pool.metadata.name} --overwrite`,
  },
  {
    type: 'RackLabelWrong',
    reasons: ['OtherRack', 'AllInPlace'],
    find: (seen, layout) => mine(seen, (host) => rackLabelWrong(host, layout)).map((host) => `${host.name} (${places(host, layout)})`),
    say: (some, count) =>
      `Nodes whose label ${RACK_LABEL} is not the rack they stand in (${count}): ${some}. Their addresses count for both. ` +
      `kubectl label node <node> ${RACK_LABEL}=<rack> --overwrite`,
  },
  {
    type: 'RacksUnreadable',
    reasons: ['WrongNodeset', 'AllReadable'],
    find: (_, { unreadable }) => unreadable,
    say: (some) => `${some}. These hosts count as in no rack. Correct the nodeset in the definition; synth would have refused it.`,
  },
];

/** The types of all of them: what else a pool's conditions say is said by others. */
export const AMISS: readonly string[] = RULES.map(({ type }) => type);

export function amiss(seen: PoolSeen, layout: Layout): Finding[] {
  return RULES.map(({ type, reasons: [bad, good], find, say }): Finding => {
    const found = find(seen, layout);
    if (found.length === 0) return { type, status: 'False', reason: good };
    return { type, status: 'True', reason: bad, message: say(someOf(found), found.length, seen, layout) };
  });
}

/** Conditions with their times: of `before`, as long as the status stays. Those of others stay as they are. */
export function settled(findings: readonly Finding[], before: readonly Condition[] | undefined, now: string): Condition[] {
  const was = new Map(before?.map((condition) => [condition.type, condition]));
  const ours = findings.map((finding): Condition => {
    const earlier = was.get(finding.type);
    return { ...finding, lastTransitionTime: earlier?.status === finding.status ? earlier.lastTransitionTime : now };
  });
  const theirs = [...was.values()].filter(({ type }) => !findings.some((finding) => finding.type === type));
  return [...ours, ...theirs].sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** The API server takes 1,024 characters of a message: what is left beside the longest sentence above. */
const ROOM = 600;

/** As many of the names as a message has room for, and how many more there are. */
function someOf(names: readonly string[]): string {
  let shown = 0;
  let length = 0;
  while (shown < names.length && shown < 10 && length + names[shown]!.length + 2 <= ROOM) length += names[shown++]!.length + 2;
  // A nodeset alone may be longer.
  if (shown === 0) return `${names[0]!.slice(0, ROOM - 1)}…${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
  return `${names.slice(0, shown).join(', ')}${shown < names.length ? ` and ${names.length - shown} more` : ''}`;
}

/** Nodes that say they are of this pool, by name. */
function mine({ pool, hosts }: PoolSeen, which: (host: Host) => boolean): Host[] {
  const found = [...hosts.values()].filter((host) => host.pool === pool.metadata.name && which(host));
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hosts of the racks that say nothing, or something else. */
function strangers({ pool, hosts }: PoolSeen, { rackOf }: Layout): string[] {
  const found = [...rackOf.keys()].flatMap((name) => hosts.get(name) ?? []).filter((host) => host.pool !== pool.metadata.name);
  return found.map((host) => `${host.name} (${host.pool === undefined ? 'no label' : `'${host.pool}'`})`).sort();
}

function places({ name, rack }: Host, { rackOf }: Layout): string {
  const listed = rackOf.get(name);
  return listed === undefined ? `'${rack}' is no rack of the pool` : `'${rack}', stands in ${listed}`;
}

/** No label is right too: the nodeset says it then. */
function rackLabelWrong({ name, rack }: Host, { rackOf, racks }: Layout): boolean {
  if (rack === undefined) return false;
  const listed = rackOf.get(name);
  return listed === undefined ? !racks.has(rack) : rack !== listed;
}

function cutOff(seen: PoolSeen, layout: Layout): string[] {
  const found = seen.addresses.flatMap((address) => {
    const why = whyCutOff(address, seen, layout);
    return why === undefined ? [] : [{ address, why }];
  });
  const sorted = found.sort((a, b) => a.address.number - b.address.number);
  return sorted.map(({ address: { number, phase, node }, why }) => `${toAddress(number)} (${phase} on ${node}, ${why})`);
}

/** Why the spec gives this address to nobody, or not to its node; undefined when it does, or when it is none of this pool's. */
function whyCutOff(address: Address, { pool, hosts }: PoolSeen, layout: Layout): string | undefined {
  const { number, node, phase } = address;
  if (phase === 'Quarantined') return undefined;
  const vlan = layout.vlanOf(number);
  const itsPool = hosts.get(node)?.pool ?? (layout.rackOf.has(node) ? pool.metadata.name : undefined);
  if (vlan === undefined) return itsPool === pool.metadata.name ? 'in no VLAN of the pool' : undefined;
  if (!within(vlan.range, number)) return `outside the addresses of VLAN ${vlan.id}`;
  // A Held one is on no node any more.
  if (!isOnNode(address)) return undefined;
  const racks = racksOf(node, layout, hosts);
  if (racks.length === 0) return 'which stands in no rack';
  return racks.some((rack) => vlan.racks.has(rack)) ? undefined : `VLAN ${vlan.id} is not trunked to ${racks.join(', ')}`;
}
