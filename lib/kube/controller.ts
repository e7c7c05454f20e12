/** Controller: reflectors say which keys changed, the queue works on them, one key at a time, once everything is known. */
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { type Log, silent } from './log.ts';
import { type Result, type TerminalError, type WorkQueue, workQueue } from './queue.ts';
import type { Reflector } from './reflector.ts';

/** Says which keys to work on when an object of `reflector` came, changed (asked for old and new) or went. */
export interface Source {
  readonly synced: Promise<void>;
  listen(add: (key: string) => void): () => void;
}

/**
 * @param keysOf the keys that an object is about: often its owner's
 * @param isSame whether a change is none that matters: most changes of a Node are its heartbeats. @default every change matters
 * @example source(pods, (pod) => pod.lock ? [`${pod.namespace}/${pod.lock}`] : [])
 */
export function source<S>(
  reflector: Reflector<S>,
  keysOf: (object: S, key: string) => Iterable<string>,
  isSame: (old: S, object: S) => boolean = () => false,
): Source {
  return {
    synced: reflector.synced,
    listen(add) {
      const all = (object: S, key: string) => {
        for (const each of keysOf(object, key)) add(each);
      };
      return reflector.on({
        added: all,
        updated(old, object, key) {
          if (isSame(old, object)) return;
          all(old, key);
          all(object, key);
        },
        deleted: all,
      });
    },
  };
}

export interface Context {
  readonly signal: AbortSignal;
  /** How often this key failed in a row before. */
  readonly failures: number;
  readonly log: Log;
}

export interface ControllerOptions {
  readonly name: string;
  /** Each change of an object here is work on its own key. */
  readonly for: Reflector<unknown> | readonly Reflector<unknown>[];
  /** Changes here are work on other keys. */
  readonly also?: readonly Source[];
  /** Level-triggered: read the state by its key, take a step. An object that is gone has a key too. */
  readonly reconcile: (key: string, context: Context) => Promise<Result | undefined> | Promise<void>;
  readonly concurrency?: number;
  readonly backoff?: Backoff;
  readonly onTerminal?: (key: string, error: TerminalError) => void;
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Controller {
  readonly queue: Pick<WorkQueue, 'add' | 'addAfter' | 'depth' | 'running' | 'idle' | 'counts'>;
  /** Resolves when all reflectors have synced and work has begun. */
  readonly started: Promise<void>;
  /** Resolves when the signal has ended it and nothing runs any more. */
  readonly stopped: Promise<void>;
}

export function controller(options: ControllerOptions): Controller {
  const { name, reconcile, also = [], signal, concurrency, backoff, onTerminal, clock, random } = options;
  const log = (options.log ?? silent).with({ controller: name });
  const sources = [...[options.for].flat().map((reflector) => source(reflector, (_object, key) => [key])), ...also];
  const queue = workQueue({
    ...{ name, concurrency, backoff, onTerminal, clock, random, log },
    work: (key, ending) => reconcile(key, { signal: ending, failures: queue.failures(key), log: log.with({ key }) }),
  });

  // Half the picture is no picture: until everything is known, keys are only noted.
  let early: Set<string> | undefined = new Set();
  const add = (key: string) => {
    if (early) early.add(key);
    else queue.add(key);
  };
  const listening = sources.map((each) => each.listen(add));
  const ending = new Promise<never>((_, reject) => {
    const end = () => reject(new Error(`controller ${name}: stopped before everything was known`));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  ending.catch(() => {});

  const started = Promise.race([Promise.all(sources.map((each) => each.synced)), ending]).then(() => {
    const keys = early ?? [];
    early = undefined;
    for (const key of keys) queue.add(key);
    log.info('working', { keys: queue.depth });
  });
  started.catch(() => {});

  const stopped = ending.catch(async () => {
    for (const stopListening of listening) stopListening();
    await queue.stop();
  });
  return {
    started,
    stopped,
    queue: {
      add,
      addAfter: (key, ms) => (early ? add(key) : queue.addAfter(key, ms)),
      idle: queue.idle,
      counts: queue.counts,
      get depth() {
        return queue.depth + (early?.size ?? 0);
      },
      get running() {
        return queue.running;
      },
    },
  };
}
