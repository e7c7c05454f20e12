/**
 * Never: why no node could take a pod of this demand even if it were empty. Pure. What passes by itself (a node that isn't
 * Ready, a cordon, what is used) is no such reason; what the template and the nodes are made of is.
 */
import type { Ask, Limit, Terrain } from './types.ts';

/** Of the reasons why a row isn't eligible, those that only another template or another node changes. */
export const LASTING: readonly Limit[] = ['pool', 'nodeSelector', 'nodeAffinity', 'taint'];

export interface Never {
  readonly limit: Limit;
  readonly nodes: number;
  /** Of a supply: what the pod asks, and what the largest node has. */
  readonly asks?: number;
  readonly most?: number;
}

/** @returns undefined when some node could; else nodes by reason, the most first. Without a node there is nothing to say. */
export function whyNever(terrain: Terrain, { demand, pools }: Pick<Ask, 'demand' | 'pools'>): readonly Never[] | undefined {
  const { why, limits } = terrain.eligible(demand, { pools });
  const asks = [...demand.requests].map(([name, asked]) => ({ name, asked, capacity: terrain.supply(name)?.capacity }));
  const found = new Map<Limit, { nodes: number; asks?: number; most?: number }>();
  for (let row = 0; row < terrain.rows; row++) {
    if (terrain.names[row] === undefined) continue;
    const rule = limits[why[row]! - 1];
    // NaN: the node does not say, so it isn't limited there.
    const short = asks.find(({ asked, capacity }) => capacity === undefined || capacity[row]! < asked);
    const limit = rule !== undefined && LASTING.includes(rule) ? rule : short?.name;
    if (limit === undefined) return undefined;
    const { nodes = 0, most = 0 } = found.get(limit) ?? {};
    const supply = limit === short?.name ? { asks: short.asked, most: Math.max(most, short.capacity?.[row] ?? 0) } : {};
    found.set(limit, { nodes: nodes + 1, ...supply });
  }
  if (found.size === 0) return undefined;
  return [...found].map(([limit, more]) => ({ limit, ...more })).sort((a, b) => b.nodes - a.nodes);
}
