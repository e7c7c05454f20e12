/** Limits: what would have to be more for one more pod on a node, when all that fits has been taken. Pure. */
import type { Limit } from '../types.ts';
import type { Ground } from './ground.ts';
import type { Most } from './most.ts';
import { wayOf } from './net.ts';
import type { Words } from './rooms.ts';

/** Nodes by what limits them, the most first. */
export type Limits = readonly { readonly limit: Limit; readonly nodes: number }[];

/**
 * By row of the ground that was asked about, as a number in its `words`.
 * Where the count is exact, by the smallest of the minimal cuts: the first thing that a further pod can't get past.
 */
export function limitOf(ground: Ground, found: Most): (row: number) => number {
  const { by, caps } = found;
  const { words, room, bound } = ground;
  const open = found.ground.room;
  // Without room, or with room and not where the others of its kind are; -1: neither.
  const closed = (row: number): number => (room[row] === 0 ? bound[row]! : open[row] === 0 ? words.numberOf('affinity') : -1);
  if (!by.exact)
    return (row) => {
      const none = closed(row);
      const why = none === -1 ? by.walk.why(row) : undefined;
      return none !== -1 ? none : why === undefined ? bound[row]! : words.numberOf(why);
    };

  const reached = by.net.flow.reached();
  const { moving, cells } = by.net;
  const cut = (cell: number): number => {
    const into = wayOf(by.net, cell).find(({ vertex }) => reached[vertex] === 0)?.into;
    if (into === undefined || into === 'cell') return -1;
    if (into === 'addresses') return words.numberOf('addresses');
    return words.numberOf(into.family === undefined ? 'spread' : caps.families[into.family]!.limit);
  };
  const cuts = Int32Array.from({ length: cells.size }, (_, cell) => cut(cell));
  return (row) => {
    const none = closed(row);
    if (none !== -1) return none;
    const limit = cuts[cells.of[row]!]!;
    if (limit !== -1) return limit;
    const most = Math.min(room[row]!, caps.node);
    if (moving?.byRow === true && by.least + moving.maxSkew - moving.level[row]! < most) return words.numberOf('spread');
    return caps.node < room[row]! ? words.numberOf('maxPer.node') : bound[row]!;
  };
}

/** @param limits of nodes, by their numbers */
export function tally({ list }: Words, limits: Int32Array): Limits {
  const nodes = new Int32Array(list.length);
  for (let at = 0; at < limits.length; at++) nodes[limits[at]!]! += 1;
  return list
    .map((limit, number) => ({ limit, nodes: nodes[number]! }))
    .filter(({ nodes }) => nodes > 0)
    .sort((a, b) => b.nodes - a.nodes || (a.limit < b.limit ? -1 : 1));
}

/** No node is there to look at. */
export const NO_NODES: Limit = 'noNodes';

/** Nodes that may not have such pods however empty they are. */
const NOT_FOR_THEM: ReadonlySet<Limit> = new Set(['notReady', 'cordoned', 'taint', 'nodeSelector', 'nodeAffinity', 'noSample']);

/** What limits the whole: that of most nodes, of those that may have such pods at all where there are any. */
export function foremost(limits: Limits): Limit {
  return (limits.find(({ limit }) => !NOT_FOR_THEM.has(limit)) ?? limits[0])?.limit ?? NO_NODES;
}
