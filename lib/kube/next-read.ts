/**
 * What a reflector does when a watch has ended or a list has failed: watch on from where it was, or read everything anew, and
 * after what wait. Pure.
 */
import { type Backoff, backoffMs } from './backoff.ts';
import { ApiError, isGone, isNotFound } from './error.ts';
import type { Ended } from './watch.ts';

export interface Reading {
  /** Everything was being read, not followed. */
  readonly all: boolean;
  /** By watch-list; the other way is pages. */
  readonly watchList: boolean;
  /** Attempts in a row that brought nothing new, without this one. */
  readonly failures: number;
  /** This attempt brought something new. */
  readonly progress: boolean;
  readonly lastedMs: number;
}

export interface Next {
  readonly read: 'on' | 'anew';
  readonly waitMs: number;
  readonly failures: number;
  /** The server has no such kind. */
  readonly missing?: true;
  /** From now on everything is read in pages. */
  readonly inPages?: true;
}

/** client-go begins at 800 ms and ends at 30 s as well (tools/cache/reflector.go). */
const BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000 };
/** A watch that ends sooner, with nothing told, is as good as refused (client-go's "very short watch"). */
const SHORT_MS = 1_000;
/** A watch that lasted so long was a good one, even if nothing happened. */
const STEADY_MS = 30_000;
/** So often an ERROR event is answered by watching on; then what is known is suspected. */
const PATIENCE = 3;
const LONGEST_RETRY_AFTER_MS = 60_000;

export function nextRead(ended: Ended, reading: Reading, random: () => number): Next {
  const on = reading.all ? 'anew' : 'on';
  const failures = reading.progress || reading.lastedMs >= STEADY_MS ? 1 : reading.failures + 1;
  const waitMs = backoffMs(failures, BACKOFF, random);
  if (ended.how === 'closed') {
    // The server ends each watch after its timeoutSeconds; that is no fault, unless it never gets anywhere.
    const fine = !reading.all && (reading.progress || reading.lastedMs >= SHORT_MS);
    return fine ? { read: 'on', waitMs: 0, failures: 0 } : { read: on, waitMs, failures };
  }
  // A server, or something before it, that holds initial events back is asked for pages.
  if (ended.how === 'silent') return { read: on, waitMs: 0, failures, ...(reading.all ? { inPages: true } : {}) };
  const { error } = ended;
  if (!(error instanceof ApiError)) return { read: on, waitMs, failures };

  if (isNotFound(error)) return { read: 'anew', waitMs, failures, missing: true };
  if (ended.how === 'refused' && reading.all && reading.watchList && [400, 415, 422].includes(error.status))
    return { read: 'anew', waitMs: 0, failures: reading.failures, inPages: true };
  // Once at once: it is a watch that was away for long, or a compaction.
  if (isGone(error)) return { read: 'anew', waitMs: failures === 1 ? 0 : waitMs, failures };
  if (isAhead(error)) return { read: 'anew', waitMs, failures };
  const asked = Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_RETRY_AFTER_MS);
  const later = Math.max(waitMs, asked * (1 + random() / 4));
  const again = error.status === 429 || error.status >= 500 || [401, 403].includes(error.status);
  const suspect = ended.how === 'told' ? !again || failures > PATIENCE : !again;
  return { read: suspect ? 'anew' : on, waitMs: later, failures };
}

/** Our resourceVersion is of the future: etcd was restored from a backup (apiserver, storage/errors.go: ResourceVersionTooLarge). */
const isAhead = ({ details, message }: ApiError) =>
  details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true || message.includes('Too large resource version');
