/** Builder: instances of a region by the bed's own judge, behind the interface that `gala cloud` has of them, and a cluster beside it. */
import { instanceType } from '../../lib/api/instance-types.ts';
import type { PodThere } from '../../lib/cloud/drain.ts';
import { Ec2Error, NotNow } from '../../lib/cloud/ec2.ts';
import type { Fleet, FleetInstance, NewInstance } from '../../lib/cloud/fleet.ts';
import type { InstanceNode } from '../../lib/cloud/instance-plan.ts';
import { type FleetPool, type InstanceRoundOptions, instanceRounds } from '../../lib/cloud/instance-round.ts';
import type { Tags } from '../../lib/cloud/tags.ts';
import { tokenTerminated } from '../bed/ec2/error.ts';
import * as instances from '../bed/ec2/instance.ts';
import { freeIn } from '../bed/ec2/instance.ts';
import { settle } from '../bed/ec2/time.ts';
import { judgeToken, remember, type Tokens } from '../bed/ec2/token.ts';
import { capacityKey, type Delays, emptyWorld, foundInstance, type World } from '../bed/ec2/world.ts';
import type { Fate } from './a-region.ts';

const DELAYS: Delays = { visibleMs: 1_000, attachMs: 1, detachMs: 1, startMs: 20_000, shutdownMs: 30_000, forgetMs: 3_600_000 };
export const ZONES = ['ap-northeast-1a', 'ap-northeast-1c'];
const subnetOf = (zone: string) => `subnet-${zone.slice(-2)}`;
export const TAGS = { cluster: 'cloud-a', clusterUid: 'uid-1' };

export interface FleetRegion extends Fleet {
  now(): number;
  pass(ms: number): void;
  /** Fates of the next calls that would change something, in turn for ever; none: all are done. */
  fates(fates: readonly Fate[]): void;
  setCapacity(type: string, zone: string, count: number | undefined): void;
  reserve(id: string, type: string, zone: string, total: number): void;
  /** As somebody in the console does, or a spot market. */
  end(id: string): void;
  /** Instances of ours that are neither ended nor ending. */
  alive(): readonly FleetInstance[];
  /** Calls that were sent, by name, refused ones too. */
  readonly sent: Map<string, number>;
}

export function aFleetRegion(): FleetRegion {
  let now = 0;
  const subnets = Object.fromEntries(
    ZONES.map((zone, index) => [subnetOf(zone), { id: subnetOf(zone), vpcId: 'vpc', zone, cidr: `10.0.${index}.0/24` }]),
  );
  let world: World = { ...emptyWorld, subnets };
  let tokens: Tokens<string> = {};
  let fates: readonly Fate[] = [];
  let turn = 0;
  const tagsOf = new Map<string, Tags>();
  const sent = new Map<string, number>();
  const nextId = (prefix: string) => {
    world = { ...world, serial: world.serial + 1 };
    return `${prefix}-${world.serial.toString(16).padStart(17, '0')}`;
  };

  async function fated<T>(api: string, act: () => T): Promise<T> {
    const fate = fates[turn++ % Math.max(1, fates.length)] ?? 'ok';
    if (fate === 'no token') throw new NotNow(api, 1_000);
    sent.set(api, (sent.get(api) ?? 0) + 1);
    if (fate === 'refused') throw new Ec2Error(api, 'UnauthorizedOperation', 'ordered by the test');
    if (fate === 'throttled') throw new Ec2Error(api, 'RequestLimitExceeded', 'ordered by the test');
    const answer = act();
    if (fate === 'lost') throw new Error('the connection was cut');
    return answer;
  }

  function launch({ clientToken, ...asked }: NewInstance): string {
    const { offer, tags } = asked;
    const call = { action: 'RunInstances', params: { ClientToken: clientToken, asked: JSON.stringify(asked) } };
    const known = judgeToken(tokens, call);
    if (known !== undefined) {
      if ('refused' in known) throw new Ec2Error(call.action, known.refused.code, known.refused.message);
      const state = world.instances[known.answer]?.state ?? 'terminated';
      if (state === 'terminated') throw new Ec2Error(call.action, tokenTerminated().code, tokenTerminated().message);
      return known.answer;
    }
    const { type, subnetId, reservationId } = offer;
    const wanted = {
      type,
      subnetId,
      minCount: 1,
      maxCount: 1,
      volumes: 1,
      more: [],
      ...(reservationId === undefined ? {} : { reservationId }),
    };
    const room = instances.judgeLaunch(world, wanted, instanceType);
    if ('refused' in room) throw new Ec2Error(call.action, room.refused.code, room.refused.message);
    const id = nextId('i');
    const primary = { id: nextId('eni'), mac: '06:aa:00:00:00:01', attachmentId: nextId('attach'), deleteOnTermination: true };
    const [reservation] = room.reservations;
    const made = { id, primary, address: room.addresses[0] ?? '', ...(reservation === undefined ? {} : { reservationId: reservation }) };
    world = instances.launched(world, wanted, made, now, DELAYS);
    tagsOf.set(id, tags);
    tokens = remember(tokens, call, id);
    return id;
  }

  const shown = (id: string): FleetInstance => {
    const { type, zone, state } = world.instances[id]!;
    return { id, type, zone, state, tags: tagsOf.get(id) ?? {}, addresses: [], dnsNames: [] };
  };
  const found = () => Object.keys(world.instances).filter((id) => foundInstance(world, id, now) !== undefined);

  return {
    now: () => now,
    pass: (ms) => {
      now += ms;
      world = settle(world, now, DELAYS).world;
    },
    fates: (next) => {
      fates = next;
      turn = 0;
    },
    setCapacity: (type, zone, count) => {
      const { [capacityKey(type, zone)]: _before, ...rest } = world.capacity;
      world = { ...world, capacity: count === undefined ? rest : { ...rest, [capacityKey(type, zone)]: count } };
    },
    reserve: (id, type, zone, total) => {
      const serial = world.serial + 1;
      const made = { id, serial, type, zone, total, match: 'targeted' as const, state: 'active' as const };
      world = { ...world, serial, reservations: { ...world.reservations, [id]: made } };
    },
    end: (id) => {
      if (world.instances[id] !== undefined) world = instances.terminating(world, [id], now, DELAYS);
    },
    alive: () =>
      Object.keys(world.instances)
        .map(shown)
        .filter(({ state }) => state === 'pending' || state === 'running'),
    sent,
    instances: async (ids) =>
      found()
        .filter((id) => ids.includes(id))
        .map(shown),
    launched: async (uid) =>
      found()
        .map(shown)
        .filter(({ tags }) => tags['gala.internal/cluster-uid'] === uid),
    reservations: async (ids) =>
      Object.values(world.reservations)
        .filter(({ id }) => ids.includes(id))
        .map((each) => ({ id: each.id, type: each.type, zone: each.zone, free: freeIn(world, each) })),
    keepTemplate: async () => {},
    run: (instance) => fated('RunInstances', () => launch(instance)),
    terminate: (id) =>
      fated('TerminateInstances', () => {
        const refused = instances.judgeTerminate(world, [id], now);
        if (refused !== undefined) throw new Ec2Error('TerminateInstances', refused.refused.code, refused.refused.message);
        world = instances.terminating(world, [id], now, DELAYS);
      }),
  };
}

/** A cluster with one pool, whose running instances become Nodes when it is told so. */
export function aFleetCluster(region: FleetRegion, over: Partial<InstanceRoundOptions> = {}) {
  const nodes = new Map<string, InstanceNode>();
  const pods = new Map<string, PodThere[]>();
  const tokens = new Map<string, string>();
  const state = {
    desired: 0,
    types: ['c5.large', 'm5.large'],
    capacityReservationIds: [] as string[],
    ...{ nodes, pods, tokens },
    /** Pods that a budget holds. */
    held: new Set<string>(),
    deleted: [] as string[],
    elsewhere: new Set<string>(),
    template: 'gala-cloud-a-burst-1',
  };
  const change = (uid: string, how: Partial<InstanceNode>) => {
    for (const [name, node] of nodes) if (node.uid === uid) nodes.set(name, { ...node, ...how });
  };
  const pool = (): FleetPool => ({
    ...{ pool: 'burst', desired: state.desired, nodes: [...nodes.values()], elsewhere: state.elsewhere, tokens: true },
    ec2: {
      instanceTypes: state.types,
      zones: ZONES.map((name) => ({ name, nodeSubnetId: subnetOf(name), podSubnetId: 'subnet-0d' })),
      capacityReservationIds: state.capacityReservationIds,
    },
  });
  const options: InstanceRoundOptions = {
    ...{ ec2: region, tags: TAGS, cluster: () => [pool()] },
    podsOn: async (node) => pods.get(node) ?? [],
    prepare: async ({ place, generation }) => {
      tokens.set(`${place}-${generation}`, 'made');
      return { template: state.template, userData: `#cloud-config ${place}-${generation}` };
    },
    leave: async ({ uid }) => change(uid, { leaving: true }),
    stay: async ({ uid }) => change(uid, { leaving: false }),
    evict: async (pod) => {
      if (state.held.has(pod.name)) return 'a budget holds it';
      for (const [node, its] of pods)
        pods.set(
          node,
          its.filter((each) => each.uid !== pod.uid),
        );
      return undefined;
    },
    deleteNode: async ({ node, instanceId }) => {
      nodes.delete(node);
      pods.delete(node);
      state.deleted.push(instanceId);
    },
    deleteToken: async ({ place, generation }) => void tokens.delete(`${place}-${generation}`),
    ...{ mayWrite: () => true, dryRun: false, now: region.now, wallMs: region.now },
    ...over,
  };
  let loop = instanceRounds(options);
  const cluster = {
    state,
    round: () => loop.round(),
    /** Another process leads, and knows nothing. */
    restart: () => {
      loop = instanceRounds(options);
    },
    /** Kubelets of running instances come up. */
    join: () => {
      for (const { id, state: is } of region.alive())
        if (is === 'running' && !nodes.has(id))
          nodes.set(id, { name: id, uid: `uid-${id}`, instanceId: id, ready: true, leaving: false, busy: 0, createdMs: region.now() });
      for (const [name, node] of nodes)
        if (!region.alive().some(({ id }) => id === node.instanceId)) nodes.set(name, { ...node, ready: false });
    },
    async settle(times = 20, ms = 20_000) {
      for (let n = 0; n < times; n++) {
        await loop.round();
        region.pass(ms);
        cluster.join();
      }
      return await loop.round();
    },
  };
  return cluster;
}

export const aPod = (name: string, over: Partial<PodThere> = {}): PodThere => ({ namespace: 'feed', name, uid: `uid-${name}`, ...over });
