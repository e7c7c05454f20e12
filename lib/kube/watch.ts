/** Watch: one stream of events, to its end. It decides nothing: how it ended is an answer, next-read.ts says what then. */
import type { Api, ListOptions } from './client.ts';
import type { Clock } from './clock.ts';
import { ApiError } from './error.ts';
import { type AnyObject, type Kind, pathOf } from './kinds.ts';
import { lines } from './lines.ts';
import { apiErrorOf, type StatusObject } from './transport.ts';

export interface WatchCall extends Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
  /** Left out: everything that there is comes first, as ADDED events, ended by a bookmark (KEP-3157). */
  readonly resourceVersion?: string;
  /** After so long the server ends it in good order. */
  readonly timeoutSeconds: number;
  /** After so long without a byte it counts as dead. */
  readonly watchdogMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface WatchEvent<T extends AnyObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** How a watch ended. */
export type Ended =
  | { readonly how: 'closed' }
  /** The server told so in an ERROR event. */
  | { readonly how: 'told'; readonly error: ApiError }
  /** The server refused to begin. */
  | { readonly how: 'refused'; readonly error: ApiError }
  /** The connection, or what came over it, was no good. */
  | { readonly how: 'broken'; readonly error: unknown }
  /** Nothing was heard for too long. */
  | { readonly how: 'silent' };

const INITIAL_EVENTS = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const;

/** @param hear called with each byte that comes @param tell called with each event, in order; what it throws ends the watch */
export async function watch<T extends AnyObject>(
  api: Pick<Api, 'stream'>,
  kind: Kind<T>,
  { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, watchdogMs, clock, signal }: WatchCall,
  hear: () => void,
  tell: (event: WatchEvent<T>) => void,
): Promise<Ended> {
  const from = resourceVersion === undefined ? INITIAL_EVENTS : { resourceVersion };
  const query = { watch: true, allowWatchBookmarks: true, ...from, labelSelector, fieldSelector, timeoutSeconds };
  let response: Awaited<ReturnType<Api['stream']>>;
  try {
    response = await api.stream({ method: 'GET', path: pathOf(kind, { namespace }), query, signal, verb: 'watch', kind: kind.plural });
  } catch (error) {
    return error instanceof ApiError ? { how: 'refused', error } : { how: 'broken', error };
  }
  hear();
  return await new Promise((resolve) => {
    let ended: Ended | undefined;
    let heardAt = clock.now();
    let cancel = () => {};
    const end = (how: Ended) => {
      ended ??= how;
      response.destroy();
    };
    const look = () => {
      const left = heardAt + watchdogMs - clock.now();
      if (left <= 0) end({ how: 'silent' });
      else cancel = clock.after(left, look);
    };
    look();
    const feed = lines((line) => {
      if (!ended) tell(eventOf(kind, line));
    });
    response.on('data', (chunk: Buffer) => {
      heardAt = clock.now();
      hear();
      try {
        feed(chunk);
      } catch (error) {
        end(error instanceof ApiError ? { how: 'told', error } : { how: 'broken', error });
      }
    });
    response.on('end', () => (ended ??= { how: 'closed' }));
    response.on('error', (error) => (ended ??= { how: 'broken', error }));
    response.on('close', () => {
      cancel();
      resolve(ended ?? { how: 'closed' });
    });
  });
}

function eventOf<T extends AnyObject>(kind: Kind<T>, line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: WatchEvent<T>['type'] | 'ERROR'; object: T & StatusObject };
  if (event.type === 'ERROR') throw apiErrorOf(`watching ${kind.plural}`, event.object?.code ?? 500, event.object ?? {});
  if (typeof event.object?.metadata?.resourceVersion !== 'string')
    throw new SyntaxError(`watching ${kind.plural}: no event: ${line.slice(0, 200)}`);
  return event as WatchEvent<T>;
}
