/** Hosts: nodesets that can be read, names that can be labels, no host twice in a cluster. */
import { dnsLabel } from '../fields.ts';
import { spell } from '../issue.ts';
import { expand } from '../nodeset.ts';
import type { Draft, Report } from './draft.ts';
import { rackedPools } from './draft.ts';

// The kubelet registers with the label kubernetes.io/hostname, whose value has at most 63 characters.
const hostName = dnsLabel('A host.', 'bj-a-r12-01');

export function checkHosts(draft: Draft, report: Report): void {
  const rackOf = new Map<string, string>();
  for (const { path, pool } of rackedPools(draft))
    for (const [rack, nodeset] of Object.entries(pool.racks ?? {})) {
      if (nodeset === undefined) continue;
      const where = `${path}.racks.${rack}`;
      for (const host of read(nodeset, where, report)) {
        if (!hostName.safeParse(host).success)
          report({
            path: where,
            what: `host is ${spell(host)}`,
            got: host,
            allowed: 'a host name is lower-case letters, digits and -, at most 63, and becomes the Node name',
            remedy: 'Name the host as its kubelet registers it.',
          });
        const other = rackOf.get(host);
        if (other !== undefined)
          report({
            path: where,
            what: `host ${host} stands in ${other} too`,
            got: host,
            allowed: 'a host is in one rack of one pool',
            remedy: `Take it out of ${other} or out of here.`,
          });
        rackOf.set(host, where);
      }
    }
}

function read(nodeset: string, path: string, report: Report): string[] {
  try {
    return expand(nodeset);
  } catch (error) {
    report({
      path,
      what: `nodeset is ${spell(nodeset)} and ${(error as Error).message}`,
      got: nodeset,
      allowed: 'names with ranges in brackets, separated by commas',
      remedy: "Write, for example, 'bj-a-r12-[01-16]'.",
    });
    return [];
  }
}
