/**
 * The inventory counted anew from the set of objects, as plainly as it can be said: what every column has to show, whatever order
 * the objects came in. Shares no code with the inventory but reading a template and comparing labels.
 */
import { expand } from '../../lib/api/nodeset.ts';
import { addressRange, toAddress, toNumber } from '../../lib/api/range.ts';
import { demandOf } from '../../lib/scheduling/demand.ts';
import type { Held, Promised, Sample } from '../../lib/scheduling/inventory.ts';
import { selectsNode, untolerated } from '../../lib/scheduling/node.ts';
import { selects } from '../../lib/scheduling/requirement.ts';
import type { Demand, PodTerm, Selector } from '../../lib/scheduling/types.ts';

export interface State {
  readonly objects: { readonly [K in keyof Held]: Map<string, Held[K]> };
  readonly promises: Map<string, Promised>;
  readonly samples: Map<string, Sample>;
  nowMs: number;
  readonly maxAgeMs: number;
}

export interface Thing {
  readonly node: string;
  readonly demand: Demand;
  readonly bound: boolean;
  readonly deleting: boolean;
  readonly startedMs: number | undefined;
  readonly locked: boolean;
}

interface Slot {
  readonly key: string;
  readonly node: string;
  readonly address: string | undefined;
  readonly demand: Demand;
}

function slotsOf({ objects }: State): Slot[] {
  return [...objects.Lock].flatMap(([key, { spec, status }]) => {
    if (status?.phase !== 'Planning' && status?.phase !== 'Ready') return [];
    const namespace = key.split('/')[0]!;
    const { demand } = demandOf(spec.template, { namespace, owner: `${namespace}/${spec.owner}` });
    return (status.slots ?? []).map(({ slot, node, address }) => ({ key: `${key}#${slot}`, node, address, demand: demand! }));
  });
}

/** Decision by decision: pods that have a node, else the promise, else the slot. */
export function thingsOf(state: State): Thing[] {
  const pods = [...state.objects.Pod.values()].filter(({ done }) => !done);
  const slots = new Map(slotsOf(state).map((slot) => [slot.key, slot]));
  const keyOf = ({ key, namespace, lock, slot }: (typeof pods)[number]) =>
    lock !== undefined && slot !== undefined && slot !== 'loose' ? `${namespace}/${lock}#${slot}` : `${key}#loose`;
  const keys = new Set([...pods.map(keyOf), ...slots.keys(), ...state.promises.keys()]);
  return [...keys].flatMap((key): Thing[] => {
    const own = pods.filter((pod) => keyOf(pod) === key);
    const placed = own.flatMap((pod) => {
      const node = pod.node ?? (pod.gated ? undefined : pod.pinned);
      if (node === undefined) return [];
      const { demand, deleting, startedMs } = pod;
      return [{ node, demand, deleting, startedMs, bound: pod.node !== undefined, locked: false }];
    });
    if (placed.length > 0) return placed;
    const promise = state.promises.get(key);
    const planned = promise ?? slots.get(key);
    if (planned === undefined) return [];
    const locked = own.length === 0 && (promise === undefined || !key.endsWith('#loose'));
    return [{ node: planned.node, demand: planned.demand, deleting: false, startedMs: undefined, bound: false, locked }];
  });
}

const fresh = ({ nowMs, maxAgeMs }: State, sample: Sample | undefined) => (sample && nowMs - sample.atMs <= maxAgeMs ? sample : undefined);

export function usedOf(state: State, things: readonly Thing[], node: string, supply: string): number {
  const scale = supply === 'cpu' ? 1000 : 1;
  const asked = ({ demand, bound }: Thing) =>
    bound && supply.startsWith('storage/') ? 0 : Math.round((demand.requests.get(supply) ?? 0) * scale);
  const here = things.filter((thing) => thing.node === node);
  const requested = here.reduce((sum, thing) => sum + asked(thing), 0);
  const sample = fresh(state, state.samples.get(node));
  const measured = { egress: sample?.egress, ingress: sample?.ingress, 'ephemeral-storage': sample?.ephemeralStorage }[supply];
  if (measured === undefined) return requested / scale;
  const after = here.filter(({ startedMs }) => startedMs === undefined || startedMs + 1000 > sample!.atMs);
  return Math.max(requested, measured + after.reduce((sum, thing) => sum + asked(thing), 0));
}

const poolOf = ({ objects }: State, node: string) => objects.HostPool.get(objects.Node.get(node)!.labels['gala.internal/pool'] ?? '');

export function capacityOf(state: State, node: string, supply: string): number {
  const { labels, allocatable } = state.objects.Node.get(node)!;
  if (supply.startsWith('storage/')) {
    const all = [...state.objects.CSIStorageCapacity.values()].filter((it) => `storage/${it.storageClassName}` === supply);
    if (all.length === 0) return Number.NaN;
    return Math.max(0, ...all.filter(({ nodeTopology }) => selects(nodeTopology, labels)).map(({ capacity }) => capacity));
  }
  if (supply === 'egress' || supply === 'ingress') {
    const bandwidth = poolOf(state, node)?.spec.machine?.bandwidth;
    return bandwidth === undefined ? Number.NaN : Number(String(bandwidth).replace('G', 'e9'));
  }
  const missing = ['cpu', 'memory', 'ephemeral-storage', 'pods'].includes(supply) ? Number.NaN : 0;
  return allocatable[supply] ?? missing;
}

export function rackOf(state: State, node: string): string | undefined {
  const named = state.objects.Node.get(node)!.labels['gala.internal/rack'];
  return named ?? poolOf(state, node)?.spec.intranet?.racks.find(({ hosts }) => expand(hosts).includes(node))?.name;
}

const hasNamespace = (state: State, { namespaces, namespaceSelector }: PodTerm, name: string) =>
  namespaces.includes(name) ||
  (namespaceSelector !== undefined &&
    selects(namespaceSelector, { ...state.objects.Namespace.get(name), 'kubernetes.io/metadata.name': name }));

export function whyNot(state: State, things: readonly Thing[], node: string, demand: Demand, pools?: readonly string[]): string {
  const facts = state.objects.Node.get(node)!;
  const bare = (key: string) => untolerated([{ key, value: '', effect: 'NoSchedule' }], demand.tolerations) !== undefined;
  if (pools !== undefined && !pools.includes(poolOf(state, node)?.metadata.name ?? '')) return 'pool';
  if (!facts.ready && bare('node.kubernetes.io/not-ready')) return 'notReady';
  if (facts.unschedulable && bare('node.kubernetes.io/unschedulable')) return 'cordoned';
  if (untolerated(facts.taints, demand.tolerations) !== undefined) return 'taint';
  const selected = selectsNode(demand, facts);
  if (selected !== 'yes') return selected;
  const domain = (of: string, key: string) =>
    key === 'kubernetes.io/hostname' ? (state.objects.Node.has(of) ? of : undefined) : state.objects.Node.get(of)?.labels[key];
  const isRepelled = things.some(({ node: at, demand: there }) =>
    there.antiAffinity.some(
      (term) =>
        hasNamespace(state, term, demand.namespace) &&
        selects(term.selector, demand.labels) &&
        domain(node, term.topologyKey) !== undefined &&
        domain(node, term.topologyKey) === domain(at, term.topologyKey),
    ),
  );
  if (isRepelled) return 'antiAffinity';
  const taken = things.filter((it) => it.node === node).flatMap((it) => it.demand.hostPorts);
  return demand.hostPorts.some((port) => taken.includes(port)) ? 'hostPorts' : 'yes';
}

export function matchingOf(things: readonly Thing[], node: string, namespace: string, selector: Selector, deleting: boolean): number {
  return things.filter(
    (it) => it.node === node && it.demand.namespace === namespace && selects(selector, it.demand.labels) && (deleting || !it.deleting),
  ).length;
}

/** Addresses that IPLocks, slots and promises name, with the nodes of slots and promises. */
export function namedIn(state: State): Map<string, string[]> {
  const named = new Map<string, string[]>();
  const note = (address: string | undefined, node?: string) => {
    if (address !== undefined) named.set(address, [...(named.get(address) ?? []), ...(node === undefined ? [] : [node])]);
  };
  for (const name of state.objects.IPLock.keys()) note(name);
  for (const { address, node } of slotsOf(state)) note(address, node);
  for (const { address, node } of state.promises.values()) note(address, node);
  return named;
}

/** By source that the node reaches, the addresses it may give to pods of the demand. */
export function freeOf(
  state: State,
  named: ReturnType<typeof namedIn>,
  node: string,
  demand: Demand,
): Record<string, string[]> | undefined {
  const pool = poolOf(state, node);
  if (!demand.address || pool === undefined || pool.spec.cni !== undefined) return undefined;
  const isFree = (address: string) => {
    const nodes = named.get(address);
    if (nodes === undefined) return true;
    const spec = state.objects.IPLock.get(address)?.spec;
    return nodes.length === 0 && spec?.phase === 'Held' && spec.owner === demand.owner;
  };
  if (pool.spec.intranet === undefined) {
    const enis = (state.objects.NodeNetwork.get(node)?.spec.eniSlots ?? []).map(({ ip }) => ip);
    return enis.length === 0 ? {} : { [`eni ${node}`]: enis.filter(isFree) };
  }
  const rack = rackOf(state, node);
  const reached = pool.spec.intranet.vlans.filter(
    ({ racks, namespaces }) => (racks?.includes(rack ?? '') ?? true) && (namespaces?.includes(demand.namespace) ?? true),
  );
  return Object.fromEntries(
    reached.map(({ id, addresses, gateway }) => {
      const { first, last } = addressRange(addresses);
      const all = Array.from({ length: last - first + 1 }, (_, at) => toAddress(first + at));
      return [`vlan ${id}`, all.filter((address) => address !== gateway && isFree(address))];
    }),
  );
}

/** As they are given: the owner's Held ones first, those last on this node before others; then lowest first. */
export function orderOf(state: State, node: string, addresses: readonly string[]): string[] {
  const held = (address: string) => {
    const spec = state.objects.IPLock.get(address)?.spec;
    return spec === undefined ? 2 : spec.node === node ? 0 : 1;
  };
  return [...addresses].sort((a, b) => held(a) - held(b) || toNumber(a) - toNumber(b));
}

export function macsOf(state: State, named: ReturnType<typeof namedIn>, node: string): number {
  const pool = poolOf(state, node);
  if (pool?.spec.intranet === undefined || pool.spec.cni !== undefined) return 2 ** 31 - 1;
  const here = [...named].filter(([address, nodes]) => {
    const spec = state.objects.IPLock.get(address)?.spec;
    if (spec?.phase === 'Locked' || spec?.phase === 'Bound') return spec.node === node;
    return spec?.phase !== 'Quarantined' && [...nodes].sort()[0] === node;
  });
  const seen = (state.objects.NodeNetwork.get(node)?.status?.macsInUse ?? 1) - 1;
  return Math.max(0, pool.spec.intranet.macsPerPort - Math.max(here.length, seen));
}

export function realUseOf(state: State, node: string): number {
  const sample = fresh(state, state.samples.get(node));
  const { allocatable } = state.objects.Node.get(node)!;
  const shares = (['cpu', 'memory'] as const).flatMap((name) =>
    sample?.[name] === undefined || !(allocatable[name]! > 0) ? [] : [Math.min(1, sample[name] / allocatable[name]!)],
  );
  return shares.length === 0 ? Number.NaN : Math.max(...shares);
}
