import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IPLockObject } from '../../../lib/scheduling/writer/books.ts';
import {
  assigned,
  givenToNode,
  held,
  macFromIp,
  movedTo,
  newIPLock,
  quarantined,
  takenOver,
} from '../../../lib/scheduling/writer/ip-lock.ts';
import { aStoredIPLock } from './objects.ts';

const pod = { name: 'a', uid: '0f8fad5b-d9cb-469f-a165-70867728950e', term: 't', ownerKind: 'StatefulSet' };
const others = { 'example.com/note': 'kept' };

describe('IPLocks as they are written', () => {
  test('each update carries the version it was decided on, and keeps what others annotated', () => {
    const before = aStoredIPLock('10.110.0.10', { phase: 'Held', annotations: others });
    for (const after of [takenOver(before, { node: 'n', pod }), assigned(before, pod), held(before, { ofLock: false })])
      expect(after.metadata).toMatchObject({ uid: before.metadata.uid, resourceVersion: '1', annotations: others });
  });
  test('a plan that takes an address over says so, for whoever undoes it; the slot’s pod forgets it', () => {
    const taken = takenOver(
      aStoredIPLock('10.110.0.10', { phase: 'Held' }),
      { node: 'n', lock: { namespace: 'feed', name: 'night' } },
      true,
    );
    expect(taken.metadata.annotations).toEqual({ 'gala.internal/was-held': 'true' });
    expect(assigned(taken as never, pod).metadata.annotations).not.toHaveProperty(['gala.internal/was-held']);
  });
  test('a Held address names no pod, and keeps what its owner is', () => {
    const { metadata, spec } = newIPLock({ address: '10.110.0.10', mac: macFromIp('10.110.0.10'), owner: 'feed/redis-0', node: 'n', pod });
    const after = held({ metadata: { ...metadata, uid: 'u', resourceVersion: '2' }, spec } as never, { ofLock: false });
    expect(after.spec).toEqual({ phase: 'Held', node: 'n', mac: '02:67:0a:6e:00:0a', owner: 'feed/redis-0' });
    expect(after.metadata.annotations).toEqual({ 'gala.internal/owner-kind': 'StatefulSet' });
  });
});

describe('an address that is given to a node with its pod', () => {
  const now = new Date('2026-11-27T20:00:00.123Z');
  const wired = (ipLock: object) => (ipLock as IPLockObject).status?.conditions?.find(({ type }) => type === 'Wired');
  test('says so from then on, beside what was found on the wire', () => {
    const before = aStoredIPLock('10.110.0.10', { node: 'n', says: { Probed: 'True' } });
    const after = givenToNode(assigned(before, pod), now);
    expect(wired(after)).toMatchObject({ status: 'Unknown', reason: 'Given', lastTransitionTime: '2026-11-27T20:00:00Z' });
    expect(after.status?.conditions).toContainEqual(before.status?.conditions?.[0]);
  });
  test('says so anew when it is taken up for a pod that was not wired, and keeps what a node says is wired', () => {
    const says = (Wired: string) => givenToNode(assigned(aStoredIPLock('10.110.0.10', { podUID: pod.uid, says: { Wired } }), pod), now);
    expect(wired(says('False'))).toMatchObject({ status: 'Unknown' });
    expect(wired(says('True'))).toMatchObject({ status: 'True' });
  });
  test('names a pod: one of a slot that waits for its pod says nothing', () => {
    const free = aStoredIPLock('10.110.0.10', { lock: 'night' });
    expect(givenToNode(free, now)).toBe(free);
    const held = aStoredIPLock('10.110.0.10', { phase: 'Held' });
    expect(givenToNode(held, now)).toBe(held);
  });
});

describe('what was found out of an address', () => {
  const says = { Wired: 'False', Probed: 'True' };
  const types = (written: object) => (written as IPLockObject).status?.conditions?.map(({ type }) => type);
  test('by whom it was wired is forgotten when it leaves its pod, and that it was looked for when it leaves its node', () => {
    expect(types(held(aStoredIPLock('10.110.0.10', { phase: 'Bound', podUID: pod.uid, says }), { ofLock: false }))).toEqual(['Probed']);
    const before = aStoredIPLock('10.110.0.10', { phase: 'Held', node: 'n', says });
    expect(types(takenOver(before, { node: 'n', pod }))).toEqual(['Probed']);
    expect(types(takenOver(before, { node: 'm', pod }))).toEqual([]);
    const amiss = aStoredIPLock('10.110.0.10', { phase: 'Held', node: 'n', says: { Probed: 'GatewaySilent' } });
    expect(types(takenOver(amiss, { node: 'n', pod }))).toEqual([]);
  });
  test('stands on it for people when it is Quarantined, with whom it was for', () => {
    const before = aStoredIPLock('10.110.0.10', { podUID: pod.uid, lock: 'night', says: { Probed: 'Conflict' } });
    expect(quarantined(before)).toMatchObject({ status: before.status, spec: { ...before.spec, phase: 'Quarantined' } });
  });
  test('on one node’s wire says nothing of another’s, where its slot is by now; whose it is stays', () => {
    const annotations = { 'gala.internal/move': '*', ...others };
    const after = movedTo(aStoredIPLock('10.110.0.10', { phase: 'Held', node: 'n', lock: 'night', says, annotations }), 'm');
    expect(types(after)).toEqual([]);
    expect(after).toMatchObject({ spec: { phase: 'Held', node: 'm', lock: { name: 'night' } }, metadata: { annotations: others } });
    expect(after.metadata.annotations).toEqual(others);
  });
  test('by people is worth nothing after the next write', () => {
    const annotations = { 'gala.internal/free': 'true', 'gala.internal/move': '*', 'gala.internal/fenced': pod.uid, ...others };
    for (const phase of ['Held', 'Locked'] as const) {
      const before = aStoredIPLock('10.110.0.10', { phase, annotations });
      const after = phase === 'Held' ? takenOver(before, { node: 'n' }) : held(before, { ofLock: false });
      expect(after.metadata.annotations).toEqual(others);
    }
  });
});

test('a MAC is made of the address alone, so that no two addresses share one', () => {
  const address = fc.ipV4();
  fc.assert(
    fc.property(address, address, (a, b) => (a === b) === (macFromIp(a) === macFromIp(b)) && /^02:67(:[0-9a-f]{2}){4}$/.test(macFromIp(a))),
  );
  expect(() => macFromIp('10.7.1')).toThrow("'10.7.1' is not an IPv4 address");
});
