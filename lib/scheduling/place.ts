/**
 * Place: where a number of pods of one demand goes now, each pick subtracted before the next. Pure: the lock writer, the stock
 * API, `gala stock` and the offline planner all call it, and nothing is taken until the lock writer does.
 */
import { giveAddresses } from './placing/addresses.ts';
import { choose } from './placing/choose.ts';
import { type Ground, groundOf } from './placing/ground.ts';
import { foremost, limitOf, tally } from './placing/limits.ts';
import { mostFor, mostOf } from './placing/most.ts';
import { rowForOne } from './placing/one.ts';
import type { Ask, Placement, Terrain } from './types.ts';

export interface PlaceOptions {
  /** Fewer are welcome: as many as fit, of which percentages are then taken. @default false: all or nothing */
  readonly allowPartial?: boolean;
  /** The rows that the pods may have, in the order of their nodes' names. @default all that are asked about */
  readonly rows?: Int32Array;
}

/**
 * Slots on nodes, with their addresses where Gala owns the network; or why there are not as many.
 *
 * The same Terrain and question give the same slots, in whatever order its nodes came. They are in an order in which pods can be
 * bound one by one without breaking a topology spread constraint on the way.
 * @param count a whole number of 0 or more
 * @throws {RangeError} when `count` is no such number
 * @example place(terrain, { demand, strategy: 'spread', maxPer: { rack: '30%' } }, 200)
 * // { slots: [{ node: 'bj-a-r12-01', address: '10.110.1.0' }, …] }
 * // { refused: 'addresses', want: 200, found: 184, limits: [{ limit: 'addresses', nodes: 23 }, …] }
 */
export function place(terrain: Terrain, ask: Ask, count: number, { allowPartial = false, rows }: PlaceOptions = {}): Placement {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`count is ${count}; it is a whole number of 0 or more`);
  const row = count === 1 ? rowForOne(terrain, ask, rows) : -1;
  if (row !== -1) return slotsOn({ terrain, ask }, [row]);
  const ground = groundOf(terrain, ask, rows);
  if (count > 0 && isFull(ground)) return refused(ground, ({ bound }, row) => bound[row]!, { want: count, found: 0 });
  const found = mostFor(ground, count);
  if (found.count >= count) return slotsOn(ground, choose(found, count));
  const less = allowPartial ? mostOf(ground, count) : undefined;
  if (less !== undefined && less.count > 0) return slotsOn(ground, choose(less, less.count));
  const limit = limitOf(ground, found);
  return refused(ground, (_, row) => limit(row), { want: count, found: found.count });
}

/** No node has room for one, whatever the others have: that is most of what is refused, and needs no count. */
function isFull({ rows, room }: Ground): boolean {
  for (let at = 0; at < rows.length; at++) if (room[rows[at]!] !== 0) return false;
  return true;
}

function slotsOn({ terrain, ask }: Pick<Ground, 'terrain' | 'ask'>, rows: readonly number[]): Placement {
  const { demand } = ask;
  const addresses = demand.address
    ? giveAddresses(terrain.addresses(demand), terrain.addresses({ ...demand, owner: undefined }).free, rows)
    : [];
  return {
    slots: rows.map((row, at) => {
      const address = addresses[at];
      return { node: terrain.names[row]!, ...(address !== undefined && { address }) };
    }),
  };
}

function refused(ground: Ground, limit: (ground: Ground, row: number) => number, counts: { want: number; found: number }): Placement {
  const limits = tally(
    ground.words,
    ground.rows.map((row) => limit(ground, row)),
  );
  return { refused: foremost(limits), ...counts, limits };
}
