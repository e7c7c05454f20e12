/**
 * What cross-checks look at: the definition with every value its schema refused cut out, so that one run finds the
 * mistakes inside fields and those between fields. Every part may be missing; a check passes over what isn't there.
 */
import type { Checked, CheckedPool } from '../definition.ts';
import type { Problem } from '../problem.ts';

type Partly<T> = T extends (infer I)[] ? Partly<I>[] : T extends object ? { [K in keyof T]?: Partly<T[K]> } : T;

export type Draft = Partly<Checked>;
export type DraftRacked = Partly<Extract<CheckedPool, { shape: 'intranet' }>>;
export type DraftLaunched = Partly<Extract<CheckedPool, { shape: 'ec2' }>>;
export type DraftPool = DraftRacked | DraftLaunched;

/** Takes a problem; severity is `error` unless it says otherwise. */
export type Report = (problem: Omit<Problem, 'severity'> & { severity?: Problem['severity'] }) => void;

/** The definition's pools with the path to each. */
export function poolsOf(draft: Draft): { name: string; path: string; pool: DraftPool }[] {
  return Object.entries(draft.pools ?? {}).flatMap(([name, pool]) => (pool === undefined ? [] : [{ name, path: `pools.${name}`, pool }]));
}

export function rackedPools(draft: Draft): { name: string; path: string; pool: DraftRacked }[] {
  return poolsOf(draft).filter((p): p is { name: string; path: string; pool: DraftRacked } => p.pool.shape === 'intranet');
}

export function launchedPools(draft: Draft): { name: string; path: string; pool: DraftLaunched }[] {
  return poolsOf(draft).filter((p): p is { name: string; path: string; pool: DraftLaunched } => p.pool.shape === 'ec2');
}

/** The hosts of a rack; none where the nodeset can't be read (hosts.ts says why). */
export type HostsOf = (nodeset: string) => readonly string[];
