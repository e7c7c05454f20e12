/** The fleet: a name, a host and an address belong to one cluster of a repository. */
import type { Cluster } from '../cluster.ts';
import { overlaps, type Range } from '../range.ts';
import type { Report } from './draft.ts';

export interface Placed {
  /** Where the definition stands: `clusters/bj-a.ts`. */
  readonly file: string;
  readonly cluster: Cluster;
}

interface Taken extends Range {
  readonly file: string;
  readonly path: string;
  readonly text: string;
}

/** @param report gets the file a problem is in, and the problem */
export function checkFleet(fleet: readonly Placed[], reportIn: (file: string) => Report): void {
  const names = new Map<string, string>();
  const hosts = new Map<string, string>();
  for (const { file, cluster } of fleet) {
    const report = reportIn(file);
    const twin = names.get(cluster.name);
    if (twin !== undefined)
      report({
        path: 'name',
        what: `name is ${cluster.name}, as in ${twin}`,
        got: cluster.name,
        allowed: 'a cluster’s name is its own',
        remedy: 'Rename one of them.',
      });
    names.set(cluster.name, file);
    for (const pool of cluster.intranetPools)
      for (const rack of pool.racks) {
        const shared = rack.hosts.find((host) => hosts.has(host));
        if (shared !== undefined)
          report({
            path: `pools.${pool.name}.racks.${rack.name}`,
            what: `host ${shared} stands in ${hosts.get(shared)} too`,
            got: rack.nodeset,
            allowed: 'a host belongs to one cluster',
            remedy: 'Take it out of one of them.',
          });
        for (const host of rack.hosts) hosts.set(host, `${file}: pools.${pool.name}.racks.${rack.name}`);
      }
  }
  checkAddresses(fleet, reportIn);
}

/** Sorted by first address, an overlap is always with a range seen before that reaches furthest. */
function checkAddresses(fleet: readonly Placed[], reportIn: (file: string) => Report): void {
  const taken: Taken[] = fleet
    .flatMap(({ file, cluster }) =>
      cluster.intranetPools.flatMap((pool) =>
        pool.vlans.map((vlan) => ({ ...vlan.range, file, path: `pools.${pool.name}.vlans.${vlan.id}.addresses`, text: vlan.addresses })),
      ),
    )
    .sort((a, b) => a.first - b.first);
  let furthest: Taken | undefined;
  for (const range of taken) {
    // Within one definition vlans.ts has said it already.
    if (furthest !== undefined && overlaps(furthest, range) && furthest.file !== range.file)
      reportIn(range.file)({
        path: range.path,
        what: `addresses ${range.text} overlap ${furthest.text} of ${furthest.file}: ${furthest.path}`,
        got: range.text,
        allowed: 'an address belongs to one cluster',
        remedy: 'Give each a range of its own.',
      });
    if (furthest === undefined || range.last > furthest.last) furthest = range;
  }
}
