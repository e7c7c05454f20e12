/** Builder: a region of EC2 that is the bed's own judge, behind the interface that `gala cloud` has of it, with faults to order. */
import { instanceType } from '../../lib/api/instance-types.ts';
import { type Ec2, type Ec2Eni, Ec2Error, type Ec2Type, type NewEni, NotNow } from '../../lib/cloud/ec2.ts';
import type { Place } from '../../lib/cloud/eni-plan.ts';
import type { Tags } from '../../lib/cloud/tags.ts';
import * as instances from '../bed/ec2/instance.ts';
import * as interfaces from '../bed/ec2/interface.ts';
import { settle } from '../bed/ec2/time.ts';
import { judgeToken, remember, type Tokens } from '../bed/ec2/token.ts';
import { type Delays, emptyWorld, foundEni, foundInstance, type World } from '../bed/ec2/world.ts';

const DELAYS: Delays = { visibleMs: 1_000, attachMs: 3_000, detachMs: 3_000, startMs: 1, shutdownMs: 30_000, forgetMs: 3_600_000 };
const SUBNET = { id: 'subnet-0d1', vpcId: 'vpc', zone: 'ap-northeast-1a', cidr: '10.0.0.0/24' };

/** What becomes of a call that would change something. */
export type Fate = 'ok' | 'lost' | 'refused' | 'throttled' | 'no token';

export interface Region extends Ec2 {
  now(): number;
  pass(ms: number): void;
  launch(id: string, type: string): void;
  terminate(id: string): void;
  /** Fates of the next calls that would change something, in turn for ever; none: all are done. */
  fates(fates: readonly Fate[]): void;
  /** Somebody else's ENI, on an instance or free. */
  foreign(tags: Tags, at?: { readonly instanceId: string; readonly deviceIndex: number }): string;
  /** Somebody detaches it, as people do in the console. */
  pull(eniId: string): void;
  onDelete(told: (eni: Ec2Eni) => void): void;
  all(): readonly Ec2Eni[];
  /** Calls that were done, by name. */
  readonly done: Map<string, number>;
}

export function aRegion(): Region {
  let now = 0;
  let world: World = { ...emptyWorld, subnets: { [SUBNET.id]: SUBNET } };
  let tokens: Tokens<string> = {};
  let fates: readonly Fate[] = [];
  let turn = 0;
  let deleting: (eni: Ec2Eni) => void = () => {};
  const tagsOf = new Map<string, Tags>();
  const done = new Map<string, number>();
  const nextId = (prefix: string) => {
    world = { ...world, serial: world.serial + 1 };
    return `${prefix}-${world.serial.toString(16).padStart(17, '0')}`;
  };
  const make = (tags: Tags): string => {
    const { addresses } = interfaces.judgeCreate(world, { subnetId: SUBNET.id }) as { addresses: string[] };
    const id = nextId('eni');
    world = interfaces.created(
      world,
      { id, mac: `06:00:00:00:00:${world.serial.toString(16).padStart(2, '0').slice(-2)}`, subnetId: SUBNET.id, addresses },
      now,
      DELAYS,
    );
    tagsOf.set(id, tags);
    return id;
  };
  const ok = (refused: interfaces.Refused | undefined, api: string) => {
    if (refused !== undefined) throw new Ec2Error(api, refused.refused.code, refused.refused.message);
  };
  const attach = (eniId: string, instanceId: string, place: Place) => {
    const asked = { eniId, instanceId, ...place };
    ok(interfaces.judgeAttach(world, asked, instanceType, now), 'AttachNetworkInterface');
    world = interfaces.attaching(world, asked, nextId('attach'), now, DELAYS);
  };
  const shown = (id: string): Ec2Eni => {
    const { mac, addresses, subnetId, attachment } = world.enis[id]!;
    const status = attachment === undefined ? 'available' : 'in-use';
    return {
      ...{ id, mac, subnetId, status, ip: addresses[0] ?? '', tags: tagsOf.get(id) ?? {} },
      ...(attachment === undefined ? {} : { attachment }),
    };
  };

  function fated<T>(api: string, act: () => T): Promise<T> {
    const fate = fates[turn++ % Math.max(1, fates.length)] ?? 'ok';
    try {
      if (fate === 'no token') throw new NotNow(api, 1_000);
      if (fate === 'refused') throw new Ec2Error(api, 'UnauthorizedOperation', 'ordered by the test');
      if (fate === 'throttled') throw new Ec2Error(api, 'RequestLimitExceeded', 'ordered by the test');
      const answer = act();
      done.set(api, (done.get(api) ?? 0) + 1);
      if (fate === 'lost') throw new Error('the connection was cut');
      return Promise.resolve(answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  const typeOf = (name: string): [string, Ec2Type][] => {
    const type = instanceType(name);
    return type === undefined ? [] : [[name, type]];
  };

  return {
    now: () => now,
    pass: (ms) => {
      now += ms;
      world = settle(world, now, DELAYS).world;
    },
    launch: (id, type) => {
      const primary = { id: nextId('eni'), mac: '06:aa:00:00:00:01', attachmentId: nextId('attach'), deleteOnTermination: true };
      const room = interfaces.judgeCreate(world, { subnetId: SUBNET.id }) as { addresses: string[] };
      world = instances.launched(
        world,
        { type, subnetId: SUBNET.id, volumes: 1 },
        { id, primary, address: room.addresses[0]! },
        now,
        DELAYS,
      );
    },
    terminate: (id) => {
      if (world.instances[id] !== undefined) world = instances.terminating(world, [id], now, DELAYS);
    },
    fates: (next) => {
      fates = next;
      turn = 0;
    },
    foreign: (tags, at) => {
      const id = make(tags);
      world = { ...world, enis: { ...world.enis, [id]: { ...world.enis[id]!, visibleAt: now } } };
      try {
        if (at !== undefined) attach(id, at.instanceId, { networkCardIndex: 0, deviceIndex: at.deviceIndex });
      } catch {
        // There was no room for it: it stays free.
      }
      return id;
    },
    pull: (eniId) => {
      const attachment = world.enis[eniId]?.attachment;
      if (attachment?.status === 'attached') world = interfaces.detaching(world, attachment.id, now, DELAYS);
    },
    onDelete: (told) => {
      deleting = told;
    },
    all: () => Object.keys(world.enis).map(shown),
    done,
    instances: async (ids) =>
      ids.flatMap((id) => {
        const found = foundInstance(world, id, now);
        return found === undefined ? [] : [{ id, type: found.type, zone: found.zone, state: found.state }];
      }),
    types: async (names) => new Map(names.flatMap(typeOf)),
    enis: async (ids, uid) =>
      Object.keys(world.enis).flatMap((id) => {
        const eni = foundEni(world, id, now);
        if (eni === undefined) return [];
        const one = shown(id);
        return one.tags['gala.internal/cluster-uid'] === uid || ids.includes(one.attachment?.instanceId ?? '') ? [one] : [];
      }),
    create: ({ clientToken, subnetId, tags }: NewEni) =>
      fated('CreateNetworkInterface', () => {
        const call = { action: 'CreateNetworkInterface', params: { ClientToken: clientToken, subnetId, tags: JSON.stringify(tags) } };
        const known = judgeToken(tokens, call);
        if (known !== undefined) {
          if ('refused' in known) throw new Ec2Error(call.action, known.refused.code, known.refused.message);
          return known.answer;
        }
        const id = make(tags);
        tokens = remember(tokens, call, id);
        return id;
      }),
    attach: (eniId, instanceId, place) => fated('AttachNetworkInterface', () => attach(eniId, instanceId, place)),
    endWithInstance: (eniId, attachmentId) =>
      fated('ModifyNetworkInterfaceAttribute', () => {
        const after = interfaces.modifyAttachment(world, { eniId, attachmentId, deleteOnTermination: true }, now);
        if ('refused' in after) throw new Ec2Error('ModifyNetworkInterfaceAttribute', after.refused.code, after.refused.message);
        world = after.world;
      }),
    detach: (attachmentId) =>
      fated('DetachNetworkInterface', () => {
        ok(interfaces.judgeDetach(world, attachmentId), 'DetachNetworkInterface');
        world = interfaces.detaching(world, attachmentId, now, DELAYS);
      }),
    delete: (eniId) =>
      fated('DeleteNetworkInterface', () => {
        ok(interfaces.judgeDelete(world, eniId, now), 'DeleteNetworkInterface');
        deleting(shown(eniId));
        world = interfaces.deleted(world, eniId);
      }),
  };
}

/** How many ENIs an instance has, its own included. */
export const onInstance = (region: Region, id: string): number =>
  region.all().filter(({ attachment }) => attachment?.instanceId === id).length;
