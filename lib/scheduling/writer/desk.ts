/** Desk: what the three parts of the agenda share: the books, the planner, the calls under way, who is about to use which address. */
import type { Books } from './books.ts';
import type { Flight } from './flight.ts';
import type { Planner } from './planner.ts';
import type { Setback } from './setback.ts';
import type { Job } from './write.ts';

/** What people and metrics are told; nothing is decided by it. */
export type Note =
  | {
      readonly note: 'event';
      readonly on: 'Lock' | 'Pod' | 'IPLock';
      readonly key: string;
      readonly uid: string;
      readonly reason: string;
      readonly message: string;
      readonly warning: boolean;
    }
  | {
      readonly note: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly sentence: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly note: 'refused'; readonly of: 'Lock' | 'Pod'; readonly reason: string }
  | { readonly note: 'decided'; readonly of: 'Lock' | 'Pod'; readonly slots: number }
  | { readonly note: 'pinned'; readonly waitedMs: number };

export interface DeskOptions {
  /** Different in every term of every lock writer. */
  readonly term: string;
  /** When this term began, on the clock that all calls tell the time by. */
  readonly beganMs: number;
  /** The wall clock, for people: conditions. @default Date */
  readonly wallClock?: () => Date;
  /** In [0, 1): for waits between tries. @default Math.random */
  readonly random?: () => number;
  /** How long an address without a Lock is Held. @default 600_000 */
  readonly looseHoldMs?: number;
}

export interface Desk {
  readonly books: Books;
  readonly planner: Planner;
  readonly flight: Flight;
  /** By address: the job that is about to use it. */
  readonly claims: Map<string, Job>;
  readonly options: DeskOptions;
  /** This moment, on the lock writer's monotonic clock. */
  now(): number;
  /** Looks at it in this or the next round. */
  touch(job: Job): void;
  /** Looks at it at that moment, or sooner. */
  touchAt(job: Job, atMs: number): void;
  /** The promise ends when the watch tells what it stands for: until then the inventory would not count it (landing.ts). */
  land(promise: string, seen: { readonly lock?: string; readonly pod?: string }): void;
  note(note: Note): void;
  /** Does it; a fault is told, and what it was about rests (setback.ts). */
  attempt<T>(about: object | string, what: string, work: () => T, otherwise: (setback: Setback) => T): T;
  /** Looks at one thing that was touched. A fault has it looked at again later. @returns false: there is no room */
  look(job: Job, look: () => boolean): boolean;
}
