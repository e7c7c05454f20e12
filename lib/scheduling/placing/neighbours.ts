/**
 * Neighbours: what a demand's required pod affinity, anti-affinity and topology spread allow, by the rules of kube-scheduler's
 * own filters (kubernetes, pkg/scheduler/framework/plugins: interpodaffinity/filtering.go, podtopologyspread/filtering.go).
 * What depends on pods that are there narrows nodes once and for all; what depends on the asked pods themselves becomes a
 * family, a moving constraint, or a choice of where to start.
 */

import { canonical, selects } from '../requirement.ts';
import type { Demand, PodTerm, Spread, Terrain } from '../types.ts';
import { together } from './caps.ts';
import type { Family, Moving } from './ground.ts';
import { narrow, PLENTY, type Rooms } from './rooms.ts';

/** Its domains are the nodes. */
export const HOSTNAME = 'kubernetes.io/hostname';

export interface Neighbours {
  readonly families: readonly Family[];
  readonly moving: readonly Moving[];
  readonly starts: readonly Int32Array[] | undefined;
}

export function applyNeighbours(terrain: Terrain, demand: Demand, rooms: Rooms): Neighbours {
  const families: Family[] = [];
  const moving: Moving[] = [];
  for (const term of demand.antiAffinity) applyAntiAffinity(terrain, demand, term, rooms, families);
  applySpread(terrain, demand, rooms, families, moving);
  const starts = applyAffinity(terrain, demand, rooms);
  return { families, moving, starts };
}

/** A domain with a matching pod is closed; where the asked pods match themselves, each domain takes one of them. */
function applyAntiAffinity(terrain: Terrain, demand: Demand, term: PodTerm, rooms: Rooms, families: Family[]): void {
  const { rows, words } = rooms;
  const limit = words.numberOf('antiAffinity');
  const { of, names } = terrain.domains(term.topologyKey);
  const there = terrain.matching(terrain.namespacesOf(term), term.selector);
  const byRow = term.topologyKey === HOSTNAME;
  const closed = new Uint8Array(byRow ? terrain.rows : names.length);
  for (let row = 0; row < of.length; row++) if (there[row]! > 0 && of[row]! >= 0) closed[of[row]!] = 1;
  const self = meetsItself(terrain, demand, term);
  const most = byRow && self ? 1 : PLENTY;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    // A node without the label repels nobody (satisfyPodAntiAffinity).
    if (of[row]! >= 0) narrow(rooms, row, closed[of[row]!] === 1 ? 0 : most, limit);
  }
  if (!byRow && self) families.push({ limit: 'antiAffinity', of, left: new Float64Array(names.length).fill(1) });
}

/**
 * A node needs every term's label, and in each of these domains a pod that meets all terms. Where no pod anywhere does and the
 * asked pods meet their own terms, the first may go anywhere, and the others follow it (satisfyPodAffinity).
 * @returns groups of rows to start in
 */
function applyAffinity(terrain: Terrain, demand: Demand, rooms: Rooms): readonly Int32Array[] | undefined {
  const { rows, room, words } = rooms;
  const terms = demand.affinity;
  if (terms.length === 0) return undefined;
  const there = terrain.matching(namespacesOfAll(terrain, terms), canonical(terms.flatMap(({ selector }) => selector)));
  const domains = terms.map(({ topologyKey }) => terrain.domains(topologyKey));
  const found = domains.map(({ of }) => {
    const inhabited = new Set<number>();
    for (let row = 0; row < terrain.rows; row++) if (there[row]! > 0 && of[row]! >= 0) inhabited.add(of[row]!);
    return inhabited;
  });
  const first = found.every(({ size }) => size === 0) && terms.every((term) => meetsItself(terrain, demand, term));
  for (const row of rows) {
    const may = domains.every(({ of }, i) => of[row]! >= 0 && (first || found[i]!.has(of[row]!)));
    if (!may) narrow(rooms, row, 0, words.numberOf('affinity'));
  }
  if (!first) return undefined;
  const open = rows.filter((row) => room[row]! > 0);
  const { of, size } = together(
    open,
    terrain.rows,
    domains.map(({ of, names }) => ({ of, size: names.length })),
  );
  const groups: number[][] = Array.from({ length: size }, () => []);
  for (const row of open) groups[of[row]!]!.push(row);
  return groups.length < 2 ? undefined : groups.map((group) => Int32Array.from(group));
}

/** A pod meets all terms only where all of them look. */
function namespacesOfAll(terrain: Terrain, terms: readonly PodTerm[]): readonly string[] | 'all' {
  return terms
    .map((term) => terrain.namespacesOf(term))
    .reduce((all, some) => (all === 'all' ? some : some === 'all' ? all : all.filter((namespace) => some.includes(namespace))), 'all');
}

const meetsItself = (terrain: Terrain, demand: Demand, term: PodTerm): boolean => {
  const namespaces = terrain.namespacesOf(term);
  return (namespaces === 'all' || namespaces.includes(demand.namespace)) && selects(term.selector, demand.labels);
};

function applySpread(terrain: Terrain, demand: Demand, rooms: Rooms, families: Family[], moving: Moving[]): void {
  if (demand.spread.length === 0) return;
  const { rows, words } = rooms;
  const limit = words.numberOf('spread');
  const keys = demand.spread.map(({ topologyKey }) => terrain.domains(topologyKey).of);
  for (const of of keys) for (let at = 0; at < rows.length; at++) if (of[rows[at]!]! < 0) narrow(rooms, rows[at]!, 0, limit);
  for (const spread of demand.spread) {
    // An empty selector counts no pod (countPodsMatchSelector), so that the skew is 1 for ever.
    if (spread.selector.length === 0) continue;
    const { of, level, counts, nodes } = levels(terrain, demand, spread, keys);
    const { maxSkew, minDomains = 1 } = spread;
    const { present, least } = emptiest(level, counts, minDomains);
    const self = selects(spread.selector, demand.labels);
    const byRow = spread.topologyKey === HOSTNAME;
    // A pod that is pinned to its node by affinity has this node alone as its domains (matchNodeInclusionPolicies), which is
    // fewer than minDomains: the least is then 0, and kube-scheduler binds it only where that leaves it room.
    if (spread.nodeAffinityPolicy === 'Honor' && minDomains > 1)
      for (const row of rows) narrow(rooms, row, self ? maxSkew - nodes[row]! : nodes[row]! > maxSkew ? 0 : PLENTY, limit);
    if (!self) {
      for (const row of rows) if (of[row]! >= 0 && level[of[row]!]! - least > maxSkew) narrow(rooms, row, 0, limit);
    } else if (present >= minDomains) {
      moving.push({ of, level, counts, maxSkew, byRow });
    } else if (byRow) {
      for (const row of rows) if (of[row]! >= 0) narrow(rooms, row, maxSkew - level[of[row]!]!, limit);
    } else {
      families.push({ limit: 'spread', of, left: Float64Array.from(level, (here) => Math.max(0, maxSkew - here)) });
    }
  }
}

/** Matching pods by domain, on the nodes that count: those with the labels of all constraints that the policies let in. */
function levels(terrain: Terrain, demand: Demand, spread: Spread, keys: readonly Int32Array[]) {
  const { of, names } = terrain.domains(spread.topologyKey);
  const size = spread.topologyKey === HOSTNAME ? terrain.rows : names.length;
  const nodes = terrain.matching([demand.namespace], spread.selector, { deleting: false });
  const counted = terrain.counted(demand, spread);
  const { names: nodeNames } = terrain;
  const level = new Int32Array(size);
  const counts = new Uint8Array(size);
  for (let row = 0; row < nodeNames.length; row++) {
    if (counted[row] === 0 || nodeNames[row] === undefined) continue;
    let labelled = true;
    for (const key of keys) if (key[row]! < 0) labelled = false;
    if (!labelled) continue;
    counts[of[row]!] = 1;
    level[of[row]!]! += nodes[row]!;
  }
  return { of, level, counts, nodes };
}

/** How many domains count, and the pods in the emptiest; fewer domains than `minDomains` are as if one were empty. */
export function emptiest(level: Int32Array, counts: Uint8Array, minDomains: number): { readonly present: number; readonly least: number } {
  let present = 0;
  let least = 2 ** 31;
  for (let domain = 0; domain < level.length; domain++) {
    if (counts[domain] === 0) continue;
    present++;
    if (level[domain]! < least) least = level[domain]!;
  }
  return { present, least: present < minDomains ? 0 : least };
}
