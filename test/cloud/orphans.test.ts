import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FreeEni, findOrphans, OLD_MS, type Sightings } from '../../lib/cloud/orphans.ts';

const NONE: ReadonlySet<string> = new Set();
const aFree = (over: Partial<FreeEni> = {}): FreeEni => ({ id: 'eni-1', ip: '10.0.0.11', ours: true, ...over });
const look = (free: readonly FreeEni[], before: Sightings, now: number, { wanted = NONE, taken = NONE } = {}) =>
  findOrphans(free, wanted, taken, before, now);

describe('a free ENI of ours', () => {
  test('is listed at once and deleted after ten minutes, at the second look', () => {
    const first = look([aFree()], {}, 0);
    expect(first).toMatchObject({ orphans: [{ id: 'eni-1', sinceMs: 0, times: 1 }], delete: [] });
    expect(look([aFree()], first.sightings, OLD_MS - 1).delete).toEqual([]);
    expect(look([aFree()], first.sightings, OLD_MS).delete).toEqual(['eni-1']);
  });

  test('that was in use in between counts anew', () => {
    const first = look([aFree()], {}, 0);
    const inUse = look([], first.sightings, OLD_MS / 2);
    expect(look([aFree()], inUse.sightings, OLD_MS)).toMatchObject({ orphans: [{ sinceMs: 0 }], delete: [] });
  });

  test('is no orphan while a plan wants it, or somebody has its address', () => {
    const { sightings } = look([aFree()], {}, 0);
    expect(look([aFree()], sightings, OLD_MS, { wanted: new Set(['eni-1']) })).toMatchObject({ orphans: [], sightings: {} });
    expect(look([aFree()], sightings, OLD_MS, { taken: new Set(['10.0.0.11']) })).toMatchObject({ orphans: [], sightings: {} });
  });
});

test("somebody else's is never listed", () => {
  expect(look([aFree({ ours: false })], { 'eni-1': { firstAt: 0, times: 9 } }, OLD_MS)).toEqual({ orphans: [], delete: [], sightings: {} });
});

test('the oldest is listed first, whatever the order in which EC2 shows them', () => {
  const before = { 'eni-b': { firstAt: 0, times: 1 }, 'eni-c': { firstAt: 5, times: 1 } };
  const free = ['eni-c', 'eni-a', 'eni-b', 'eni-d'].map((id) => aFree({ id }));
  expect(look(free, before, 10).orphans.map(({ id }) => id)).toEqual(['eni-b', 'eni-c', 'eni-a', 'eni-d']);
});

test('whatever happens, none is deleted that was anything else at a look of the last ten minutes, and every other one is within twenty', () => {
  const state = fc.constantFrom('orphan', 'orphan', 'orphan', 'in use', 'wanted', 'taken', 'foreign');
  const looks = fc.array(
    fc.record({ states: fc.array(state, { minLength: 3, maxLength: 3 }), gapMs: fc.integer({ min: 1, max: OLD_MS / 2 }) }),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(looks, fc.nat({ max: 39 }), (history, restartAt) => {
      let sightings: Sightings = {};
      let now = 0;
      const past: { at: number; states: readonly string[] }[] = [];
      for (const [index, { states, gapMs }] of history.entries()) {
        now += gapMs;
        if (index === restartAt) [sightings, past.length] = [{}, 0];
        past.push({ at: now, states });
        const free = states.flatMap((each, n) =>
          each === 'in use' ? [] : [aFree({ id: `eni-${n}`, ip: `10.0.0.1${n}`, ours: each !== 'foreign' })],
        );
        const those = (what: string, prefix: string) => new Set(states.flatMap((each, n) => (each === what ? [`${prefix}${n}`] : [])));
        const found = findOrphans(free, those('wanted', 'eni-'), those('taken', '10.0.0.1'), sightings, now);
        sightings = found.sightings;
        for (const n of [0, 1, 2]) {
          const lastOther = past.findLastIndex((each) => each.states[n] !== 'orphan');
          const since = past[lastOther + 1]?.at;
          const orphanFor = since === undefined ? -1 : now - since;
          expect(found.delete.includes(`eni-${n}`)).toBe(orphanFor >= OLD_MS);
        }
      }
    }),
  );
});
