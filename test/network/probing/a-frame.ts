/** Builders: frames as hexadecimal text, of which a test says only what matters. Written by hand, so that they check the probe's own. */
const OWN = '02bb000000aa';

export const STRANGER = '02:bb:00:00:00:aa';
const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0');
export const hexOf = (ip: string): string =>
  ip
    .split('.')
    .map((octet) => hex(Number(octet), 1))
    .join('');

export interface Arp {
  readonly to?: string;
  readonly hardware?: number;
  readonly protocol?: number;
  readonly sizes?: string;
  readonly operation?: number;
  readonly mac?: string;
  readonly sender?: string;
  readonly target?: string;
}

/** The stranger answers that it has 10.110.0.140, to all. */
export function arp({
  to = 'ffffffffffff',
  hardware = 1,
  protocol = 0x800,
  sizes = '0604',
  operation = 2,
  mac = OWN,
  ...over
}: Arp = {}): string {
  const { sender = '10.110.0.140', target = '10.110.0.1' } = over;
  return `${to}${OWN}0806${hex(hardware, 2)}${hex(protocol, 2)}${sizes}${hex(operation, 2)}${mac}${hexOf(sender)}${'0'.repeat(12)}${hexOf(target)}`;
}

/** Prefix and IPv4 address. */
export const twinOf = (ip: string): string => `fd000110${'0'.repeat(16)}${hexOf(ip)}`;

export interface Neighbour {
  /** 136: it says that it has it; 135: it asks. */
  readonly type?: number;
  readonly code?: number;
  readonly hopLimit?: number;
  readonly next?: number;
  readonly source?: string;
  readonly target?: string;
  readonly options?: string;
  /** Added to the right checksum. */
  readonly off?: number;
  /** Of the payload, as the header says it. @default as it is */
  readonly length?: number;
}

/** The stranger says that it has fd00:110::10.110.0.140, to all nodes. */
export function neighbour({ type = 136, code = 0, hopLimit = 255, next = 58, off = 0, ...over }: Neighbour = {}): string {
  const target = over.target ?? twinOf('10.110.0.140');
  const { source = target, options = `0201${OWN}` } = over;
  const to = `ff02${'0'.repeat(27)}1`;
  const message = (sum: number) => `${hex(type, 1)}${hex(code, 1)}${hex(sum, 2)}20000000${target}${options}`;
  const size = message(0).length / 2;
  const sum = (checksum(`${source}${to}${hex(size, 4)}${hex(58, 4)}${message(0)}`) + off) & 0xffff;
  return `333300000001${OWN}86dd60000000${hex(over.length ?? size, 2)}${hex(next, 1)}${hex(hopLimit, 1)}${source}${to}${message(sum)}`;
}

export const NOBODY = '0'.repeat(32);

/** RFC 1071. */
function checksum(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at += 4) sum += Number.parseInt(text.slice(at, at + 4).padEnd(4, '0'), 16);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
