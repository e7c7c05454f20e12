/**
 * What becomes of an event: a new one is written, the same one again counts in a series, and an object that has too many is
 * not heard for a while. Pure. The bounds are client-go's (tools/record/events_cache.go, tools/events/event_broadcaster.go).
 */

export interface Tally {
  /** The same in everything a person reads. */
  readonly series: Map<string, Series>;
  /** By object. */
  readonly buckets: Map<string, Bucket>;
}

export interface Series {
  /** Name of the Event that stands for all of them. */
  readonly name: string;
  count: number;
  /** What is written of it already. */
  written: number;
  writtenAt: number;
  lastAt: number;
}

interface Bucket {
  tokens: number;
  at: number;
  told: boolean;
}

export type Verdict =
  | { readonly do: 'create'; readonly series: Series }
  | { readonly do: 'count'; readonly series: Series }
  /** `first`: of this flood; for a log line. */
  | { readonly do: 'cut'; readonly first: boolean };

/** A series has ended when so long nothing came. */
const FINISHED_MS = 6 * 60_000;
/** So many different events of one object at once, and one more every 5 minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** Of each; the oldest are forgotten. */
const REMEMBERED = 4_096;
/** A running series is written so often. */
export const WRITE_EVERY_MS = 60_000;

export const emptyTally = (): Tally => ({ series: new Map(), buckets: new Map() });

/** @param same what makes it the same event @param object whom it is about @param name for the Event, if it is a new one */
export function tally({ series, buckets }: Tally, same: string, object: string, name: string, now: number): Verdict {
  const known = series.get(same);
  if (known && now - known.lastAt < FINISHED_MS) {
    known.count++;
    known.lastAt = now;
    return { do: 'count', series: known };
  }
  const bucket = buckets.get(object) ?? { tokens: BURST, at: now, told: false };
  const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
  const enough = tokens >= 1;
  last(buckets, object, { tokens: enough ? tokens - 1 : tokens, at: now, told: !enough });
  if (!enough) return { do: 'cut', first: !bucket.told };
  const fresh: Series = { name, count: 1, written: 1, writtenAt: now, lastAt: now };
  last(series, same, fresh);
  return { do: 'create', series: fresh };
}

/** When what is known of a series should be written: the second at once, so that it becomes one, then every minute. */
export const dueAt = ({ count, written, writtenAt }: Series): number | undefined =>
  count === written ? undefined : written === 1 ? 0 : writtenAt + WRITE_EVERY_MS;

/** Puts it last, and forgets the first when there are too many. */
function last<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value as string);
}
