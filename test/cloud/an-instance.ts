/** Builders for tests of `gala cloud`: an instance and its ENIs as EC2 shows them, and an EC2 that is the bed's own judge. */
import { instanceType } from '../../lib/api/instance-types.ts';
import type { PodInstance, SeenEni, Step } from '../../lib/cloud/eni-plan.ts';
import * as instances from '../bed/ec2/instance.ts';
import * as interfaces from '../bed/ec2/interface.ts';
import { settle } from '../bed/ec2/time.ts';
import { judgeToken, remember, type Tokens } from '../bed/ec2/token.ts';
import { type Delays, emptyWorld, enisOn, foundEni, type World } from '../bed/ec2/world.ts';

export const CARDS = (type: string): PodInstance['networkCards'] => instanceType(type)?.networkCards ?? [];

/** A c5.xlarge that runs: three pod ENIs beside its own. */
export const anInstance = (over: Partial<PodInstance> = {}): PodInstance => ({
  ...{ id: 'i-1', running: true, wanted: 3, networkCards: CARDS('c5.xlarge'), subnetId: 'subnet-pods', securityGroupIds: ['sg-pods'] },
  ...over,
});

type Attached = Partial<NonNullable<SeenEni['attachment']>>;

/** One of ours, free; with `at` it is attached. */
export const anEni = (slot: number | undefined, at?: Attached, id = `eni-${slot ?? 'foreign'}`): SeenEni => ({
  ...{ id, slot, mac: `06:00:00:00:00:0${slot ?? 9}`, ip: `10.0.0.1${slot ?? 9}`, subnetId: 'subnet-pods' },
  ...(at === undefined
    ? {}
    : {
        attachment: {
          ...{ id: `attach-${id}`, networkCardIndex: 0, deviceIndex: 1, status: 'attached' as const, deleteOnTermination: true },
          ...at,
        },
      }),
});

const DELAYS: Delays = { visibleMs: 1_000, attachMs: 3_000, detachMs: 3_000, startMs: 1, shutdownMs: 30_000, forgetMs: 3_600_000 };
const SUBNET = { id: 'subnet-pods', vpcId: 'vpc', zone: 'zone-a', cidr: '10.0.0.0/24' };

/** What a call came to; `code` where it was refused. */
export type Outcome = { readonly code: string } | { readonly eniId?: string };

/** EC2 with one running instance, by the bed's own judge: no moto, no process, so that thousands of histories can be tried. */
export function aJudgedEc2(instance: PodInstance, type: string) {
  let now = 0;
  let world: World = { ...emptyWorld, subnets: { [SUBNET.id]: SUBNET } };
  let tokens: Tokens<string> = {};
  const slots = new Map<string, number>();
  const primary = { id: 'eni-own', mac: '', attachmentId: 'attach-own', deleteOnTermination: true };
  world = instances.launched(
    world,
    { type, subnetId: SUBNET.id, volumes: 1 },
    { id: instance.id, primary, address: '10.0.0.4' },
    0,
    DELAYS,
  );
  const nextId = (prefix: string) => {
    world = { ...world, serial: world.serial + 1 };
    return `${prefix}-${world.serial}`;
  };
  const make = (): string => {
    const { addresses } = interfaces.judgeCreate(world, { subnetId: SUBNET.id }) as { addresses: string[] };
    const id = nextId('eni');
    world = interfaces.created(world, { id, mac: id, subnetId: SUBNET.id, addresses }, now, DELAYS);
    return id;
  };
  const attach = (eniId: string, place: { networkCardIndex: number; deviceIndex: number }): Outcome => {
    const asked = { eniId, instanceId: instance.id, ...place };
    const refused = interfaces.judgeAttach(world, asked, instanceType, now);
    if (refused) return { code: refused.refused.code };
    world = interfaces.attaching(world, asked, nextId('attach'), now, DELAYS);
    return {};
  };
  return {
    now: () => now,
    pass: (ms: number) => {
      now += ms;
      world = settle(world, now, DELAYS).world;
    },
    do: (step: Step): Outcome => {
      if (step.do === 'attach') return attach(step.eniId, step.place);
      if (step.do === 'create') {
        const call = { action: 'CreateNetworkInterface', params: { ClientToken: step.clientToken, slot: String(step.slot) } };
        const known = judgeToken(tokens, call);
        if (known) return 'refused' in known ? { code: known.refused.code } : { eniId: known.answer };
        const eniId = make();
        slots.set(eniId, step.slot);
        tokens = remember(tokens, call, eniId);
        return { eniId };
      }
      if (step.do === 'detach') {
        const refused = interfaces.judgeDetach(world, step.attachmentId);
        if (refused) return { code: refused.refused.code };
        world = interfaces.detaching(world, step.attachmentId, now, DELAYS);
        return {};
      }
      const modified = interfaces.modifyAttachment(world, { ...step, deleteOnTermination: true }, now);
      if ('refused' in modified) return { code: modified.refused.code };
      world = modified.world;
      return {};
    },
    /** As DescribeNetworkInterfaces would show them, by instance and by tag. */
    seen: (): SeenEni[] =>
      Object.values(world.enis).flatMap(({ id, mac, addresses, subnetId, attachment }) => {
        const ours = slots.get(id);
        if (foundEni(world, id, now) === undefined || (ours === undefined && attachment === undefined)) return [];
        return [{ ...{ id, mac, subnetId, slot: ours, ip: addresses[0] ?? '' }, ...(attachment === undefined ? {} : { attachment }) }];
      }),
    /** Somebody else's, attached at once. */
    foreign: (deviceIndex: number) => {
      const id = make();
      world = { ...world, enis: { ...world.enis, [id]: { ...(world.enis[id] as (typeof world.enis)[string]), visibleAt: now } } };
      attach(id, { networkCardIndex: 0, deviceIndex });
    },
    /** Somebody deletes the first of ours that is free. */
    deleteFree: () => {
      const free = [...slots.keys()].find((id) => world.enis[id] !== undefined && world.enis[id]?.attachment === undefined);
      if (free !== undefined) world = interfaces.deleted(world, free);
    },
    ours: () => [...slots.keys()].filter((id) => world.enis[id] !== undefined),
    on: () => enisOn(world, instance.id),
  };
}
