/** VLANs: networks that don't overlap, ranges inside them, a gateway that is a neighbour and nobody's pod. */
import { didYouMean } from '../issue.ts';
import type { Range } from '../range.ts';
import { addressRange, cidrRange, contains, overlaps, size, spell, toAddress, toNumber, within } from '../range.ts';
import type { Draft, DraftRacked, Report } from './draft.ts';
import { rackedPools } from './draft.ts';

type DraftVlan = NonNullable<NonNullable<DraftRacked['vlans']>[string]>;
interface Placed {
  readonly id: string;
  readonly path: string;
  readonly datacenter: string | undefined;
  readonly vlan: DraftVlan;
  readonly subnet: Range | undefined;
  readonly addresses: Range | undefined;
}

export function checkVlans(draft: Draft, report: Report): void {
  const all: Placed[] = [];
  for (const { path, pool } of rackedPools(draft)) {
    for (const [id, vlan] of Object.entries(pool.vlans ?? {})) {
      if (vlan === undefined) continue;
      const placed = place(`${path}.vlans.${id}`, id, pool, vlan);
      checkOne(placed, report);
      checkRacks(placed, pool, report);
      for (const other of all) checkPair(other, placed, report);
      all.push(placed);
    }
    checkEveryRackHasOne(path, pool, report);
  }
  checkApiServer(draft, all, report);
}

function place(path: string, id: string, pool: DraftRacked, vlan: DraftVlan): Placed {
  return {
    id,
    path,
    datacenter: pool.datacenter,
    vlan,
    subnet: vlan.subnet === undefined ? undefined : cidrRange(vlan.subnet),
    addresses: vlan.addresses === undefined ? undefined : addressRange(vlan.addresses),
  };
}

function checkOne({ path, vlan, subnet, addresses }: Placed, report: Report): void {
  if (subnet !== undefined) checkSubnet(path, vlan.subnet!, subnet, report);
  if (addresses !== undefined && addresses.first > addresses.last) {
    report({
      path: `${path}.addresses`,
      what: `range ${vlan.addresses} runs backwards`,
      got: vlan.addresses,
      allowed: 'a range a-b has a at or below b',
      remedy: `Write ${spell({ first: addresses.last, last: addresses.first })}.`,
    });
    return;
  }
  if (vlan.gateway !== undefined) checkGateway(path, vlan.gateway, subnet, vlan.subnet, addresses, report);
  if (subnet === undefined || addresses === undefined) return;
  if (!contains(subnet, addresses)) {
    report({
      path: `${path}.addresses`,
      what: `addresses are ${vlan.addresses}`,
      got: vlan.addresses,
      allowed: `inside ${vlan.subnet} they are ${spell(usable(subnet))}`,
      remedy: 'Keep to the subnet, or widen it.',
    });
    return;
  }
  for (const [name, address] of [
    ['network', subnet.first],
    ['broadcast', subnet.last],
  ] as const)
    if (within(addresses, address))
      report({
        path: `${path}.addresses`,
        what: `addresses are ${vlan.addresses}, with the ${name} address ${toAddress(address)} in them`,
        got: vlan.addresses,
        allowed: `usable in ${vlan.subnet} are ${spell(usable(subnet))}`,
        remedy: 'Leave the first and the last address of the subnet out.',
      });
}

const usable = (subnet: Range): Range => ({ first: subnet.first + 1, last: subnet.last - 1 });

function checkSubnet(path: string, text: string, subnet: Range, report: Report): void {
  const [address, prefix] = text.split('/');
  if (toNumber(address!) !== subnet.first)
    report({
      path: `${path}.subnet`,
      what: `subnet is ${text}, an address with host bits`,
      got: text,
      allowed: 'a network address',
      remedy: `Write ${toAddress(subnet.first)}/${prefix}.`,
    });
  if (size(subnet) < 4)
    report({
      path: `${path}.subnet`,
      what: `subnet is ${text}`,
      got: text,
      allowed: 'a VLAN with a gateway and pods needs /30 or wider',
      remedy: 'Give the network as the router has it.',
    });
}

function checkGateway(
  path: string,
  gateway: string,
  subnet: Range | undefined,
  subnetText: string | undefined,
  addresses: Range | undefined,
  report: Report,
): void {
  const number = toNumber(gateway);
  const complain = (what: string, allowed: string, remedy: string) =>
    report({ path: `${path}.gateway`, what: `gateway is ${gateway}${what}`, got: gateway, allowed, remedy });
  if (subnet !== undefined && !within(subnet, number))
    complain('', `in ${subnetText} it is ${spell(usable(subnet))}`, "Give the router's address on this VLAN.");
  else if (subnet !== undefined && number === subnet.first)
    complain(', the network address', `in ${subnetText} it is ${spell(usable(subnet))}`, "Give the router's address on this VLAN.");
  else if (subnet !== undefined && number === subnet.last)
    complain(', the broadcast address', `in ${subnetText} it is ${spell(usable(subnet))}`, "Give the router's address on this VLAN.");
  if (addresses !== undefined && within(addresses, number))
    report({
      path: `${path}.addresses`,
      what: `addresses hold the gateway ${gateway}`,
      got: spell(addresses),
      allowed: 'pods never have the address of the router',
      remedy: 'Begin the range above the gateway, or end it below.',
    });
}

function checkRacks({ path, vlan }: Placed, pool: DraftRacked, report: Report): void {
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

/** One VLAN may be given to two pools, each with addresses of its own; anything else that overlaps is a mistake. */
function checkPair(a: Placed, b: Placed, report: Report): void {
  const same = a.id === b.id && a.vlan.subnet === b.vlan.subnet;
  if (a.subnet !== undefined && b.subnet !== undefined && !same && overlaps(a.subnet, b.subnet))
    report({
      path: `${b.path}.subnet`,
      what: `subnet ${b.vlan.subnet} overlaps ${a.vlan.subnet} of ${a.path}`,
      got: b.vlan.subnet,
      allowed: 'each VLAN has a network of its own',
      remedy: 'Correct the one that differs from the router.',
    });
  else if (a.id === b.id && !same && a.datacenter === b.datacenter && a.subnet !== undefined && b.subnet !== undefined)
    report({
      path: `${b.path}.subnet`,
      what: `VLAN ${b.id} has subnet ${b.vlan.subnet} here and ${a.vlan.subnet} in ${a.path}`,
      got: b.vlan.subnet,
      allowed: 'a VLAN of a datacenter has one subnet',
      remedy: 'Give both the same subnet and ranges of their own.',
    });
  if (a.addresses !== undefined && b.addresses !== undefined && overlaps(a.addresses, b.addresses))
    report({
      path: `${b.path}.addresses`,
      what: `addresses ${b.vlan.addresses} overlap ${a.vlan.addresses} of ${a.path}`,
      got: b.vlan.addresses,
      allowed: 'an address belongs to one VLAN of one pool',
      remedy: 'Give each a range of its own.',
    });
}

function checkApiServer(draft: Draft, all: readonly Placed[], report: Report): void {
  const host = /^https:\/\/([0-9.]+)(:|\/|$)/.exec(draft.apiServer ?? '')?.[1];
  if (host === undefined || host.split('.').length !== 4) return;
  const taken = all.find(({ addresses }) => addresses !== undefined && within(addresses, toNumber(host)));
  if (taken !== undefined)
    report({
      path: `${taken.path}.addresses`,
      what: `addresses ${taken.vlan.addresses} hold the API server ${host}`,
      got: taken.vlan.addresses,
      allowed: 'pods never have the address of the API server',
      remedy: 'Leave it out of the range.',
    });
}
