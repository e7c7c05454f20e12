/** The actions about tags, subnets, launch templates and capacity reservations. The last moto has not at all. */
import {
  type Account,
  type Action,
  type Actions,
  type Answer,
  allowed,
  DONE,
  nextToken,
  paged,
  pass,
  required,
  wholeNumber,
  withSubnet,
} from './account.ts';
import * as error from './error.ts';
import { RESERVATION_FILTERS } from './filter.ts';
import type { Refused } from './interface.ts';
import { Refusal } from './moto.ts';
import { pageOf } from './page.ts';
import { type Call, listed, type Params, without } from './query.ts';
import * as reservations from './reservation.ts';
import * as template from './template.ts';
import { reservationItem } from './view.ts';
import { addressesIn, foundEni, foundInstance, type World } from './world.ts';
import { type Element, element, itemsOf, textOf, withChildren } from './xml.ts';

export const OTHER_ACTIONS: Actions = {
  async CreateTags(account, params, call) {
    const enough = listed(params, 'ResourceId').every((id) => {
      if (id.startsWith('eni-') && foundEni(account.world, id, account.now()) === undefined)
        throw new Refusal(error.notFound.interface(id));
      if (id.startsWith('i-') && foundInstance(account.world, id, account.now()) === undefined)
        throw new Refusal(error.notFound.instance(id));
      return !id.startsWith('cr-');
    });
    if (!enough) throw new Refusal(error.notPlayed('tags of capacity reservations'));
    return pass(account, params, call);
  },

  DeleteTags: (account, params, call) => (OTHER_ACTIONS.CreateTags as Action)(account, params, call),

  async CreateSubnet(account, params, call) {
    const body = (await pass(account, params, call)).body;
    for (const each of body) if (each.name === 'subnet') account.world = withSubnet(account.world, each);
    return { body };
  },

  async DeleteSubnet(account, params, call) {
    const id = required(params, 'SubnetId');
    if (addressesIn(account.world, id).size > 0) throw new Refusal(error.hasDependencies('subnet', id));
    const answer = await pass(account, params, call);
    const { [id]: _gone, ...subnets } = account.world.subnets;
    account.world = { ...account.world, subnets };
    return answer;
  },

  async DescribeSubnets(account, params) {
    const found = await account.moto.ask({ action: 'DescribeSubnets', params: without(params, 'MaxResults', 'NextToken') });
    const items = itemsOf(found, 'subnetSet').map((item, index) => ({ serial: index + 1, item: withFreeAddresses(account.world, item) }));
    // moto has filtered them.
    const page = allowed(pageOf(items, params, { least: 5, most: 1000, ids: 'SubnetId' }));
    return { body: [element('subnetSet', page.items), ...nextToken(page)] };
  },

  async CreateLaunchTemplate(account, params, call) {
    const answer = await pass(account, params, call);
    const made = answer.body.find(({ name }) => name === 'launchTemplate') as Element;
    account.templates = template.withTemplate(account.templates, call, textOf(made, 'launchTemplateId'));
    return answer;
  },

  CreateLaunchTemplateVersion: (account, params, call) => templateAction(account, params, call, template.withVersion),

  ModifyLaunchTemplate: (account, params, call) => templateAction(account, params, call, template.withDefault),

  DeleteLaunchTemplate: (account, params, call) => templateAction(account, params, call, template.withoutTemplate),

  async CreateCapacityReservation(account, params) {
    const match: 'open' | 'targeted' = params.InstanceMatchCriteria === 'targeted' ? 'targeted' : 'open';
    const asked = {
      ...{ type: required(params, 'InstanceType'), zone: required(params, 'AvailabilityZone'), match },
      total: wholeNumber(params, 'InstanceCount'),
    } as const;
    const { world, made } = allowed(reservations.reserve(account.world, asked, account.typeOf));
    account.world = world;
    const body = () => [element('capacityReservation', reservationItem(account.world, account.world.reservations[made.id] ?? made))];
    return { body: body(), again: async () => body() };
  },

  async CancelCapacityReservation(account, params) {
    account.world = allowed(reservations.cancel(account.world, required(params, 'CapacityReservationId'))).world;
    return DONE;
  },

  async DescribeCapacityReservations(account, params) {
    const asked = listed(params, 'CapacityReservationId');
    const unknown = asked.find((id) => account.world.reservations[id] === undefined);
    if (unknown !== undefined) throw new Refusal(error.notFound.reservation(unknown));
    const items = Object.values(account.world.reservations)
      .filter(({ id }) => asked.length === 0 || asked.includes(id))
      .map((each) => ({ serial: each.serial, item: element('item', reservationItem(account.world, each)) }));
    return paged('capacityReservationSet', items, params, RESERVATION_FILTERS, { least: 1, most: 1000 });
  },
};

function withFreeAddresses(world: World, item: Element): Element {
  const length = Number(textOf(item, 'cidrBlock').split('/')[1]);
  const v4 = [...addressesIn(world, textOf(item, 'subnetId'))].filter((address) => !address.includes(':'));
  // Five are EC2's own.
  return withChildren(item, [element('availableIpAddressCount', 2 ** (32 - length) - 5 - v4.length)]);
}

async function templateAction(
  account: Account,
  params: Params,
  call: Call,
  change: (templates: template.Templates, call: Call) => Refused | { readonly templates: template.Templates },
): Promise<Answer> {
  const { templates } = allowed(change(account.templates, call));
  const answer = await pass(account, params, call);
  account.templates = templates;
  return answer;
}
