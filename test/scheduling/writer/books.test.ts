import { expect, test } from '@jest/globals';
import { books, type IPLockObject } from '../../../lib/scheduling/writer/books.ts';
import { aStoredIPLock } from './objects.ts';

const names = (ipLocks: readonly IPLockObject[]) => ipLocks.map(({ metadata }) => metadata.name);

test('the Held addresses of a StatefulSet are found by its key, without a look at those of others', () => {
  const all = books();
  const put = (ip: string, owner: string, phase: 'Held' | 'Bound', version: string) =>
    all.ipLocks.put(ip, aStoredIPLock(ip, { owner, phase, metadata: { uid: ip, resourceVersion: version } }), 'watch');
  put('10.110.1.1', 'feed/redis-0', 'Held', '1');
  put('10.110.1.2', 'feed/redis-1', 'Bound', '1');
  put('10.110.1.3', 'feed/redis-a-0', 'Held', '1');
  put('10.110.1.4', 'feed/redis', 'Held', '1');
  expect(names(all.heldOfStatefulSet('feed/redis'))).toEqual(['10.110.1.1']);
  put('10.110.1.2', 'feed/redis-1', 'Held', '2');
  put('10.110.1.1', 'feed/redis-0', 'Bound', '2');
  expect(names(all.heldOfStatefulSet('feed/redis'))).toEqual(['10.110.1.2']);
  all.ipLocks.gone('10.110.1.2', '10.110.1.2', '3');
  expect(all.heldOfStatefulSet('feed/redis')).toEqual([]);
});
