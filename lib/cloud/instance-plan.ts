/**
 * Instance plan: which instances and Nodes a pool should have, against those that EC2 and the API server show, as steps. Pure;
 * `gala cloud` takes the steps, tells what came of them, and asks again.
 *
 * Places of a pool are numbered, and a place's launch has a client token that only it has: a call whose answer was lost is asked for
 * again, and launches nothing twice. Which instances are to go stands on their Nodes: any process goes on where another ended.
 */
import {
  afterShortage,
  type Ec2Spec,
  isShort,
  type Launched,
  nextOffer,
  passedOver,
  type Reservation,
  remaining,
  type Shortages,
} from './capacity.ts';
import { drainOf, type PodThere } from './drain.ts';
import type { Launch, Offer } from './launch.ts';

/** An instance of a pool that Gala launched. */
export interface OurInstance {
  readonly id: string;
  readonly launch: Launch;
  readonly zone: string;
  readonly state: string;
  /** Why it is in that state, in EC2's words. */
  readonly reason?: string;
}

/** A Node of the pool. */
export interface InstanceNode {
  readonly name: string;
  readonly uid: string;
  readonly instanceId: string;
  readonly ready: boolean;
  /** It says that its instance is to go, and which. */
  readonly leaving: boolean;
  /** Wall clock, milliseconds. */
  readonly createdMs: number;
  /** How many addresses its pods have: what has least goes first. */
  readonly busy: number;
}

export interface PoolSeen {
  readonly pool: string;
  readonly ec2: Pick<Ec2Spec, 'instanceTypes' | 'zones'>;
  /** Within the pool's size. */
  readonly desired: number;
  /** Terminated ones too, as long as EC2 shows them. */
  readonly instances: readonly OurInstance[];
  readonly nodes: readonly InstanceNode[];
  /** Instances of Nodes that are not the pool's: one of them is somebody's Node, whatever its label says. */
  readonly elsewhere: ReadonlySet<string>;
  /** State of each instance that was asked about, Gala's or not; EC2 knows no other. */
  readonly states: ReadonlyMap<string, string>;
  /** Pods of Nodes that leave. */
  readonly pods: ReadonlyMap<string, readonly PodThere[]>;
  readonly reservations: readonly Reservation[];
  /** Whether each launch has a bootstrap token. */
  readonly tokens: boolean;
  /** Wall clock, milliseconds: only to be held against deletionTimestamps. */
  readonly wallMs: number;
}

/** A launch that EC2 may have done. */
interface Asked {
  readonly generation: number;
  readonly offer: Offer;
  readonly at: number;
  /** By which it was asked for. */
  readonly clientToken?: string;
  /** Its instance, where EC2 answered or has shown it; empty where the token was used for something that is not shown. */
  readonly instanceId?: string;
}

/** What is known beside what is shown. A process that starts has none of it, and is slower, never bolder. */
export interface PoolMemory {
  /** When this process looked first. */
  readonly since?: number;
  /** By place: launches that are not shown yet, or not for long: an answer of EC2 may leave out what the one before it had. */
  readonly asked: Readonly<Record<number, Asked>>;
  /** By place: the generation of its next launch. */
  readonly next: Readonly<Record<number, number>>;
  readonly shortages: Shortages;
  /** Since when an instance runs without a Node, by its id. */
  readonly unjoined: Readonly<Record<string, number>>;
  /** Since when EC2 does not show the instance of a Node that is not ready, by instance id. */
  readonly unknown: Readonly<Record<string, number>>;
  /** Launches whose bootstrap token was deleted. */
  readonly tokensGone: ReadonlySet<string>;
  /** Instances that were Nodes, or that Gala itself ended: that these end is no failure. */
  readonly settled: ReadonlySet<string>;
  /** Instances that ended by themselves before they were Nodes, since one last became a Node. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  /** Until when nothing is launched for that. */
  readonly pausedUntil: number;
}

export const NOTHING_ASKED: PoolMemory = {
  asked: {},
  next: {},
  shortages: {},
  unjoined: {},
  unknown: {},
  tokensGone: new Set(),
  ...{ settled: new Set<string>(), failed: [], pausedUntil: Number.NEGATIVE_INFINITY },
};

export type InstanceStep =
  | { readonly do: 'run'; readonly launch: Launch; readonly offer: Offer }
  /** Cordons the Node and says on it that its instance is to go. */
  | { readonly do: 'leave'; readonly node: string; readonly uid: string; readonly instanceId: string }
  /** Takes that back. */
  | { readonly do: 'stay'; readonly node: string; readonly uid: string; readonly instanceId: string }
  | { readonly do: 'evict'; readonly node: string; readonly instanceId: string; readonly pod: PodThere }
  | { readonly do: 'terminate'; readonly instanceId: string; readonly node?: string }
  /** Says of the Node's addresses that their machine is off, then deletes it. */
  | { readonly do: 'delete node'; readonly node: string; readonly uid: string; readonly instanceId: string }
  | { readonly do: 'delete token'; readonly launch: Launch };

export interface InstanceWait {
  readonly for: 'a first look' | 'launches that fail' | 'capacity' | 'to be shown' | 'pods to go' | 'to end' | 'to join';
  readonly instanceId?: string;
  readonly node?: string;
  /** How many launches or pods. */
  readonly count?: number;
}

export interface InstancePlan {
  readonly steps: readonly InstanceStep[];
  readonly waits: readonly InstanceWait[];
  readonly desired: number;
  /** Instances that live and are to stay, others' included. */
  readonly there: number;
  /** Instances that live. */
  readonly alive: number;
  readonly memory: PoolMemory;
}

/** Launched instances are shown within seconds (EC2 devguide, eventual-consistency.html); one that is not after so long is gone. */
export const SHOWN_MS = 120_000;
/** A process that starts launches nothing for so long: what another one launched a moment ago is shown by then. */
export const SETTLE_MS = 15_000;
/** So long a Node may be not ready and its instance unknown to EC2 before that means that it is gone: credentials of another account show none at all. */
export const UNKNOWN_MS = 300_000;
/** How long a bootstrap token is good for: an instance is a node within minutes. */
export const TOKEN_MS = 3_600_000;
/** An image that does not boot, or a key that may not be used, ends every instance at once: the pause doubles with each, and is over when one joins. */
export const FAILED_MS = 30_000;
export const LONGEST_PAUSE_MS = 900_000;
/** So long an instance may take to become a Node before it is told of. */
export const JOIN_MS = 600_000;

/** An instance that is stopped lives: it is somebody's act, and keeps its place. */
const ENDS: readonly string[] = ['shutting-down', 'terminated'];

export function instancePlan(seen: PoolSeen, before: PoolMemory, now: number): InstancePlan {
  const memory = remembered(seen, before, now);
  const nodeOf = new Map(seen.nodes.map((node) => [node.instanceId, node]));
  const alive = seen.instances.filter(({ state }) => !ENDS.includes(state));
  const ours = new Set(seen.instances.map(({ id }) => id));
  const others = seen.nodes.filter(({ instanceId }) => !ours.has(instanceId) && livesAt(seen.states, instanceId)).length;
  const leaving = alive.filter(({ id }) => nodeOf.get(id)?.leaving);
  const answered = unshown(memory, alive).filter(({ instanceId }) => instanceId !== undefined).length;
  const there = alive.length - leaving.length + others;
  const steps: InstanceStep[] = [];
  const waits: InstanceWait[] = [];

  const back = leaving.slice().sort((a, b) => busyOf(b) - busyOf(a) || a.launch.place - b.launch.place);
  const kept = back.slice(0, Math.max(0, seen.desired - there - answered));
  for (const { id } of kept) {
    const { name, uid } = nodeOf.get(id) as InstanceNode;
    steps.push({ do: 'stay', node: name, uid, instanceId: id });
  }
  const going = leaving.filter((instance) => !kept.includes(instance));

  const wanted = Math.max(0, seen.desired - there - kept.length - answered);
  // What got no answer is asked for again as it was asked for, and before anything new is.
  const resent = unanswered(seen.pool, memory).slice(0, wanted);
  const { launches, short } = launchesFor(seen, memory, alive, wanted - resent.length, now);
  if (now - (memory.since ?? now) < SETTLE_MS) {
    if (wanted > 0) waits.push({ for: 'a first look', count: wanted });
  } else if (now < memory.pausedUntil) {
    if (wanted > 0) waits.push({ for: 'launches that fail', count: wanted });
  } else {
    steps.push(...resent, ...launches);
    if (short > 0) waits.push({ for: 'capacity', count: short });
  }
  if (answered > 0) waits.push({ for: 'to be shown', count: answered });

  // What is not shown yet may never come: until it does nothing goes for its sake.
  const surplus = there + kept.length - seen.desired;
  const mine = alive.filter(({ id }) => !seen.elsewhere.has(id));
  for (const { id } of leastUsed(mine, nodeOf).slice(0, Math.max(0, surplus))) {
    const node = nodeOf.get(id);
    if (node === undefined) steps.push({ do: 'terminate', instanceId: id });
    else steps.push({ do: 'leave', node: node.name, uid: node.uid, instanceId: id });
  }

  for (const { id } of going) {
    const { name } = nodeOf.get(id) as InstanceNode;
    const pods = seen.pods.get(name);
    // Not listed in this look.
    if (pods === undefined) continue;
    const { evict, ending } = drainOf(pods, seen.wallMs);
    for (const pod of evict) steps.push({ do: 'evict', node: name, instanceId: id, pod });
    if (evict.length + ending.length > 0)
      waits.push({ for: 'pods to go', node: name, instanceId: id, count: evict.length + ending.length });
    else steps.push({ do: 'terminate', instanceId: id, node: name });
  }

  for (const node of seen.nodes) {
    const state = seen.states.get(node.instanceId);
    // A kubelet that reports runs, whatever its Node says of an instance: one that was launched under the name, and so the Node, of another.
    // Upstream's node lifecycle controller passes over it too (cloud-provider, nodelifecycle, MonitorNodes).
    if (state === 'shutting-down' || (state === 'terminated' && node.ready))
      waits.push({ for: 'to end', node: node.name, instanceId: node.instanceId });
    const unknownFor = now - (memory.unknown[node.instanceId] ?? now);
    if ((state === 'terminated' && !node.ready) || unknownFor >= UNKNOWN_MS)
      steps.push({ do: 'delete node', node: node.name, uid: node.uid, instanceId: node.instanceId });
  }
  for (const { id, launch, state } of seen.instances) {
    const node = nodeOf.get(id);
    // Of a Node that is older the token has expired.
    const isUseless = ENDS.includes(state) || (node !== undefined && seen.wallMs - node.createdMs < TOKEN_MS);
    if (seen.tokens && isUseless && !memory.tokensGone.has(keyOf(launch))) steps.push({ do: 'delete token', launch });
    if (now - (memory.unjoined[id] ?? now) >= JOIN_MS) waits.push({ for: 'to join', instanceId: id });
  }
  return { steps, waits, desired: seen.desired, there, alive: alive.length + others, memory };

  function busyOf({ id }: OurInstance): number {
    return nodeOf.get(id)?.busy ?? 0;
  }
}

/** After EC2 answered a `run`. */
export const afterRun = (memory: PoolMemory, { place, generation }: Launch, offer: Offer, instanceId: string, now: number): PoolMemory => ({
  ...memory,
  asked: { ...memory.asked, [place]: { generation, offer, at: now, instanceId } },
});

/** Before a `run` is sent: from here on EC2 may have done it. */
export const beforeRun = (
  memory: PoolMemory,
  { place, generation }: Launch,
  offer: Offer,
  clientToken: string,
  now: number,
): PoolMemory => ({
  ...memory,
  asked: { ...memory.asked, [place]: { generation, offer, clientToken, at: now } },
});

/** What got no answer can't be asked for again by its token: it is waited for, and nothing else is launched in its place. */
export function afterTokenLost(memory: PoolMemory, { place }: Launch): PoolMemory {
  const asked = memory.asked[place];
  return asked === undefined ? memory : { ...memory, asked: { ...memory.asked, [place]: { ...asked, instanceId: '' } } };
}

/** EC2 said no: it did not launch. @param code of its error */
export function afterRefusal(memory: PoolMemory, { place }: Launch, offer: Offer, code: string, now: number): PoolMemory {
  const { [place]: _gone, ...asked } = memory.asked;
  return { ...memory, asked, shortages: isShort(code) ? afterShortage(memory.shortages, offer, code, now) : memory.shortages };
}

/** The launch's instance has ended long ago: the place's next launch is another one. */
export function afterEnded(memory: PoolMemory, { place, generation }: Launch): PoolMemory {
  const { [place]: _gone, ...asked } = memory.asked;
  return { ...memory, asked, next: { ...memory.next, [place]: Math.max(memory.next[place] ?? 0, generation + 1) } };
}

export const afterTokenGone = (memory: PoolMemory, launch: Launch): PoolMemory => ({
  ...memory,
  tokensGone: new Set([...memory.tokensGone, keyOf(launch)]),
});

/** Before Gala ends an instance. */
export const beforeEnd = (memory: PoolMemory, instanceId: string): PoolMemory => ({
  ...memory,
  settled: new Set([...memory.settled, instanceId]),
});

/** Whether a launch is still worth its call: another one of this round may have learnt that there is no room. */
export const isWorthIt = ({ shortages }: PoolMemory, offer: Offer, now: number): boolean => !passedOver(shortages, offer, now);

const keyOf = ({ place, generation }: Launch): string => `${place}-${generation}`;
const livesAt = (states: PoolSeen['states'], id: string): boolean => !ENDS.includes(states.get(id) ?? 'terminated');

function remembered({ instances, nodes, elsewhere, states }: PoolSeen, before: PoolMemory, now: number): PoolMemory {
  const next: Record<number, number> = { ...before.next };
  for (const { launch } of instances) next[launch.place] = Math.max(next[launch.place] ?? 0, launch.generation + 1);
  const shown = new Set(instances.map(({ launch }) => keyOf(launch)));
  const asked: Record<number, Asked> = {};
  for (const [text, each] of Object.entries(before.asked)) {
    const place = Number(text);
    const its = instances.find(({ launch }) => launch.place === place && launch.generation === each.generation);
    if (its !== undefined) {
      if (now - each.at < SHOWN_MS && !ENDS.includes(its.state)) asked[place] = { ...each, instanceId: its.id };
      continue;
    }
    // What was answered and never came is given up; so is what got no answer and is not wanted any more.
    if (now - each.at < SHOWN_MS) asked[place] = each;
    else next[place] = Math.max(next[place] ?? 0, each.generation + 1);
  }
  const joined = new Set([...nodes.map(({ instanceId }) => instanceId), ...elsewhere]);
  const ids = new Set(instances.map(({ id }) => id));
  const settled = new Set([...before.settled, ...joined].filter((id) => ids.has(id)));
  // One that had ended when this process began may have been a Node: who knows.
  if (before.since === undefined) for (const { id, state } of instances) if (ENDS.includes(state)) settled.add(id);
  const known = new Set(before.failed.map(({ id }) => id));
  const anew = instances.filter(({ id, state }) => ENDS.includes(state) && !settled.has(id) && !known.has(id));
  const isWell = [...joined].some((id) => ids.has(id) && !before.settled.has(id));
  const failed = [...(isWell ? [] : before.failed), ...anew.map(({ id, reason = '' }) => ({ id, reason }))];
  const since = (was: Readonly<Record<string, number>>, ids: readonly string[]) =>
    Object.fromEntries(ids.map((id) => [id, was[id] ?? now] as const));
  return {
    ...{ settled, failed },
    pausedUntil:
      anew.length === 0
        ? isWell
          ? Number.NEGATIVE_INFINITY
          : before.pausedUntil
        : now + Math.min(LONGEST_PAUSE_MS, FAILED_MS * 2 ** (failed.length - 1)),
    ...{ next, asked, since: before.since ?? now, shortages: remaining(before.shortages, now) },
    unjoined: since(
      before.unjoined,
      instances.filter(({ id, state }) => state === 'running' && !joined.has(id)).map(({ id }) => id),
    ),
    unknown: since(
      before.unknown,
      nodes.filter(({ instanceId, ready }) => !ready && !states.has(instanceId)).map(({ instanceId }) => instanceId),
    ),
    tokensGone: new Set([...before.tokensGone].filter((key) => shown.has(key))),
  };
}

/** Launches that this look does not show. */
const unshown = ({ asked }: PoolMemory, alive: readonly OurInstance[]): Asked[] => {
  const shown = new Set(alive.map(({ launch }) => keyOf(launch)));
  return Object.entries(asked).flatMap(([place, each]) => (shown.has(`${place}-${each.generation}`) ? [] : [each]));
};

/** Launches that got no answer, as they were asked for. */
function unanswered(pool: string, { asked }: PoolMemory): Extract<InstanceStep, { do: 'run' }>[] {
  return Object.entries(asked).flatMap(([place, { generation, offer, instanceId }]) =>
    instanceId === undefined ? [{ do: 'run' as const, launch: { pool, place: Number(place), generation }, offer }] : [],
  );
}

function launchesFor(
  { pool, ec2, reservations }: PoolSeen,
  memory: PoolMemory,
  alive: readonly OurInstance[],
  count: number,
  now: number,
): { readonly launches: readonly InstanceStep[]; readonly short: number } {
  const taken = new Set([...alive.map(({ launch }) => launch.place), ...Object.keys(memory.asked).map(Number)]);
  const byZone = new Map<string, number>();
  const more = (map: Map<string, number>, key: string) => void map.set(key, (map.get(key) ?? 0) + 1);
  for (const { zone } of alive) more(byZone, zone);
  const reserved = new Map<string, number>();
  for (const { offer } of unshown(memory, alive)) {
    more(byZone, offer.zone);
    if (offer.reservationId !== undefined) more(reserved, offer.reservationId);
  }
  const launched: Launched = { byZone, reserved };
  const launches: InstanceStep[] = [];
  for (let place = 0; launches.length < count; place++) {
    if (taken.has(place)) continue;
    const offer = nextOffer(ec2, reservations, launched, memory.shortages, now);
    if (offer === undefined) break;
    more(byZone, offer.zone);
    if (offer.reservationId !== undefined) more(reserved, offer.reservationId);
    launches.push({ do: 'run', launch: { pool, place, generation: memory.next[place] ?? 0 }, offer });
  }
  return { launches, short: count - launches.length };
}

/**
 * Instances that stay so far, in the order in which they may go: one whose place another has too, one that is no Node, one that is
 * not ready, the one with fewest addresses taken, then from the fullest zone, then the highest place. Any process picks the same.
 */
function leastUsed(alive: readonly OurInstance[], nodeOf: ReadonlyMap<string, InstanceNode>): OurInstance[] {
  const first = new Map<number, string>();
  const joinedFirst = (a: OurInstance, b: OurInstance) =>
    Number(nodeOf.has(b.id)) - Number(nodeOf.has(a.id)) || a.launch.generation - b.launch.generation || (a.id < b.id ? -1 : 1);
  for (const { id, launch } of alive.slice().sort(joinedFirst)) if (!first.has(launch.place)) first.set(launch.place, id);
  const staying = alive.filter(({ id }) => !nodeOf.get(id)?.leaving);
  const inZone = new Map<string, number>();
  for (const { zone } of staying) inZone.set(zone, (inZone.get(zone) ?? 0) + 1);
  const rank = (instance: OurInstance): readonly number[] => {
    const node = nodeOf.get(instance.id);
    return [
      Number(first.get(instance.launch.place) === instance.id),
      Number(node !== undefined),
      Number(node?.ready ?? false),
      node?.busy ?? 0,
      -(inZone.get(instance.zone) ?? 0),
      -instance.launch.place,
    ];
  };
  const compare = (a: readonly number[], b: readonly number[]) => a.map((each, at) => each - b[at]!).find((each) => each !== 0) ?? 0;
  return staying
    .map((instance) => ({ instance, by: rank(instance) }))
    .sort((a, b) => compare(a.by, b.by))
    .map(({ instance }) => instance);
}
