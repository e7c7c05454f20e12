/**
 * Net: a question as a flow network, where its rules are nested: each domain lies wholly in one domain of the next family, as
 * racks lie in zones. Pure.
 *
 *     source ─► addresses ─► group ─► cell ─► rack ─► zone ─► sink
 *
 * An edge carries pods: at most what a source has free, what the nodes of a cell have room for, what a domain takes. The largest
 * flow is then the largest number of pods that any placement reaches, shared addresses included (max-flow, integral).
 *
 * One topology spread constraint may be among the families. With the emptiest domain at `least`, each domain takes pods up to
 * `least + maxSkew`, and must get at least to `least`: a lower and an upper bound on its edge. Any pods within such bounds can
 * be placed one by one without breaking the constraint on the way: always to the lowest domain that has not got all of its own.
 * So the largest number is the best over all values of `least`.
 */
import { sourcesInto } from './addresses.ts';
import type { Caps } from './caps.ts';
import { type Cells, cellsOf } from './cells.ts';
import { type Flow, flow, SINK, SOURCE, UNBOUNDED } from './flow.ts';
import type { Ground, Moving } from './ground.ts';

export interface Net {
  readonly ground: Ground;
  readonly cells: Cells;
  readonly flow: Flow;
  /** By cell. */
  readonly cellEdges: readonly number[];
  readonly cellVertices: readonly number[];
  /** Families from small domains to large; the moving one has no index. */
  readonly tiers: readonly Tier[];
  /** The spread constraint among them. */
  readonly moving: Moving | undefined;
  /** Whether a family lies above the domains of `moving`. */
  readonly above: boolean;
}

export interface Tier {
  /** Index into the families of the caps; undefined: the moving constraint. */
  readonly family: number | undefined;
  /** By row; -1: in none. */
  readonly of: Int32Array;
  /** By domain: -1 where no node with room is in it. */
  readonly edges: Int32Array;
  readonly vertices: Int32Array;
}

/** Undefined: domains overlap, or several constraints move. Bounds are not set yet. */
export function netOf(ground: Ground, caps: Caps, cells: Cells = cellsOf(ground, caps)): Net | undefined {
  if (ground.moving.length > 1) return undefined;
  const [moving] = ground.moving;
  const network = flow();
  const tiers = nest(cells, network, [
    ...caps.families.map(({ of, left }, family) => ({ family, of, size: left.length })),
    ...(moving === undefined || moving.byRow ? [] : [{ family: undefined, of: moving.of, size: moving.level.length }]),
  ]);
  if (tiers === undefined) return undefined;
  const at = tiers.findIndex(({ family }) => family === undefined);
  const above = moving !== undefined && tiers.length > at + 1;
  return { ground, cells, flow: network, ...addCells(ground, cells, network, tiers), tiers, moving, above };
}

interface Grouped {
  readonly family: number | undefined;
  readonly of: Int32Array;
  readonly size: number;
}

/** Domains as vertices, each with an edge to the one that it lies in. */
function nest(cells: Cells, network: Flow, families: readonly Grouped[]): readonly Tier[] | undefined {
  const first = Array.from({ length: cells.size }, (_, cell) => cells.rows[cells.begin[cell]!]!);
  const used = new Map(families.map((it) => [it, new Set(first.map((row) => it.of[row]!)).size]));
  const tiers = families
    .toSorted((a, b) => used.get(b)! - used.get(a)!)
    .map(({ family, of, size }) => ({ family, of, edges: new Int32Array(size).fill(-1), vertices: new Int32Array(size).fill(-1) }));
  // From the largest down, so that what a domain lies in is there before it.
  for (let at = tiers.length - 1; at >= 0; at--) {
    const { of, edges, vertices } = tiers[at]!;
    const parents = new Int32Array(edges.length);
    for (const row of first) {
      const domain = of[row]!;
      if (domain < 0) continue;
      const parent = entry(tiers, at + 1, row);
      if (vertices[domain] === -1) {
        vertices[domain] = network.vertex();
        edges[domain] = network.edge(vertices[domain]!, parent, 0);
        parents[domain] = parent;
      } else if (parents[domain] !== parent) return undefined;
    }
  }
  return tiers;
}

/** Where a pod on this row goes on to, from this tier up. */
function entry(tiers: readonly Pick<Tier, 'of' | 'vertices'>[], from: number, row: number): number {
  for (let at = from; at < tiers.length; at++) {
    const domain = tiers[at]!.of[row]!;
    if (domain >= 0) return tiers[at]!.vertices[domain]!;
  }
  return SINK;
}

function addCells({ sharing }: Ground, cells: Cells, network: Flow, tiers: readonly Tier[]) {
  const lists = sharing?.groups.map((group) => sharing.addresses.sources[group]!) ?? [];
  const groups = sourcesInto(network, sharing?.addresses.free ?? new Int32Array(0), lists).map(({ vertex }) => vertex);
  const cellEdges: number[] = [];
  const cellVertices: number[] = [];
  for (let cell = 0; cell < cells.size; cell++) {
    const vertex = network.vertex();
    const group = cells.group[cell]!;
    network.edge(group < 0 ? SOURCE : groups[group]!, vertex, UNBOUNDED);
    cellVertices.push(vertex);
    cellEdges.push(network.edge(vertex, entry(tiers, 0, cells.rows[cells.begin[cell]!]!), 0));
  }
  return { cellEdges, cellVertices };
}

/** The most pods under these caps, and with which `least` of the moving constraint. Leaves the flow at it. */
export function largest(net: Net, caps: Caps): { readonly count: number; readonly least: number } {
  const { moving } = net;
  if (moving === undefined) {
    setBounds(net, caps, undefined);
    return { count: net.flow.run(), least: 0 };
  }
  const [lowest, highest] = leasts(net, caps, moving);
  const least = last(lowest, highest, (at) => lowered(net, caps, moving, at));
  let best = { count: between(net, caps, moving, least)!, least };
  if (!net.above || net.ground.sharing === undefined) return best;
  // Where domains share addresses and lie under further caps, getting all of them higher can cost more than it brings.
  for (let at = least - 1; at >= lowest && atMost(net, caps, moving, at) > best.count; at--) {
    const count = between(net, caps, moving, at)!;
    if (count > best.count) best = { count, least: at };
  }
  between(net, caps, moving, best.least);
  return best;
}

/** The least and the largest value that `least` can have. */
function leasts({ ground, cells }: Net, caps: Caps, moving: Moving): readonly [number, number] {
  const reach = new Float64Array(moving.level.length);
  for (const row of cells.rows) reach[moving.of[row]!]! += Math.min(ground.room[row]!, caps.node);
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  moving.level.forEach((level, domain) => {
    if (moving.counts[domain] === 0) return;
    lowest = Math.min(lowest, level);
    highest = Math.min(highest, level + reach[domain]!);
  });
  return [lowest, highest];
}

/** The last value for which something holds that holds up to some value, and for the first. Asks for the last first. */
function last(from: number, to: number, holds: (value: number) => boolean): number {
  if (holds(to)) return to;
  let [yes, no] = [from, to];
  while (no - yes > 1) {
    const middle = (yes + no) >> 1;
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** Whether every domain can get to `least`. */
const lowered = (net: Net, caps: Caps, moving: Moving, least: number): boolean => {
  const needed = setBounds(net, caps, { moving, upper: (level) => least - level, least });
  return net.flow.run() === needed;
};

/** The most pods with every domain between `least` and `least + maxSkew`; undefined: they don't all get there. */
export function between(net: Net, caps: Caps, moving: Moving, least: number): number | undefined {
  if (!lowered(net, caps, moving, least)) return undefined;
  setUppers(net, caps, { moving, upper: (level) => least + moving.maxSkew - level, least }, true);
  return net.flow.run();
}

/** The most pods with no domain above `least + maxSkew`, whether the others get to `least` or not. */
function atMost(net: Net, caps: Caps, moving: Moving, least: number): number {
  setBounds(net, caps, { moving, upper: (level) => least + moving.maxSkew - level, least });
  return net.flow.run();
}

/** A pod's way from its cell to the sink: the vertices it comes through, and what closes the edge into each. */
export function wayOf(
  { cells, cellVertices, tiers }: Net,
  cell: number,
): readonly { readonly vertex: number; readonly into: Tier | 'cell' | 'addresses' }[] {
  const row = cells.rows[cells.begin[cell]!]!;
  const domains = tiers.filter(({ of }) => of[row]! >= 0);
  const [first, ...rest] = [...domains.map(({ of, vertices }) => vertices[of[row]!]!), SINK];
  return [
    { vertex: cellVertices[cell]!, into: 'addresses' },
    { vertex: first!, into: 'cell' },
    ...rest.map((vertex, at) => ({ vertex, into: domains[at]! })),
  ];
}

interface Moved {
  readonly moving: Moving;
  /** What a domain of a level may take. */
  readonly upper: (level: number) => number;
  readonly least: number;
}

/** @returns what all domains need to get to `least` */
function setBounds(net: Net, caps: Caps, moved: Moved | undefined): number {
  net.flow.reset();
  return setUppers(net, caps, moved, false);
}

function setUppers(net: Net, caps: Caps, moved: Moved | undefined, floors: boolean): number {
  const { cells, ground, flow: network, tiers } = net;
  let needed = 0;
  const raise = (edge: number, upper: number, floor: number) => {
    network.bound(edge, Math.min(UNBOUNDED, Math.max(0, upper)));
    if (floors) network.floor(edge, floor);
    needed += floor;
  };
  const byRow = moved?.moving.byRow === true;
  for (let cell = 0; cell < cells.size; cell++) {
    let [upper, floor] = [0, 0];
    for (let at = cells.begin[cell]!; at < cells.begin[cell + 1]!; at++) {
      const row = cells.rows[at]!;
      const room = Math.min(ground.room[row]!, caps.node);
      const level = byRow ? moved.moving.level[row]! : 0;
      upper += byRow ? Math.max(0, Math.min(room, moved.upper(level))) : room;
      if (byRow) floor += Math.max(0, moved.least - level);
    }
    raise(net.cellEdges[cell]!, upper, floor);
  }
  for (const { family, edges } of tiers)
    for (let domain = 0; domain < edges.length; domain++) {
      const edge = edges[domain]!;
      if (edge === -1) continue;
      const level = family === undefined ? moved!.moving.level[domain]! : 0;
      if (family === undefined) raise(edge, moved!.upper(level), Math.max(0, moved!.least - level));
      else raise(edge, caps.families[family]!.left[domain]!, 0);
    }
  return needed;
}

/**
 * Takes one more pod on a row that has `taken`. Else the rest would not fit any more, neither now nor later: that goes for the
 * row, or for all rows of its cell.
 */
export type Guard = (cell: number, row: number, taken: number) => 'taken' | 'not on the row' | 'not in the cell';

/**
 * From here on every pod that the guard lets through leaves a way to `count` pods in all: what must stay possible becomes floors.
 * @param least of `largest` under the same caps, whose count is at least this
 */
export function reserve(net: Net, caps: Caps, count: number, least: number): Guard {
  const { flow: network, moving } = net;
  if (moving === undefined) {
    network.close(count);
    return guardOf(net, 0, Number.POSITIVE_INFINITY);
  }
  if (net.ground.sharing !== undefined && (net.above || !moving.byRow)) {
    // Which pods of a domain have taken which addresses matters to others. So the bounds stay where they are; any that `count`
    // lies between will do: the highest whose floors are not more than that.
    const [lowest] = leasts(net, caps, moving);
    const at = last(lowest, least, (at) => needed(net, moving, at) <= count);
    between(net, caps, moving, at);
    network.close(count);
    return guardOf(net, at, at + moving.maxSkew);
  }
  // What nodes take is here a polymatroid: whatever reaches the floors can be completed to `count`. The lowest floors leave the
  // most freedom; upper bounds are kept by whoever picks, as they move.
  const [lowest] = leasts(net, caps, moving);
  let [no, yes] = [lowest - 1, least];
  while (yes - no > 1) {
    const middle = (no + yes) >> 1;
    if (atMost(net, caps, moving, middle) >= count) yes = middle;
    else no = middle;
  }
  lowered(net, caps, moving, yes);
  setUppers(net, caps, { moving, upper: () => UNBOUNDED, least: yes }, true);
  network.close(0);
  return guardOf(net, yes, Number.POSITIVE_INFINITY);
}

/** Where rows are the domains, the floor of a cell holds what its rows need already: only more than that raises it. */
function guardOf({ flow: network, cellEdges, moving }: Net, least: number, most: number): Guard {
  if (moving?.byRow !== true) return (cell) => (network.commit(cellEdges[cell]!) ? 'taken' : 'not in the cell');
  const full = new Set<number>();
  return (cell, row, taken) => {
    const now = moving.level[row]! + taken;
    if (now < least) return 'taken';
    if (now >= most || full.has(cell)) return 'not on the row';
    if (network.commit(cellEdges[cell]!)) return 'taken';
    // Its rows that are below the floor yet have theirs.
    full.add(cell);
    return 'not on the row';
  };
}

/** What all domains that have nodes with room need to get to `least`. */
function needed({ cells }: Net, { of, level }: Moving, least: number): number {
  const seen = new Uint8Array(level.length);
  let sum = 0;
  for (let at = 0; at < cells.rows.length; at++) {
    const domain = of[cells.rows[at]!]!;
    if (seen[domain] === 0) sum += Math.max(0, least - level[domain]!);
    seen[domain] = 1;
  }
  return sum;
}
