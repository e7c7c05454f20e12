import { expect, test } from '@jest/globals';
import { addressInRange, hasSameOrdinals, statefulSetOf } from '../../../lib/scheduling/writer/stateful-set.ts';

test('an owner is an ordinal of a StatefulSet by its name', () => {
  expect(statefulSetOf('feed/redis-12')).toBe('feed/redis');
  expect(statefulSetOf('feed/redis-a-0')).toBe('feed/redis-a');
  expect(statefulSetOf('feed/redis-01')).toBeUndefined();
  expect(statefulSetOf('feed/redis')).toBeUndefined();
});

test('ordinals go from the first one on, as many as there are replicas', () => {
  const set = { key: 'feed/redis', uid: 's', replicas: 2, firstOrdinal: 5 };
  expect([4, 5, 6, 7].map((ordinal) => addressInRange(`feed/redis-${ordinal}`, set))).toEqual([false, true, true, false]);
});

test('an update that changes no ordinal concerns no address', () => {
  const set = { key: 'feed/redis', uid: 's', replicas: 2, firstOrdinal: 5 };
  expect(hasSameOrdinals(set, { ...set })).toBe(true);
  for (const change of [{ uid: 't' }, { replicas: 3 }, { firstOrdinal: 0 }])
    expect(hasSameOrdinals(set, { ...set, ...change })).toBe(false);
});
