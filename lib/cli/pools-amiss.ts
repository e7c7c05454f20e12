/** What is amiss with HostPools, as their conditions say it. Pure. */
import type { HostPool } from '../api/kinds.ts';
import { AMISS } from '../network/pool-conditions.ts';
import { ageOf } from './amount.ts';

export interface PoolAmiss {
  readonly pool: string;
  /** `NodesOutsideRacks` */
  readonly condition: string;
  /** Which hosts or addresses, and what to do. */
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
}

/** By pool. Conditions of others are passed over: of those True may mean that all is well. */
export function poolsAmiss(
  pools: Iterable<{ readonly metadata: { readonly name: string }; readonly status?: HostPool['status'] }>,
): PoolAmiss[] {
  const found = [...pools].flatMap(({ metadata: { name: pool }, status }) =>
    (status?.conditions ?? [])
      .filter(({ type, status }) => status === 'True' && AMISS.includes(type))
      .map(({ type: condition, message = '', lastTransitionTime: since }) => ({ pool, condition, message, since })),
  );
  return found.sort((a, b) => compare(a.pool, b.pool) || compare(a.condition, b.condition));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Rows of a table, its header first; none where nothing is amiss. @param nowMs Unix milliseconds */
export function amissRows(pools: readonly PoolAmiss[], nowMs: number): string[][] {
  if (pools.length === 0) return [];
  const rows = pools.map(({ pool, condition, message, since }) => [pool, condition, ageOf(nowMs - Date.parse(since)), message]);
  return [['POOL', 'AMISS', 'FOR', 'WHAT, AND WHAT TO DO'], ...rows];
}
