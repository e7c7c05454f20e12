/** Rooms: by node, how many more pods it has room for and what bounds that, as rule after rule makes them smaller. Pure. */
import type { Limit } from '../types.ts';

/** What does not bound a node is this: a number that sums of thousands of nodes stay exact with. */
export const PLENTY = 1_000_000;

export interface Rooms {
  /** Those that may have the demand at all, in the order of their names. */
  readonly rows: Int32Array;
  /** By row: at most `PLENTY`; 0 where the demand may not be. */
  readonly room: Int32Array;
  /** By row: what bounds its room, by its number in `words`. */
  readonly bound: Uint16Array;
  readonly words: Words;
}

/** Makes a node's room smaller, where `most` is less than it was. */
export function narrow({ room, bound }: Rooms, row: number, most: number, limit: number): void {
  if (most >= room[row]!) return;
  room[row] = most < 0 ? 0 : most;
  bound[row] = limit;
}

/** Limits by numbers of their own, so that nodes are compared and counted without their words. */
export interface Words {
  readonly list: readonly Limit[];
  numberOf(limit: Limit): number;
}

export function wordList(): Words {
  const list: Limit[] = [];
  const numbers = new Map<Limit, number>();
  return {
    list,
    numberOf(limit) {
      const known = numbers.get(limit);
      if (known !== undefined) return known;
      numbers.set(limit, list.length);
      return list.push(limit) - 1;
    },
  };
}
