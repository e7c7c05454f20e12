import { describe, expect, test } from '@jest/globals';
import { ANSWERS_MS, type InHand, nextForLock } from '../../../lib/scheduling/writer/next-for-lock.ts';
import { aStoredLock } from './objects.ts';

const hand = (more: Partial<InHand> = {}): InHand => ({ template: 'known', leftovers: 0, bearers: 0, overMs: 0, ...more });
const plan = { written: true, missing: 0, broken: false };
const next = (phase: 'Planning' | 'Ready' | 'Failed' | 'Expired' | undefined, more: Partial<InHand> = {}, metadata: object = {}) =>
  nextForLock(aStoredLock('night', { phase, slots: phase && [], metadata }), hand(more));

describe('a new Lock', () => {
  test('L1 is planned at once where it says its template', () => {
    expect(next(undefined)).toEqual({ do: 'plan' });
  });
  test('L2 has its template read first where podFrom names it, and fails where there is none', () => {
    expect(next(undefined, { template: 'unread' })).toEqual({ do: 'read' });
    expect(next(undefined, { template: 'none' })).toEqual({ do: 'fail', reason: 'NoSuchPod' });
  });
  test('L3 waits until the addresses of a former plan are gone', () => {
    expect(next(undefined, { leftovers: 1 })).toEqual({ do: 'wait' });
  });
  test('L4 fails while pods bear slots of a former Lock of its name', () => {
    expect(next(undefined, { bearers: 1 })).toEqual({ do: 'fail', reason: 'NameInUse' });
  });
  test('waits for its plan to be written', () => {
    expect(next(undefined, { plan: { ...plan, written: false } })).toEqual({ do: 'wait' });
  });
  test('gets no slots while its deletion waits for a finalizer', () => {
    expect(next(undefined, {}, { deletionTimestamp: '2027-02-16T20:00:00Z' })).toEqual({ do: 'wait' });
  });
});

test.each([undefined, 'Planning'] as const)('L17 a Lock (%s) whose plan comes to nothing fails, whatever else is so', (phase) => {
  const more = { plan, leftovers: 1, bearers: 1, template: 'none' } as const;
  expect(next(phase, { ...more, hopeless: 'StatusRefused' })).toEqual({ do: 'fail', reason: 'StatusRefused' });
  expect(next(phase, { hopeless: 'InternalError' })).toEqual({ do: 'fail', reason: 'InternalError' });
});

test('L17 a Ready Lock whose status is refused keeps its slots', () => {
  expect(next('Ready', { hopeless: 'StatusRefused' })).toEqual({ do: 'keep' });
});

describe('a Planning Lock', () => {
  test("L5 that is another lock writer's is undone before anything else", () => {
    expect(next('Planning')).toEqual({ do: 'undo' });
  });
  test('L5 that is not as this writer wrote it is undone', () => {
    expect(next('Planning', { plan: { ...plan, written: false } })).toEqual({ do: 'undo' });
  });
  test('L6 gets its addresses, and only then is it Ready', () => {
    expect(next('Planning', { plan: { ...plan, missing: 1 } })).toEqual({ do: 'lock' });
    expect(next('Planning', { plan })).toEqual({ do: 'ready' });
  });
  test('L7 is undone when an address is taken and its node has no other', () => {
    expect(next('Planning', { plan: { ...plan, missing: 1, broken: true } })).toEqual({ do: 'undo' });
  });
});

describe('a Lock that is over', () => {
  test.each(['Failed', 'Expired'] as const)('L16 %s answers for an hour, then it is deleted', (phase) => {
    expect(next(phase, { overMs: ANSWERS_MS - 5 })).toEqual({ do: 'wait', ms: 5 });
    expect(next(phase, { overMs: ANSWERS_MS })).toEqual({ do: 'delete' });
  });
});
