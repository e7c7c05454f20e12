/** The controller: which keys it works on, and when it begins and ends. */
import { expect, test } from '@jest/globals';
import { controller, source } from '../../lib/kube/controller.ts';
import { silent } from '../../lib/kube/log.ts';
import type { Reflector } from '../../lib/kube/reflector.ts';
import { store } from '../../lib/kube/store.ts';
import { settled } from './a-clock.ts';

interface Thing {
  readonly owner: string;
}

/** The part of a reflector that a controller looks at, filled by the test. */
function aReflector() {
  const things = store<Thing>(silent);
  const synced = Promise.withResolvers<void>();
  const entry = (owner: string, version = 1) => ({ object: { owner }, uid: 'u', resourceVersion: `${version}` });
  let version = 1;
  return {
    reflector: { synced: synced.promise, on: things.on } as unknown as Reflector<Thing>,
    put: (key: string, owner: string) => things.put(key, entry(owner, ++version)),
    remove: things.remove,
    sync: () => synced.resolve(),
    refuse: (error: Error) => synced.reject(error),
  };
}

test('nothing is worked on before everything is known; then each key once', async () => {
  const [lock, pod] = [aReflector(), aReflector()];
  const worked: string[] = [];
  const stop = new AbortController();
  const running = controller({
    ...{ name: 'locks', for: lock.reflector, also: [source(pod.reflector, ({ owner }) => [owner])], signal: stop.signal },
    reconcile: async (key) => void worked.push(key),
  });
  lock.put('web/a', 'x');
  pod.put('web/a-0', 'web/a');
  running.queue.addAfter('web/z', 10);
  lock.sync();
  await settled();
  expect([worked, running.queue.depth]).toEqual([[], 2]);
  pod.sync();
  await running.started;
  await running.queue.idle();
  expect(worked).toEqual(['web/a', 'web/z']);
  stop.abort();
  await running.stopped;
});

test('a change of what belongs to a key is work on its old and its new owner, and a deletion on its last', async () => {
  const [lock, pod] = [aReflector(), aReflector()];
  const worked: string[] = [];
  const stop = new AbortController();
  const running = controller({
    ...{ name: 'locks', for: lock.reflector, also: [source(pod.reflector, ({ owner }) => [owner])], signal: stop.signal },
    reconcile: async (key) => void worked.push(key),
  });
  pod.put('web/p', 'web/a');
  lock.sync();
  pod.sync();
  await running.started;
  await running.queue.idle();
  worked.length = 0;
  pod.put('web/p', 'web/b');
  await running.queue.idle();
  expect(worked).toEqual(['web/a', 'web/b']);
  pod.remove('web/p');
  await running.queue.idle();
  expect(worked).toEqual(['web/a', 'web/b', 'web/b']);
  stop.abort();
  await running.stopped;
});

test('a change that does not matter is no work', async () => {
  const [lock, pod] = [aReflector(), aReflector()];
  const worked: string[] = [];
  const stop = new AbortController();
  const running = controller({
    ...{ name: 'locks', for: lock.reflector, signal: stop.signal },
    also: [
      source(
        pod.reflector,
        ({ owner }) => [owner],
        (a, b) => a.owner === b.owner,
      ),
    ],
    reconcile: async (key) => void worked.push(key),
  });
  pod.put('web/p', 'web/a');
  lock.sync();
  pod.sync();
  await running.started;
  await running.queue.idle();
  pod.put('web/p', 'web/a');
  await running.queue.idle();
  expect(worked).toEqual(['web/a']);
  pod.put('web/p', 'web/b');
  await running.queue.idle();
  expect(worked).toEqual(['web/a', 'web/a', 'web/b']);
  stop.abort();
  await running.stopped;
});

test('the signal ends it: what runs is aborted and waited for, what comes later is not heard', async () => {
  const lock = aReflector();
  const stop = new AbortController();
  const worked: string[] = [];
  let aborted = false;
  const running = controller({
    ...{ name: 'locks', for: lock.reflector, signal: stop.signal },
    async reconcile(key, { signal }) {
      worked.push(key);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await settled();
      aborted = true;
    },
  });
  lock.put('web/a', '');
  lock.sync();
  await running.started;
  await settled();
  stop.abort();
  lock.put('web/b', '');
  await running.stopped;
  expect([worked, aborted, running.queue.running]).toEqual([['web/a'], true, 0]);
});

test('one that is ended before everything is known never starts, and says so only to who asks', async () => {
  const lock = aReflector();
  const stop = new AbortController();
  const running = controller({ name: 'locks', for: lock.reflector, signal: stop.signal, reconcile: async () => {} });
  stop.abort();
  await running.stopped;
  await expect(running.started).rejects.toThrow('controller locks: stopped before everything was known');
});

test('a key that failed knows how often', async () => {
  const lock = aReflector();
  const stop = new AbortController();
  const seen: number[] = [];
  const running = controller({
    ...{ name: 'locks', for: lock.reflector, signal: stop.signal, backoff: { firstMs: 1, maxMs: 1 } },
    async reconcile(_key, { failures }) {
      seen.push(failures);
      if (failures < 2) throw new Error('not yet');
    },
  });
  lock.put('web/a', '');
  lock.sync();
  while (seen.length < 3) await settled();
  expect(seen).toEqual([0, 1, 2]);
  stop.abort();
  await running.stopped;
});
