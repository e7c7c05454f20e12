/**
 * Addresses: whether one more pod of a group of nodes can have one, the others' being arranged anew among their sources; and which
 * ones pods take that have their nodes. Pure.
 */
import type { AddressSources } from '../types.ts';
import type { Cells } from './cells.ts';
import { type Flow, flow, SINK, SOURCE, UNBOUNDED } from './flow.ts';
import type { Ground } from './ground.ts';
import type { Guard } from './net.ts';
import { spelling } from './sharing.ts';

/** Lets a pod through where an address is left for it. Undefined: nobody shares any, and rooms say it all. */
export function addressGuard({ sharing }: Ground, cells: Cells): Guard | undefined {
  if (sharing === undefined) return undefined;
  const { addresses, groups } = sharing;
  const network = flow();
  const lists = groups.map((group) => addresses.sources[group]!);
  const into = sourcesInto(network, addresses.free, lists).map(({ vertex, ways }) => {
    const outlet = network.edge(vertex, SINK, UNBOUNDED);
    return { outlet, ways: ways.map((way) => [...way, outlet]) };
  });
  network.close(0);
  return (cell) => {
    const group = into[cells.group[cell]!];
    if (group === undefined) return 'taken';
    const { outlet, ways } = group;
    // Mostly one of its sources has an address left; else others may be able to take theirs elsewhere.
    for (const way of ways) if (network.send(way)) break;
    return network.commit(outlet) ? 'taken' : 'not in the cell';
  };
}

/** A vertex for each list of sources, with an edge from each of them; and the ways to it, in the order of its sources. */
export function sourcesInto(network: Flow, free: Int32Array, lists: readonly Int32Array[]) {
  const known = new Map<number, { readonly vertex: number; readonly edge: number }>();
  const sourceOf = (source: number) => {
    const found = known.get(source);
    if (found !== undefined) return found;
    const vertex = network.vertex();
    const made = { vertex, edge: network.edge(SOURCE, vertex, free[source]!) };
    known.set(source, made);
    return made;
  };
  return lists.map((sources) => {
    const vertex = network.vertex();
    const ways = Array.from(sources, (source) => {
      const from = sourceOf(source);
      return [from.edge, network.edge(from.vertex, vertex, UNBOUNDED)] as const;
    });
    return { vertex, ways };
  });
}

/**
 * Each pod takes from the first of its node's sources, in the order they are tried, that leaves all pods after it one.
 * @param rows one for each pod, in the order of the pods; together they fit
 * @param shared free addresses as they are for everybody: what is more for this demand is Held for its owner
 * @returns by pod; undefined where it needs none
 */
export function giveAddresses(addresses: AddressSources, shared: Int32Array, rows: readonly number[]): (string | undefined)[] {
  const sources = chooseSources(addresses, rows);
  // Held addresses go first to the node that had them; free ones are the same for all.
  const keyOf = (at: number): string =>
    addresses.free[sources[at]!] === shared[sources[at]!] ? `${sources[at]}` : `${sources[at]} ${rows[at]}`;
  const count = new Map<string, number>();
  sources.forEach((source, at) => {
    if (source !== -1) count.set(keyOf(at), (count.get(keyOf(at)) ?? 0) + 1);
  });
  const given = new Map<string, string[]>();
  const taken = new Set<string>();
  return sources.map((source, at) => {
    if (source === -1) return undefined;
    const key = keyOf(at);
    let own = given.get(key);
    if (own === undefined) {
      own = addresses.take(source, rows[at]!, count.get(key)!, taken);
      for (const address of own) taken.add(address);
      given.set(key, own.reverse());
    }
    const address = own.pop();
    if (address === undefined)
      throw new Error(`${addresses.names[source]} has fewer addresses than its ${addresses.free[source]} that are free`);
    return address;
  });
}

/** By pod its source; -1: it needs no address. */
function chooseSources(addresses: AddressSources, rows: readonly number[]): number[] {
  const { free, group, sources } = addresses;
  const left = free.slice();
  const links = linksOf(addresses, rows);
  return rows.map((row) => {
    const own = group[row]!;
    if (own < 0) return -1;
    const to = links(own);
    const source = sources[own]!.find((source) => left[source]! > 0 && to(source));
    if (source === undefined) throw new Error('pods were put where no address is left for them');
    left[source]! -= 1;
    return source;
  });
}

/** By group: whether it may take one more address of a source, and all others still get theirs. */
function linksOf({ group, sources, free }: AddressSources, rows: readonly number[]): (group: number) => (source: number) => boolean {
  const pods = new Map<string, { count: number; readonly sources: Int32Array }>();
  for (const row of rows) {
    const own = sources[group[row]!];
    if (own === undefined) continue;
    const known = pods.get(spelling(own));
    if (known === undefined) pods.set(spelling(own), { count: 1, sources: own });
    else known.count++;
  }
  const drinkers = new Map<number, number>();
  for (const { sources } of pods.values()) for (const source of sources) drinkers.set(source, (drinkers.get(source) ?? 0) + 1);
  // One whose only source is nobody else's has nothing to arrange.
  const sharing = [...pods].filter(([, { sources }]) => sources.length > 1 || drinkers.get(sources[0]!) !== 1);
  const network = flow();
  const links = new Map<string, ReadonlyMap<number, number>>();
  sourcesInto(
    network,
    free,
    sharing.map(([, { sources }]) => sources),
  ).forEach(({ vertex, ways }, at) => {
    const [key, { count, sources }] = sharing[at]!;
    network.edge(vertex, SINK, count);
    links.set(key, new Map(ways.map(([, link], at) => [sources[at]!, link])));
  });
  network.close(network.run());
  return (group) => {
    const edges = links.get(spelling(sources[group]!));
    return edges === undefined ? () => true : (source) => network.commit(edges.get(source)!);
  };
}
