/**
 * Instance round: one look at the instances of a region and the steps that it comes to, pool by pool. Every round begins with a look,
 * so nothing is tried again before EC2 was asked what became of it; a step for which the budget has no token is left to the next.
 */
import { reasonOf } from '../kube/log.ts';
import type { Reservation } from './capacity.ts';
import { isShort } from './capacity.ts';
import type { PodThere } from './drain.ts';
import { Ec2Error, meaningOf, NotNow } from './ec2.ts';
import type { Fleet, FleetInstance } from './fleet.ts';
import {
  afterEnded,
  afterRefusal,
  afterRun,
  afterTokenGone,
  afterTokenLost,
  beforeEnd,
  beforeRun,
  type InstanceNode,
  type InstancePlan,
  type InstanceStep,
  instancePlan,
  isWorthIt,
  NOTHING_ASKED,
  type PoolMemory,
  type PoolSeen,
} from './instance-plan.ts';
import { type Launch, launchedAs, launchTags, launchToken } from './launch.ts';
import type { ClusterTags } from './tags.ts';

/** A pool as the cluster has it. */
export interface FleetPool extends Pick<PoolSeen, 'pool' | 'desired' | 'nodes' | 'elsewhere' | 'tokens'> {
  readonly ec2: PoolSeen['ec2'] & { readonly capacityReservationIds?: readonly string[] };
}

/** What every launch of a pool needs; made, and kept, by whoever can. */
export interface Prepared {
  /** Name of the launch template, which is there. */
  readonly template: string;
  readonly userData: string;
}

export interface InstanceRoundOptions {
  readonly ec2: Fleet;
  readonly tags: ClusterTags;
  readonly cluster: () => readonly FleetPool[];
  readonly podsOn: (node: string) => Promise<readonly PodThere[]>;
  readonly prepare: (launch: Launch) => Promise<Prepared>;
  readonly leave: (step: Extract<InstanceStep, { do: 'leave' }>) => Promise<void>;
  readonly stay: (step: Extract<InstanceStep, { do: 'stay' }>) => Promise<void>;
  /** @returns what holds the pod; undefined: it goes */
  readonly evict: (pod: PodThere) => Promise<string | undefined>;
  readonly deleteNode: (step: Extract<InstanceStep, { do: 'delete node' }>) => Promise<void>;
  readonly deleteToken: (launch: Launch) => Promise<void>;
  /** Asked right before each step. */
  readonly mayWrite: () => boolean;
  readonly dryRun: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly wallMs: () => number;
  readonly onStep?: (did: InstanceTaken) => void;
}

export type NotTaken = 'throttled' | 'not now' | 'refused' | 'no capacity' | 'no answer' | 'held' | 'token used' | 'not there' | 'dry run';

export interface InstanceTaken {
  readonly what: InstanceStep['do'];
  readonly pool: string;
  readonly instanceId?: string;
  readonly node?: string;
  readonly pod?: string;
  readonly offer?: string;
  /** Undefined: it was done. */
  readonly not?: NotTaken;
  readonly because?: string;
}

export interface PoolRound {
  readonly pool: string;
  readonly plan: InstancePlan;
  readonly taken: readonly InstanceTaken[];
}

export interface InstanceRound {
  readonly pools: readonly PoolRound[];
  /** All of the cluster's instances, by id: whose CSRs may be approved. */
  readonly instances: ReadonlyMap<string, FleetInstance & { readonly launch?: Launch }>;
  /** Until there is something to see or to do. */
  readonly nextInMs: number;
}

const AT_ONCE = 4;
/** An instance starts within half a minute, a pod goes within its grace. */
const SOON_MS = 5_000;
/** The bucket of RunInstances is full again, whatever part of it is Gala's (budget.ts: 5, 2 a second): what comes later is lost. */
const FULL_MS = 2_500;
/** Capacity, quotas and rights do not come within seconds. */
const REFUSED_MS = 30_000;
/** Nothing to do: somebody may have meddled. */
const STILL_MS = 60_000;

const ORDER: readonly InstanceStep['do'][] = ['delete node', 'stay', 'leave', 'terminate', 'run', 'evict', 'delete token'];
/** EC2 may have done what it answers so. */
const OF_THE_SERVER = /^(Internal(Error|Failure)|(Service)?Unavailable|UnknownError)$/;

/** Rounds of one region; what one learnt the next one knows. */
export function instanceRounds(options: InstanceRoundOptions): { round(): Promise<InstanceRound> } {
  const { ec2, tags, now } = options;
  const memories = new Map<string, PoolMemory>();
  const memoryOf = (pool: string) => memories.get(pool) ?? NOTHING_ASKED;

  async function look() {
    const ours = await ec2.launched(tags.clusterUid);
    const known = new Set(ours.map(({ id }) => id));
    const others = [...new Set(options.cluster().flatMap(({ nodes }) => nodes.map(({ instanceId }) => instanceId)))]
      .filter((id) => !known.has(id))
      .sort();
    const all = [...ours, ...(others.length === 0 ? [] : await ec2.instances(others))];
    const asked = new Set([...known, ...others]);
    const ids = [...new Set(options.cluster().flatMap((pool) => pool.ec2.capacityReservationIds ?? []))].sort();
    const reservations = ids.length === 0 ? [] : await ec2.reservations(ids);
    const pools: PoolSeen[] = [];
    for (const pool of options.cluster()) pools.push(await seenOf(pool, all, asked, reservations));
    return { pools, all };
  }

  async function seenOf(
    pool: FleetPool,
    all: readonly FleetInstance[],
    asked: ReadonlySet<string>,
    reservations: readonly Reservation[],
  ): Promise<PoolSeen> {
    // A Node that came meanwhile was not looked at: it must not count as gone.
    const nodes = pool.nodes.filter(({ instanceId }) => asked.has(instanceId));
    const pods = new Map<string, readonly PodThere[]>();
    for (const { name, leaving } of nodes) if (leaving) pods.set(name, await options.podsOn(name));
    const instances = all.flatMap(({ id, zone, state, reason, tags: its }) => {
      const launch = launchedAs(its, tags);
      return launch?.pool === pool.pool ? [{ id, zone, state, launch, ...(reason === undefined ? {} : { reason }) }] : [];
    });
    const mine = new Set(pool.ec2.capacityReservationIds);
    return {
      ...{ pool: pool.pool, ec2: pool.ec2, desired: pool.desired, tokens: pool.tokens },
      ...{ nodes: nodes as readonly InstanceNode[], elsewhere: pool.elsewhere, instances, pods, wallMs: options.wallMs() },
      states: new Map(all.map(({ id, state }) => [id, state])),
      reservations: reservations.filter(({ id }) => mine.has(id)),
    };
  }

  async function take(pool: string, step: InstanceStep): Promise<InstanceTaken> {
    const told = toldOf(pool, step);
    if (options.dryRun) return { ...told, not: 'dry run' };
    if (!options.mayWrite()) return { ...told, not: 'not now', because: 'another leads' };
    try {
      switch (step.do) {
        case 'run':
          return { ...told, ...(await run(pool, step)) };
        case 'terminate':
          memories.set(pool, beforeEnd(memoryOf(pool), step.instanceId));
          await ec2.terminate(step.instanceId);
          return told;
        case 'evict': {
          const held = await options.evict(step.pod);
          return held === undefined ? told : { ...told, not: 'held', because: held };
        }
        case 'delete token':
          await options.deleteToken(step.launch);
          memories.set(pool, afterTokenGone(memoryOf(pool), step.launch));
          return told;
        case 'leave':
          await options.leave(step);
          return told;
        case 'stay':
          await options.stay(step);
          return told;
        case 'delete node':
          await options.deleteNode(step);
          return told;
        default:
          return step satisfies never;
      }
    } catch (error) {
      const not = notOf(error);
      // An image, subnet or group that is not there does not come by itself, as an instance does that is not shown yet.
      return { ...told, ...not, ...(step.do === 'run' && not.not === 'not there' ? { not: 'refused' } : {}) };
    }
  }

  /** What EC2 may have done stands in the memory before it is asked. */
  async function run(pool: string, { launch, offer }: Extract<InstanceStep, { do: 'run' }>): Promise<Partial<InstanceTaken>> {
    if (!isWorthIt(memoryOf(pool), offer, now())) return { not: 'no capacity', because: 'EC2 had none for another launch of this round' };
    const { template, userData } = await options.prepare(launch);
    // That took calls of its own, and whoever leads by now may have launched for this place.
    if (!options.mayWrite()) return { not: 'not now', because: 'another leads' };
    const before = memoryOf(pool).asked[launch.place];
    const clientToken = launchToken(tags.clusterUid, launch, offer, template);
    if (before?.clientToken !== undefined && before.clientToken !== clientToken) {
      memories.set(pool, afterTokenLost(memoryOf(pool), launch));
      return { not: 'token used', because: 'the pool has changed since it was asked for: what EC2 launched will be shown' };
    }
    memories.set(pool, beforeRun(memoryOf(pool), launch, offer, clientToken, now()));
    const asked = { template, offer, userData, tags: launchTags(tags, launch), clientToken };
    try {
      const instanceId = await ec2.run(asked);
      memories.set(pool, afterRun(memoryOf(pool), launch, offer, instanceId, now()));
      return { instanceId };
    } catch (error) {
      const code = error instanceof Ec2Error ? error.code : '';
      const memory = memoryOf(pool);
      if (error instanceof NotNow || (error instanceof Ec2Error && meaningOf(error) === 'throttled')) {
        const { [launch.place]: _asked, ...rest } = memory.asked;
        memories.set(pool, { ...memory, asked: before === undefined ? rest : { ...rest, [launch.place]: before } });
      } else if (code === 'IdempotentInstanceTerminated') memories.set(pool, afterEnded(memory, launch));
      // Somebody launched by this token and otherwise: it will be shown, or is gone.
      else if (code === 'IdempotentParameterMismatch') memories.set(pool, afterRun(memory, launch, offer, '', now()));
      else if (error instanceof Ec2Error && (isShort(code) || !OF_THE_SERVER.test(code)))
        memories.set(pool, afterRefusal(memory, launch, offer, code, now()));
      throw error;
    }
  }

  return {
    async round() {
      const { pools, all } = await look();
      const jobs: { readonly pool: string; readonly step: InstanceStep }[] = [];
      const plans = new Map<string, InstancePlan>();
      for (const seen of pools) {
        const plan = instancePlan(seen, memoryOf(seen.pool), now());
        memories.set(seen.pool, plan.memory);
        plans.set(seen.pool, plan);
        jobs.push(...plan.steps.map((step) => ({ pool: seen.pool, step })));
      }
      jobs.sort((a, b) => ORDER.indexOf(a.step.do) - ORDER.indexOf(b.step.do));
      const taken: InstanceTaken[] = [];
      const spent = new Set<string>();
      const queue = [...jobs];
      const worker = async () => {
        for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
          const { pool, step } = job;
          const did: InstanceTaken = spent.has(step.do) ? { ...toldOf(pool, step), not: 'not now' } : await take(pool, step);
          if (did.not === 'throttled' || did.not === 'not now') spent.add(step.do);
          taken.push(did);
          options.onStep?.(did);
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
      const rounds = pools.map(({ pool }) => ({
        pool,
        plan: plans.get(pool) as InstancePlan,
        taken: taken.filter((each) => each.pool === pool),
      }));
      const instances = new Map(all.map((each) => [each.id, { ...each, launch: launchedAs(each.tags, tags) }]));
      return { pools: rounds, instances, nextInMs: nextInMs(rounds) };
    },
  };
}

function toldOf(pool: string, step: InstanceStep): InstanceTaken {
  return {
    ...{ what: step.do, pool },
    ...('instanceId' in step ? { instanceId: step.instanceId } : {}),
    ...('node' in step && step.node !== undefined ? { node: step.node } : {}),
    ...('pod' in step ? { pod: `${step.pod.namespace}/${step.pod.name}` } : {}),
    ...('offer' in step ? { offer: offerText(step.offer) } : {}),
  };
}

const offerText = ({ type, zone, reservationId }: { type: string; zone: string; reservationId?: string }): string =>
  `${type} in ${zone}${reservationId === undefined ? '' : ` (${reservationId})`}`;

function notOf(error: unknown): Pick<InstanceTaken, 'not' | 'because'> {
  const because = reasonOf(error);
  if (error instanceof NotNow) return { not: 'not now', because };
  if (!(error instanceof Ec2Error)) return { not: 'no answer', because };
  if (isShort(error.code)) return { not: 'no capacity', because };
  const not = meaningOf(error);
  return { not: not === 'place taken' ? 'refused' : not, because };
}

/** How soon the next look is worth its calls. */
function nextInMs(rounds: readonly PoolRound[]): number {
  const taken = rounds.flatMap((each) => each.taken);
  const waits = rounds.flatMap(({ plan }) => plan.waits);
  if (taken.some(({ what, not }) => what === 'run' && not === 'not now')) return FULL_MS;
  const slow: readonly InstanceTaken['not'][] = ['refused', 'dry run'];
  if (
    waits.some((wait) => wait.for !== 'capacity' && wait.for !== 'launches that fail' && wait.for !== 'to join') ||
    taken.some(({ not }) => !slow.includes(not))
  )
    return SOON_MS;
  return taken.some(({ not }) => not === 'refused') || waits.length > 0 ? REFUSED_MS : STILL_MS;
}
