/**
 * Networks of EC2 pod subnets, where a definition says them: as a VPC has them, and apart from every other network of pods in
 * the cluster, since an address is the name of its IPLock. Across the fleet a subnet has one network.
 */
import { cidrRange, overlaps, type Range, size, specialUse, toAddress } from '../range.ts';
import type { Draft, Report } from './draft.ts';
import { launchedPools } from './draft.ts';
import { hasHostBits, vlansOf } from './placed.ts';
import { checkRoutes } from './routes.ts';

export interface PodSubnet {
  /** `pools.burst.zones.ap-northeast-1a` */
  readonly path: string;
  /** Its `podSubnetId`. */
  readonly id: string | undefined;
  /** As it was typed. */
  readonly cidr: string;
  readonly network: Range;
}

export function podSubnetsOf(draft: Draft): PodSubnet[] {
  return launchedPools(draft).flatMap(({ path, pool }) =>
    Object.entries(pool.zones ?? {}).flatMap(([zone, it]) => {
      const cidr = it?.podSubnetCidr;
      return cidr === undefined ? [] : [{ path: `${path}.zones.${zone}`, id: it?.podSubnetId, cidr, network: cidrRange(cidr) }];
    }),
  );
}

export function checkPodSubnets(draft: Draft, report: Report): void {
  const subnets = podSubnetsOf(draft);
  const vlans = vlansOf(draft);
  subnets.forEach((subnet, i) => {
    checkOne(subnet, report);
    const rival = subnets.slice(0, i).find((other) => other.id !== subnet.id && overlaps(other.network, subnet.network));
    const vlan = vlans.find((placed) => placed.subnet !== undefined && overlaps(placed.subnet, subnet.network));
    const other = rival === undefined ? vlan && `${vlan.vlan.subnet} of ${vlan.path}` : `${rival.cidr} of ${rival.path}`;
    if (other !== undefined)
      report({
        path: `${subnet.path}.podSubnetCidr`,
        what: `podSubnetCidr ${subnet.cidr} overlaps ${other}`,
        got: subnet.cidr,
        allowed: 'an address is that of one pod of the cluster',
        remedy: 'Give the network of the subnet as EC2 has it; if it is that, take another subnet.',
      });
  });
  for (const { path, pool } of launchedPools(draft))
    for (const [zone, it] of Object.entries(pool.zones ?? {})) {
      const cidr = it?.podSubnetCidr;
      checkRoutes(`${path}.zones.${zone}`, it?.routes, cidr === undefined ? {} : { subnet: cidrRange(cidr) }, report);
    }
}

function checkOne({ path, cidr, network }: PodSubnet, report: Report): void {
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path: `${path}.podSubnetCidr`, what: `podSubnetCidr is ${cidr}${what}`, got: cidr, allowed, remedy });
  const special = specialUse(network);
  if (hasHostBits(cidr))
    complain(', an address with host bits', 'a network address', `Write ${toAddress(network.first)}/${cidr.split('/')[1]}.`);
  // VPC User Guide, "Subnet CIDR blocks".
  else if (size(network) < 16 || size(network) > 65_536)
    complain('', 'a subnet of a VPC is a /16 to a /28', 'Give the network of the subnet as EC2 has it.');
  else if (special !== undefined)
    complain(`, and ${special.block} is of special use`, 'a network that pods can have', 'Give the network of the subnet as EC2 has it.');
}

/** One subnet with two networks in the definitions of two clusters: one of them is a slip. */
export function checkSharedPodSubnets(
  fleet: readonly { readonly file: string; readonly draft: Draft }[],
  reportIn: (file: string) => Report,
): void {
  const first = new Map<string, PodSubnet & { readonly file: string }>();
  for (const { file, draft } of fleet)
    for (const subnet of podSubnetsOf(draft)) {
      const known = subnet.id === undefined ? undefined : first.get(subnet.id);
      if (subnet.id !== undefined && known === undefined) first.set(subnet.id, { ...subnet, file });
      if (known === undefined || known.cidr === subnet.cidr) continue;
      const where = known.file === file ? known.path : `${known.file}: ${known.path}`;
      reportIn(file)({
        path: `${subnet.path}.podSubnetCidr`,
        what: `subnet ${subnet.id} is ${subnet.cidr} here and ${known.cidr} in ${where}`,
        got: subnet.cidr,
        allowed: 'a subnet has one network',
        remedy: 'Give both as EC2 has it.',
      });
    }
}
