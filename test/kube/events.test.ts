/** What becomes of events: new ones, the same ones again, floods. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dueAt, emptyTally, tally, WRITE_EVERY_MS } from '../../lib/kube/event-series.ts';

const MINUTE_MS = 60_000;

test('the same event again counts, until nothing came for six minutes', () => {
  const counted = emptyTally();
  expect(tally(counted, 'full', 'pod', 'n1', 0)).toMatchObject({ do: 'create', series: { name: 'n1', count: 1 } });
  expect(tally(counted, 'full', 'pod', 'n2', 5 * MINUTE_MS)).toMatchObject({ do: 'count', series: { name: 'n1', count: 2 } });
  expect(tally(counted, 'full', 'pod', 'n3', 10 * MINUTE_MS)).toMatchObject({ do: 'count', series: { name: 'n1', count: 3 } });
  expect(tally(counted, 'full', 'pod', 'n4', 16 * MINUTE_MS)).toMatchObject({ do: 'create', series: { name: 'n4', count: 1 } });
});

test('an object that has 25 at once gets one every five minutes from then on; others are not touched', () => {
  const counted = emptyTally();
  const verdicts = Array.from({ length: 30 }, (_, i) => tally(counted, `event ${i}`, 'pod', `n${i}`, 0));
  expect(verdicts.filter((each) => each.do === 'create')).toHaveLength(25);
  expect(verdicts.slice(25)).toEqual([true, false, false, false, false].map((first) => ({ do: 'cut', first })));
  expect(tally(counted, 'another', 'other pod', 'm', 0).do).toBe('create');
  expect(tally(counted, 'late', 'pod', 'l', 4 * MINUTE_MS).do).toBe('cut');
  expect(tally(counted, 'later', 'pod', 'l', 5 * MINUTE_MS).do).toBe('create');
  expect(tally(counted, 'too late', 'pod', 'l', 5 * MINUTE_MS)).toEqual({ do: 'cut', first: true });
});

test('a series is written when it becomes one, and every minute while it goes on', () => {
  const series = { name: 'n', count: 1, written: 1, writtenAt: 1_000, lastAt: 1_000 };
  expect(dueAt(series)).toBeUndefined();
  expect(dueAt({ ...series, count: 2 })).toBe(0);
  expect(dueAt({ ...series, count: 3, written: 2 })).toBe(1_000 + WRITE_EVERY_MS);
});

test('however many objects and messages come, what is remembered is bounded and each is heard', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 5_000, max: 9_000 }), (messages, objects) => {
      const counted = emptyTally();
      for (let i = 0; i < objects; i++)
        for (let m = 0; m < messages; m++) expect(tally(counted, `${i} ${m}`, `${i}`, `${i}.${m}`, i).do).toBe('create');
      expect(counted.series.size).toBeLessThanOrEqual(4_096);
      expect(counted.buckets.size).toBeLessThanOrEqual(4_096);
    }),
    { numRuns: 5 },
  ));
