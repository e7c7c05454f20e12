/** Exactness: what may be claimed of a count, by how it was found (placing/most.ts). */
import { groundOf } from '../../lib/scheduling/placing/ground.ts';
import { mostOf } from '../../lib/scheduling/placing/most.ts';
import type { Ask, Terrain } from '../../lib/scheduling/types.ts';

/** Whether the count is the largest there is. */
export const isExact = (terrain: Terrain, ask: Ask): boolean => mostOf(groundOf(terrain, ask)).by.exact;

/**
 * Whether kube-scheduler, which looks at one pod at a time and pins none, may end at another number: where domains overlap or
 * several constraints move, where the first pod chooses for all, or where a pinned pod has fewer domains than `minDomains`.
 */
export function orderMatters(terrain: Terrain, ask: Ask): boolean {
  const ground = groundOf(terrain, ask);
  const { by } = mostOf(ground);
  const pinnedApart = ask.demand.spread.some(({ minDomains = 1, nodeAffinityPolicy }) => minDomains > 1 && nodeAffinityPolicy === 'Honor');
  return !by.exact || ground.starts !== undefined || (by.net.moving !== undefined && by.net.above) || pinnedApart;
}
