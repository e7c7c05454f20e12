/** Addresses of a subnet as EC2 gives them out. Pure. */
import { addressInUse, addressOutside, addressReserved, type Ec2Error, subnetFull } from './error.ts';
import { addressesIn, type Subnet, type World } from './world.ts';

/** "The first four IP addresses and the last IP address in each subnet CIDR block are not available" (VPC guide, subnet-sizing.html). */
const RESERVED_FIRST = 4;
const RESERVED_LAST = 1;

const toNumber = (address: string) => address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
const toText = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

function rangeOf({ cidr }: Subnet): { first: number; size: number } {
  const [network = '', length] = cidr.split('/');
  return { first: toNumber(network), size: 2 ** (32 - Number(length)) };
}

/** Why an address cannot be had in a subnet; undefined: it can. IPv6 addresses are judged by their use alone. */
export function judgeAddress(world: World, subnet: Subnet, address: string): Ec2Error | undefined {
  if (!address.includes(':')) {
    const { first, size } = rangeOf(subnet);
    const place = toNumber(address) - first;
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(address) || !(place >= 0 && place < size)) return addressOutside(address);
    if (place < RESERVED_FIRST || place >= size - RESERVED_LAST) return addressReserved(address);
  }
  return addressesIn(world, subnet.id).has(address) ? addressInUse(address) : undefined;
}

/** The lowest that are free; refused where there are fewer. EC2 takes any: nobody may rely on which. */
export function freeAddresses(world: World, subnet: Subnet, count: number): readonly string[] | { readonly refused: Ec2Error } {
  const { first, size } = rangeOf(subnet);
  const taken = addressesIn(world, subnet.id);
  const free: string[] = [];
  for (let place = RESERVED_FIRST; place < size - RESERVED_LAST && free.length < count; place++) {
    const address = toText(first + place);
    if (!taken.has(address)) free.push(address);
  }
  return free.length < count ? { refused: subnetFull() } : free;
}
