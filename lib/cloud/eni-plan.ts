/**
 * ENI plan: which pod ENIs an instance should have, against those that EC2 shows, as steps. Pure; `gala cloud` takes the steps,
 * tells what came of them, and asks again.
 *
 * An ENI belongs to a slot, a number on its instance that stands in its tag, not to a pod: a release calls EC2 for nothing. It is
 * looked for before it is made, and made by a token that only this slot has. What is on the instance without such a tag is somebody
 * else's: it is never touched, and its place is taken.
 */
import { clientToken } from './client-token.ts';

/** Where an ENI is attached. Device 0 of card 0 is the instance's own. */
export interface Place {
  readonly networkCardIndex: number;
  readonly deviceIndex: number;
}

export interface PodInstance {
  readonly id: string;
  /** ENIs are attached to one that runs. */
  readonly running: boolean;
  /** How many pod ENIs it should have. */
  readonly wanted: number;
  /** What DescribeInstanceTypes says of its type. */
  readonly networkCards: readonly { readonly networkCardIndex: number; readonly networkInterfaces: number }[];
  /** Of the pods. */
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
}

export interface SeenEni {
  readonly id: string;
  /** By its tag; undefined: it is not ours. */
  readonly slot: number | undefined;
  readonly mac: string;
  readonly ip: string;
  readonly subnetId: string;
  /** To this instance; undefined: it is free. */
  readonly attachment?: Place & {
    readonly id: string;
    readonly status: 'attaching' | 'attached' | 'detaching';
    readonly deleteOnTermination: boolean;
  };
}

/** What is known beside what EC2 shows. A process that starts has none of it, and comes to the same end, later. */
export interface Memory {
  /** ENIs that were made and are not shown yet. */
  readonly created: Readonly<Record<number, { readonly eniId: string; readonly at: number }>>;
  /** How many ENIs of a slot are gone. */
  readonly generations: Readonly<Record<number, number>>;
  /** Places that EC2 refused as taken though it shows nobody there, and when. */
  readonly conflicts: readonly (Place & { readonly at: number })[];
}

export const NO_MEMORY: Memory = { created: {}, generations: {}, conflicts: [] };

export type Step =
  | { readonly do: 'create'; readonly slot: number; readonly clientToken: string }
  | { readonly do: 'attach'; readonly slot: number; readonly eniId: string; readonly place: Place }
  /** Sets DeleteOnTermination: an ENI that is attached while its instance runs would outlive it. */
  | { readonly do: 'end with instance'; readonly eniId: string; readonly attachmentId: string }
  | { readonly do: 'detach'; readonly eniId: string; readonly attachmentId: string };

export interface Wait {
  readonly slot: number;
  readonly for: 'to be shown' | 'the instance to run' | 'attaching' | 'detaching' | 'a free place' | 'its address to be free';
}

export interface EniPlan {
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  /** Pod ENIs that pods can have. */
  readonly slots: readonly (Place & {
    readonly slot: number;
    readonly eniId: string;
    readonly mac: string;
    readonly ip: string;
    readonly subnetId: string;
  })[];
  /** Ours, free, and of no use here: for the orphan collection, which looks twice. */
  readonly spare: readonly string[];
  readonly memory: Memory;
}

/** An ENI is shown within seconds (EC2 devguide, eventual-consistency.html); one that is not after so long was deleted. */
export const LOST_MS = 120_000;
/** So long a refused place is passed over. */
export const CONFLICT_MS = 60_000;

/**
 * @param seen all ENIs on the instance, and all free ones that are tagged for it
 * @param taken addresses that a Lock or pod has: their ENIs stay
 * @param now monotonic milliseconds of this process
 */
export function eniPlan(instance: PodInstance, seen: readonly SeenEni[], taken: ReadonlySet<string>, before: Memory, now: number): EniPlan {
  const memory = remembered(before, seen, now);
  const { keep, extra } = bySlot(seen, instance.wanted);
  const places = freePlaces(instance, seen, memory);
  const steps: Step[] = [];
  const waits: Wait[] = [];
  const slots: EniPlan['slots'][number][] = [];
  for (let slot = 0; slot < instance.wanted; slot++) {
    const eni = keep.get(slot);
    const attachment = eni?.attachment;
    if (eni === undefined) {
      if (memory.created[slot] !== undefined) waits.push({ slot, for: 'to be shown' });
      else steps.push({ do: 'create', slot, clientToken: tokenOf(instance, slot, memory) });
    } else if (attachment === undefined) {
      const place = instance.running ? places.shift() : undefined;
      if (place !== undefined) steps.push({ do: 'attach', slot, eniId: eni.id, place });
      else waits.push({ slot, for: instance.running ? 'a free place' : 'the instance to run' });
    } else {
      const { networkCardIndex, deviceIndex, status } = attachment;
      if (status !== 'attached') waits.push({ slot, for: status });
      else slots.push({ slot, networkCardIndex, deviceIndex, eniId: eni.id, mac: eni.mac, ip: eni.ip, subnetId: eni.subnetId });
      if (status !== 'detaching' && !attachment.deleteOnTermination)
        steps.push({ do: 'end with instance', eniId: eni.id, attachmentId: attachment.id });
    }
  }
  const spare: string[] = [];
  for (const { id, ip, slot = 0, attachment } of extra) {
    if (attachment === undefined) spare.push(id);
    else if (attachment.status !== 'attached') waits.push({ slot, for: attachment.status });
    else if (taken.has(ip)) waits.push({ slot, for: 'its address to be free' });
    else steps.push({ do: 'detach', eniId: id, attachmentId: attachment.id });
  }
  return { steps, waits, slots, spare, memory };
}

/** After EC2 answered a `create`. */
export const afterCreate = (memory: Memory, slot: number, eniId: string, now: number): Memory => ({
  ...memory,
  created: { ...memory.created, [slot]: { eniId, at: now } },
});

/** After EC2 refused an `attach` because the place is taken: the next one is tried. */
export const afterConflict = (memory: Memory, place: Place, now: number): Memory => ({
  ...memory,
  conflicts: [...memory.conflicts, { ...place, at: now }],
});

/** Without what has been seen since, or is too old: of an ENI that never came its slot begins anew, by another token. */
function remembered(memory: Memory, seen: readonly SeenEni[], now: number): Memory {
  const shown = new Set(seen.map(({ id }) => id));
  const created: Record<number, { eniId: string; at: number }> = {};
  const generations: Record<number, number> = { ...memory.generations };
  for (const [slot, made] of Object.entries(memory.created)) {
    if (shown.has(made.eniId)) continue;
    if (now - made.at < LOST_MS) created[Number(slot)] = made;
    else generations[Number(slot)] = (generations[Number(slot)] ?? 0) + 1;
  }
  return { created, generations, conflicts: memory.conflicts.filter(({ at }) => now - at < CONFLICT_MS) };
}

/** Of several with one slot the one that is furthest stays, then the one with the lowest id: any process picks the same. */
function bySlot(seen: readonly SeenEni[], wanted: number): { keep: ReadonlyMap<number, SeenEni>; extra: readonly SeenEni[] } {
  const ours = seen.filter(({ slot }) => slot !== undefined);
  const order = [...ours].sort((a, b) => Number(b.attachment !== undefined) - Number(a.attachment !== undefined) || (a.id < b.id ? -1 : 1));
  const keep = new Map<number, SeenEni>();
  const extra: SeenEni[] = [];
  for (const eni of order) {
    const slot = eni.slot as number;
    if (slot < wanted && !keep.has(slot)) keep.set(slot, eni);
    else extra.push(eni);
  }
  return { keep, extra };
}

/** Places that nobody has, by card and device index. */
function freePlaces({ networkCards }: PodInstance, seen: readonly SeenEni[], { conflicts }: Memory): Place[] {
  const attached = seen.flatMap(({ attachment }) => attachment ?? []);
  const key = ({ networkCardIndex, deviceIndex }: Place) => `${networkCardIndex}/${deviceIndex}`;
  const taken = new Set(['0/0', ...[...attached, ...conflicts].map(key)]);
  return networkCards.flatMap(({ networkCardIndex, networkInterfaces }) => {
    // The instance's own is among those that are shown, or has its place all the same.
    const there = attached.filter((each) => each.networkCardIndex === networkCardIndex && key(each) !== '0/0').length;
    const room = networkInterfaces - there - (networkCardIndex === 0 ? 1 : 0);
    // One index more for each that is passed over: the limit counts ENIs, not indexes.
    const passedOver = conflicts.filter((each) => each.networkCardIndex === networkCardIndex).length;
    const indexes = Array.from({ length: networkInterfaces + passedOver }, (_, index) => ({ networkCardIndex, deviceIndex: index + 1 }));
    return indexes.filter((place) => !taken.has(key(place))).slice(0, Math.max(0, room));
  });
}

const tokenOf = ({ id, subnetId, securityGroupIds }: PodInstance, slot: number, { generations }: Memory) =>
  clientToken({ instanceId: id, slot, generation: generations[slot] ?? 0, subnetId, securityGroupIds });
