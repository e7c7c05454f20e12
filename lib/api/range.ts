/** IPv4 networks and ranges as pairs of numbers: what overlaps, what lies inside, how many there are. */
import ipaddr from 'ipaddr.js';

/** Both ends included; addresses as unsigned 32-bit numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** @throws {Error} when `address` is not IPv4, dotted */
export function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** `10.110.0.0/22` → its first (network) and last (broadcast) address; host bits in the text are cut off. */
export function cidrRange(cidr: string): Range {
  return {
    first: toNumber(ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()),
    last: toNumber(ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString()),
  };
}

/** `a-b` or a CIDR. `first > last` is possible and the caller's to refuse. */
export function addressRange(text: string): Range {
  const [first, last] = text.split('-');
  return last === undefined ? cidrRange(text) : { first: toNumber(first!), last: toNumber(last) };
}

export const size = (range: Range): number => range.last - range.first + 1;
export const contains = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;
export const overlaps = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;
export const within = (range: Range, address: number): boolean => range.first <= address && address <= range.last;
export const spell = (range: Range): string => `${toAddress(range.first)}-${toAddress(range.last)}`;

/** ipaddr.js has the table of RFC 6890 and its kin, but not in its types. */
const SPECIAL = (new ipaddr.IPv4([0, 0, 0, 0]) as unknown as { SpecialRanges: Record<string, [ipaddr.IPv4, number][]> }).SpecialRanges;
/** Hosts and pods may have these; public unicast is in no block of the table. */
const ORDINARY = ['private', 'carrierGradeNat'];
const BLOCKS = Object.entries(SPECIAL)
  .filter(([kind]) => !ORDINARY.includes(kind))
  .flatMap(([kind, blocks]) => blocks.map(([address, prefix]) => ({ kind, block: `${address}/${prefix}` })))
  .map((it) => ({ ...it, range: cidrRange(it.block) }));

/**
 * The block of special use that some of a network lies in: no host can have its addresses, or none may be routed.
 * @example specialUse(cidrRange('127.0.0.0/24')) // { kind: 'loopback', block: '127.0.0.0/8', … }
 */
export function specialUse(range: Range): { readonly kind: string; readonly block: string } | undefined {
  return BLOCKS.find((it) => overlaps(it.range, range));
}
