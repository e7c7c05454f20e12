/** The work queue, by its promises and against a model of it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ApiError } from '../../lib/kube/error.ts';
import { type Result, TerminalError, type WorkQueue, workQueue } from '../../lib/kube/queue.ts';
import { aClock, settled, type TestClock } from './a-clock.ts';

/** A queue whose work ends when the test says how. */
function aQueue({ concurrency = 1 } = {}) {
  const clock = aClock();
  const ends = new Map<string, { resolve: (again?: number) => void; reject: (error: unknown) => void; signal: AbortSignal }>();
  const started: string[] = [];
  const terminal: string[] = [];
  const queue = workQueue({
    ...{ concurrency, clock, random: () => 0, backoff: { firstMs: 10, maxMs: 80 } },
    onTerminal: (key) => terminal.push(key),
    work: (key, signal) =>
      new Promise<Result | undefined>((resolve, reject) => {
        if (ends.has(key)) throw new Error(`${key} is worked on twice at once`);
        started.push(key);
        const done = () => ends.delete(key);
        ends.set(key, {
          signal,
          resolve: (againInMs) => done() && resolve(againInMs === undefined ? undefined : { againInMs }),
          reject: (error) => done() && reject(error),
        });
      }),
  });
  return { queue, clock, ends, started, terminal };
}

describe('a work queue', () => {
  test('works on a key once, however often it was added', async () => {
    const { queue, started, ends } = aQueue();
    for (let i = 0; i < 5; i++) queue.add('a');
    expect(queue.depth).toBe(1);
    await settled();
    ends.get('a')!.resolve();
    await queue.idle();
    expect(started).toEqual(['a']);
  });

  test('works on a key again that was added while it was worked on, and not at the same time', async () => {
    const { queue, started, ends } = aQueue({ concurrency: 3 });
    queue.add('a');
    await settled();
    queue.add('a');
    queue.add('a');
    await settled();
    expect([started, queue.running, queue.depth]).toEqual([['a'], 1, 1]);
    ends.get('a')!.resolve();
    await settled();
    expect([started, queue.running, queue.depth]).toEqual([['a', 'a'], 1, 0]);
    await end(queue, ends);
  });

  test('takes keys in their order, so many at a time', async () => {
    const { queue, started, ends } = aQueue({ concurrency: 2 });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await settled();
    expect(started).toEqual(['a', 'b']);
    ends.get('b')!.resolve();
    await settled();
    expect(started).toEqual(['a', 'b', 'c']);
    await end(queue, ends);
  });

  test('waits longer after each failure, up to a bound, and from the start again after a success', async () => {
    const { queue, clock, ends } = aQueue();
    const waits: number[] = [];
    queue.add('a');
    for (let i = 0; i < 6; i++) {
      await settled();
      ends.get('a')!.reject(new Error('no'));
      await settled();
      waits.push(await untilStarted(clock, ends));
    }
    // Half of 10, 20, 40, … ms: the random part is 0 here.
    expect(waits).toEqual([5, 10, 20, 40, 40, 40]);
    expect(queue.failures('a')).toBe(6);
    ends.get('a')!.resolve();
    await settled();
    expect(queue.failures('a')).toBe(0);
    queue.add('a');
    await settled();
    ends.get('a')!.reject(new Error('no'));
    await settled();
    expect(await untilStarted(clock, ends)).toBe(5);
    await end(queue, ends);
  });

  test('waits as long as the API server asks', async () => {
    const { queue, clock, ends } = aQueue();
    queue.add('a');
    await settled();
    ends.get('a')!.reject(new ApiError('PUT', { status: 429, reason: 'TooManyRequests', message: 'later', retryAfterSeconds: 3 }));
    await settled();
    expect(await untilStarted(clock, ends)).toBe(3_000);
    await end(queue, ends);
  });

  test('leaves a key alone after a terminal error until it is added', async () => {
    const { queue, clock, ends, started, terminal } = aQueue();
    queue.add('a');
    await settled();
    ends.get('a')!.reject(new TerminalError('never'));
    await settled();
    clock.advance(1_000_000);
    await settled();
    expect([started, terminal, queue.failures('a')]).toEqual([['a'], ['a'], 0]);
    queue.add('a');
    await settled();
    expect(started).toEqual(['a', 'a']);
    await end(queue, ends);
  });

  test('of two waits of a key the shorter one counts; adding it ends the wait', async () => {
    const { queue, clock, started, ends } = aQueue();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 200);
    clock.advance(49);
    await settled();
    expect(started).toEqual([]);
    clock.advance(1);
    await settled();
    expect(started).toEqual(['a']);
    ends.get('a')!.resolve(100);
    await settled();
    queue.add('a');
    await settled();
    ends.get('a')!.resolve();
    await settled();
    clock.advance(1_000);
    await settled();
    expect([started, clock.waiting]).toEqual([['a', 'a'], 0]);
    await end(queue, ends);
  });

  test('stops: takes no more, aborts what runs and waits for it', async () => {
    const { queue, clock, started, ends } = aQueue();
    for (const key of ['a', 'b']) queue.add(key);
    queue.addAfter('c', 10);
    await settled();
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('d');
    clock.advance(100);
    await settled();
    expect([stopped, ends.get('a')!.signal.aborted, started]).toEqual([false, true, ['a']]);
    ends.get('a')!.reject(new Error('cut short'));
    await stopping;
    expect([started, queue.depth, queue.running, clock.waiting, queue.counts.failed]).toEqual([['a'], 0, 0, 0, 0]);
  });

  test('goes on when a listener or the work itself throws', async () => {
    let done = 0;
    const queue = workQueue({
      onRetry() {
        throw new Error('a bad listener');
      },
      backoff: { firstMs: 1, maxMs: 1 },
      work: (() => {
        if (++done < 3) throw new Error('not even a promise');
      }) as never,
    });
    queue.add('a');
    while (done < 3) await settled();
    await queue.stop();
    expect(queue.counts).toMatchObject({ worked: 3, failed: 2 });
  });
});

/** Rules that a queue keeps, said as plainly as can be: which keys may run, which must. */
type Model = {
  ready: string[];
  running: Set<string>;
  again: Set<string>;
  due: Map<string, number>;
  failures: Map<string, number>;
  now: number;
};

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
const key = fc.constantFrom('a', 'b', 'c', 'd');
const command = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
  fc.record({
    do: fc.constant('end' as const),
    key,
    how: fc.constantFrom('fine', 'again', 'fault', 'terminal'),
    ms: fc.integer({ min: 1, max: 60 }),
  }),
);

test('a work queue behaves as its model, whatever is added, ends, fails and passes', () =>
  fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40, size: 'max' }), fc.integer({ min: 1, max: 3 }), async (commands, concurrency) => {
      const { queue, clock, ends } = aQueue({ concurrency });
      const model: Model = { ready: [], running: new Set(), again: new Set(), due: new Map(), failures: new Map(), now: 0 };
      for (const each of commands) {
        step(model, each, concurrency);
        if (each.do === 'add') queue.add(each.key);
        if (each.do === 'addAfter') queue.addAfter(each.key, each.ms);
        if (each.do === 'pass') clock.advance(each.ms);
        if (each.do === 'end') {
          const work = ends.get(each.key);
          if (each.how === 'fine') work?.resolve();
          if (each.how === 'again') work?.resolve(each.ms);
          if (each.how === 'fault') work?.reject(new Error('no'));
          if (each.how === 'terminal') work?.reject(new TerminalError('never'));
        }
        await settled();
        expect([...ends.keys()].sort()).toEqual([...model.running].sort());
        expect({ depth: queue.depth, waiting: clock.waiting }).toEqual({
          depth: model.ready.length + model.again.size,
          waiting: model.due.size,
        });
        for (const each of ['a', 'b', 'c', 'd']) expect(queue.failures(each)).toBe(model.failures.get(each) ?? 0);
      }
      await end(queue, ends);
    }),
    { numRuns: 300 },
  ));

function step(model: Model, each: Command, concurrency: number): void {
  const { ready, running, again, due, failures } = model;
  const add = (key: string) => {
    due.delete(key);
    if (running.has(key)) again.add(key);
    else if (!ready.includes(key)) ready.push(key);
  };
  const addAfter = (key: string, ms: number) => {
    if (ms <= 0) add(key);
    else if (!ready.includes(key) && !again.has(key)) due.set(key, Math.min(due.get(key) ?? Infinity, model.now + ms));
  };
  if (each.do === 'add') add(each.key);
  if (each.do === 'addAfter') addAfter(each.key, each.ms);
  if (each.do === 'pass') {
    model.now += each.ms;
    for (const [key] of [...due].filter(([, at]) => at <= model.now).sort(([, a], [, b]) => a - b)) add(key);
  }
  if (each.do === 'end' && running.has(each.key)) {
    if (each.how === 'fault') {
      failures.set(each.key, (failures.get(each.key) ?? 0) + 1);
      addAfter(each.key, Math.min(80, 10 * 2 ** (failures.get(each.key)! - 1)) / 2);
    } else failures.delete(each.key);
    if (each.how === 'again') addAfter(each.key, each.ms);
    running.delete(each.key);
    if (again.delete(each.key)) add(each.key);
  }
  while (running.size < concurrency && ready.length > 0) running.add(ready.shift()!);
}

async function untilStarted(clock: TestClock, ends: ReadonlyMap<string, unknown>): Promise<number> {
  const from = clock.now();
  while (ends.size === 0) {
    clock.advance(1);
    await settled(2);
  }
  return clock.now() - from;
}

async function end(queue: WorkQueue, ends: ReadonlyMap<string, { resolve: () => void }>): Promise<void> {
  const stopping = queue.stop();
  for (const each of [...ends.values()]) each.resolve();
  await stopping;
}
