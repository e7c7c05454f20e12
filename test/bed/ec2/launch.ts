/** RunInstances: what is launched, and what moto is told of it. */
import { type Account, allowed, contentOf, groupsMustExist, nextId, required, wholeNumber } from './account.ts';
import * as error from './error.ts';
import * as instances from './instance.ts';
import * as interfaces from './interface.ts';
import { Refusal } from './moto.ts';
import { makeInterface, wantedInterface } from './play-interfaces.ts';
import { grouped, isTrue, listed, type Params, tagsFor, without } from './query.ts';
import { type Element, itemsOf, textOf } from './xml.ts';

/** Launches with everything that a template says merged in already. */
export async function launch(account: Account, params: Params): Promise<{ reservation: Element[]; items: readonly Element[] }> {
  const specified = grouped(params, 'NetworkInterface');
  const isPrimary = ({ DeviceIndex, NetworkCardIndex = '0' }: Params) => DeviceIndex === '0' && NetworkCardIndex === '0';
  const primary = specified.find(isPrimary) ?? {};
  const more = specified.filter((each) => !isPrimary(each));
  await mustBeLaunchable(account, params, specified);
  const { 'CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId': reservationId } = params;
  const preference = params['CapacityReservationSpecification.CapacityReservationPreference'];
  const address = params.PrivateIpAddress ?? primary.PrivateIpAddress;
  const asked: instances.Launch = {
    type: required(params, 'InstanceType'),
    subnetId: params.SubnetId ?? required(primary, 'SubnetId'),
    minCount: wholeNumber(params, 'MinCount'),
    maxCount: wholeNumber(params, 'MaxCount'),
    // The root volume is mapped by the image where nothing is said.
    volumes: Math.max(1, grouped(params, 'BlockDeviceMapping').length),
    more: more.map((each) => ({ deviceIndex: Number(each.DeviceIndex), networkCardIndex: Number(each.NetworkCardIndex ?? 0) })),
    ...(address === undefined ? {} : { address }),
    ...(reservationId === undefined ? {} : { reservationId }),
    ...(preference === undefined ? {} : { preference }),
  };
  const room = allowed(instances.judgeLaunch(account.world, asked, account.typeOf));
  // All or nothing: an ENI that can't be had keeps its instance from being launched.
  for (const each of more.map(wantedInterface)) {
    allowed(interfaces.judgeCreate(account.world, each));
    if (account.world.subnets[each.subnetId]?.zone !== account.world.subnets[asked.subnetId]?.zone) throw new Refusal(error.otherZone());
  }

  const groups = [...listed(params, 'SecurityGroupId'), ...listed(primary, 'SecurityGroupId')];
  const answer = await account.moto.ask({ action: 'RunInstances', params: motoLaunch(params, asked, room.count, groups) });
  const items = itemsOf(answer, 'instancesSet');
  const eniIds: string[] = [];
  for (const [index, item] of items.entries()) {
    const [eni] = itemsOf(item, 'networkInterfaceSet');
    const id = textOf(item, 'instanceId');
    const made = {
      id: textOf(eni as Element, 'networkInterfaceId'),
      mac: textOf(eni as Element, 'macAddress'),
      attachmentId: nextId(account, 'eni-attach'),
      deleteOnTermination: isTrue(primary.DeleteOnTermination ?? 'true'),
    };
    const reservation = room.reservations[index];
    account.world = instances.launched(
      account.world,
      asked,
      { id, primary: made, address: room.addresses[index] ?? '', ...(reservation === undefined ? {} : { reservationId: reservation }) },
      account.now(),
      account.delays,
    );
    eniIds.push(made.id, ...(await moreInterfaces(account, id, more)));
  }
  await tag(account, eniIds, params);
  return { reservation: contentOf(answer).filter(({ name }) => name !== 'instancesSet'), items };
}

async function mustBeLaunchable(account: Account, params: Params, specified: readonly Params[]): Promise<void> {
  if (specified.length > 0 && params.SubnetId !== undefined)
    throw new Refusal({
      ...{ code: 'InvalidParameterCombination', status: 400 },
      message: 'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    });
  if (specified.some((each) => each.NetworkInterfaceId !== undefined))
    throw new Refusal(error.notPlayed('RunInstances with an ENI that exists'));
  const spot = Object.keys(params).some((name) => name.startsWith('InstanceMarketOptions.'));
  if (spot) throw new Refusal(error.notPlayed('spot instances'));
  const image = required(params, 'ImageId');
  if (!account.images.includes(image)) await account.moto.ask({ action: 'DescribeImages', params: { 'ImageId.1': image } });
  await groupsMustExist(account, [...listed(params, 'SecurityGroupId'), ...specified.flatMap((each) => listed(each, 'SecurityGroupId'))]);
}

/** What moto is told of a launch: one plain primary ENI, whose address and whose fellows are kept here; no profile, which it would want of its IAM. */
function motoLaunch(params: Params, { subnetId }: instances.Launch, count: number, groups: readonly string[]): Params {
  const ours = ['NetworkInterface', 'CapacityReservationSpecification', 'IamInstanceProfile', 'Placement', 'PrivateIpAddress', 'DryRun'];
  const kept = without(params, ...ours, 'SecurityGroupId', 'SubnetId', 'MinCount', 'MaxCount');
  const numbered = Object.fromEntries(groups.map((id, index) => [`SecurityGroupId.${index + 1}`, id]));
  return { ...kept, ...numbered, SubnetId: subnetId, MinCount: String(count), MaxCount: String(count) };
}

async function moreInterfaces(account: Account, instanceId: string, more: readonly Params[]): Promise<string[]> {
  const made: string[] = [];
  for (const specification of more) {
    const asked = wantedInterface(specification);
    const { addresses } = allowed(interfaces.judgeCreate(account.world, asked));
    const groups = without(specification, 'DeviceIndex', 'NetworkCardIndex', 'DeleteOnTermination', 'AssociatePublicIpAddress');
    const { id } = await makeInterface(account, asked.subnetId, addresses, groups);
    account.world = instances.attachedAtLaunch(account.world, id, {
      id: nextId(account, 'eni-attach'),
      instanceId,
      deviceIndex: wholeNumber(specification, 'DeviceIndex'),
      networkCardIndex: Number(specification.NetworkCardIndex ?? 0),
      // Of those made by API it is kept unless said otherwise (UserGuide, using-eni.html).
      deleteOnTermination: isTrue(specification.DeleteOnTermination),
    });
    made.push(id);
  }
  return made;
}

/** moto tags the instances that it launches, and not their ENIs. */
async function tag({ moto }: Account, ids: readonly string[], params: Params): Promise<void> {
  const tags = tagsFor(params, 'network-interface');
  if (tags.length === 0) return;
  const named = ids.map((id, index) => [`ResourceId.${index + 1}`, id]);
  const said = tags.flatMap(({ key, value }, index) => [
    [`Tag.${index + 1}.Key`, key],
    [`Tag.${index + 1}.Value`, value],
  ]);
  await moto.ask({ action: 'CreateTags', params: Object.fromEntries([...named, ...said]) });
}
