import { expect, test } from '@jest/globals';
import { books } from '../../../lib/scheduling/writer/books.ts';
import { addressStep } from '../../../lib/scheduling/writer/plan.ts';
import { type AStoredIPLock, aStoredIPLock, aStoredLock } from './objects.ts';

const IP = '10.110.0.10';
const step = (ipLock?: AStoredIPLock, all = books()) =>
  addressStep('feed/night', 'r12-01', 'feed/feed-api', ipLock && aStoredIPLock(IP, ipLock), all);

test('L6 an address that nobody has is created; one that is Held for the owner is taken over', () => {
  expect(step()).toBe('create');
  expect(step({ phase: 'Held', node: 'r12-07' })).toBe('take over');
});
test('L6 an address that is Locked for this Lock, on this node and for no pod, is there', () => {
  expect(step({ lock: 'night' })).toBe('locked');
});
test('L8 a Held address that another Lock lists still waits for that one’s next pod', () => {
  const all = books();
  all.locks.put('feed/other', aStoredLock('other', { slots: [{ slot: 0, node: 'r12-01', address: IP }] }), 'watch');
  expect(step({ phase: 'Held', lock: 'other' }, all)).toBe('taken');
});
test.each([
  ['another owner’s', { owner: 'feed/other', lock: 'night' }],
  ['Held for another owner', { owner: 'feed/other', phase: 'Held' as const }],
  ['of another Lock', { lock: 'other' }],
  ['on another node', { lock: 'night', node: 'r12-02' }],
  ['a pod’s', { lock: 'night', podUID: '0f8fad5b-d9cb-469f-a165-70867728950e' }],
  ['Quarantined', { lock: 'night', phase: 'Quarantined' as const }],
  ['another machine’s on the wire', { lock: 'night', says: { Probed: 'Conflict' } }],
])('L7 an address that is %s is taken', (_, ipLock) => {
  expect(step(ipLock)).toBe('taken');
});
