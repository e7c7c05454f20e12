/**
 * Things as EC2 shows them: moto's items, with what the world knows better in its place. Shapes and names are those of the API
 * reference's NetworkInterface, Instance and CapacityReservation. Pure.
 */
import { freeIn } from './instance.ts';
import { type Attachment, type CapacityReservation, type Eni, enisOn, type Instance, type InstanceState, type World } from './world.ts';
import { type Element, element, set, withChildren, without } from './xml.ts';

export function eniItem(item: Element, eni: Eni): Element {
  return withChildren(without(item, 'attachment', 'association'), [
    element('status', eni.attachment === undefined ? 'available' : 'in-use'),
    ...addressElements(eni),
    ...(eni.attachment === undefined ? [] : [attachmentElement(eni.attachment)]),
  ]);
}

function addressElements({ addresses }: Eni): Element[] {
  const v4 = addresses.filter((address) => !address.includes(':'));
  const address = (text: string, index: number) => [element('privateIpAddress', text), element('primary', index === 0)];
  return [
    element('privateIpAddress', v4[0]),
    element('privateDnsName', dnsOf(v4[0] ?? '')),
    set('privateIpAddressesSet', v4.map(address)),
    set(
      'ipv6AddressesSet',
      addresses.filter((each) => each.includes(':')).map((text) => [element('ipv6Address', text)]),
    ),
  ];
}

const dnsOf = (address: string) => `ip-${address.replaceAll('.', '-')}.ec2.internal`;

const attachmentElement = (attachment: Attachment, within?: 'instance') =>
  element('attachment', [
    element('attachmentId', attachment.id),
    within === undefined ? element('instanceId', attachment.instanceId) : undefined,
    element('deviceIndex', attachment.deviceIndex),
    element('networkCardIndex', attachment.networkCardIndex),
    element('status', attachment.status),
    element('deleteOnTermination', attachment.deleteOnTermination),
  ]);

/** InstanceState of the API reference. */
const CODES: Readonly<Record<InstanceState, number>> = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48 };

export const stateElement = (name: string, state: InstanceState): Element =>
  element(name, [element('code', CODES[state]), element('name', state)]);

/** @param eniItems moto's items of all ENIs, by id */
export function instanceItem(item: Element, world: World, instance: Instance, eniItems: ReadonlyMap<string, Element>): Element {
  const enis = enisOn(world, instance.id).sort((a, b) => a.serial - b.serial);
  const primary = enis.find(({ attachment }) => attachment?.deviceIndex === 0 && attachment.networkCardIndex === 0);
  const shown = enis.flatMap((eni) => {
    const known = eniItems.get(eni.id);
    return known === undefined ? [] : [withChildren(eniItem(known, eni), [attachmentElement(eni.attachment as Attachment, 'instance')])];
  });
  const gone = instance.state === 'terminated';
  // Of a terminated instance EC2 shows no network any more.
  const network = ['networkInterfaceSet', 'privateIpAddress', 'privateDnsName', 'ipAddress', 'dnsName', 'subnetId', 'vpcId'];
  const kept = gone ? without(item, ...network) : without(item, 'ipAddress', 'dnsName');
  return withChildren(kept, [
    stateElement('instanceState', instance.state),
    ...(instance.reservationId === undefined ? [] : [element('capacityReservationId', instance.reservationId)]),
    ...(gone || primary === undefined
      ? [element('networkInterfaceSet')]
      : [
          element('privateIpAddress', primary.addresses[0]),
          element('privateDnsName', dnsOf(primary.addresses[0] ?? '')),
          element(
            'networkInterfaceSet',
            shown.map(({ children }) => element('item', children)),
          ),
        ]),
  ]);
}

export const reservationItem = (world: World, reservation: CapacityReservation): Element[] => [
  element('capacityReservationId', reservation.id),
  element('instanceType', reservation.type),
  element('instancePlatform', 'Linux/UNIX'),
  element('availabilityZone', reservation.zone),
  element('tenancy', 'default'),
  element('totalInstanceCount', reservation.total),
  element('availableInstanceCount', reservation.state === 'active' ? freeIn(world, reservation) : 0),
  element('endDateType', 'unlimited'),
  element('instanceMatchCriteria', reservation.match),
  element('state', reservation.state),
];
