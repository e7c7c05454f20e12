/**
 * Unlocked: what is wired here though no IPLock says so: after etcd was restored from a backup, or somebody deleted an IPLock. It is
 * told in the status of the NodeNetwork, so that nobody is given the address meanwhile and `gala ips rebuild` can make the IPLock
 * anew. Pure.
 */
import type { IPLock, NodeNetwork } from '../../api/kinds.ts';
import type { Attachment } from './journal.ts';

export type Wired = NonNullable<NonNullable<NodeNetwork['status']>['wired']>[number];

/** The most that the schema takes: more than any node has pods. */
const MOST = 512;

/** @param lockOf the IPLock of an address, as far as it is of this node */
export function unlocked(
  attachments: Iterable<Pick<Attachment, 'ip' | 'mac' | 'pod'>>,
  lockOf: (ip: string) => Pick<IPLock, 'spec'> | undefined,
): Wired[] {
  const found = new Map<string, Wired>();
  for (const { ip, mac, pod } of attachments) {
    if (lockOf(ip)?.spec.podUID === pod.uid) continue;
    found.set(ip, { ip, mac, pod: `${pod.namespace}/${pod.name}`, podUID: pod.uid });
  }
  return [...found.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1)).slice(0, MOST);
}
