/** What becomes of a call that is about an ENI: refused as EC2 refuses it, or the world after it. Pure. */
import { freeAddresses, judgeAddress } from './address.ts';
import * as error from './error.ts';
import { type Delays, type Eni, enisOn, foundEni, foundInstance, type TypeOf, type World, withEni, withoutEni } from './world.ts';

export type Refused = { readonly refused: error.Ec2Error };

export interface CreateInterface {
  readonly subnetId: string;
  /** IPv4, where the caller wants a certain one. */
  readonly address?: string;
  readonly ipv6?: readonly string[];
}

/** The addresses that a new ENI gets. */
export function judgeCreate(world: World, { subnetId, address, ipv6 = [] }: CreateInterface): Refused | { readonly addresses: string[] } {
  const subnet = world.subnets[subnetId];
  if (subnet === undefined) return { refused: error.notFound.subnet(subnetId) };
  for (const asked of [...(address === undefined ? [] : [address]), ...ipv6]) {
    const refused = judgeAddress(world, subnet, asked);
    if (refused) return { refused };
  }
  if (address !== undefined) return { addresses: [address, ...ipv6] };
  const free = freeAddresses(world, subnet, 1);
  return 'refused' in free ? free : { addresses: [...free, ...ipv6] };
}

/** What moto gave a new ENI. */
export interface MadeInterface {
  readonly id: string;
  readonly mac: string;
  readonly subnetId: string;
  readonly addresses: readonly string[];
}

export function created(world: World, made: MadeInterface, now: number, { visibleMs }: Delays): World {
  const serial = world.serial + 1;
  const { zone } = world.subnets[made.subnetId] as { zone: string };
  return withEni({ ...world, serial }, { ...made, serial, zone, visibleAt: now + visibleMs });
}

export function judgeDelete(world: World, id: string, now: number): Refused | undefined {
  const eni = foundEni(world, id, now);
  if (eni === undefined) return { refused: error.notFound.interface(id) };
  return eni.attachment === undefined ? undefined : { refused: error.interfaceNotDeletable(id) };
}

export const deleted = withoutEni;

export interface Attach {
  readonly eniId: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
}

export function judgeAttach(world: World, asked: Attach, typeOf: TypeOf, now: number): Refused | undefined {
  const { eniId, instanceId } = asked;
  const eni = foundEni(world, eniId, now);
  if (eni === undefined) return { refused: error.notFound.interface(eniId) };
  const instance = foundInstance(world, instanceId, now);
  if (instance === undefined) return { refused: error.notFound.instance(instanceId) };
  if (eni.attachment !== undefined) return { refused: error.interfaceInUse(eniId) };
  if (instance.state !== 'running') return { refused: error.notRunning(instanceId) };
  if (eni.zone !== instance.zone) return { refused: error.otherZone() };
  const refused = judgePlace(enisOn(world, instanceId), instance, asked, typeOf);
  return refused && { refused };
}

/** Whether one more ENI has its place beside those that are there. */
export function judgePlace(
  there: readonly Pick<Eni, 'attachment'>[],
  instance: { readonly id: string; readonly type: string; readonly volumes: number },
  { deviceIndex, networkCardIndex }: Pick<Attach, 'deviceIndex' | 'networkCardIndex'>,
  typeOf: TypeOf,
): error.Ec2Error | undefined {
  const type = typeOf(instance.type);
  if (type === undefined) return error.notFound.type(instance.type);
  const card = type.networkCards.find((each) => each.networkCardIndex === networkCardIndex);
  if (card === undefined) return error.noSuchCard(networkCardIndex, type.name);
  const onCard = there.filter(({ attachment }) => attachment?.networkCardIndex === networkCardIndex);
  if (onCard.some(({ attachment }) => attachment?.deviceIndex === deviceIndex)) return error.deviceIndexInUse(instance.id, deviceIndex);
  const count = there.length + 1;
  if (count > type.networkInterfaces) return error.tooManyInterfaces(count, type.name);
  if (onCard.length + 1 > card.networkInterfaces) return error.tooManyOnCard(onCard.length + 1, networkCardIndex, type.name);
  // `ebsVolumes` fit beside the primary ENI.
  if (type.attachments === 'shared' && count - 1 + instance.volumes > type.ebsVolumes)
    return error.tooManyAttachments(count + instance.volumes, type.name);
  return undefined;
}

/** An ENI that was attached while its instance runs outlives it, until it is told otherwise (API_NetworkInterfaceAttachmentChanges). */
export function attaching(world: World, { eniId, ...asked }: Attach, attachmentId: string, now: number, { attachMs }: Delays): World {
  const eni = world.enis[eniId] as Eni;
  const doneAt = now + attachMs;
  return withEni(world, { ...eni, attachment: { ...asked, id: attachmentId, deleteOnTermination: false, status: 'attaching', doneAt } });
}

export const eniOfAttachment = (world: World, attachmentId: string): Eni | undefined =>
  Object.values(world.enis).find(({ attachment }) => attachment?.id === attachmentId);

export function judgeDetach(world: World, attachmentId: string): Refused | undefined {
  const attachment = eniOfAttachment(world, attachmentId)?.attachment;
  if (attachment === undefined) return { refused: error.notFound.attachment(attachmentId) };
  if (attachment.deviceIndex === 0 && attachment.networkCardIndex === 0) return { refused: error.primaryStays() };
  return attachment.status === 'attached' ? undefined : { refused: error.attachmentBusy(attachmentId, attachment.status) };
}

export function detaching(world: World, attachmentId: string, now: number, { detachMs }: Delays): World {
  const eni = eniOfAttachment(world, attachmentId) as Eni;
  const attachment = { ...(eni.attachment as NonNullable<Eni['attachment']>), status: 'detaching' as const, doneAt: now + detachMs };
  return withEni(world, { ...eni, attachment });
}

export interface ModifyAttachment {
  readonly eniId: string;
  readonly attachmentId: string;
  readonly deleteOnTermination: boolean;
}

/** The world with an ENI that ends with its instance, or does not. */
export function modifyAttachment(world: World, asked: ModifyAttachment, now: number): Refused | { readonly world: World } {
  const eni = foundEni(world, asked.eniId, now);
  if (eni === undefined) return { refused: error.notFound.interface(asked.eniId) };
  if (eni.attachment?.id !== asked.attachmentId) return { refused: error.notFound.attachment(asked.attachmentId) };
  const attachment = { ...eni.attachment, deleteOnTermination: asked.deleteOnTermination };
  return { world: withEni(world, { ...eni, attachment }) };
}
