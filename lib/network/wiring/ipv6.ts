/** IPv6: the twin of a pod's IPv4 address. Pure; what is wired and what is looked for on the wire is spelt by this one function. */
import ipaddr from 'ipaddr.js';

/**
 * An IPv4 address in the last 32 bits of a /96 (RFC 6052, 2.2), in the spelling of 2.4, which iproute2 and inet_pton read.
 * @param prefix however it is written: as synth lets it through
 * @param ip IPv4, dotted
 * @throws {Error} when `prefix` is no IPv6 network
 * @example embedded('fd00:110::/96', '10.110.2.37') // 'fd00:110::10.110.2.37'
 */
export function embedded(prefix: string, ip: string): string {
  const [network] = ipaddr.IPv6.parseCIDR(prefix);
  // Shortened it ends with the zeros that make room for the address: `fd00:110::`, `fd00:1:2:3:4:5::`, or `fd00::5:6:0:0`.
  const text = new ipaddr.IPv6([...network.parts.slice(0, 6), 0, 0]).toString();
  if (!text.endsWith('::')) return text.replace(/0:0$/, ip);
  // Where all six groups are written, `::` would stand for none.
  return text.split(':').length === 8 ? `${text.slice(0, -1)}${ip}` : `${text}${ip}`;
}
