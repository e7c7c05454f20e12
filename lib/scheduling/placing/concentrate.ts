/**
 * Concentrate: the strategy that fills hosts one after the other, and uses as few as it can: the next host is always the one that
 * takes the most of what is still to be placed. Where domains are nested that is the fewest hosts (the pods that k hosts take
 * grow by less with each, in every domain). Among hosts that take the same, the one with the least room left, so that large
 * gaps stay for others; with `byUse`, the busiest.
 */
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
  let left = count;
  /** Hosts that have begun to fill and may go on, now or later. */
  let begun: number[] = [];

  function choose(): number {
    for (let cell = 0; cell < cells.size; cell++) reach[cell] = walk.reach(cell);
    let best = -1;
    let [bestFirst, bestTakes, bestBusy, bestRoom] = [false, 0, 0, 0];
    for (const row of walk.ground.rows) {
      const cell = cells.of[row]!;
      if (cell < 0 || reach[cell]! <= 0 || walk.mayRow(row) !== 'now') continue;
      const room = walk.left(row);
      const takes = Math.min(room, reach[cell]!, left);
      const isFirst = first?.(row) === true;
      const isBusy = busy === undefined ? 0 : busy[row]!;
      const difference = Number(isFirst) - Number(bestFirst) || takes - bestTakes || isBusy - bestBusy || bestRoom - room;
      if (best !== -1 && difference <= 0) continue;
      [best, bestFirst, bestTakes, bestBusy, bestRoom] = [row, isFirst, takes, isBusy, room];
    }
    return best;
  }

  /** A host that was begun and may go on now. */
  function resume(): number {
    let found = -1;
    begun = begun.filter((row) => {
      const [cell, own] = [walk.mayCell(cells.of[row]!), walk.mayRow(row)];
      if (cell === 'never' || own === 'never') return false;
      if (found === -1 && cell === 'now' && own === 'now') found = row;
      return true;
    });
    return found;
  }

  return () => {
    for (;;) {
      const going = resume();
      const row = going === -1 ? choose() : going;
      if (row === -1) return -1;
      if (!walk.take(row)) continue;
      if (going === -1) begun.push(row);
      left--;
      return row;
    }
  };
}
