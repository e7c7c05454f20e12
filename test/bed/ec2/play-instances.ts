/** The actions about instances and their types. */
import { type Actions, allowed, eniItems, nextToken, paged } from './account.ts';
import * as error from './error.ts';
import { filterOf, INSTANCE_FILTERS, TYPE_FILTERS } from './filter.ts';
import * as instances from './instance.ts';
import { launch } from './launch.ts';
import { Refusal } from './moto.ts';
import { pageOf } from './page.ts';
import { listed } from './query.ts';
import { launchParams } from './template.ts';
import { typeItem } from './type-answer.ts';
import { instanceItem, stateElement } from './view.ts';
import { foundInstance } from './world.ts';
import { element, itemsOf, set, textOf } from './xml.ts';

export const INSTANCE_ACTIONS: Actions = {
  async RunInstances(account, params) {
    const launched = await launch(account, allowed(launchParams(account.templates, params)).params);
    const body = async () => {
      const enis = await eniItems(account);
      const items = launched.items.flatMap((item) => {
        const instance = account.world.instances[textOf(item, 'instanceId')];
        return instance === undefined ? [] : [instanceItem(item, account.world, instance, enis).children];
      });
      return [...launched.reservation, set('instancesSet', items)];
    };
    const again = async () => {
      const states = launched.items.map((item) => account.world.instances[textOf(item, 'instanceId')]?.state ?? 'terminated');
      if (states.every((state) => state === 'terminated')) throw new Refusal(error.tokenTerminated());
      return await body();
    };
    return { body: await body(), again };
  },

  async TerminateInstances(account, params) {
    const ids = listed(params, 'InstanceId');
    if (ids.length === 0) throw new Refusal(error.missing('InstanceId'));
    allowed(instances.judgeTerminate(account.world, ids, account.now()) ?? {});
    const before = account.world.instances;
    account.world = instances.terminating(account.world, ids, account.now(), account.delays);
    const after = account.world.instances;
    const items = ids.map((id) => [
      element('instanceId', id),
      stateElement('currentState', after[id]?.state ?? 'terminated'),
      stateElement('previousState', before[id]?.state ?? 'terminated'),
    ]);
    return { body: [set('instancesSet', items)] };
  },

  async DescribeInstances(account, params) {
    const asked = listed(params, 'InstanceId');
    for (const id of asked)
      if (foundInstance(account.world, id, account.now()) === undefined) throw new Refusal(error.notFound.instance(id));
    const { fits } = allowed(filterOf(params, INSTANCE_FILTERS));
    // moto shows a hundred where nothing is said.
    const all = await account.moto.ask({ action: 'DescribeInstances', params: { MaxResults: '1000000' } });
    const enis = await eniItems(account);
    const shown = itemsOf(all, 'reservationSet').flatMap((reservation) =>
      itemsOf(reservation, 'instancesSet').flatMap((moto) => {
        const instance = foundInstance(account.world, textOf(moto, 'instanceId'), account.now());
        if (instance === undefined || (asked.length > 0 && !asked.includes(instance.id))) return [];
        const item = instanceItem(moto, account.world, instance, enis);
        return fits(item) ? [{ serial: instance.serial, item: { reservation, item } }] : [];
      }),
    );
    const page = allowed(pageOf(shown, params, { least: 5, most: 1000, ids: 'InstanceId' }));
    const together = Map.groupBy(page.items, ({ reservation }) => reservation);
    const items = [...together].map(([reservation, members]) => [
      ...reservation.children.filter(({ name }) => name !== 'instancesSet'),
      set(
        'instancesSet',
        members.map(({ item }) => item.children),
      ),
    ]);
    return { body: [set('reservationSet', items), ...nextToken(page)] };
  },

  async DescribeInstanceTypes({ types, typeOf }, params) {
    const asked = listed(params, 'InstanceType');
    for (const name of asked) if (typeOf(name) === undefined) throw new Refusal(error.notFound.type(name));
    const items = types.flatMap((type, index) =>
      asked.length === 0 || asked.includes(type.name) ? [{ serial: index + 1, item: typeItem(type) }] : [],
    );
    return paged('instanceTypeSet', items, params, TYPE_FILTERS, { least: 5, most: 100 });
  },
};
