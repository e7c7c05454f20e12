/** The reflector against a server that speaks the protocol and breaks every promise that a network can break. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../lib/kube/clock.ts';
import { CONFIGMAPS, type Kind } from '../../lib/kube/kinds.ts';
import { type ReflectOptions, type Reflector, reflect } from '../../lib/kube/reflector.ts';
import { aFastClock } from './a-clock.ts';
import { aFollower, type Follower, until } from './a-follower.ts';
import { aServer, type ServerOptions, type TestServer, type Thing } from './a-server.ts';

const THINGS = CONFIGMAPS as unknown as Kind<Thing>;
const textOf = ({ data }: Thing) => data.text!;

const fast = aFastClock(100);

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Scene extends Follower<Thing> {
  readonly server: TestServer;
  readonly things: Reflector<Thing>;
  readonly stop: AbortController;
  /** Waits until it has heard everything, and says what it was told. */
  heard(): Promise<string[]>;
}

async function aScene(
  options: Partial<ReflectOptions<Thing, Thing>> & ServerOptions & { before?: (server: TestServer) => void } = {},
): Promise<Scene> {
  const server = await aServer(options);
  options.before?.(server);
  const stop = new AbortController();
  const things = reflect(server.api, THINGS, { signal: stop.signal, clock: fast, watchdogMs: 20_000, ...options });
  const follower = aFollower(textOf);
  things.on(follower.handlers);
  ends.push(async () => {
    stop.abort();
    await things.stopped;
    await server.stop();
  });
  return {
    ...{ ...follower, server, things, stop },
    async heard() {
      await until(() => things.hasSynced() && Number(things.resourceVersion) >= server.resourceVersion);
      return follower.said.splice(0);
    },
  };
}

const two = (server: TestServer) => {
  server.put('a', '1');
  server.put('b', '1');
};

describe.each([
  ['by watch-list', true],
  ['by pages', false],
] as const)('beginning %s', (_how, watchList) => {
  test('what is there is told, then `synced`, then each change in its order', async () => {
    const { server, heard, things } = await aScene({ watchList, before: two });
    expect(await heard()).toEqual(['+web/a 1', '+web/b 1', 'synced']);
    await until(() => server.watching === 1);
    server.put('a', '2');
    server.put('c', '1');
    server.remove('b');
    server.put('b', '3');
    expect(await heard()).toEqual(['~web/a 1 2', '+web/c 1', '-web/b 1', '+web/b 3']);
    expect([things.size, things.get('web/a')?.data, [...things.keys()]]).toEqual([3, { text: '2' }, ['web/a', 'web/c', 'web/b']]);
  });

  test('after a gap the difference is told, and nothing else; what went, with what it last was', async () => {
    const { server, heard, things } = await aScene({ watchList, before: two });
    await heard();
    await until(() => server.watching === 1);
    server.put('kept', '1');
    await heard();
    server.end('mute');
    server.put('a', '2');
    server.remove('b');
    server.put('c', '1');
    server.compact();
    server.end('reset');
    expect((await heard()).sort()).toEqual(['+web/c 1', '-web/b 1', '~web/a 1 2']);
    expect(things.counts.reads).toBe(2);
  });

  test('an object made again under its name is another one, whether its end was seen or not', async () => {
    const { server, heard } = await aScene({ watchList, before: two });
    await heard();
    await until(() => server.watching === 1);
    server.end('mute');
    server.remove('a');
    server.put('a', '9');
    server.compact();
    server.end('reset');
    expect(await heard()).toEqual(['-web/a 1', '+web/a 9']);
  });

  test('everything of a relist is there at once: no one sees half of it', async () => {
    const { server, heard, things } = await aScene({ watchList, before: two });
    await heard();
    await until(() => server.watching === 1);
    const seen = new Set<string>();
    const look = setInterval(() => seen.add([...things.values()].map(textOf).sort().join()), 0);
    server.end('mute');
    for (let i = 0; i < 600; i++) server.put(`n${i}`, 'n');
    for (const name of ['a', 'b']) server.put(name, '2');
    server.compact();
    server.end('reset');
    await heard();
    await new Promise((resolve) => setTimeout(resolve, 10));
    clearInterval(look);
    expect([...seen].map((each) => each.length).sort((a, b) => a - b)).toEqual(['1,1'.length, '2,2'.length + 600 * 2]);
  });
});

describe('watching', () => {
  test('a watch-list is asked for, and one that is refused not again', async () => {
    const { server, heard } = await aScene({ watchList: false, before: two });
    await heard();
    const [first, second, third] = server.asked.map((query) => Object.fromEntries(query));
    expect(first).toMatchObject({
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    });
    expect(second).toEqual({ limit: '500' });
    await until(() => server.watching === 1);
    expect(third ?? Object.fromEntries(server.asked[2]!)).toMatchObject({ watch: 'true', resourceVersion: '102' });
    server.compact();
    server.end(410);
    await until(() => server.asked.length === 5);
    expect(Object.fromEntries(server.asked[3]!)).toEqual({ limit: '500' });
  });

  test('a watch lasts 5 to 10 minutes', async () => {
    const { server, heard } = await aScene({ random: () => 0.5 });
    await heard();
    expect(server.asked[0]!.get('timeoutSeconds')).toBe('450');
  });

  test('a bookmark is enough to go on from: no relist after a compaction', async () => {
    const { server, heard, things } = await aScene({ before: two });
    await heard();
    server.put('a', '2');
    server.bookmark();
    await heard();
    server.compact();
    server.end('closed');
    await until(() => server.watching === 1 && server.asked.length === 2);
    server.put('a', '3');
    expect(await heard()).toEqual(['~web/a 2 3']);
    expect(things.counts).toMatchObject({ reads: 1, watches: 2 });
  });

  test('events that come once more are told once', async () => {
    const { server, heard, mistakes } = await aScene({ before: two });
    await heard();
    server.put('a', '2');
    server.remove('b');
    server.repeat();
    server.put('c', '1');
    expect([await heard(), mistakes]).toEqual([['~web/a 1 2', '-web/b 1', '+web/c 1'], []]);
  });

  test('characters and lines may lie in any number of parts', async () => {
    const { server, heard } = await aScene({ random: () => 0 });
    server.put('long', '鼠年春晚'.repeat(50));
    expect(await heard()).toEqual([expect.stringMatching(/^(synced|\+web\/long (鼠年春晚){50})$/), expect.any(String)]);
  });

  test('a connection that says nothing any more is ended and begun again, from where it was', async () => {
    const { server, heard, things } = await aScene({ before: two });
    await heard();
    server.end('mute');
    server.put('a', '2');
    await until(() => things.counts.watches === 2);
    expect(await heard()).toEqual(['~web/a 1 2']);
    expect(things.counts).toMatchObject({ reads: 1, faults: 1 });
  });

  test('a server that holds initial events back is asked for pages', async () => {
    const { server, heard } = await aScene({ before: two });
    await heard();
    server.meet((query) => (query.has('sendInitialEvents') ? 'mute' : undefined));
    server.put('a', '2');
    await heard();
    server.compact();
    server.end(410);
    server.put('a', '3');
    expect(await heard()).toEqual(['~web/a 2 3']);
    expect(server.asked.filter((query) => query.has('limit'))).toHaveLength(1);
  });

  test.each(['nonsense', 'reset', 500, 410, 403] as const)('after %s it goes on, and nothing is lost', async (how) => {
    const { server, heard, mistakes } = await aScene({ before: two });
    await heard();
    for (const text of ['2', '3', '4']) {
      server.end(how);
      server.put('a', text);
      expect(await heard()).toEqual([`~web/a ${Number(text) - 1} ${text}`]);
      await until(() => server.watching === 1);
    }
    expect(mistakes).toEqual([]);
  });

  test('a page that expires begins the list anew, and what went meanwhile is not in it', async () => {
    const { server, heard, things } = await aScene({
      watchList: false,
      before(at) {
        for (let i = 0; i < 1_200; i++) at.put(`n${1_000 + i}`, '1');
        let pages = 0;
        at.meet((query) => {
          if (!query.has('limit') || ++pages !== 2) return undefined;
          at.remove('n1000');
          at.compact();
          return undefined;
        });
      },
    });
    expect(await heard()).toHaveLength(1_200);
    expect([things.size, things.get('web/n1000')]).toEqual([1_199, undefined]);
    expect(server.asked.filter((query) => query.has('limit'))).toHaveLength(5);
  });

  test('it waits as long as it is asked to', async () => {
    const waits: number[] = [];
    const clock: Clock = {
      now: fast.now,
      after(ms, act) {
        waits.push(ms);
        return fast.after(ms, act);
      },
    };
    const { heard } = await aScene({ clock, random: () => 0, before: (at) => at.refuse(429, 7) });
    await heard();
    expect(waits[0]).toBe(7_000);
  });
});

describe('a kind that is not there', () => {
  test('is waited for', async () => {
    const { server, things, heard } = await aScene({ missingMs: 500, before: (at) => at.setKnown(false) });
    await until(() => server.asked.length >= 3);
    expect([things.hasSynced(), things.staleMs()]).toEqual([false, Number.POSITIVE_INFINITY]);
    server.setKnown(true);
    two(server);
    expect(await heard()).toEqual(['+web/a 1', '+web/b 1', 'synced']);
  });

  test('counts as empty and synced where that is asked for, until it comes, and again when it goes', async () => {
    const { server, things, heard, said } = await aScene({ missing: 'empty', missingMs: 500, before: (at) => at.setKnown(false) });
    await things.synced;
    expect([things.size, said.splice(0)]).toEqual([0, ['synced']]);
    server.setKnown(true);
    two(server);
    expect(await heard()).toEqual(['+web/a 1', '+web/b 1']);
    server.setKnown(false);
    await until(() => things.size === 0);
    expect(said.splice(0)).toEqual(['-web/a 1', '-web/b 1']);
    server.setKnown(true);
    expect(await heard()).toEqual(['+web/a 1', '+web/b 1']);
  });

  test('one 404 empties nothing: a server that restarts may not know its kinds yet', async () => {
    const { server, heard, said } = await aScene({ before: two });
    await heard();
    server.refuse(404);
    server.end('closed');
    server.put('a', '2');
    expect([await heard(), said]).toEqual([['~web/a 1 2'], []]);
  });
});

describe('listeners', () => {
  test('one that comes late is told what there is, then what the others are told', async () => {
    const { server, things, heard } = await aScene({ before: two });
    await heard();
    const late = aFollower(textOf);
    const leave = things.on(late.handlers);
    expect(late.said).toEqual(['+web/a 1', '+web/b 1', 'synced']);
    server.put('a', '2');
    await heard();
    leave();
    server.put('a', '3');
    await heard();
    expect(late.said).toEqual(['+web/a 1', '+web/b 1', 'synced', '~web/a 1 2']);
  });

  test('one that comes while something is told hears it once', async () => {
    const { server, things, heard } = await aScene();
    await heard();
    const late = aFollower(textOf);
    const leave = things.on({ added: () => things.on(late.handlers) });
    server.put('a', '1');
    await heard();
    leave();
    expect(late.said).toEqual(['+web/a 1', 'synced']);
  });

  test('one that throws is its own trouble', async () => {
    const { server, things, heard, mistakes } = await aScene();
    const no = () => {
      throw new Error('a bad listener');
    };
    things.on({ added: no, updated: no, deleted: no, synced: no });
    await heard();
    server.put('a', '1');
    server.put('a', '2');
    server.remove('a');
    expect([await heard(), mistakes]).toEqual([['+web/a 1', '~web/a 1 2', '-web/a 2'], []]);
  });

  test('`keep` says what is held; an object that it chokes on stays what it was', async () => {
    const { server, heard } = await aScene({
      keep(object) {
        if (object.data.text === 'bad') throw new Error('cannot keep this');
        return { ...object, data: { text: `kept ${object.data.text}` } };
      },
      before: two,
    });
    expect(await heard()).toEqual(['+web/a kept 1', '+web/b kept 1', 'synced']);
    server.put('a', 'bad');
    server.put('b', '2');
    expect(await heard()).toEqual(['~web/b kept 1 kept 2']);
  });
});

describe('stopping', () => {
  test('ends the watch, and is told to whoever waits for everything', async () => {
    const { server, things, stop, heard } = await aScene({ before: two });
    await heard();
    stop.abort();
    await things.stopped;
    await until(() => server.watching === 0);
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.asked).toHaveLength(asked);
  });

  test('before everything was read, it says so', async () => {
    const { things, stop } = await aScene({ before: (at) => at.setKnown(false) });
    stop.abort();
    await expect(things.synced).rejects.toThrow('reflecting configmaps: stopped before everything was read');
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      how: fc.constantFrom('closed', 'reset', 'nonsense', 'mute', 410, 429, 500, 403),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refuse' as const), status: fc.constantFrom(404, 410, 429, 500, 503, 401) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('compact', 'bookmark', 'repeat') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 12 }) }) },
);

test('whatever happens on the way, it ends up with what the server has, and told a story that leads there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { maxLength: 60, size: 'max' }),
      fc.boolean(),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      async (all, watchList, part) => {
        const { server, things, copy, mistakes, heard } = await aScene({ watchList, random: () => part });
        let text = 0;
        // Two in a row say that the kind is gone: its objects end then, and may be there again as they were (tested above).
        const [missing] = all.filter((each) => each.do === 'refuse' && each.status === 404);
        for (const each of all) {
          if (each.do === 'put') server.put(each.name, `${++text}`);
          if (each.do === 'remove') server.remove(each.name);
          if (each.do === 'end') server.end(each.how as never);
          if (each.do === 'refuse' && (each.status !== 404 || each === missing)) server.refuse(each.status);
          if (each.do === 'compact') server.compact();
          if (each.do === 'bookmark') server.bookmark();
          if (each.do === 'repeat') server.repeat();
          if (each.do === 'pass') await new Promise((resolve) => setTimeout(resolve, each.ms));
        }
        server.put('last', 'word');
        await heard();
        expect(mistakes).toEqual([]);
        expect(Object.fromEntries([...things.keys()].map((key) => [key, things.get(key)]))).toEqual(Object.fromEntries(server.objects));
        expect([...copy.entries()].sort()).toEqual([...things.keys()].map((key) => [key, things.get(key)]).sort());
        for (const end of ends.splice(0)) await end();
      },
    ),
    // A failure is told before the test's own deadline, shrunk as far as time allows.
    { numRuns: 60, interruptAfterTimeLimit: 90_000 },
  );
}, 120_000);
