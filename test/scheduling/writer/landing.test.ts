import { expect, test } from '@jest/globals';
import { books } from '../../../lib/scheduling/writer/books.ts';
import { landing } from '../../../lib/scheduling/writer/landing.ts';
import { aPod } from '../builders.ts';
import { aStoredLock } from './objects.ts';

const IP = '10.110.0.10';

test('a promise lasts until the watches have told all that it stands for', () => {
  const all = books();
  const released: string[] = [];
  const lands = landing(all, (promise) => released.push(promise));
  const lock = aStoredLock('night', { slots: [{ slot: 0, node: 'r12-01', address: IP }] });
  const pod = aPod({ name: 'a', lock: 'night', slot: '0' });
  all.locks.put('feed/night', lock, 'answer');
  all.pods.put(pod.key, pod, 'answer');
  lands.add('feed/night#0', { lock: 'feed/night', pod: pod.key });
  all.locks.put('feed/night', lock, 'watch');
  lands.told('Lock', 'feed/night');
  expect(released).toEqual([]);
  all.pods.put(pod.key, pod, 'watch');
  lands.told('Pod', pod.key);
  expect(released).toEqual(['feed/night#0']);
});

test('what is told already, or gone, lands at once; what is left ends with the lock writer', () => {
  const all = books();
  const released: string[] = [];
  const lands = landing(all, (promise) => released.push(promise));
  lands.add('a', { pod: 'feed/gone' });
  expect(released).toEqual(['a']);
  all.locks.put('feed/night', aStoredLock('night'), 'answer');
  lands.add('b', { lock: 'feed/night' });
  lands.close();
  expect(released).toEqual(['a', 'b']);
});
