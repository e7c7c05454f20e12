/** The range of ClusterIPs: a network of its own. Pods send what goes there to their node, so what else lies in it they would not reach. */
import { cidrRange, overlaps, type Range, specialUse, toAddress, within } from '../range.ts';
import { apiServerOf } from './api-server.ts';
import type { Draft, Report } from './draft.ts';
import { hasHostBits, vlansOf } from './placed.ts';
import { podSubnetsOf } from './pod-subnets.ts';

export function checkServiceCidr(draft: Draft, report: Report): void {
  const { serviceCidr } = draft;
  if (serviceCidr === undefined) return;
  const network = cidrRange(serviceCidr);
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path: 'serviceCidr', what: `serviceCidr is ${serviceCidr}${what}`, got: serviceCidr, allowed, remedy });
  const asItIs = "Give the API server's --service-cluster-ip-range.";
  const special = specialUse(network);
  if (hasHostBits(serviceCidr))
    complain(', an address with host bits', 'a network address', `Write ${toAddress(network.first)}/${serviceCidr.split('/')[1]}.`);
  else if (special !== undefined)
    complain(`, and ${special.block} is of special use`, 'a network of private, carrier-grade NAT or public unicast addresses', asItIs);
  const inside = othersIn(draft, network)[0];
  if (inside !== undefined)
    complain(
      `, and ${inside} lies in it`,
      'pods send what goes to a ClusterIP to their own node',
      `${asItIs} If it is that, one of the two must move.`,
    );
}

/** What has addresses in the range that are no ClusterIPs. */
function othersIn(draft: Draft, network: Range): string[] {
  const apiServer = apiServerOf(draft);
  return [
    ...vlansOf(draft).flatMap(({ subnet, vlan, path }) =>
      subnet !== undefined && overlaps(subnet, network) ? [`subnet ${vlan.subnet} of ${path}`] : [],
    ),
    ...podSubnetsOf(draft).flatMap((it) => (overlaps(it.network, network) ? [`podSubnetCidr ${it.cidr} of ${it.path}`] : [])),
    ...(apiServer?.address !== undefined && within(network, apiServer.address) ? [`the API server ${apiServer.host}`] : []),
  ];
}
