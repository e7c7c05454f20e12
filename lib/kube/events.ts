/** Events (events.k8s.io/v1) for people who read `kubectl describe`: repeated ones become a series, and a flood is cut. */
import { hostname } from 'node:os';
import pLimit from 'p-limit';
import type { Api } from './client.ts';
import { type Clock, microTime, monotonic } from './clock.ts';
import { isAlreadyExists, isNotFound } from './error.ts';
import { dueAt, emptyTally, type Series, tally } from './event-series.ts';
import { type AnyObject, type Draft, EVENTS, type Kind } from './kinds.ts';
import { type Log, silent } from './log.ts';
import { retrying } from './retry.ts';

export interface RecorderOptions {
  /** @default host name and process id */
  readonly instance?: string;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface EventDetails {
  /** What was done: `Locking`. @default the reason */
  readonly action?: string;
  readonly related?: Pick<AnyObject, 'apiVersion' | 'kind'> & {
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
  };
}

/** An object as an event names it; slim ones will do. */
export type Regarding = NonNullable<EventDetails['related']>;

export interface Recorder {
  /** Returns at once and never throws: an event that cannot be written is a log line. */
  event(object: Regarding, reason: string, message: string, type?: 'Normal' | 'Warning', details?: EventDetails): void;
  /** Resolves when what was recorded so far is written or given up. */
  flush(): Promise<void>;
}

/** Events that wait for the API server, at most: what happened before it came back is told, not everything. */
const WAITING = 1_000;
const AT_ONCE = 4;
/** apis/events/v1: 1 KiB of note, 128 characters of reason and action. */
const LONGEST_NOTE = 1_024;
const LONGEST_WORD = 128;

/** @param component who speaks: `gala.internal/lock-writer` */
export function recorder(api: Api, component: string, options: RecorderOptions = {}): Recorder {
  const { instance = `${hostname()}-${process.pid}`, clock = monotonic } = options;
  const log = (options.log ?? silent).with({ component });
  const counted = emptyTally();
  const drafts = new WeakMap<Series, { readonly draft: Draft<Event>; readonly created: Promise<void> }>();
  const limit = pLimit(AT_ONCE);
  const writing = new Set<Promise<void>>();
  /** Series whose count is ahead of what is written, and the timer that writes them. */
  const behind = new Map<Series, () => void>();
  let dropped = 0;

  function event(
    object: Regarding,
    reason: string,
    message: string,
    type: 'Normal' | 'Warning' = 'Normal',
    details: EventDetails = {},
  ): void {
    const { action = reason, related } = details;
    const about = JSON.stringify(referenceOf(object));
    const same = JSON.stringify([about, reason, message, type, action, related && referenceOf(related)]);
    const verdict = tally(counted, same, about, nameFor(object), clock.now());
    if (verdict.do === 'cut') {
      if (verdict.first) log.warn('too many events of one object: cut for a while', { object: about, reason });
      return;
    }
    if (verdict.do === 'count') {
      writeLater(verdict.series);
      return;
    }
    const { namespace = 'default' } = object.metadata;
    const draft: Draft<Event> = {
      metadata: { name: verdict.series.name, namespace },
      ...{ eventTime: microTime(new Date()), type, reason: cut(reason, LONGEST_WORD), action: cut(action, LONGEST_WORD) },
      ...{ note: cut(message, LONGEST_NOTE), regarding: referenceOf(object), ...(related ? { related: referenceOf(related) } : {}) },
      ...{ reportingController: component, reportingInstance: cut(instance, LONGEST_WORD) },
    };
    drafts.set(verdict.series, { draft, created: send(() => create(draft)) });
  }

  function writeLater(series: Series): void {
    const at = dueAt(series);
    if (at === undefined || behind.has(series)) return;
    const write = () => {
      cancel();
      behind.delete(series);
      series.written = series.count;
      series.writtenAt = clock.now();
      void send(() => update(series));
    };
    const cancel = clock.after(Math.max(0, at - clock.now()), write);
    behind.set(series, write);
  }

  /** In the order they were recorded, four at a time, each tried for about half a minute. */
  function send(call: () => Promise<unknown>): Promise<void> {
    if (writing.size >= WAITING) {
      // 1st, 2nd, 4th …: a flood of lines about a flood of events helps nobody.
      if ((++dropped & (dropped - 1)) === 0) log.warn('events dropped: the API server does not take them', { dropped });
      return Promise.resolve();
    }
    const done = limit(() => retrying(call, { tries: 6, backoff: { firstMs: 1_000, maxMs: 10_000 } }))
      .then(() => {})
      .catch((error: unknown) => log.warn('event not written', { error }))
      .finally(() => writing.delete(done));
    writing.add(done);
    return done;
  }

  async function create(draft: Draft<Event>): Promise<void> {
    await api.create(EVENTS, draft).catch((error: unknown) => {
      // Our own, when the answer to the first try was lost.
      if (!isAlreadyExists(error)) throw error;
    });
  }

  async function update(series: Series): Promise<void> {
    const { count, name } = series;
    const { draft, created } = drafts.get(series)!;
    // What is not there yet cannot be counted on; it was sent first, so this waits for nothing that waits for it.
    await created;
    const more = { series: { count, lastObservedTime: microTime(new Date()) } };
    try {
      await api.patch(EVENTS, { namespace: draft.metadata.namespace!, name }, more);
    } catch (error) {
      // Events live for an hour (--event-ttl), a series may for longer.
      if (!isNotFound(error)) throw error;
      await create({ ...draft, ...more });
    }
  }

  return {
    event(...recorded) {
      try {
        event(...recorded);
      } catch (error) {
        log.error('event not recorded', { error });
      }
    },
    async flush() {
      for (const write of [...behind.values()]) write();
      while (writing.size > 0) await Promise.all(writing);
    },
  };
}

type Event = typeof EVENTS extends Kind<infer T> ? T : never;

const referenceOf = ({ apiVersion, kind, metadata: { name, namespace, uid } }: Regarding) => ({ apiVersion, kind, name, namespace, uid });

let recorded = 0;
/** As client-go names them: the object's name and a number that grows. Unique in this process; the time makes it so beyond. */
function nameFor({ metadata: { name } }: Regarding): string {
  recorded = (recorded + 1) % 0x100000;
  return `${name.slice(0, 230)}.${Date.now().toString(16)}${recorded.toString(16).padStart(5, '0')}`;
}

/** Bounds are in bytes. */
const cut = (text: string, most: number): string => {
  if (Buffer.byteLength(text) <= most) return text;
  const bytes = Buffer.from(text).subarray(0, most - 3);
  return `${new TextDecoder().decode(bytes).replace(/\ufffd+$/, '')}…`;
};
