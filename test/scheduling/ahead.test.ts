import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ahead, type Version } from '../../lib/scheduling/ahead.ts';

const at = (resourceVersion: number, uid = 'u'): Version => ({ uid, resourceVersion: String(resourceVersion) });

/** A watch that has told these, up to a version. */
const watched = (upTo: number | undefined, objects: Record<string, Version> = {}) => ({
  get: (key: string) => objects[key],
  resourceVersion: upTo === undefined ? undefined : String(upTo),
});

test('an answer is news until the watch has told something newer', () => {
  const it = ahead(watched(99, { a: at(90) }));
  expect(it.answered('a', at(105))).toBe(true);
  expect(it.told('a', at(101))).toBe(false);
  expect(it.told('a', at(105))).toBe(false);
  expect(it.told('a', at(106))).toBe(true);
});

test('an answer that comes after the watch has told it, or the end of its object, is none', () => {
  expect(ahead(watched(105, { a: at(105) })).answered('a', at(105))).toBe(false);
  expect(ahead(watched(110)).answered('a', at(105))).toBe(false);
  expect(ahead(watched(undefined)).answered('a', at(105))).toBe(true);
});

test('of two answers the older one is none, whichever comes first', () => {
  const it = ahead(watched(99));
  expect([it.answered('a', at(105)), it.answered('a', at(104))]).toEqual([true, false]);
});

test('when the object is gone so is the answer, but not that of the next object by its name', () => {
  const it = ahead(watched(99));
  it.answered('a', at(105, 'first'));
  expect(it.gone('a', 'first')).toBe(true);
  it.answered('a', at(108, 'second'));
  expect(it.gone('a', 'first')).toBe(false);
  expect(it.told('a', at(107, 'first'))).toBe(false);
});

test('what this process deleted stays gone, whatever the watch tells of the time before', () => {
  const it = ahead(watched(99, { a: at(90) }));
  it.answered('a', at(105));
  expect(it.deleted('a', at(105))).toBe(true);
  expect([it.told('a', at(103)), it.told('a', at(105)), it.answered('a', at(104))]).toEqual([false, false, false]);
  // A finalizer kept it, and somebody wrote; or there is another one of its name.
  expect(it.told('a', at(108))).toBe(true);
  expect(it.answered('a', at(110, 'next'))).toBe(true);
});

test('the end of an object is no end of the next one by its name', () => {
  const it = ahead(watched(99));
  it.answered('a', at(108, 'second'));
  expect(it.deleted('a', at(105, 'first'))).toBe(false);
});

test('what was answered and is not there when the watch has passed it is gone', () => {
  const state = { upTo: 99 };
  const it = ahead({
    get: (key) => (key === 'there' ? at(103) : undefined),
    get resourceVersion() {
      return String(state.upTo);
    },
  });
  it.answered('lost', at(105));
  it.answered('there', at(106));
  expect(it.passed()).toEqual([]);
  state.upTo = 110;
  expect(it.passed()).toEqual(['lost']);
  expect(it.passed()).toEqual([]);
});

// What the server does to one key: it makes, changes or deletes its object, by this process or by others.
const does = fc.record({ what: fc.constantFrom('write', 'write', 'delete'), own: fc.boolean(), delay: fc.nat(4) });

test('however answers and watch interleave, what is known is never older than it was, and in the end it is what the server has', () => {
  fc.assert(
    fc.property(fc.array(does, { minLength: 1, maxLength: 12 }), (doing) => {
      let [revision, uid] = [100, 0];
      let server: Version | undefined;
      const events: { type: 'put' | 'gone'; version: Version; at: number }[] = [];
      const answers: { version: Version; due: number; gone?: boolean }[] = [];
      for (const { what, own, delay } of doing) {
        if (what === 'delete' && server === undefined) continue;
        revision++;
        if (what === 'delete') {
          events.push({ type: 'gone', version: server!, at: revision });
          if (own) answers.push({ version: server!, due: revision + delay - 2, gone: true });
          server = undefined;
          continue;
        }
        server = at(revision, server?.uid ?? `u${++uid}`);
        events.push({ type: 'put', version: server, at: revision });
        if (own) answers.push({ version: server, due: revision + delay - 2 });
      }

      const told: { object: Version | undefined; upTo: number } = { object: undefined, upTo: 100 };
      const it = ahead({
        get: () => told.object,
        get resourceVersion() {
          return String(told.upTo);
        },
      });
      let known: Version | undefined;
      const dead = new Set<string>();
      const set = (version: Version) => {
        expect(dead).not.toContain(version.uid);
        if (known !== undefined) expect(Number(version.resourceVersion)).toBeGreaterThanOrEqual(Number(known.resourceVersion));
        known = version;
      };
      for (let now = 100; now <= revision + 3; now++) {
        for (const { version, gone } of answers.filter(({ due }) => due === now)) {
          if (gone) {
            dead.add(version.uid);
            if (it.deleted('a', version)) known = undefined;
          } else if (it.answered('a', version)) set(version);
        }
        const event = events.find(({ at }) => at === now);
        if (event !== undefined) {
          told.object = event.type === 'put' ? event.version : undefined;
          told.upTo = now;
          if (event.type === 'put' && it.told('a', event.version)) set(event.version);
          if (event.type === 'gone' && it.gone('a', event.version.uid)) known = undefined;
        }
        if (it.passed().length > 0) known = undefined;
      }
      expect(known?.resourceVersion).toBe(server?.resourceVersion);
    }),
    { numRuns: 2000 },
  );
});
