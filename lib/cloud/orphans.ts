/**
 * Orphans: pod ENIs that nobody will use any more, found and deleted without taking one that somebody will. Pure; `gala cloud` looks,
 * asks here, deletes what it is told to, and `gala leaks` shows the list.
 *
 * One is deleted when it is ours, free, no plan's, and no Lock's or pod's address; when that was so at every look for ten minutes; and at
 * two looks at least. EC2 keeps no time of creation of an ENI, so the ten minutes count from the first look, on this process's own clock:
 * a process that starts anew counts anew, and deletes later, never earlier.
 */
export interface FreeEni {
  readonly id: string;
  readonly ip: string;
  /** Whether it bears this cluster's tags. */
  readonly ours: boolean;
}

/** When an ENI was first seen as an orphan, and how often since. */
export type Sightings = Readonly<Record<string, { readonly firstAt: number; readonly times: number }>>;

export interface Orphan {
  readonly id: string;
  readonly ip: string;
  readonly sinceMs: number;
  readonly times: number;
}

export interface Findings {
  /** All of them, those to delete too, the oldest first. */
  readonly orphans: readonly Orphan[];
  readonly delete: readonly string[];
  readonly sightings: Sightings;
}

export const OLD_MS = 600_000;
const LOOKS = 2;

/**
 * @param free ENIs that EC2 shows as available
 * @param wanted ids that some instance's plan will attach
 * @param taken addresses that a Lock or pod has. Not knowing them counts as all: ask only with a whole list
 * @param now monotonic milliseconds of this process
 */
export function findOrphans(
  free: readonly FreeEni[],
  wanted: ReadonlySet<string>,
  taken: ReadonlySet<string>,
  before: Sightings,
  now: number,
): Findings {
  const sightings: Record<string, { firstAt: number; times: number }> = {};
  const orphans: Orphan[] = [];
  for (const { id, ip, ours } of free) {
    if (!ours || wanted.has(id) || taken.has(ip)) continue;
    const { firstAt, times } = before[id] ?? { firstAt: now, times: 0 };
    sightings[id] = { firstAt, times: times + 1 };
    orphans.push({ id, ip, sinceMs: now - firstAt, times: times + 1 });
  }
  orphans.sort((a, b) => b.sinceMs - a.sinceMs || (a.id < b.id ? -1 : 1));
  const old = orphans.filter(({ sinceMs, times }) => sinceMs >= OLD_MS && times >= LOOKS);
  return { orphans, delete: old.map(({ id }) => id), sightings };
}
