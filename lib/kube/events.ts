/** Events (events.k8s.io/v1) for people who read `kubectl describe`: repeated ones become a series, and a flood is cut. */
import type { Api } from './client.ts';
import type { Clock } from './clock.ts';
import type { AnyObject } from './kinds.ts';
import type { Log } from './log.ts';

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

/** @param component who speaks: `gala.internal/lock-writer` */
export function recorder(_api: Api, _component: string, _options: RecorderOptions = {}): Recorder {
  throw new Error('not yet');
}
