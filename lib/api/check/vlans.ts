/** VLANs, each by itself: a network that hosts can have, a range inside it, a gateway that is a neighbour, racks that are there. */
import { didYouMean } from '../issue.ts';
import type { Range } from '../range.ts';
import { addressRange, contains, size, specialUse, spell, toAddress, within } from '../range.ts';
import { apiServerOf } from './api-server.ts';
import type { Draft, DraftRacked, Report } from './draft.ts';
import { rackedPools } from './draft.ts';
import { checkForbidden } from './forbidden.ts';
import { checkIpv6 } from './ipv6.ts';
import { checkOverlaps } from './overlaps.ts';
import { hasHostBits, type PlacedVlan, vlansOf } from './placed.ts';
import { checkRoutes } from './routes.ts';
import { checkSharedVlans } from './shared-vlans.ts';

export function checkVlans(draft: Draft, report: Report): void {
  const vlans = vlansOf(draft);
  for (const placed of vlans) {
    if (placed.subnet !== undefined) checkSubnet(placed.path, placed.vlan.subnet!, placed.subnet, report);
    if (placed.gateway !== undefined) checkGateway(placed, report);
    if (placed.vlan.addresses !== undefined) checkAddresses(placed, placed.vlan.addresses, report);
    checkRacks(placed, report);
    checkIpv6(placed, report);
    checkRoutes(placed.path, placed.vlan.routes, placed, report);
  }
  for (const { path, pool } of rackedPools(draft)) checkEveryRackHasOne(path, pool, report);
  // Pools of one definition that say no datacenter stand in the same one.
  const claims = vlans.map((placed) => ({ placed, owner: placed.path, where: placed.path, site: placed.datacenter ?? '', report }));
  const apiServer = apiServerOf(draft);
  checkOverlaps(claims);
  checkSharedVlans(claims);
  checkForbidden(claims, apiServer === undefined ? [] : [{ ...apiServer, owner: 'apiServer', where: '', report }]);
}

function checkSubnet(path: string, text: string, subnet: Range, report: Report): void {
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path: `${path}.subnet`, what: `subnet is ${text}${what}`, got: text, allowed, remedy });
  if (hasHostBits(text))
    complain(', an address with host bits', 'a network address', `Write ${toAddress(subnet.first)}/${text.split('/')[1]}.`);
  if (size(subnet) < 4) complain('', 'a VLAN with a gateway and pods needs /30 or wider', 'Give the network as the router has it.');
  const special = specialUse(subnet);
  if (special !== undefined)
    complain(
      `, and ${special.block} is ${KINDS[special.kind] ?? special.kind}`,
      'a network of private, carrier-grade NAT or public unicast addresses',
      'Give the network as the router has it.',
    );
}

/** Where ipaddr.js' word for a block isn't a word. */
const KINDS: Record<string, string> = { unspecified: 'no address', linkLocal: 'link-local', as112: 'reserved', amt: 'reserved' };

const usable = (subnet: Range): Range => ({ first: subnet.first + 1, last: subnet.last - 1 });

function checkGateway({ path, vlan, subnet, gateway, addresses }: PlacedVlan, report: Report): void {
  const complain = (what: string) =>
    report({
      path: `${path}.gateway`,
      what: `gateway is ${vlan.gateway}${what}`,
      got: vlan.gateway,
      allowed: `in ${vlan.subnet} it is ${spell(usable(subnet!))}`,
      remedy: "Give the router's address on this VLAN.",
    });
  if (subnet !== undefined && !within(subnet, gateway!)) complain('');
  else if (gateway === subnet?.first) complain(', the network address');
  else if (gateway === subnet?.last) complain(', the broadcast address');
  if (addresses !== undefined && within(addresses, gateway!))
    report({
      path: `${path}.addresses`,
      what: `addresses hold the gateway ${vlan.gateway}`,
      got: spell(addresses),
      allowed: 'pods never have the address of the router',
      remedy: 'Begin the range above the gateway, or end it below.',
    });
}

function checkAddresses({ path, vlan, subnet, addresses }: PlacedVlan, text: string, report: Report): void {
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path: `${path}.addresses`, what, got: text, allowed, remedy });
  if (addresses === undefined) {
    const { first, last } = addressRange(text);
    if (first > last)
      complain(`range ${text} runs backwards`, 'a range a-b has a at or below b', `Write ${spell({ first: last, last: first })}.`);
    else
      complain(
        `addresses are ${text}, a CIDR with host bits`,
        'a CIDR begins with its network address',
        `Write ${toAddress(first)}/${text.split('/')[1]}, or the range that is meant as a-b.`,
      );
  } else if (subnet !== undefined && !contains(subnet, addresses))
    complain(`addresses are ${text}`, `inside ${vlan.subnet} they are ${spell(usable(subnet))}`, 'Keep to the subnet, or widen it.');
  else if (subnet !== undefined)
    for (const [name, address] of [
      ['network', subnet.first],
      ['broadcast', subnet.last],
    ] as const)
      if (within(addresses, address))
        complain(
          `addresses are ${text}, with the ${name} address ${toAddress(address)} in them`,
          `usable in ${vlan.subnet} are ${spell(usable(subnet))}`,
          'Leave the first and the last address of the subnet out.',
        );
}

function checkRacks({ path, vlan, pool }: PlacedVlan, report: Report): void {
  const known = Object.keys(pool.racks ?? {});
  vlan.racks?.forEach((rack, i) => {
    if (rack === undefined || known.includes(rack)) return;
    report({
      path: `${path}.racks[${i}]`,
      what: `rack is ${rack}`,
      got: rack,
      allowed: `the pool's racks are ${known.join(', ') || 'none'}`,
      remedy: didYouMean(rack, known, 'Name a rack of this pool, or add it to racks.'),
    });
  });
}

function checkEveryRackHasOne(path: string, pool: DraftRacked, report: Report): void {
  const vlans = Object.values(pool.vlans ?? {});
  if (vlans.some((vlan) => vlan === undefined || vlan.racks === undefined)) return;
  const trunked = new Set(vlans.flatMap((vlan) => vlan?.racks ?? []));
  for (const rack of Object.keys(pool.racks ?? {}))
    if (!trunked.has(rack))
      report({
        path: `${path}.racks.${rack}`,
        what: `no VLAN is trunked to rack ${rack}`,
        got: rack,
        allowed: 'a rack with pods has a VLAN',
        remedy: 'Add the rack to the racks of a VLAN.',
        severity: 'warning',
      });
}
