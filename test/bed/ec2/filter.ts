/** Filters of Describe calls, over the items of an answer. Pure. */
import { type Ec2Error, noSuchFilter } from './error.ts';
import { grouped, listed, type Params } from './query.ts';
import { type Element, itemsOf, textOf, textsAt } from './xml.ts';

/** Where the values of a filter are found in an item. */
export type Paths = Readonly<Record<string, string>>;

export const INTERFACE_FILTERS: Paths = {
  'network-interface-id': 'networkInterfaceId',
  'subnet-id': 'subnetId',
  'vpc-id': 'vpcId',
  'availability-zone': 'availabilityZone',
  description: 'description',
  status: 'status',
  'mac-address': 'macAddress',
  'owner-id': 'ownerId',
  'requester-managed': 'requesterManaged',
  'interface-type': 'interfaceType',
  'private-ip-address': 'privateIpAddress',
  'addresses.private-ip-address': 'privateIpAddressesSet/item/privateIpAddress',
  'ipv6-addresses.ipv6-address': 'ipv6AddressesSet/item/ipv6Address',
  'group-id': 'groupSet/item/groupId',
  'attachment.attachment-id': 'attachment/attachmentId',
  'attachment.instance-id': 'attachment/instanceId',
  'attachment.device-index': 'attachment/deviceIndex',
  'attachment.network-card-index': 'attachment/networkCardIndex',
  'attachment.status': 'attachment/status',
  'attachment.delete-on-termination': 'attachment/deleteOnTermination',
};

export const INSTANCE_FILTERS: Paths = {
  'instance-id': 'instanceId',
  'instance-state-name': 'instanceState/name',
  'instance-state-code': 'instanceState/code',
  'instance-type': 'instanceType',
  'availability-zone': 'placement/availabilityZone',
  'subnet-id': 'subnetId',
  'vpc-id': 'vpcId',
  'image-id': 'imageId',
  'client-token': 'clientToken',
  'private-ip-address': 'privateIpAddress',
  'private-dns-name': 'privateDnsName',
  'capacity-reservation-id': 'capacityReservationId',
  'network-interface.network-interface-id': 'networkInterfaceSet/item/networkInterfaceId',
  'network-interface.subnet-id': 'networkInterfaceSet/item/subnetId',
};

export const TYPE_FILTERS: Paths = {
  'instance-type': 'instanceType',
  'current-generation': 'currentGeneration',
  'processor-info.supported-architecture': 'processorInfo/supportedArchitectures/item',
  'vcpu-info.default-vcpus': 'vCpuInfo/defaultVCpus',
};

export const RESERVATION_FILTERS: Paths = {
  'instance-type': 'instanceType',
  'availability-zone': 'availabilityZone',
  state: 'state',
  'instance-match-criteria': 'instanceMatchCriteria',
};

/** Every filter must fit, by any of its values (API reference, Filter). */
export function filterOf(params: Params, paths: Paths): { readonly refused: Ec2Error } | { fits(item: Element): boolean } {
  const tests: ((item: Element) => boolean)[] = [];
  for (const filter of grouped(params, 'Filter')) {
    const name = filter.Name ?? '';
    const values = listed(filter, 'Value').map(pattern);
    const read = reader(name, paths);
    if (read === undefined) return { refused: noSuchFilter(name) };
    tests.push((item) => read(item).some((text) => values.some((value) => value.test(text))));
  }
  return { fits: (item) => tests.every((test) => test(item)) };
}

function reader(name: string, paths: Paths): ((item: Element) => string[]) | undefined {
  const path = paths[name]?.split('/');
  if (path !== undefined) return (item) => textsAt(item, path);
  if (name === 'tag-key') return (item) => itemsOf(item, 'tagSet').map((tag) => textOf(tag, 'key'));
  if (!name.startsWith('tag:')) return undefined;
  const key = name.slice('tag:'.length);
  return (item) => itemsOf(item, 'tagSet').flatMap((tag) => (textOf(tag, 'key') === key ? [textOf(tag, 'value')] : []));
}

/** "An asterisk (*) matches zero or more characters, and a question mark (?) matches zero or one character" (UserGuide, Using_Filtering). */
const pattern = (value: string) =>
  new RegExp(
    `^${value
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^]*')
      .replaceAll('?', '.?')}$`,
  );
