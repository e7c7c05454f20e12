/**
 * Reports: what the agents of the nodes say is wired and no IPLock says, and which of them a rebuild (`gala ips rebuild`) still waits
 * for. Follows the NodeNetworks one change at a time; docs/locks.md numbers the rules (W1 to W5).
 */
import type { NodeNetwork } from '../../api/kinds.ts';
import { REBUILD_ANNOTATION, RELEASES } from '../../api/network.ts';

/** An address that a pod of a node has. */
export interface Report {
  readonly node: string;
  readonly ip: string;
  readonly mac: string;
  /** `<namespace>/<name>` */
  readonly pod: string;
  readonly podUID: string;
  /** A rebuild was asked for, and this is the node's answer: its IPLock is to be made anew. */
  readonly asked: boolean;
}

type Network = Pick<NodeNetwork, 'status'> & { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };

export interface Reports {
  /** The NodeNetwork of a node as it is now; @returns addresses of which something changed */
  set(node: string, network: Network | undefined): readonly string[];
  /** Whether the agent of the node says of each address when nothing of it is left, also of pods that it never saw. */
  releases(node: string): boolean;
  /** Who has the address; where several nodes say so, the first by name. */
  at(ip: string): Report | undefined;
  /**
   * What a rebuild waits for, in words; undefined: none goes on.
   * @param hasLock whether there is an IPLock of the address, whomever it names
   */
  waitsFor(hasLock: (ip: string) => boolean): string | undefined;
}

export function reports(): Reports {
  const byNode = new Map<string, readonly Report[]>();
  const byIp = new Map<string, Map<string, Report>>();
  const silent = new Set<string>();
  const releasing = new Set<string>();
  const asked = new Set<string>();

  function put(ip: string, node: string, report: Report | undefined): void {
    const all = byIp.get(ip) ?? new Map<string, Report>();
    if (report === undefined) all.delete(node);
    else all.set(node, report);
    if (all.size === 0) byIp.delete(ip);
    else byIp.set(ip, all);
    if ([...all.values()].some((one) => one.asked)) asked.add(ip);
    else asked.delete(ip);
  }

  return {
    set(node, network) {
      const mark = network?.metadata.annotations?.[REBUILD_ANNOTATION];
      const isAnswered = mark !== undefined && mark === network?.status?.rebuilt;
      const releases = network?.status?.conditions?.some(({ type, status }) => type === RELEASES && status === 'True') ?? false;
      if (releases) releasing.add(node);
      else releasing.delete(node);
      if (mark !== undefined && !isAnswered) silent.add(node);
      else silent.delete(node);
      const before = byNode.get(node) ?? [];
      const now = (network?.status?.wired ?? []).map((one): Report => ({ node, ...one, asked: isAnswered }));
      if (before.length + now.length === 0) return [];
      if (now.length === 0) byNode.delete(node);
      else byNode.set(node, now);
      const told = new Map(now.map((one) => [one.ip, one]));
      const changed = [...new Set([...before, ...now].map(({ ip }) => ip))];
      for (const ip of changed) put(ip, node, told.get(ip));
      return changed;
    },
    releases: (node) => releasing.has(node),
    at(ip) {
      const all = [...(byIp.get(ip)?.values() ?? [])];
      return all.length < 2 ? all[0] : all.reduce((least, one) => (one.node < least.node ? one : least));
    },
    waitsFor(hasLock) {
      if (silent.size > 0) {
        const names = [...silent].sort();
        const rest = names.length - FEW_NAMES;
        return `${names.slice(0, FEW_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''} ${names.length === 1 ? 'has' : 'have'} not said yet what is wired there`;
      }
      const missing = [...asked].filter((ip) => !hasLock(ip));
      return missing.length === 0 ? undefined : `${missing.length} IPLocks are being made anew`;
    },
  };
}

/** More names are no help in an event. */
const FEW_NAMES = 4;

/** Where nobody reports. */
export const NO_REPORTS: Pick<Reports, 'at' | 'waitsFor' | 'releases'> = {
  at: () => undefined,
  waitsFor: () => undefined,
  releases: () => false,
};
