import { expect, test } from '@jest/globals';
import { probingOf } from '../../lib/cli/lock-probed.ts';
import { lockSeen } from '../../lib/cli/lock-text.ts';
import { aStoredLock } from '../scheduling/writer/objects.ts';

const slots = [{ slot: 0, node: 'r12-01', address: '10.110.0.10' }];
const said = (status: string, reason: string, message: string) => {
  const lock = aStoredLock('night', { slots });
  const condition = { type: 'Probed', status, reason, message, lastTransitionTime: '2026-11-26T00:00:00Z' };
  return { ...lock, status: { ...lock.status, conditions: [condition] } } as typeof lock;
};

test('a Lock is waited for until all its addresses were looked for', () => {
  expect(probingOf(aStoredLock('night', { slots }))).toEqual({ is: 'waits', progress: 'no agent has looked for its addresses yet' });
  expect(probingOf(said('Unknown', 'Probing', '1 of 2'))).toEqual({ is: 'waits', progress: '1 of 2' });
  expect(probingOf(said('True', 'Free', '2 of 2'))).toEqual({ is: 'done' });
});

test('JSON says it too, and nothing where no agent looks', () => {
  expect(lockSeen(said('Unknown', 'Probing', '1 of 2')).probed).toEqual({ status: 'Unknown', reason: 'Probing', message: '1 of 2' });
  expect(lockSeen(aStoredLock('night', { slots }))).not.toHaveProperty('probed');
});

test('where something is amiss, waiting ends with what it is', () => {
  expect(probingOf(said('False', 'GatewaySilent', 'it is silent'))).toEqual({
    is: 'amiss',
    reason: 'GatewaySilent',
    message: 'it is silent',
  });
  expect(probingOf(said('Unknown', 'AnsweredForAll', 'aa answers'))).toEqual({
    is: 'amiss',
    reason: 'AnsweredForAll',
    message: 'aa answers',
  });
});

test('where somebody else wires the pods there is nothing to wait for', () => {
  expect(probingOf(aStoredLock('night', { slots: [{ slot: 0, node: 'r12-01' }] }))).toEqual({
    is: 'done',
    say: "feed/night: its slots have no addresses of Gala's, so there is nothing to look for",
  });
});
