import { describe, expect, test } from '@jest/globals';
import { type Given, nextForPod, refusedByLock, slotFor, stageOf } from '../../../lib/scheduling/writer/next-for-pod.ts';
import type { Slot } from '../../../lib/scheduling/writer/slots.ts';
import { aDemand, aPod } from '../builders.ts';
import { aStoredIPLock, aStoredLock } from './objects.ts';

const IP = '10.110.0.10';
const uid = '0f8fad5b-d9cb-469f-a165-70867728950e';
const pod = aPod({ name: 'a', uid, gated: true });
const loose: Given = { uid, slot: 'loose', node: 'r12-01', address: IP, mac: '02:67:0a:6e:00:0a', owner: 'feed/feed-api' };
const slot3: Given = { ...loose, mac: undefined, slot: '3', lock: { namespace: 'feed', name: 'night' } };
const writer = (term: string) => ({ 'gala.internal/writer': term });
const next = (given: Given, ipLock?: Parameters<typeof aStoredIPLock>[1]) =>
  nextForPod(pod, given, ipLock && aStoredIPLock(IP, ipLock), 'mine');

describe('what a pod is given is written: first the address, then the pod', () => {
  test('P5 a loose pod’s address is created for it, with its name and what its owner is', () => {
    expect(next(loose)).toMatchObject({
      do: 'create',
      object: {
        metadata: {
          name: IP,
          annotations: { 'gala.internal/pod': 'a', 'gala.internal/owner-kind': 'Pod', 'gala.internal/writer': 'mine' },
        },
        spec: { phase: 'Locked', node: 'r12-01', owner: 'feed/feed-api', podUID: uid, mac: loose.mac },
      },
    });
  });
  test('P5 an address that is Held for its owner changes hands', () => {
    expect(next(loose, { phase: 'Held', node: 'r12-09' })).toMatchObject({
      do: 'update',
      object: { spec: { phase: 'Locked', node: 'r12-01', podUID: uid } },
    });
  });
  test('P5 the address of its slot is assigned to it', () => {
    expect(next(slot3, { lock: 'night' })).toMatchObject({ do: 'update', object: { spec: { podUID: uid, lock: { name: 'night' } } } });
    expect(next(slot3, { lock: 'night', phase: 'Held' })).toMatchObject({
      do: 'update',
      object: { spec: { phase: 'Locked', podUID: uid } },
    });
  });
  test('P6 once it has its address it is pinned, annotated and ungated by one patch', () => {
    expect(next(loose, { podUID: uid, annotations: writer('mine') })).toMatchObject({ do: 'pin', patch: { metadata: { uid } } });
  });
  test('P6 a pod that takes no address is pinned at once', () => {
    expect(next({ ...slot3, address: undefined })).toMatchObject({
      do: 'pin',
      patch: { metadata: { annotations: { 'gala.internal/slot': '3' } } },
    });
  });
  test('P7 what a former lock writer began is taken up by a write, so that its late ones fail', () => {
    expect(next(loose, { podUID: uid, annotations: writer('former') })).toMatchObject({
      do: 'update',
      object: { metadata: { resourceVersion: '1', annotations: writer('mine') }, spec: { podUID: uid } },
    });
  });
  test.each([
    ['another owner’s', loose, { owner: 'feed/other' }],
    ['another pod’s', loose, { podUID: '00000000-0000-4000-8000-000000000009' }],
    ['on another node', loose, { node: 'r12-02', podUID: uid }],
    ['of a Lock, and the pod is loose', loose, { lock: 'night' }],
    ['of another Lock', slot3, { lock: 'other' }],
    ['Quarantined', loose, { phase: 'Quarantined' as const }],
    ['another machine’s on the wire', loose, { podUID: uid, says: { Probed: 'Conflict' } }],
    ['another machine’s on the wire, and Held for it', loose, { phase: 'Held' as const, says: { Probed: 'Conflict' } }],
    ['without its pod', loose, {}],
  ])('P8 an address that is %s is given up, and the pod is given another', (_, given, ipLock) => {
    expect(next(given, ipLock)).toEqual({ do: 'drop' });
  });
  test('P8 a slot whose address is not there is given up: its Lock sees to that first', () => {
    expect(next(slot3)).toEqual({ do: 'drop' });
  });
});

describe('a pod that names a Lock', () => {
  const named = aPod({ name: 'a', lock: 'night', gated: true, cpu: 1 });
  const lock = aStoredLock('night', { slots: [{ slot: 0, node: 'r12-01' }] });
  const template = aDemand({ cpu: 1 });
  test('P2 waits with a reason while there is no such Lock, or it is not Ready', () => {
    expect(refusedByLock(named, undefined, undefined)).toMatchObject({ reason: 'NoSuchLock' });
    expect(refusedByLock(named, aStoredLock('night'), undefined)).toMatchObject({ reason: 'LockNotReady' });
    expect(refusedByLock(named, aStoredLock('night', { phase: 'Failed' }), undefined)).toMatchObject({ reason: 'LockFailed' });
    expect(refusedByLock(named, aStoredLock('night', { phase: 'Expired' }), undefined)).toMatchObject({ reason: 'LockExpired' });
  });
  test('P3 is refused when it asks for more of anything than its slot holds, and may ask for less', () => {
    expect(refusedByLock(named, lock, template)).toBeUndefined();
    expect(refusedByLock(aPod({ lock: 'night', gated: true, cpu: '500m' }), lock, template)).toBeUndefined();
    expect(refusedByLock(aPod({ lock: 'night', gated: true, cpu: 2 }), lock, template)).toMatchObject({
      reason: 'AboveSlot',
      message: expect.stringContaining('asks cpu 2; a slot of Lock feed/night promises 1'),
    });
    expect(refusedByLock(aPod({ lock: 'night', gated: true, egress: '1M' }), lock, template)).toMatchObject({ reason: 'AboveSlot' });
  });
  test("P3 on the host's network it needs a slot without an address", () => {
    expect(refusedByLock(aPod({ lock: 'night', gated: true, spec: { hostNetwork: true } }), lock, template)).toMatchObject({
      reason: 'OtherNetwork',
    });
  });

  const slots: readonly Slot[] = [
    { slot: 0, node: 'r12-01', state: 'used' },
    { slot: 1, node: 'r12-01', state: 'free' },
    { slot: 2, node: 'r12-02', state: 'held' },
  ];
  test('P4 takes a slot that waits for its next pod before one that never had any', () => {
    expect(slotFor(named, lock, slots, () => undefined)).toMatchObject({ slot: 2 });
  });
  test('P4 takes a slot on a node that takes it', () => {
    expect(slotFor(named, lock, slots, (node) => (node === 'r12-02' ? 'cordoned' : undefined))).toMatchObject({ slot: 1 });
    expect(slotFor(named, lock, slots, () => 'cordoned')).toMatchObject({ reason: 'SlotsRejectPod' });
  });
  test('P4 without a free slot it waits, and never falls back to a loose one', () => {
    expect(slotFor(named, lock, slots.slice(0, 1), () => undefined)).toMatchObject({
      reason: 'NoSlot',
      message: expect.stringContaining('0 of 1 slots'),
    });
  });
  test('P13 takes a slot elsewhere than where its controller’s pods were refused lately, and that one where there is no other', () => {
    expect(slotFor(named, lock, slots, () => undefined, new Set(['r12-02']))).toMatchObject({ slot: 1 });
    expect(slotFor(named, lock, slots, () => undefined, new Set(['r12-01', 'r12-02']))).toMatchObject({ slot: 2 });
  });
  test('P4 that names its node takes a slot there', () => {
    expect(slotFor(aPod({ lock: 'night', pinned: 'r12-01' }), lock, slots, () => undefined)).toMatchObject({ slot: 1 });
  });
});

test.each([
  ['waits', aPod({ gated: true })],
  ['pinned', aPod({ slot: 'loose', pinned: 'r12-01' })],
  ['other', aPod({ gated: true, gatedByOthers: true })],
  ['other', aPod({ gated: true, schedulerName: 'default-scheduler' })],
  ['other', aPod({ slot: 'loose', node: 'r12-01' })],
  ['other', aPod({ gated: true, deleting: true })],
  ['other', aPod({ gated: true, done: true })],
  ['other', aPod({})],
] as const)('P1 a pod is %s', (stage, it) => {
  expect(stageOf(it)).toBe(stage);
});
