import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { alarm } from '../../../lib/scheduling/writer/alarm.ts';

test('the earliest time of a key counts, and it is told once', () => {
  const alarms = alarm();
  alarms.set('a', 30);
  alarms.set('a', 10);
  alarms.set('a', 20);
  alarms.set('b', 15);
  expect(alarms.next()).toBe(10);
  expect(alarms.due(9)).toEqual([]);
  expect(alarms.due(12)).toEqual(['a']);
  expect(alarms.next()).toBe(15);
  expect(alarms.due(100)).toEqual(['b']);
  expect(alarms.next()).toBeUndefined();
});

test('what is cleared is not told', () => {
  const alarms = alarm();
  alarms.set('a', 10);
  alarms.clear('a');
  expect(alarms.due(100)).toEqual([]);
  alarms.set('a', 20);
  expect(alarms.due(100)).toEqual(['a']);
});

test('every key is told exactly when its earliest time has come', () => {
  const sets = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 50 })), { maxLength: 30 });
  fc.assert(
    fc.property(sets, (all) => {
      const alarms = alarm();
      const earliest = new Map<string, number>();
      for (const [key, at] of all) {
        alarms.set(key, at);
        earliest.set(key, Math.min(at, earliest.get(key) ?? Number.POSITIVE_INFINITY));
      }
      for (let now = 0; now <= 50; now++)
        expect(alarms.due(now).sort()).toEqual(
          [...earliest]
            .filter(([, at]) => at === now)
            .map(([key]) => key)
            .sort(),
        );
    }),
  );
});
