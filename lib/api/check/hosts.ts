/** Hosts: nodesets that can be read, names that can be labels, no host in two racks of a definition. */
import { dnsLabel } from '../fields.ts';
import { spell } from '../issue.ts';
import { expand } from '../nodeset.ts';
import type { Draft, Report } from './draft.ts';
import { rackedPools } from './draft.ts';

// The kubelet registers with the label kubernetes.io/hostname, whose value has at most 63 characters.
const hostName = dnsLabel('A host.', 'bj-a-r12-01');

export interface Rack {
  /** `pools.web.racks.r12` */
  readonly path: string;
  readonly hosts: readonly string[];
}

export function checkHosts(draft: Draft, report: Report): void {
  const racks = racksOf(draft, (path, nodeset, error) =>
    report({
      path,
      what: `nodeset is ${spell(nodeset)} and ${error.message}`,
      got: nodeset,
      allowed: 'names with ranges in brackets, separated by commas',
      remedy: "Write, for example, 'bj-a-r12-[01-16]'.",
    }),
  );
  for (const { path, hosts } of racks) {
    const [wrong, ...alike] = hosts.filter((host) => !hostName.safeParse(host).success);
    if (wrong !== undefined)
      report({
        path,
        what: `host is ${spell(wrong)}${alike.length > 0 ? `, and ${alike.length} more are no names` : ''}`,
        got: wrong,
        allowed: 'a host name is lower-case letters, digits and -, at most 63, and becomes the Node name',
        remedy: 'Name the host as its kubelet registers it.',
      });
    const once = new Set<string>();
    const twice = hosts.filter((host) => once.size === once.add(host).size);
    if (twice.length > 0)
      report({
        path,
        what: `${standing(twice)} in this nodeset twice`,
        got: twice[0],
        allowed: 'a host is in a rack once',
        remedy: 'Name it once.',
      });
  }
  for (const { rack, other, hosts } of sharedHosts(racks))
    report({
      path: rack.path,
      what: `${standing(hosts)} in ${other.path} too`,
      got: hosts[0],
      allowed: 'a host is in one rack of one pool',
      remedy: `Take it out of ${other.path} or out of here.`,
    });
}

/** The racks of a definition; those whose nodeset can't be read are left out. */
export function racksOf(draft: Draft, unreadable: (path: string, nodeset: string, error: Error) => void = () => {}): Rack[] {
  return rackedPools(draft).flatMap(({ path, pool }) =>
    Object.entries(pool.racks ?? {}).flatMap(([rack, nodeset]) => {
      if (nodeset === undefined) return [];
      const where = `${path}.racks.${rack}`;
      try {
        return [{ path: where, hosts: expand(nodeset) }];
      } catch (error) {
        unreadable(where, nodeset, error as Error);
        return [];
      }
    }),
  );
}

/** Each rack with an earlier one that has hosts of it, and those hosts. A host of three racks is the first one's. */
export function sharedHosts<R extends Rack>(racks: readonly R[]): { rack: R; other: R; hosts: string[] }[] {
  const first = new Map<string, R>();
  return racks.flatMap((rack) => {
    const shared = new Map<R, string[]>();
    for (const host of new Set(rack.hosts)) {
      const other = first.get(host);
      if (other === undefined) first.set(host, rack);
      else if (!shared.get(other)?.push(host)) shared.set(other, [host]);
    }
    return [...shared].map(([other, hosts]) => ({ rack, other, hosts }));
  });
}

/** `host r12-01 stands`, `host r12-01 and 9 more stand`: one line a pair of racks, not one a host. */
export const standing = ([first, ...more]: readonly string[]): string =>
  more.length === 0 ? `host ${first} stands` : `host ${first} and ${more.length} more stand`;
