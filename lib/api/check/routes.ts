/** Static routes of pods: to networks that lie elsewhere, by routers that are neighbours and no pods. Of VLANs and of pod subnets on EC2. */
import type { Range } from '../range.ts';
import { cidrRange, contains, specialUse, spell, toAddress, toNumber, within } from '../range.ts';
import type { Report } from './draft.ts';
import { hasHostBits } from './placed.ts';

interface DraftRoute {
  readonly to?: string;
  readonly via?: string;
}

/** What the routes start from; what isn't known is not compared with. */
export interface Neighbourhood {
  readonly subnet?: Range;
  /** What pods may have. */
  readonly addresses?: Range;
}

/** @param path of what has the routes: `pools.web.vlans.110` */
export function checkRoutes(
  path: string,
  routes: readonly (DraftRoute | undefined)[] | undefined,
  around: Neighbourhood,
  report: Report,
): void {
  routes?.forEach((route, i) => {
    const where = `${path}.routes[${i}]`;
    if (route?.to !== undefined) checkTo(`${where}.to`, route.to, around, report);
    if (route?.via !== undefined) checkVia(`${where}.via`, route.via, around, report);
  });
}

function checkTo(path: string, to: string, { subnet }: Neighbourhood, report: Report): void {
  const net = cidrRange(to);
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path, what: `route leads to ${to}${what}`, got: to, allowed, remedy });
  const special = specialUse({ first: net.first, last: net.first });
  if (hasHostBits(to)) complain(', an address with host bits', 'a network address', `Write ${toAddress(net.first)}/${to.split('/')[1]}.`);
  else if (to.endsWith('/0'))
    complain(', which is everywhere', 'the way to everywhere is the gateway', 'Give the networks that lie behind another router.');
  else if (special !== undefined) complain(`, and ${special.block} is of special use`, 'a network that is routed', 'Leave the route out.');
  else if (subnet !== undefined && contains(subnet, net))
    complain(', inside the subnet itself', 'neighbours are reached without a router', 'Leave the route out.');
}

function checkVia(path: string, via: string, { subnet, addresses }: Neighbourhood, report: Report): void {
  const address = toNumber(via);
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path, what: `via is ${via}${what}`, got: via, allowed, remedy });
  if (subnet !== undefined && (!within(subnet, address) || address === subnet.first || address === subnet.last))
    complain(
      '',
      `a neighbour is ${spell({ first: subnet.first + 1, last: subnet.last - 1 })}`,
      'Give the address of the router in this subnet, or leave via out for the gateway.',
    );
  else if (addresses !== undefined && within(addresses, address))
    complain(', which a pod may have', 'pods never have the address of a router', 'Leave it out of addresses.');
}
