/** Where a number of pods would lie, rack by rack. Pure. */
import { place } from './place.ts';
import type { Ask, Terrain } from './types.ts';

export interface RackFit {
  /** Empty: nodes of no pool. */
  readonly pool: string;
  /** Left out: nodes that do not say. */
  readonly rack?: string;
  readonly fit: number;
}

/** @param count as many as `stock` has found; these add up to it */
export function racksOf(terrain: Terrain, ask: Ask, count: number): RackFit[] {
  const placed = place(terrain, ask, count);
  const { of, names } = terrain.level('rack');
  const lies = (node: string) => {
    const row = terrain.row(node);
    const rack = names[of[row]!];
    return { pool: terrain.poolNames[terrain.pool[row]!] ?? '', ...(rack === undefined ? {} : { rack }) };
  };
  const groups = Map.groupBy('slots' in placed ? placed.slots : [], ({ node }) => JSON.stringify(lies(node)));
  return [...groups]
    .map(([, [first, ...more]]) => ({ ...lies(first!.node), fit: 1 + more.length }))
    .sort((a, b) => compare(a.pool, b.pool) || compare(a.rack ?? '', b.rack ?? ''));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
