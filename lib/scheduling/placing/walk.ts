/**
 * Walk: placing one pod after the other on a ground, each subtracted before the next. Knows at any moment which nodes may have
 * the next pod; which of them gets it, strategies decide. Pure but for what it counts itself.
 */

import type { Limit } from '../types.ts';
import type { Caps } from './caps.ts';
import { byCell, type Cells } from './cells.ts';
import type { Ground, Moving } from './ground.ts';
import type { Guard } from './net.ts';

/** `later`: not now, because of a topology spread constraint that may move. `never`: not in this walk any more. */
export type May = 'now' | 'later' | 'never';

export interface Walk {
  readonly ground: Ground;
  readonly cells: Cells;
  /** By row: pods that this walk has put there. */
  readonly taken: Int32Array;
  /** Levels of the constraints that move, as they are now. */
  readonly levels: readonly Int32Array[];
  /** Whether a domain of a constraint that moves takes a pod now. */
  takes(moving: number, domain: number): boolean;
  /** Grows whenever what may come `later` may come now. */
  readonly moves: number;
  /** Whether any row of a cell may have the next pod, but for the rows' own room. */
  mayCell(cell: number): May;
  /** The row alone, its cell not looked at. */
  mayRow(row: number): May;
  /** How many more a row has room for by itself. */
  left(row: number): number;
  /** How many more the domains of a cell take as things are; 0 if not now. */
  reach(cell: number): number;
  /** Puts a pod there. False, and nothing changed: then the row is closed, the rest would not fit any more. */
  take(row: number): boolean;
  /** What keeps the next pod from a row; undefined: nothing does. */
  why(row: number): Limit | undefined;
}

export function walk(ground: Ground, caps: Caps, cells: Cells, guard: Guard = () => 'taken'): Walk {
  const taken = new Int32Array(ground.room.length);
  const closed = new Uint8Array(cells.size);
  const shut = new Uint8Array(ground.room.length);
  const families = caps.families.map(({ limit, of, left }) => ({ limit, domain: byCell(cells, of), left: left.slice() }));
  const moving = ground.moving.map((it) => movement(it, cells));
  let moves = 0;
  const mostOn = (row: number) => Math.min(ground.room[row]!, caps.node);

  const walk: Walk = {
    ground,
    cells,
    taken,
    levels: moving.map(({ level }) => level),
    takes: (at, domain) => moving[at]!.takes(domain),
    get moves() {
      return moves;
    },
    mayCell(cell) {
      if (closed[cell] === 1) return 'never';
      for (const { domain, left } of families)
        if (domain[cell]! >= 0 && left[domain[cell]!]! <= 0) {
          // What is left of a domain never grows.
          closed[cell] = 1;
          return 'never';
        }
      for (const it of moving) if (!it.byRow && !it.takes(it.domain[cell]!)) return 'later';
      return 'now';
    },
    mayRow(row) {
      if (shut[row] === 1 || taken[row]! >= mostOn(row)) return 'never';
      for (const it of moving) if (it.byRow && !it.takes(row)) return 'later';
      return 'now';
    },
    left: (row) => mostOn(row) - taken[row]!,
    reach(cell) {
      if (walk.mayCell(cell) !== 'now') return 0;
      let least = Number.POSITIVE_INFINITY;
      for (const { domain, left } of families) if (domain[cell]! >= 0) least = Math.min(least, left[domain[cell]!]!);
      for (const it of moving) if (!it.byRow) least = Math.min(least, it.room(it.domain[cell]!));
      return least;
    },
    take(row) {
      const cell = cells.of[row]!;
      const said = guard(cell, row, taken[row]!);
      if (said === 'not in the cell') closed[cell] = 1;
      if (said === 'not on the row') shut[row] = 1;
      if (said !== 'taken') return false;
      taken[row]! += 1;
      for (const { domain, left } of families) if (domain[cell]! >= 0) left[domain[cell]!]! -= 1;
      for (const it of moving) if (it.add(it.byRow ? row : it.domain[cell]!)) moves++;
      return true;
    },
    why(row) {
      if (taken[row]! >= ground.room[row]!) return ground.words.list[ground.bound[row]!]!;
      if (taken[row]! >= caps.node) return 'maxPer.node';
      const cell = cells.of[row]!;
      for (const { limit, domain, left } of families) if (domain[cell]! >= 0 && left[domain[cell]!]! <= 0) return limit;
      if (closed[cell] === 1 || shut[row] === 1) return 'addresses';
      for (const it of moving) if (!it.takes(it.byRow ? row : it.domain[cell]!)) return 'spread';
      return undefined;
    },
  };
  return walk;
}

/** A spread constraint as it moves. */
function movement({ of, level: before, counts, maxSkew, byRow }: Moving, cells: Cells) {
  const level = before.slice();
  let least = 0;
  let atLeast = 0;
  const look = () => {
    least = 2 ** 31;
    for (let domain = 0; domain < level.length; domain++) {
      if (counts[domain] === 0 || level[domain]! > least) continue;
      atLeast = level[domain] === least ? atLeast + 1 : 1;
      least = level[domain]!;
    }
  };
  look();
  const room = (domain: number) => least + maxSkew - level[domain]!;
  return {
    level,
    byRow,
    domain: byRow ? new Int32Array(0) : byCell(cells, of),
    room,
    takes: (domain: number) => room(domain) > 0,
    /** @returns whether the emptiest domains are now higher: others may take more */
    add(domain: number): boolean {
      level[domain]! += 1;
      if (counts[domain] === 0 || level[domain]! - 1 !== least || --atLeast > 0) return false;
      look();
      return true;
    },
  };
}
