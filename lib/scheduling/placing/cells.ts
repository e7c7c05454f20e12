/**
 * Cells: nodes that no rule tells apart but for their own room: the same addresses, the same domains. What holds for one holds
 * for all in its cell, so that thousands of nodes are counted and chosen from as some hundred cells. Pure.
 */
import { type Caps, type Grouping, together } from './caps.ts';
import { type Ground, openRows } from './ground.ts';

export interface Cells {
  readonly size: number;
  /** By row; -1: without room. */
  readonly of: Int32Array;
  /** Rows with room, cell by cell, each cell's in the order of their names. */
  readonly rows: Int32Array;
  /** By cell: where its rows begin in `rows`; one more entry says where the last ends. */
  readonly begin: Int32Array;
  /** By cell: index into the groups of `ground.sharing`; -1: shares no addresses. */
  readonly group: Int32Array;
}

/** @param finer further groupings to tell apart by */
export function cellsOf(ground: Ground, caps: Caps, finer: readonly Grouping[] = []): Cells {
  const { terrain, sharing } = ground;
  const open = openRows(ground);
  const groupings = [
    ...caps.families.map(({ of, left }) => ({ of, size: left.length })),
    ...ground.moving.filter(({ byRow }) => !byRow).map(({ of, level }) => ({ of, size: level.length })),
    ...(sharing === undefined ? [] : [{ of: sharing.group, size: sharing.groups.length }]),
    ...finer,
  ];
  const { of, size } = together(open, terrain.rows, groupings);
  const begin = new Int32Array(size + 1);
  for (let at = 0; at < open.length; at++) begin[of[open[at]!]! + 1]! += 1;
  for (let cell = 0; cell < size; cell++) begin[cell + 1]! += begin[cell]!;
  const rows = new Int32Array(open.length);
  const next = begin.slice();
  for (let at = 0; at < open.length; at++) rows[next[of[open[at]!]!]!++] = open[at]!;
  const group = new Int32Array(size).fill(-1);
  if (sharing !== undefined) for (let cell = 0; cell < size; cell++) group[cell] = sharing.group[rows[begin[cell]!]!]!;
  return { size, of, rows, begin, group };
}

/** By cell: the group that its rows have in a grouping. */
export function byCell({ size, rows, begin }: Cells, of: Int32Array): Int32Array {
  const groups = new Int32Array(size);
  for (let cell = 0; cell < size; cell++) groups[cell] = of[rows[begin[cell]!]!]!;
  return groups;
}
