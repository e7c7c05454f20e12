/**
 * The actions about ENIs. Their attachments are kept here and not told to moto: it knows no state but `attached`, no network cards
 * (it would put two ENIs of one device index on top of each other), and leaves the ENIs of a terminated instance in use for ever.
 * Addresses are chosen here too: moto gives out reserved ones, and the same one twice.
 */
import { type Account, type Actions, allowed, DONE, eniItems, groupsMustExist, nextId, paged, required, wholeNumber } from './account.ts';
import * as error from './error.ts';
import { INTERFACE_FILTERS } from './filter.ts';
import * as interfaces from './interface.ts';
import { Refusal } from './moto.ts';
import { grouped, isTrue, listed, type Params, without } from './query.ts';
import { eniItem } from './view.ts';
import { foundEni } from './world.ts';
import { child, type Element, element, textOf, withChildren } from './xml.ts';

export const INTERFACE_ACTIONS: Actions = {
  async CreateNetworkInterface(account, params) {
    const asked = wantedInterface(params);
    const { addresses } = allowed(interfaces.judgeCreate(account.world, asked));
    await groupsMustExist(account, listed(params, 'SecurityGroupId'));
    const made = await makeInterface(account, asked.subnetId, addresses, params);
    const body = () => {
      const eni = account.world.enis[made.id];
      const item = eni === undefined ? made.item : eniItem(made.item, eni);
      // The example of API_CreateNetworkInterface: `pending` at first.
      const young = eni === undefined || eni.visibleAt > account.now();
      return [element('networkInterface', (young ? withChildren(item, [element('status', 'pending')]) : item).children)];
    };
    return { body: body(), again: async () => body() };
  },

  async DeleteNetworkInterface(account, params, call) {
    const id = required(params, 'NetworkInterfaceId');
    allowed(interfaces.judgeDelete(account.world, id, account.now()) ?? {});
    await account.moto.ask(call);
    account.world = interfaces.deleted(account.world, id);
    return DONE;
  },

  async AttachNetworkInterface(account, params) {
    const asked = {
      eniId: required(params, 'NetworkInterfaceId'),
      instanceId: required(params, 'InstanceId'),
      deviceIndex: wholeNumber(params, 'DeviceIndex'),
      networkCardIndex: params.NetworkCardIndex === undefined ? 0 : wholeNumber(params, 'NetworkCardIndex'),
    };
    allowed(interfaces.judgeAttach(account.world, asked, account.typeOf, account.now()) ?? {});
    const id = nextId(account, 'eni-attach');
    account.world = interfaces.attaching(account.world, asked, id, account.now(), account.delays);
    return { body: [element('attachmentId', id), element('networkCardIndex', asked.networkCardIndex)] };
  },

  async DetachNetworkInterface(account, params) {
    const id = required(params, 'AttachmentId');
    allowed(interfaces.judgeDetach(account.world, id) ?? {});
    account.world = interfaces.detaching(account.world, id, account.now(), account.delays);
    return DONE;
  },

  async ModifyNetworkInterfaceAttribute(account, params, call) {
    const eniId = required(params, 'NetworkInterfaceId');
    if (foundEni(account.world, eniId, account.now()) === undefined) throw new Refusal(error.notFound.interface(eniId));
    const attachmentId = params['Attachment.AttachmentId'];
    if (attachmentId === undefined) {
      await groupsMustExist(account, listed(params, 'SecurityGroupId'));
      await account.moto.ask(call);
      return DONE;
    }
    const deleteOnTermination = isTrue(required(params, 'Attachment.DeleteOnTermination'));
    account.world = allowed(interfaces.modifyAttachment(account.world, { eniId, attachmentId, deleteOnTermination }, account.now())).world;
    return DONE;
  },

  async DescribeNetworkInterfaces(account, params) {
    const asked = listed(params, 'NetworkInterfaceId');
    for (const id of asked) if (foundEni(account.world, id, account.now()) === undefined) throw new Refusal(error.notFound.interface(id));
    const items = [...(await eniItems(account))].flatMap(([id, item]) => {
      const eni = foundEni(account.world, id, account.now());
      const wanted = eni !== undefined && (asked.length === 0 || asked.includes(id));
      return wanted ? [{ serial: eni.serial, item: eniItem(item, eni) }] : [];
    });
    return paged('networkInterfaceSet', items, params, INTERFACE_FILTERS, { least: 5, most: 1000, ids: 'NetworkInterfaceId' });
  },
};

/** What CreateNetworkInterface asks for, and a launch of each of its ENIs. */
export function wantedInterface(params: Params): interfaces.CreateInterface {
  const counted = ['SecondaryPrivateIpAddressCount', 'Ipv6AddressCount', 'Ipv4PrefixCount', 'Ipv6PrefixCount'].find(
    (name) => name in params,
  );
  if (counted !== undefined) throw new Refusal(error.notPlayed(`CreateNetworkInterface with ${counted}`));
  const listedAddresses = grouped(params, 'PrivateIpAddresses').map(({ PrivateIpAddress = '' }) => PrivateIpAddress);
  if (listedAddresses.length > 1) throw new Refusal(error.notPlayed('secondary addresses'));
  const address = params.PrivateIpAddress ?? listedAddresses[0];
  return {
    subnetId: required(params, 'SubnetId'),
    ...(address === undefined ? {} : { address }),
    ipv6: grouped(params, 'Ipv6Addresses').map(({ Ipv6Address = '' }) => Ipv6Address),
  };
}

export async function makeInterface(account: Account, subnetId: string, addresses: readonly string[], params: Params) {
  const kept = without(params, 'ClientToken', 'PrivateIpAddress', 'PrivateIpAddresses', 'Ipv6Addresses', 'InterfaceType', 'DryRun');
  const call = { action: 'CreateNetworkInterface', params: { ...kept, SubnetId: subnetId, PrivateIpAddress: addresses[0] ?? '' } };
  const item = child(await account.moto.ask(call), 'networkInterface') as Element;
  const made = { id: textOf(item, 'networkInterfaceId'), mac: textOf(item, 'macAddress'), subnetId, addresses };
  account.world = interfaces.created(account.world, made, account.now(), account.delays);
  return { id: made.id, item };
}
