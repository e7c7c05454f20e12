import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Ages, keep, type NextPlace, type OtherPlace } from '../../../lib/scheduling/writer/keep.ts';
import type { Slot, SlotState } from '../../../lib/scheduling/writer/slots.ts';
import { aStoredLock } from './objects.ts';

const slot = (state: SlotState, number = 0): Slot => ({ slot: number, node: 'r12-01', state });
const aged = (renewedMs: number, restedMs = renewedMs, had: readonly number[] = []): Ages => ({
  renewedMs,
  restedMs: () => restedMs,
  hadPod: (it) => had.includes(it),
});
const ready = (slots: readonly Slot[], spec: object = {}) =>
  aStoredLock('night', { slots: slots.map(({ slot, node }) => ({ slot, node })), spec: { ttlSeconds: 300, holdSeconds: 600, ...spec } });
const kept = (slots: readonly Slot[], ages: Ages, spec: object = {}) => keep(ready(slots, spec), slots, [], ages);

describe('a Ready Lock', () => {
  test('L10 a slot whose pod never came is over when ttlSeconds have gone by since the last renewal, and not before', () => {
    expect(kept([slot('free')], aged(299_999))).toMatchObject({ over: [], againInMs: 1 });
    expect(kept([slot('free')], aged(300_000))).toMatchObject({
      over: [{ slot: 0, because: 'ttl' }],
      status: { phase: 'Expired', slots: [] },
    });
  });

  test('L11 a slot with a pod is never over, however old', () => {
    fc.assert(fc.property(fc.nat(), (ms) => kept([slot('used')], aged(ms)).over.length === 0));
  });

  test('L12 a slot whose pod has gone waits holdSeconds for the next one, whatever its ttl', () => {
    expect(kept([slot('held')], aged(9_999_999, 599_999))).toMatchObject({ over: [], againInMs: 1, status: { slots: [{ held: true }] } });
    expect(kept([slot('held')], aged(0, 600_000)).over).toEqual([{ slot: 0, because: 'hold' }]);
  });

  test('L12 holdSeconds 0 is for ever', () => {
    fc.assert(fc.property(fc.nat(), (ms) => kept([slot('held')], aged(ms, ms), { holdSeconds: 0 }).over.length === 0));
  });

  test('L12 without addresses the status remembers which slots had pods', () => {
    expect(kept([slot('free')], aged(9_999_999, 1_000, [0])).status?.slots).toEqual([{ slot: 0, node: 'r12-01', held: true }]);
  });

  test('L13 a slot is not over while the address of its pod, which is gone, is not Held yet', () => {
    expect(kept([slot('leaving')], aged(9_999_999)).over).toEqual([]);
  });

  test('L14 a slot whose address became somebody else’s is no slot any more', () => {
    expect(kept([slot('lost'), slot('used', 1)], aged(0))).toMatchObject({
      over: [{ slot: 0, because: 'lost' }],
      status: { phase: 'Ready', slots: [{ slot: 1 }], counts: { planned: 1, used: 1 } },
    });
  });

  describe('L21 a slot that no pod has', () => {
    const place = { node: 'r12-02', address: '10.110.0.10' };
    const next = (of: Slot, answer: ReturnType<NextPlace>) => keep(ready([of]), [of], [], aged(0), undefined, () => answer);
    test.each(['free', 'held'] as const)('is listed where it goes next while it is %s, and is not over', (state) => {
      const held = state === 'held' ? { held: true } : {};
      expect(next(slot(state), place)).toMatchObject({
        ...{ over: [], moved: [{ slot: 0, ...place }] },
        status: { phase: 'Ready', slots: [{ slot: 0, ...place, ...held }] },
      });
    });
    test.each(['used', 'leaving', 'missing'] as const)('and no other: one that is %s stays', (state) => {
      expect(next(slot(state), place).moved).toEqual([]);
    });
    test('stays where there is no place, and is looked at again', () => {
      expect(next(slot('held'), 10_000)).toMatchObject({ moved: [], over: [], againInMs: 10_000 });
    });
  });

  describe('L18 a slot whose address another machine answers for', () => {
    const place = { node: 'r12-02', address: '10.110.0.12' };
    const moved = (of: Slot, other: OtherPlace) => keep(ready([of]), [of], [], aged(0), other);
    test('is listed with another one, and is not over', () => {
      expect(moved(slot('quarantined'), () => place)).toMatchObject({
        ...{ over: [], moved: [{ slot: 0, ...place }] },
        status: { phase: 'Ready', slots: [{ slot: 0, ...place }] },
      });
    });
    test('may leave its node without a pod, and may not with one', () => {
      const asked: (string | undefined)[] = [];
      const other: OtherPlace = (_, node) => void asked.push(node);
      moved(slot('quarantined'), other);
      moved({ ...slot('used'), shut: true }, other);
      expect(asked).toEqual([undefined, 'r12-01']);
    });
    test('stays a slot while others are looked at first', () => {
      expect(moved(slot('quarantined'), () => 'later')).toMatchObject({ over: [], moved: [], againInMs: 100 });
    });
    test('is no slot any more where there is none; with a pod it stays one, and it is looked for again', () => {
      expect(moved(slot('quarantined'), () => undefined)).toMatchObject({ over: [{ slot: 0, because: 'quarantined' }], moved: [] });
      expect(moved({ ...slot('used'), shut: true }, () => undefined)).toMatchObject({ over: [], moved: [], againInMs: 10_000 });
    });
  });

  test('L19 a slot whose Held address a person let go is over, however long it would be held', () => {
    expect(kept([slot('let go')], aged(0), { holdSeconds: 0 }).over).toEqual([{ slot: 0, because: 'let go' }]);
  });

  test('L15 a slot that a living pod bears is listed again, in its place', () => {
    const { status } = keep(ready([slot('used', 2)]), [slot('used', 2)], [{ slot: 1, node: 'r12-02' }], aged(0));
    expect(status).toMatchObject({ slots: [{ slot: 1, node: 'r12-02' }, { slot: 2 }], counts: { planned: 2, used: 2 } });
  });

  test('says nothing when its status says it already', () => {
    const slots = [slot('used')];
    const lock = ready(slots);
    const told = { ...lock, status: { ...lock.status!, counts: { planned: 1, used: 1 } } };
    expect(keep(told, slots, [], aged(0)).status).toBeUndefined();
  });

  test('whatever its slots are, each is kept or over, and the counts are those of the kept', () => {
    const states = fc.array(fc.constantFrom<SlotState>('free', 'used', 'leaving', 'held', 'missing', 'lost', 'quarantined', 'let go'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(states, fc.nat(2_000_000), fc.nat(2_000_000), (all, renewedMs, restedMs) => {
        const slots = all.map((state, number) => slot(state, number));
        const { status, over } = kept(slots, aged(renewedMs, restedMs));
        const stay = status?.slots ?? slots;
        expect([...stay, ...over].map((it) => it.slot).sort((a, b) => a - b)).toEqual(slots.map((it) => it.slot));
        if (status) expect(status.counts).toEqual({ planned: stay.length, used: all.filter((it) => it === 'used').length });
        if (over.length === all.length && status) expect(status.phase).toBe('Expired');
      }),
    );
  });
});
