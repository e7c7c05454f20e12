/**
 * Addresses for pods that have their nodes: each takes from the first of its node's sources, in the order they are tried, that
 * leaves all pods after it one. Pure.
 */
import type { AddressSources } from '../types.ts';
import { flow, SINK, SOURCE, UNBOUNDED } from './flow.ts';

/**
 * @param rows one for each pod, in the order of the pods; together they fit
 * @returns by pod; undefined where it needs none
 */
export function giveAddresses(addresses: AddressSources, rows: readonly number[]): (string | undefined)[] {
  const sources = chooseSources(addresses, rows);
  const given = new Map<string, string[]>();
  const count = new Map<string, number>();
  const keyOf = (at: number) => `${rows[at]} ${sources[at]}`;
  sources.forEach((source, at) => {
    if (source !== -1) count.set(keyOf(at), (count.get(keyOf(at)) ?? 0) + 1);
  });
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
  const network = flow();
  const vertices = new Map<number, number>();
  const groups = new Map<number, { readonly vertex: number; readonly links: Map<number, number> }>();
  const pods = new Map<number, number>();
  for (const row of rows) pods.set(addresses.group[row]!, (pods.get(addresses.group[row]!) ?? 0) + 1);
  for (const [group, count] of pods) {
    if (group < 0) continue;
    const vertex = network.vertex();
    const links = new Map<number, number>();
    for (const source of addresses.sources[group]!) {
      let from = vertices.get(source);
      if (from === undefined) {
        from = network.vertex();
        vertices.set(source, from);
        network.edge(SOURCE, from, addresses.free[source]!);
      }
      links.set(source, network.edge(from, vertex, UNBOUNDED));
    }
    network.edge(vertex, SINK, count);
    groups.set(group, { vertex, links });
  }
  const total = network.run();
  network.close(total);
  return rows.map((row) => {
    const group = addresses.group[row]!;
    if (group < 0) return -1;
    for (const [source, link] of groups.get(group)!.links) if (network.commit(link)) return source;
    throw new Error('pods were put where no address is left for them');
  });
}
