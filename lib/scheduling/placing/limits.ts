/** Limits: what would have to be more for one more pod on a node, when all that fits has been taken. Pure. */
import type { Limit } from '../types.ts';
import type { Ground } from './ground.ts';
import type { Most } from './most.ts';
import { wayOf } from './net.ts';

/** Nodes by what limits them, the most first. */
export type Limits = readonly { readonly limit: Limit; readonly nodes: number }[];

/**
 * By row of the ground that was asked about.
 * Where the number is exact, by the smallest of the minimal cuts: the first thing that a further pod can't get past.
 */
export function limitOf(ground: Ground, found: Most): (row: number) => Limit {
  const { by, caps } = found;
  const own = (row: number) => ground.limits[ground.bound[row]!]!;
  const closed = (row: number): Limit | undefined => {
    if (ground.room[row] === 0) return own(row);
    // It has room, and isn't where the others of its kind are.
    return found.ground.room[row] === 0 ? 'affinity' : undefined;
  };
  if (!by.exact) return (row) => closed(row) ?? by.walk.why(row) ?? own(row);

  const reached = by.net.flow.reached();
  const { moving, cells } = by.net;
  const ofCell = new Map<number, Limit | undefined>();
  const cut = (row: number): Limit | undefined => {
    const into = wayOf(by.net, row).find(({ vertex }) => reached[vertex] === 0)?.into;
    if (into === undefined || into === 'cell') return undefined;
    if (into === 'addresses') return 'addresses';
    return into.family === undefined ? 'spread' : caps.families[into.family]!.limit;
  };
  return (row) => {
    const none = closed(row);
    if (none !== undefined) return none;
    const cell = cells.of[row]!;
    if (!ofCell.has(cell)) ofCell.set(cell, cut(row));
    const limit = ofCell.get(cell);
    if (limit !== undefined) return limit;
    const room = Math.min(ground.room[row]!, caps.node);
    if (moving?.byRow === true && by.least + moving.maxSkew - moving.level[row]! < room) return 'spread';
    return caps.node < ground.room[row]! ? 'maxPer.node' : own(row);
  };
}

export function tally(limits: Iterable<Limit>): Limits {
  const nodes = new Map<Limit, number>();
  for (const limit of limits) nodes.set(limit, (nodes.get(limit) ?? 0) + 1);
  return [...nodes].map(([limit, nodes]) => ({ limit, nodes })).sort((a, b) => b.nodes - a.nodes || (a.limit < b.limit ? -1 : 1));
}

/** No node is there to look at. */
export const NO_NODES: Limit = 'noNodes';

/** Nodes that may not have such pods however empty they are. */
const NOT_FOR_THEM: ReadonlySet<Limit> = new Set(['notReady', 'cordoned', 'taint', 'nodeSelector', 'nodeAffinity', 'noSample']);

/** What limits the whole: that of most nodes, of those that may have such pods at all where there are any. */
export function foremost(limits: Limits): Limit {
  return (limits.find(({ limit }) => !NOT_FOR_THEM.has(limit)) ?? limits[0])?.limit ?? NO_NODES;
}
