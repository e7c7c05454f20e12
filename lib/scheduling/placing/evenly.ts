/**
 * Evenly: the strategy `spread`. The next pod goes to the datacenter that has got the fewest of this walk's pods, there to the
 * zone with the fewest, there to the rack, there to the node; among equals to the least loaded node, then by name.
 */
import FlatQueue from 'flatqueue';
import { byCell } from './cells.ts';
import type { Walk } from './walk.ts';

export interface Evenly {
  /** What counts, the most important first: by row its group, and by group how many it has. `next` counts pods in by itself. */
  readonly tiers: readonly Tier[];
  /** By row, less is better; among equals the name decides. */
  readonly load: Float64Array;
  /** By row: which rows come first, whatever else. @default none */
  readonly first?: (row: number) => boolean;
  /** By row, less is better, and more important than `tiers`. @default the pods that this walk has put there, less important */
  readonly height?: Int32Array;
}

interface Tier {
  readonly of: Int32Array;
  readonly count: Int32Array;
  /** Whether somebody else counts. */
  readonly counted?: boolean;
}

/** Takes the next pod and returns its row; -1: no node may have it. */
export function evenly(walk: Walk, { tiers, load, first, height }: Evenly): () => number {
  const { cells, ground } = walk;
  const rank = new Int32Array(ground.room.length);
  ground.rows.forEach((row, at) => {
    rank[row] = at;
  });
  const groups = tiers.map(({ of, count, counted }) => ({ group: byCell(cells, of), count, counted }));
  const leads = Uint8Array.from({ length: cells.size }, (_, cell) => (first?.(cells.rows[cells.begin[cell]!]!) ? 0 : 1));
  const heights = height ?? walk.taken;
  const heads = Array.from({ length: cells.size }, (_, cell) =>
    headOf(walk, cell, heights, (a, b) => load[a]! - load[b]! || rank[a]! - rank[b]!),
  );
  const alive = Int32Array.from({ length: cells.size }, (_, cell) => cell);
  let living = alive.length;

  /** Whether a row is a better choice than another. */
  const better = (cell: number, row: number, than: number, thanRow: number): boolean => {
    if (leads[cell] !== leads[than]) return leads[cell]! < leads[than]!;
    if (height !== undefined && height[row] !== height[thanRow]) return height[row]! < height[thanRow]!;
    for (const { group, count } of groups) {
      const difference = count[group[cell]!]! - count[group[than]!]!;
      if (difference !== 0) return difference < 0;
    }
    return (heights[row]! - heights[thanRow]! || load[row]! - load[thanRow]! || rank[row]! - rank[thanRow]!) < 0;
  };

  return () => {
    for (;;) {
      let best = -1;
      let bestRow = -1;
      let kept = 0;
      for (let at = 0; at < living; at++) {
        const cell = alive[at]!;
        const may = walk.mayCell(cell);
        const row = may === 'now' ? heads[cell]!.look() : -1;
        if (may === 'never' || row === NEVER) continue;
        alive[kept++] = cell;
        if (row >= 0 && (best === -1 || better(cell, row, best, bestRow))) [best, bestRow] = [cell, row];
      }
      living = kept;
      if (best === -1) return -1;
      if (!walk.take(bestRow)) {
        heads[best]!.refused();
        continue;
      }
      heads[best]!.taken();
      for (const { group, count, counted } of groups) if (counted !== true) count[group[best]!]! += 1;
      return bestRow;
    }
  };
}

const NEVER = -2;

/** The best row of a cell: looked for once, and kept in a queue as soon as a second pod comes to the cell. */
function headOf(walk: Walk, cell: number, heights: Int32Array, order: (a: number, b: number) => number) {
  const { rows, begin } = walk.cells;
  const [from, to] = [begin[cell]!, begin[cell + 1]!];
  let queue: FlatQueue | undefined;
  let sorted: Int32Array | undefined;
  let later: number[] = [];
  let seen = -1;
  let head = NEVER;

  function search(): number {
    let [best, waits] = [NEVER, false];
    for (let at = from; at < to; at++) {
      const row = rows[at]!;
      const may = walk.mayRow(row);
      if (may === 'later') waits = true;
      if (may === 'now' && (best === NEVER || (heights[row]! - heights[best]! || order(row, best)) < 0)) best = row;
    }
    return best === NEVER && waits ? -1 : best;
  }

  const push = (at: number) => queue!.push(at, heights[sorted![at]!]! * (to - from) + at);

  function build(): void {
    sorted = rows.slice(from, to).sort(order);
    queue = new FlatQueue();
    for (let at = 0; at < sorted.length; at++) push(at);
  }

  return {
    look(): number {
      if (queue === undefined) {
        if (seen !== walk.moves) [seen, head] = [walk.moves, search()];
        return head;
      }
      if (seen !== walk.moves) {
        for (const at of later) push(at);
        [seen, later] = [walk.moves, []];
      }
      for (let at = queue.peek(); at !== undefined; at = queue.peek()) {
        const may = walk.mayRow(sorted![at]!);
        if (may === 'now') return sorted![at]!;
        queue.pop();
        if (may === 'later') later.push(at);
      }
      return later.length > 0 ? -1 : NEVER;
    },
    /** The row that `look` said may have no more. */
    refused(): void {
      seen = -1;
    },
    /** The row that `look` said has got a pod. */
    taken(): void {
      if (queue === undefined) build();
      else push(queue.pop()!);
    },
  };
}
