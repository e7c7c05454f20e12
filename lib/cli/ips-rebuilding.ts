/** What a rebuild of the IPLocks has come to, and how it is told. Pure; ips-rebuild.ts asks the cluster. */
import type { IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import { REBUILD_ANNOTATION } from '../api/network.ts';
import { counted } from './amount.ts';
import { table, terminalWidth } from './table.ts';

interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RebuildSeen {
  readonly networks: readonly (Pick<NodeNetwork, 'status'> & { readonly metadata: Named })[];
  readonly ipLocks: readonly (Pick<IPLock, 'spec'> & { readonly metadata: Named })[];
  readonly locks: readonly (Pick<Lock, 'status'> & { readonly metadata: Named })[];
}

/** What `-o json` prints. */
export interface Rebuild {
  readonly dryRun: boolean;
  /** What the nodes are asked by; left out in a dry run. */
  readonly rebuild?: string;
  readonly nodes: {
    readonly asked: number;
    readonly answered: number;
    /** Asked, and silent so far. */
    readonly silent: readonly string[];
    /** Not asked. */
    readonly without: readonly string[];
  };
  /** What nodes have wired without an IPLock that says so, lowest address first. */
  readonly addresses: readonly {
    readonly address: string;
    readonly node: string;
    /** `<namespace>/<name>` */
    readonly pod: string;
    /** `rebuilt`: it names the pod now. `missing`: not yet. `disputed`: it is somebody else's by its IPLock. */
    readonly ipLock: 'rebuilt' | 'missing' | 'disputed';
    /** Whose it is by its IPLock, where that is disputed. */
    readonly of?: { readonly owner: string; readonly phase: string; readonly node: string };
  }[];
  /** Slots of Locks whose address has no IPLock: they never were bound, or their node was not asked. */
  readonly lost: readonly { readonly lock: string; readonly slot: number; readonly address: string }[];
}

/** By address; a node whose answer has come to an IPLock says no more of it, so what was seen before counts. */
export type Before = ReadonlyMap<string, Rebuild['addresses'][number] & { readonly podUID: string }>;

export function rebuildOf(
  { networks, ipLocks, locks }: RebuildSeen,
  { rebuild, without, dryRun, before }: { rebuild?: string; without: ReadonlySet<string>; dryRun: boolean; before: Before },
): { readonly answer: Rebuild; readonly seen: Before } {
  const asked = networks.filter(({ metadata }) => !without.has(metadata.name));
  const silent = asked.filter(
    ({ metadata, status }) => metadata.annotations?.[REBUILD_ANNOTATION] !== rebuild || status?.rebuilt !== rebuild,
  );
  const byAddress = new Map(ipLocks.map((one) => [one.metadata.name, one]));
  const told = new Map(before);
  for (const { metadata, status } of asked)
    for (const { ip, pod, podUID } of status?.wired ?? [])
      told.set(ip, { address: ip, node: metadata.name, pod, podUID, ipLock: 'missing' });
  const seen = new Map([...told].map(([ip, one]) => [ip, { ...one, ...judged(one.podUID, byAddress.get(ip)) }]));
  const addresses = [...seen.values()].map(({ podUID: _, ...one }) => one).sort((a, b) => compare(a.address, b.address));
  const lost = locks.flatMap(({ metadata, status }) =>
    (status?.phase === 'Ready' || status?.phase === 'Planning' ? (status.slots ?? []) : []).flatMap(({ slot, address }) =>
      address === undefined || byAddress.has(address) || seen.has(address)
        ? []
        : [{ lock: `${metadata.namespace}/${metadata.name}`, slot, address }],
    ),
  );
  const nodes = {
    asked: asked.length,
    answered: dryRun ? 0 : asked.length - silent.length,
    silent: dryRun ? [] : silent.map(({ metadata }) => metadata.name).sort(),
    without: [...without].sort(),
  };
  return { answer: { dryRun, ...(rebuild === undefined ? {} : { rebuild }), nodes, addresses, lost }, seen };
}

function judged(podUID: string, ipLock: RebuildSeen['ipLocks'][number] | undefined): Pick<Rebuild['addresses'][number], 'ipLock' | 'of'> {
  if (ipLock === undefined) return { ipLock: 'missing' };
  const { owner, phase, node } = ipLock.spec;
  return ipLock.spec.podUID === podUID ? { ipLock: 'rebuilt' } : { ipLock: 'disputed', of: { owner, phase, node } };
}

export const isDone = ({ nodes, addresses }: Rebuild): boolean =>
  nodes.silent.length === 0 && addresses.every(({ ipLock }) => ipLock !== 'missing');

export function rebuildText(answer: Rebuild): string {
  const { addresses, lost, dryRun } = answer;
  const rows = addresses.map(({ address, node, pod, ...one }) => [address, node, pod, stateText(one)]);
  return [
    headOf(answer),
    ...(rows.length === 0 ? [] : [table([['ADDRESS', 'NODE', 'POD', 'IPLOCK'], ...rows], { width: terminalWidth() })]),
    ...lost.map(({ lock, slot, address }) => `Lock ${lock}: slot ${slot} has lost ${address}; the lock writer gives it one again.`),
    ...(dryRun || !isDone(answer) ? [] : ['Addresses are given out again.']),
  ].join('\n');
}

function headOf({ dryRun, nodes, addresses }: Rebuild): string {
  const { asked, answered } = nodes;
  if (dryRun) {
    const told = addresses.length === 1 ? '1 address is' : `${addresses.length} addresses are`;
    return `${counted(asked, 'node')} would be asked; nothing is stored. ${told} told already that no IPLock gives to the pod there.`;
  }
  const made = addresses.filter(({ ipLock }) => ipLock === 'rebuilt').length;
  return `${answered} of ${counted(asked, 'node')} ${asked === 1 ? 'has' : 'have'} said what is wired there. ${counted(made, 'IPLock')} made anew.`;
}

function stateText({ ipLock, of }: Pick<Rebuild['addresses'][number], 'ipLock' | 'of'>): string {
  if (of !== undefined) return `${of.phase} for ${of.owner} on ${of.node}`;
  return ipLock === 'rebuilt' ? 'made anew' : 'missing';
}

const compare = (a: string, b: string): number => keyOf(a) - keyOf(b);
const keyOf = (ip: string): number => ip.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
