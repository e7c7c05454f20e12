/** An address as it is typed and shown: IPv4, or the IPv6 address that goes with one. Pure. */
import ipaddr from 'ipaddr.js';

const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Whether it is IPv4, dotted. */
export const isAddress = (text: string): boolean => IPV4.test(text);

/** Whether it can only be meant as IPv6: names of pods have no colon. */
export const isIpv6Like = (text: string): boolean => text.includes(':');

/**
 * The IPv6 address of a pod that has this IPv4 one: the VLAN's 96 bits, then the IPv4 address (RFC 6052).
 * @param prefix of the VLAN, a /96
 * @example twinOf('fd2c:7a41:d0e8:110::/96', '10.110.2.37') // 'fd2c:7a41:d0e8:110::a6e:225'
 */
export function twinOf(prefix: string, ipv4: string): string {
  const { octets } = ipaddr.IPv4.parse(ipv4);
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return new ipaddr.IPv6([...partsOf(prefix), a * 256 + b, c * 256 + d]).toString();
}

/**
 * The IPv4 address in an IPv6 one, however that is written.
 * @returns undefined where it is none of the prefix
 */
export function ipv4In(prefix: string, ipv6: string): string | undefined {
  if (!ipaddr.IPv6.isValid(ipv6)) return undefined;
  const { parts } = ipaddr.IPv6.parse(ipv6);
  if (partsOf(prefix).some((part, at) => parts[at] !== part)) return undefined;
  return [parts[6]! >> 8, parts[6]! & 255, parts[7]! >> 8, parts[7]! & 255].join('.');
}

const partsOf = (prefix: string): number[] => ipaddr.IPv6.parse(prefix.split('/')[0]!).parts.slice(0, 6);
