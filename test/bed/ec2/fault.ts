/** Faults that a test orders for the next calls of an API, and what was called. */
import type { Call, Params } from './query.ts';
import { isMutating } from './throttle.ts';

export type Fault =
  /** Refused, and nothing done. @default status 400; 503 for codes of the server, as `Unavailable` */
  | { readonly do: 'error'; readonly code: string; readonly message?: string; readonly status?: number }
  /** Done, and the connection cut before the answer. */
  | { readonly do: 'lose reply' }
  /** Done, and answered only when so much virtual time has passed. */
  | { readonly do: 'delay'; readonly ms: number };

export interface Order {
  /** How many calls it strikes. @default 1 */
  readonly times?: number;
  /** Which calls of the API, by their parameters. @default any */
  readonly where?: (params: Params) => boolean;
}

interface Standing extends Order {
  readonly action: string;
  readonly fault: Fault;
  left: number;
}

export interface Faults {
  /** @param action of the API, or `*` for any */
  add(action: string, fault: Fault, order?: Order): void;
  /** What strikes this call. */
  strike(call: Call): Fault | undefined;
  clear(): void;
}

export function faults(): Faults {
  let standing: Standing[] = [];
  return {
    add: (action, fault, order = {}) => void standing.push({ ...order, action, fault, left: order.times ?? 1 }),
    strike: ({ action, params }) => {
      const found = standing.find((each) => (each.action === action || each.action === '*') && (each.where?.(params) ?? true));
      if (found === undefined) return undefined;
      if (--found.left <= 0) standing = standing.filter((each) => each !== found);
      return found.fault;
    },
    clear: () => {
      standing = [];
    },
  };
}

export interface Counted {
  readonly calls: number;
  /** Of those, how many were refused; throttled ones too. */
  readonly refused: number;
  readonly throttled: number;
}

export interface Counts {
  of(action: string): Counted;
  /** Calls that would change something, refused ones too. */
  readonly mutating: number;
  readonly all: Readonly<Record<string, Counted>>;
  reset(): void;
}

const NONE: Counted = { calls: 0, refused: 0, throttled: 0 };

/** `note` is told of each call, with the code of its refusal. */
export function counting(): Counts & { note(action: string, refusedBy: string | undefined): void } {
  let all: Record<string, Counted> = {};
  return {
    of: (action) => all[action] ?? NONE,
    get mutating() {
      return Object.entries(all).reduce((sum, [action, { calls }]) => sum + (isMutating(action) ? calls : 0), 0);
    },
    get all() {
      return all;
    },
    reset: () => {
      all = {};
    },
    note: (action, refusedBy) => {
      const { calls, refused, throttled } = all[action] ?? NONE;
      all[action] = {
        calls: calls + 1,
        refused: refused + (refusedBy === undefined ? 0 : 1),
        throttled: throttled + (refusedBy === 'RequestLimitExceeded' ? 1 : 0),
      };
    },
  };
}
