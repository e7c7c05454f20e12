/**
 * IPv6 of a VLAN: a /96 that hosts can have, and a link that may carry it. Its addresses are apart from those of other VLANs
 * because the IPv4 ones in them are, which overlaps.ts sees to.
 */
import ipaddr from 'ipaddr.js';
import { IPV6_LEAST_MTU } from '../pool.ts';
import type { Report } from './draft.ts';
import type { PlacedVlan } from './placed.ts';

export function checkIpv6({ path, vlan }: PlacedVlan, report: Report): void {
  const { ipv6Prefix, mtu } = vlan;
  if (ipv6Prefix === undefined) return;
  const wrong = wrongWith(ipv6Prefix);
  if (wrong !== undefined) report({ path: `${path}.ipv6Prefix`, got: ipv6Prefix, ...wrong });
  if (mtu !== undefined && mtu < IPV6_LEAST_MTU)
    report({
      path: `${path}.mtu`,
      what: `MTU is ${mtu}, and the VLAN has an ipv6Prefix`,
      got: mtu,
      allowed: `a link that carries IPv6 has ${IPV6_LEAST_MTU} or more`,
      remedy: 'Raise it, or leave ipv6Prefix out.',
    });
}

/** The same text for the same network, however it was written; undefined when it is none. */
export function canonical(prefix: string): string | undefined {
  const [address] = prefix.split('/');
  return ipaddr.IPv6.isValid(address!) ? ipaddr.IPv6.parse(address!).toString() : undefined;
}

function wrongWith(prefix: string): { what: string; allowed: string; remedy: string } | undefined {
  const address = canonical(prefix);
  const unicast = 'a network of unique local or global unicast addresses';
  if (address === undefined)
    return { what: `ipv6Prefix is ${prefix}`, allowed: 'it is an IPv6 network', remedy: 'Write fd2c:7a41:d0e8:110::/96, for example.' };
  const { parts } = ipaddr.IPv6.parse(address);
  if (parts[6] !== 0 || parts[7] !== 0)
    return {
      what: `ipv6Prefix is ${prefix}, an address with bits below its 96`,
      allowed: 'the last 32 bits are for the IPv4 address, and zero here',
      remedy: `Write ${new ipaddr.IPv6([...parts.slice(0, 6), 0, 0])}/96.`,
    };
  // "Bits 64 to 71 of the address are reserved … and MUST be set to zero" (RFC 6052, 2.2), for a /96 by whoever chooses it.
  if (parts[4]! > 0xff)
    return {
      what: `ipv6Prefix is ${prefix}, with bits 64 to 71 set`,
      allowed: 'RFC 6052 keeps them free: the fifth group is 0 to ff',
      remedy: `Write ${new ipaddr.IPv6([...parts.slice(0, 4), 0, ...parts.slice(5)])}/96.`,
    };
  const range = ipaddr.IPv6.parse(address).range();
  if (range !== 'uniqueLocal' && range !== 'unicast')
    return {
      what: `ipv6Prefix is ${prefix}, and that is ${KINDS[range] ?? 'reserved'}`,
      allowed: unicast,
      remedy: 'Give the /96 as the router has it.',
    };
  return undefined;
}

/** Where ipaddr.js' word for a block isn't a word. */
const KINDS: Record<string, string> = {
  unspecified: 'no address',
  loopback: 'loopback',
  linkLocal: 'link-local',
  multicast: 'multicast',
  rfc6052: 'for translation to the Internet (NAT64)',
  teredo: 'Teredo',
  '6to4': '6to4',
};
