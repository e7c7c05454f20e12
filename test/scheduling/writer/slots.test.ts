import { describe, expect, test } from '@jest/globals';
import { type Books, books } from '../../../lib/scheduling/writer/books.ts';
import { slotsSeen, usersOf } from '../../../lib/scheduling/writer/slots.ts';
import { aPod } from '../builders.ts';
import { type AStoredIPLock, aStoredIPLock, aStoredLock } from './objects.ts';

const IP = '10.110.0.10';
const addressed = aStoredLock('night', { slots: [{ slot: 0, node: 'r12-01', address: IP }] });
function known(ipLock?: AStoredIPLock, ...pods: Parameters<typeof aPod>[0][]): Books {
  const all = books();
  all.locks.put('feed/night', addressed, 'watch');
  if (ipLock) all.ipLocks.put(IP, aStoredIPLock(IP, ipLock), 'watch');
  for (const pod of pods) {
    const it = aPod({ lock: 'night', pinned: 'r12-01', ...pod });
    all.pods.put(it.key, it, 'watch');
  }
  return all;
}
const stateOf = (all: Books) => slotsSeen('feed/night', addressed, all)[0]?.state;

describe('a slot with an address', () => {
  test.each([
    ['free', { lock: 'night' }],
    ['held', { lock: 'night', phase: 'Held' }],
    ['leaving', { lock: 'night', podUID: '00000000-0000-4000-8000-000000000009' }],
    ['lost', { lock: 'other' }],
    ['lost', { lock: 'other', phase: 'Quarantined' }],
    ['quarantined', { lock: 'night', phase: 'Quarantined' }],
    ['quarantined', { lock: 'night', says: { Probed: 'Conflict' } }],
    ['free', { lock: 'night', says: { Probed: 'GatewaySilent' } }],
    ['let go', { lock: 'night', phase: 'Held', annotations: { 'gala.internal/free': 'true' } }],
    ['missing', undefined],
    ['missing', { lock: 'night', node: 'r12-02' }],
    ['held', { lock: 'night', phase: 'Held', node: 'r12-02' }],
  ] as const)('is %s by its IPLock', (state, ipLock) => {
    expect(stateOf(known(ipLock))).toBe(state);
  });
  test('is used as soon as a pod bears it, or is being given it', () => {
    expect(stateOf(known({ lock: 'night' }, { slot: '0' }))).toBe('used');
    expect(slotsSeen('feed/night', addressed, known({ lock: 'night' }), { givenTo: () => 'uid' })[0]).toMatchObject({
      state: 'used',
      pod: 'uid',
    });
  });
  test('is shut where another machine answers for the address of its pod, which is not wired yet', () => {
    const slotOf = (ipLock: AStoredIPLock) => slotsSeen('feed/night', addressed, known(ipLock, { slot: '0' }))[0];
    expect(slotOf({ lock: 'night', says: { Probed: 'Conflict' } })).toMatchObject({ state: 'used', shut: true });
    expect(slotOf({ lock: 'night', phase: 'Quarantined' })).toMatchObject({ state: 'used', shut: true });
    expect(slotOf({ lock: 'night', phase: 'Bound', says: { Probed: 'Conflict' } })).not.toHaveProperty('shut');
  });
  test('is used no more by a pod that is done, and nobody else’s while that one is there', () => {
    const uid = '00000000-0000-4000-8000-000000000008';
    expect(stateOf(known({ lock: 'night', podUID: uid }, { uid, slot: '0', done: true }))).toBe('leaving');
  });
});

test('a slot without an address is free, or held as its status says', () => {
  const lock = aStoredLock('night', {
    slots: [
      { slot: 0, node: 'r12-01' },
      { slot: 1, node: 'r12-01', held: true },
    ],
  });
  expect(slotsSeen('feed/night', lock, books()).map(({ state }) => state)).toEqual(['free', 'held']);
});

test('of two pods that bear one slot, the one on a node has it, else the one whose UID sorts first', () => {
  const all = known(undefined, { name: 'a', uid: 'u1', slot: '0' }, { name: 'b', uid: 'u2', slot: '0' });
  expect(usersOf('feed/night', all).get(0)?.uid).toBe('u1');
  const bound = known(undefined, { name: 'a', uid: 'u1', slot: '0' }, { name: 'b', uid: 'u2', slot: '0', node: 'r12-01' });
  expect(usersOf('feed/night', bound).get(0)?.uid).toBe('u2');
});

test('an annotation on a pod behind the gate is nobody’s word', () => {
  expect(usersOf('feed/night', known(undefined, { slot: '0', gated: true })).size).toBe(0);
});
