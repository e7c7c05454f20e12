/**
 * Evenly: the strategy `spread`. The next pod goes to the datacenter that has got the fewest of this walk's pods, there to the
 * zone with the fewest, there to the rack, there to the node; among equals to where the least loaded node is, then by name.
 *
 * A tree of queues: places by how many they have, under them smaller places, then cells, then nodes. A pod changes the order on
 * its own way down and nowhere else.
 */
import FlatQueue from 'flatqueue';
import { byCell } from './cells.ts';
import { openRows } from './ground.ts';
import type { Walk } from './walk.ts';

export interface Evenly {
  /** Groups from large to small, by row. */
  readonly tiers: readonly Tier[];
  /** By row, less is better; among equals the name decides. */
  readonly load: Float64Array;
  /** By row: which rows come first, whatever else; all or none of a group of the first tier. @default none */
  readonly first?: (row: number) => boolean;
  /** By row: how high a node is; the lowest comes first. Grows with what the walk puts there. @default its pods of this walk */
  readonly height?: Int32Array;
}

interface Tier {
  readonly of: Int32Array;
  /** By group: how high it is before the walk. @default 0 */
  readonly height?: Int32Array;
  /** Whether a group may have a pod now; else it waits. @default its rows are asked */
  readonly may?: (group: number) => boolean;
}

/** None of it may have a pod now, because of a constraint that may move; or never again. */
const LATER = -1;
const NEVER = -2;

/** A place, or a cell with its rows. */
interface Branch {
  /** What orders it among its siblings; less comes first. */
  priority(): number;
  /** Puts a pod on its best row and returns that; or LATER, or NEVER. */
  take(): number;
}

/** Takes the next pod and returns its row; -1: no node may have it. */
export function evenly(walk: Walk, { tiers, load, first, height = walk.taken }: Evenly): () => number {
  const { cells } = walk;
  const rank = ranks(walk, load);
  /** Those that wait for a constraint to move, and where to put them back. */
  let waiting: (() => void)[] = [];
  let seen = walk.moves;
  const branches = Array.from({ length: cells.size }, (_, cell) => ({ cell, branch: aCell(walk, cell, rank, height, waits) }));
  const root = aPlace(grow(branches, 0), () => 0, waits);

  function waits(back: () => void): void {
    waiting.push(back);
  }

  /** Siblings of one tier, each with what is under it. */
  function grow(under: readonly { readonly cell: number; readonly branch: Branch }[], at: number): Branch[] {
    const tier = tiers[at];
    if (tier === undefined) return under.map(({ branch }) => branch);
    const group = byCell(cells, tier.of);
    const members = Map.groupBy(under, ({ cell }) => group[cell]!);
    return [...members].map(([number, list]) => {
      const row = list.reduce((best, { cell }) => bestOf(best, cell), -1);
      const lead = first?.(row) === true ? -1 : 0;
      let count = tier.height?.[number] ?? 0;
      const place = aPlace(grow(list, at + 1), () => (lead * FAR + count) * FAR + rank[row]!, waits);
      return {
        priority: place.priority,
        take() {
          if (tier.may?.(number) === false) return LATER;
          const taken = place.take();
          if (taken >= 0) count++;
          return taken;
        },
      };
    });
  }

  /** The better of a row and a cell's best. */
  function bestOf(row: number, cell: number): number {
    let best = row;
    for (let at = cells.begin[cell]!; at < cells.begin[cell + 1]!; at++) {
      const other = cells.rows[at]!;
      if (best === -1 || rank[other]! < rank[best]!) best = other;
    }
    return best;
  }

  return () => {
    if (walk.moves !== seen && waiting.length > 0) {
      const backs = waiting;
      waiting = [];
      // In the order in which they began to wait: a row before its cell, a cell before its place.
      for (const back of backs) back();
    }
    seen = walk.moves;
    const row = root.take();
    return row >= 0 ? row : -1;
  };
}

/** More than there are pods or rows, and its square still exact with a few bits to spare. */
const FAR = 2 ** 24;

function ranks(walk: Walk, load: Float64Array): Int32Array {
  const order = openRows(walk.ground);
  const names = new Int32Array(walk.ground.room.length);
  for (let at = 0; at < order.length; at++) names[order[at]!] = at;
  const rank = new Int32Array(names.length);
  order
    .slice()
    .sort((a, b) => load[a]! - load[b]! || names[a]! - names[b]!)
    .forEach((row, at) => {
      rank[row] = at;
    });
  return rank;
}

function aPlace(branches: readonly Branch[], priority: () => number, waits: (back: () => void) => void): Branch {
  const queue = new FlatQueue<Branch>();
  for (const branch of branches) queue.push(branch, branch.priority());
  let later = 0;
  return {
    priority,
    take() {
      for (let branch = queue.peek(); branch !== undefined; branch = queue.peek()) {
        const one = branch;
        const row = one.take();
        queue.pop();
        if (row >= 0) {
          queue.push(one, one.priority());
          return row;
        }
        if (row === NEVER) continue;
        later++;
        waits(() => {
          later--;
          queue.push(one, one.priority());
        });
      }
      return later > 0 ? LATER : NEVER;
    },
  };
}

function aCell(walk: Walk, cell: number, rank: Int32Array, height: Int32Array, waits: (back: () => void) => void): Branch {
  const { rows, begin } = walk.cells;
  const queue = new FlatQueue<number>();
  const priorityOf = (row: number) => height[row]! * FAR + rank[row]!;
  const push = (row: number) => queue.push(row, priorityOf(row));
  for (let at = begin[cell]!; at < begin[cell + 1]!; at++) push(rows[at]!);
  let later = 0;
  return {
    priority: () => queue.peekValue() ?? 0,
    take() {
      const may = walk.mayCell(cell);
      if (may !== 'now') return may === 'later' ? LATER : NEVER;
      for (let row = queue.peek(); row !== undefined; row = queue.peek()) {
        const one = row;
        const may = walk.mayRow(one);
        if (may === 'now' && walk.take(one)) {
          queue.pop();
          push(one);
          return one;
        }
        if (may === 'now') {
          // Refused: the row is closed now, or the whole cell.
          if (walk.mayCell(cell) === 'never') return NEVER;
          continue;
        }
        queue.pop();
        if (may === 'never') continue;
        later++;
        waits(() => {
          later--;
          push(one);
        });
      }
      return later > 0 ? LATER : NEVER;
    },
  };
}
