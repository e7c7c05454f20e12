/**
 * Score: for clusters that keep pods outside Gala's locks (`--unlocked-pods score`), which nodes have room for one, and how much
 * would be left. Pure; over the same columns as stock, so bandwidth, live use and what is locked but not yet used count, which
 * kube-scheduler does not know.
 */

import { sentence } from '../api/problem.ts';
import { demandOf } from './demand.ts';
import type { Terrain } from './types.ts';
import { whyOf } from './why.ts';

export interface Scored {
  /** Why it has no room; undefined: it has. */
  readonly reason?: string;
  /** 0 to 10, more where more is left (MaxExtenderPriority of extender/v1 is 10). */
  readonly score: number;
}

const MAX_SCORE = 10;
const no = (reason: string): Scored => ({ reason: `gala: ${reason}`, score: 0 });

/** @param pod `metadata` and `spec`, as kube-scheduler sends it */
export function score(terrain: Terrain, pod: unknown, namespace: string, nodes: readonly string[]): Scored[] {
  const { demand, problems } = demandOf(pod, { namespace });
  if (demand === undefined) return nodes.map(() => no(`the pod can't be read: ${problems.map(sentence).join(' ')}`));
  const { why, limits } = terrain.eligible(demand);
  const { group } = terrain.addresses(demand);
  const asked = [...demand.requests].map(([name, request]) => ({ name, request, supply: terrain.supply(name) }));
  return nodes.map((node) => {
    const row = terrain.row(node);
    if (row === -1) return no('the node is not known to Gala yet');
    if (why[row]! > 0) return no(whyOf(limits[why[row]! - 1]!).sentence);
    // An address is given with a slot, and this pod asked for none.
    if (group[row]! >= 0) return no('pods on this node take an address, which only pods with a slot have');
    let left = 1;
    for (const { name, request, supply } of asked) {
      const capacity = supply === undefined ? 0 : supply.capacity[row]!;
      // NaN: the node does not say, so it isn't limited there.
      if (Number.isNaN(capacity)) continue;
      const rest = capacity - (supply?.used[row] ?? 0) - request;
      if (rest < 0) return no(whyOf(name).sentence);
      left = Math.min(left, capacity === 0 ? 1 : rest / capacity);
    }
    return { score: Math.round(left * MAX_SCORE) };
  });
}
