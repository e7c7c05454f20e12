/**
 * Concentrate: the strategy that fills hosts one after the other, and uses as few as it can: the next host is always the one that
 * takes the most of what is still to be placed. Where domains are nested that is the fewest hosts (the pods that k hosts take
 * grow by less with each, in every domain). Among hosts that take the same, the one with the least room left, so that large
 * gaps stay for others; with `byUse`, the busiest.
 */
import { openRows } from './ground.ts';
import type { Walk } from './walk.ts';

export interface Concentrate {
  /** How many pods are to be placed. */
  readonly count: number;
  /** By row: what decides among equals before the room does, more is better. @default nothing */
  readonly busy?: Float64Array;
  /** By row: which rows come first, whatever else. @default none */
  readonly first?: (row: number) => boolean;
}

/** Takes the next pod and returns its row; -1: no node may have it. */
export function concentrate(walk: Walk, { count, busy, first }: Concentrate): () => number {
  const { cells } = walk;
  const reach = new Float64Array(cells.size);
  /** Hosts that have no pod of this walk yet, and might. */
  const fresh = openRows(walk.ground).slice();
  let size = fresh.length;
  const rooms = walk.ground.room.map((_, row) => walk.left(row));
  let left = count;
  let current = -1;
  /** Hosts that have begun to fill, in that order; none of them but the current may go on before the next move after `waited`. */
  let begun: number[] = [];
  let waited = walk.moves;

  function choose(): number {
    for (let cell = 0; cell < cells.size; cell++) reach[cell] = walk.reach(cell);
    let [best, bestAt] = [-1, -1];
    let [bestFirst, bestTakes, bestBusy, bestRoom] = [false, 0, 0, 0];
    for (let at = 0; at < size; at++) {
      const row = fresh[at]!;
      const most = reach[cells.of[row]!]!;
      if (most <= 0) continue;
      const room = rooms[row]!;
      const takes = room < most ? (room < left ? room : left) : most < left ? most : left;
      const isFirst = first?.(row) === true;
      // What can't be better is most of them.
      if (takes < bestTakes && isFirst === bestFirst) continue;
      const isBusy = busy === undefined ? 0 : busy[row]!;
      if (best !== -1) {
        const difference = Number(isFirst) - Number(bestFirst) || takes - bestTakes || isBusy - bestBusy || bestRoom - room;
        if (difference <= 0) continue;
      }
      if (walk.mayRow(row) !== 'now') continue;
      [best, bestAt] = [row, at];
      [bestFirst, bestTakes, bestBusy, bestRoom] = [isFirst, takes, isBusy, room];
    }
    // Their order is that of names.
    if (best !== -1) fresh.copyWithin(bestAt, bestAt + 1, size--);
    return best;
  }

  const may = (row: number) => {
    const cell = walk.mayCell(cells.of[row]!);
    return cell === 'now' ? walk.mayRow(row) : cell;
  };

  /** The host that is being filled; else the one that was begun first and may go on. */
  function resume(): number {
    if (current !== -1 && may(current) === 'now') return current;
    if (waited === walk.moves) return -1;
    begun = begun.filter((row) => may(row) !== 'never');
    const next = begun.find((row) => may(row) === 'now');
    if (next !== undefined) return next;
    waited = walk.moves;
    return -1;
  }

  return () => {
    for (;;) {
      const going = resume();
      current = going === -1 ? choose() : going;
      if (current === -1) return -1;
      if (going === -1) begun.push(current);
      if (!walk.take(current)) continue;
      left--;
      return current;
    }
  };
}
