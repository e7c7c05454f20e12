/**
 * Region plan: what a look at the pods' instances of one region comes to: steps for each instance, the slots of each node, and the
 * orphans. Pure: eni-plan.ts, slots.ts and orphans.ts put together; round.ts looks and takes the steps.
 */
import type { HostPool } from '../api/kinds.ts';
import type { Ec2Eni, Ec2Instance, Ec2Type } from './ec2.ts';
import { type EniPlan, eniPlan, type Memory, NO_MEMORY, type PodInstance, type SeenEni } from './eni-plan.ts';
import { type Findings, findOrphans, type Sightings } from './orphans.ts';
import { GONE, type NoPlan, podInstance } from './pod-instance.ts';
import { type EniSlot, nextSlots } from './slots.ts';
import { type ClusterTags, madeFor } from './tags.ts';

/** A node of an ec2 pool whose pods Gala wires. */
export interface PodNode {
  readonly name: string;
  readonly pool: string;
  readonly spec: HostPool['spec'];
  readonly instanceId: string;
}

export interface Look {
  readonly tags: ClusterTags;
  readonly nodes: readonly PodNode[];
  readonly instances: readonly Ec2Instance[];
  readonly types: ReadonlyMap<string, Ec2Type>;
  readonly enis: readonly Ec2Eni[];
  /** What each NodeNetwork of the cluster says, by its machine's instance id. */
  readonly listed: ReadonlyMap<string, readonly EniSlot[]>;
  /** Addresses of all IPLocks, whatever their phase. */
  readonly taken: ReadonlySet<string>;
}

/** What a process knows from its looks before. One that starts has none of it, and is slower, never bolder. */
export interface RegionMemory {
  readonly instances: ReadonlyMap<string, Memory>;
  /** Slots that the last look left out, by instance. */
  readonly missed: ReadonlyMap<string, ReadonlySet<string>>;
  /** When an address last stood in a NodeNetwork, or was seen first. */
  readonly listedAt: ReadonlyMap<string, number>;
  readonly sightings: Sightings;
}

export const NOTHING_KNOWN: RegionMemory = { instances: new Map(), missed: new Map(), listedAt: new Map(), sightings: {} };

export type NodePlan = PodNode &
  (
    | { readonly state: 'planned'; readonly instance: PodInstance; readonly plan: EniPlan; readonly slots: readonly EniSlot[] }
    | ({ readonly state: 'unplanned' } & NoPlan)
    /** EC2 knows no such instance any more, or it ends. */
    | { readonly state: 'gone' }
  );

export interface RegionPlan {
  readonly nodes: readonly NodePlan[];
  readonly orphans: Findings;
  /** How many ENIs of this cluster's there are, wherever. */
  readonly ours: number;
  readonly memory: RegionMemory;
}

/** So long after it stood in a NodeNetwork an address may still be about to be locked: the lock writer's view of it may be old. */
export const WITHHELD_MS = 60_000;

export function regionPlan(look: Look, before: RegionMemory, now: number): RegionPlan {
  const { listed, enis } = look;
  const listedAt = new Map<string, number>();
  const inLists = new Set([...listed.values()].flat().map(({ ip }) => ip));
  for (const { ip } of enis) listedAt.set(ip, inLists.has(ip) ? now : (before.listedAt.get(ip) ?? now));
  const withheld = new Set(look.taken);
  for (const [ip, at] of listedAt) if (now - at < WITHHELD_MS) withheld.add(ip);

  const byInstance = enisByInstance(look);
  const shown = new Set(enis.map(({ id }) => id));
  const known = new Map(look.instances.map((instance) => [instance.id, instance]));
  const memories = new Map<string, Memory>();
  const missed = new Map<string, ReadonlySet<string>>();
  const spare = new Set<string>();
  const nodes = look.nodes.map((node): NodePlan => {
    const { instanceId } = node;
    const instance = known.get(instanceId);
    if (instance === undefined || GONE.includes(instance.state)) return { ...node, state: 'gone' };
    const asked = podInstance(instance, look.types.get(instance.type), node.spec);
    if ('because' in asked) return { ...node, state: 'unplanned', because: asked.because };
    const plan = eniPlan(asked, byInstance.get(instanceId) ?? [], withheld, before.instances.get(instanceId) ?? NO_MEMORY, now);
    memories.set(instanceId, plan.memory);
    for (const id of plan.spare) spare.add(id);
    const next = nextSlots({
      listed: listed.get(instanceId) ?? [],
      slots: plan.slots,
      shown,
      missed: before.missed.get(instanceId) ?? new Set(),
    });
    missed.set(instanceId, next.missed);
    return { ...node, state: 'planned', instance: asked, plan, slots: next.slots };
  });

  // What an instance that lives may still attach is no orphan, whether or not it has a plan now.
  const alive = new Set(nodes.flatMap(({ state, instanceId }) => (state === 'gone' ? [] : [instanceId])));
  const free = enis.filter(({ status, attachment }) => status === 'available' && attachment === undefined);
  const wanted = free.filter(({ id, tags }) => alive.has(madeFor(tags, look.tags)?.instanceId ?? '') && !spare.has(id));
  // By id: the address of one that is gone may be another's by now, and the list of an ended instance says it still.
  const listedIds = new Set([...listed.values()].flat().map(({ eniId }) => eniId));
  const offered = free.filter(({ id }) => listedIds.has(id));
  const orphans = findOrphans(
    free.map(({ id, ip, tags }) => ({ id, ip, ours: madeFor(tags, look.tags) !== undefined })),
    new Set([...wanted, ...offered].map(({ id }) => id)),
    look.taken,
    before.sightings,
    now,
  );
  const ours = enis.filter(({ tags }) => madeFor(tags, look.tags) !== undefined).length;
  return { nodes, orphans, ours, memory: { instances: memories, missed, listedAt, sightings: orphans.sightings } };
}

/** All on an instance, and the free ones that were made for it. */
function enisByInstance({ enis, tags: cluster }: Look): ReadonlyMap<string, SeenEni[]> {
  const found = new Map<string, SeenEni[]>();
  for (const { id, mac, ip, subnetId, tags, attachment } of enis) {
    const made = madeFor(tags, cluster);
    const on = attachment?.instanceId ?? made?.instanceId;
    if (on === undefined) continue;
    // One that somebody put on another instance is not that one's slot.
    const slot = made?.instanceId === on ? made.slot : undefined;
    const seen = { id, mac, ip, subnetId, slot, ...(attachment === undefined ? {} : { attachment }) };
    found.set(on, [...(found.get(on) ?? []), seen]);
  }
  return found;
}
