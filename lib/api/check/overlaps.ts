/**
 * What two VLANs can't both have: overlapping networks, one network under two ids, one id with two networks, one
 * address. The same rules hold within a definition (vlans.ts) and across the fleet (fleet.ts).
 * Sorted, so that a fleet of thousands of VLANs costs what sorting them costs; each VLAN is told of one rival, not of all.
 */
import { overlaps, type Range } from '../range.ts';
import type { Report } from './draft.ts';
import type { PlacedVlan } from './placed.ts';

/** A VLAN, as one of those that are compared. In a list, the later of two is the one that gets the problem. */
export interface Claim {
  readonly placed: PlacedVlan;
  /** Claims of one owner aren't compared: in a definition each VLAN is an owner, in the fleet each file. */
  readonly owner: string;
  /** How a message to another owner names it. */
  readonly where: string;
  /** In which no VLAN id has two networks; undefined when it isn't known. */
  readonly site: string | undefined;
  readonly report: Report;
}

/** The two of a pair in the order of the list. */
type InOrder = (a: Claim, b: Claim) => readonly [earlier: Claim, later: Claim];

export function checkOverlaps(claims: readonly Claim[]): void {
  const place = new Map(claims.map((claim, i) => [claim, i]));
  const inOrder: InOrder = (a, b) => (place.get(a)! < place.get(b)! ? [a, b] : [b, a]);
  checkAddresses(claims, inOrder);
  checkSubnets(claims, inOrder);
  checkIds(claims);
}

/** Sorted by its beginning, a range overlaps one before it exactly when it begins inside the one that reaches furthest. */
function checkAddresses(claims: readonly Claim[], inOrder: InOrder): void {
  const ranges = claims.flatMap((claim) => (claim.placed.addresses === undefined ? [] : [{ claim, ...claim.placed.addresses }]));
  // The furthest reaching so far, and the furthest of any other owner than that one's.
  let furthest: (typeof ranges)[number] | undefined;
  let other: (typeof ranges)[number] | undefined;
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const own = furthest?.claim.owner === range.claim.owner;
    const rival = own ? other : furthest;
    if (rival !== undefined && overlaps(rival, range)) complainOfAddresses(...inOrder(rival.claim, range.claim));
    if (furthest === undefined || range.last > furthest.last) {
      if (!own) other = furthest;
      furthest = range;
    } else if (!own && (other === undefined || range.last > other.last)) other = range;
  }
}

function complainOfAddresses({ placed: earlier, where }: Claim, { placed, report }: Claim): void {
  report({
    path: `${placed.path}.addresses`,
    what: `addresses ${placed.vlan.addresses} overlap ${earlier.vlan.addresses} of ${where}`,
    got: placed.vlan.addresses,
    allowed: 'an address belongs to one VLAN of one pool',
    remedy: 'Give each a range of its own.',
  });
}

interface Network extends Range {
  readonly claims: Claim[];
}

/** CIDRs are equal, nested or apart: sorted from wide to narrow, those around one are a stack of at most 32. */
function checkSubnets(claims: readonly Claim[], inOrder: InOrder): void {
  const around: Network[] = [];
  for (const network of networks(claims)) {
    while (around.length > 0 && around.at(-1)!.last < network.first) around.pop();
    const wider = around.toReversed().flatMap((it) => firstOfTwoOwners(it.claims));
    // Two owners for each pair of id and datacenter: whoever comes later finds its rival among them.
    const alike = new Map<string, Claim[]>();
    for (const claim of network.claims) {
      const outer = wider.find(({ owner }) => owner !== claim.owner);
      if (outer !== undefined) complainOfSubnet(inOrder(outer, claim), 'error');
      else {
        const rivals = [...alike.values()].flat().filter(({ owner, placed }) => owner !== claim.owner && placed.id !== claim.placed.id);
        const near = rivals.find(({ placed }) => !apart(placed, claim.placed));
        if (near !== undefined) complainOfSubnet([near, claim], 'error');
        else if (rivals[0] !== undefined) complainOfSubnet([rivals[0], claim], 'warning');
      }
      const key = `${claim.placed.id} ${claim.placed.datacenter ?? ''}`;
      alike.set(key, firstOfTwoOwners([...(alike.get(key) ?? []), claim]));
    }
    around.push(network);
  }
}

function networks(claims: readonly Claim[]): Network[] {
  const found = new Map<string, Network>();
  for (const claim of claims) {
    if (claim.placed.subnet === undefined) continue;
    const { first, last } = claim.placed.subnet;
    const network = found.get(`${first}-${last}`) ?? { first, last, claims: [] };
    found.set(`${first}-${last}`, network);
    network.claims.push(claim);
  }
  return [...found.values()].sort((a, b) => a.first - b.first || b.last - a.last);
}

/** Enough of a list to have one that isn't yours. */
function firstOfTwoOwners(claims: readonly Claim[]): Claim[] {
  const [first] = claims;
  const second = claims.find(({ owner }) => owner !== first?.owner);
  return [first, second].filter((claim) => claim !== undefined);
}

/** Both say where they stand, and it isn't the same: there a stretched network may go by ids of each side. */
const apart = (a: PlacedVlan, b: PlacedVlan): boolean =>
  a.datacenter !== undefined && b.datacenter !== undefined && a.datacenter !== b.datacenter;

function complainOfSubnet([{ placed: earlier, where }, { placed, report }]: ReturnType<InOrder>, severity: 'error' | 'warning'): void {
  const same = earlier.subnet!.first === placed.subnet!.first && earlier.subnet!.last === placed.subnet!.last;
  report({
    path: `${placed.path}.subnet`,
    what: same
      ? `subnet ${placed.vlan.subnet} is VLAN ${placed.id} here and VLAN ${earlier.id} in ${where}`
      : `subnet ${placed.vlan.subnet} overlaps ${earlier.vlan.subnet} of ${where}`,
    got: placed.vlan.subnet,
    allowed: 'each VLAN has a network of its own',
    remedy:
      severity === 'error'
        ? 'Correct the one that differs from the router.'
        : 'Correct one, unless the network is stretched between the datacenters.',
    severity,
  });
}

/** A pool may share a VLAN with another, or a cluster with another: then both give its one subnet. */
function checkIds(claims: readonly Claim[]): void {
  const seen = new Map<string, Map<string, Claim[]>>();
  for (const claim of claims) {
    const { placed, owner, site, report } = claim;
    if (placed.subnet === undefined || site === undefined) continue;
    const key = `${placed.id} ${site}`;
    const network = `${placed.subnet.first}-${placed.subnet.last}`;
    const others = seen.get(key) ?? new Map<string, Claim[]>();
    seen.set(key, others);
    const rival = [...others.entries()]
      .filter(([its]) => its !== network)
      .flatMap(([, rivals]) => rivals)
      .find((it) => it.owner !== owner && !overlaps(it.placed.subnet!, placed.subnet!));
    if (rival !== undefined)
      report({
        path: `${placed.path}.subnet`,
        what: `VLAN ${placed.id} has subnet ${placed.vlan.subnet} here and ${rival.placed.vlan.subnet} in ${rival.where}`,
        got: placed.vlan.subnet,
        allowed: 'a VLAN of a datacenter has one subnet',
        remedy: 'Give both the same subnet and ranges of their own.',
      });
    others.set(network, firstOfTwoOwners([...(others.get(network) ?? []), claim]));
  }
}
