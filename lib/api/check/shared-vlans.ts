/**
 * What everybody on a VLAN has alike: its MTU and its IPv6 prefix. A frame that is larger than a neighbour takes is dropped
 * without a word, and hosts with two prefixes are no neighbours. Compared where pools or clusters share a VLAN and both say it.
 */
import type { Report } from './draft.ts';
import { canonical } from './ipv6.ts';
import type { Claim } from './overlaps.ts';

interface Fact {
  readonly field: 'mtu' | 'ipv6Prefix';
  readonly noun: string;
  readonly remedy: string;
}
const FACTS: readonly Fact[] = [
  { field: 'mtu', noun: 'MTU', remedy: 'Give both the same: what is larger than a neighbour takes is dropped.' },
  { field: 'ipv6Prefix', noun: 'IPv6 prefix', remedy: 'Give both the one that the router has.' },
];

export function checkSharedVlans(claims: readonly Claim[]): void {
  for (const fact of FACTS) check(claims, fact);
}

function check(claims: readonly Claim[], { field, noun, remedy }: Fact): void {
  const first = new Map<string, { readonly value: string; readonly claim: Claim }>();
  for (const claim of claims) {
    const { placed, site, report } = claim;
    const said = placed.vlan[field];
    if (said === undefined || site === undefined || placed.subnet === undefined) continue;
    const value = typeof said === 'string' ? (canonical(said) ?? said) : String(said);
    const key = `${placed.id} ${site} ${placed.subnet.first}-${placed.subnet.last}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, { value, claim });
    else if (known.value !== value && known.claim.owner !== claim.owner) complain(report, known.claim);
    function complain(tell: Report, rival: Claim): void {
      tell({
        path: `${placed.path}.${field}`,
        what: `VLAN ${placed.id} has ${noun} ${said} here and ${rival.placed.vlan[field]} in ${rival.where}`,
        got: said,
        allowed: `a VLAN has one ${noun}`,
        remedy,
      });
    }
  }
}
