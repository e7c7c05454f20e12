import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Around, LATE_MS, LOOSE_HOLD_MS, sweep } from '../../../lib/scheduling/writer/sweep.ts';
import { type AStoredIPLock, aStoredIPLock } from './objects.ts';

const around = (more: Partial<Around> = {}): Around => ({
  ...{ claimed: false, lock: 'none', pod: 'none', stranded: false, off: false, wasHeld: false, heldMs: 0, reignMs: LATE_MS },
  ...more,
});
const swept = (ipLock: AStoredIPLock, more: Partial<Around> = {}) => sweep(aStoredIPLock('10.110.0.10', ipLock), around(more));
const podUID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const redis = { key: 'feed/redis', uid: 's', replicas: 3, firstOrdinal: 0 };

describe('an address that is Locked for a slot', () => {
  test.each(['wants', 'undoing'] as const)('S1 stays while its Lock %s it', (lock) => {
    expect(swept({ lock: 'night' }, { lock })).toEqual({ do: 'nothing' });
  });
  test('S2 is freed when its Lock is gone, was never Ready, or no longer lists it', () => {
    expect(swept({ lock: 'night' }, { lock: 'gone' })).toMatchObject({ do: 'free' });
    expect(swept({ lock: 'night' }, { lock: 'ended' })).toMatchObject({ do: 'free' });
  });
  test('S3 is Held again for its owner where the undone plan had taken it over', () => {
    expect(swept({ lock: 'night' }, { lock: 'gone', wasHeld: true })).toEqual({ do: 'hold', ofLock: false });
  });
  test('S2 is freed when it names neither a Lock nor a pod', () => {
    expect(swept({})).toMatchObject({ do: 'free' });
  });
});

describe('an address that names a pod', () => {
  test('S4 stays as long as the pod does', () => {
    for (const phase of ['Locked', 'Bound'] as const) expect(swept({ phase, podUID }, { pod: 'has' })).toEqual({ do: 'nothing' });
  });
  test('S5 is never let go on hearsay: a pod that was never heard of is asked for', () => {
    for (const phase of ['Locked', 'Bound'] as const) expect(swept({ phase, podUID }, { pod: 'unknown' })).toEqual({ do: 'ask' });
  });
  test('S6 is Held when the pod is gone: for the slot while its Lock lists it, else for its owner', () => {
    expect(swept({ phase: 'Bound', podUID, lock: 'night' }, { pod: 'gone', lock: 'wants' })).toEqual({ do: 'hold', ofLock: true });
    expect(swept({ podUID, lock: 'night' }, { pod: 'gone', lock: 'ended' })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ podUID }, { pod: 'gone', ownerKind: 'ReplicaSet' })).toEqual({ do: 'hold', ofLock: false });
  });
  test('S6 leaves a pod that is done, though its object is still there, unless a node has wired it', () => {
    expect(swept({ podUID, lock: 'night' }, { pod: 'done', lock: 'wants' })).toEqual({ do: 'hold', ofLock: true });
    expect(swept({ podUID }, { pod: 'done', ownerKind: 'ReplicaSet' })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ phase: 'Bound', podUID }, { pod: 'done' })).toEqual({ do: 'nothing' });
  });
  test.each(['Job', 'DaemonSet'])('S7 is freed at once after the pod of a %s', (ownerKind) => {
    for (const pod of ['gone', 'done'] as const) expect(swept({ podUID }, { pod, ownerKind })).toMatchObject({ do: 'free' });
  });
  test('S8 is taken back when the pod has another, unless a node has wired it', () => {
    expect(swept({ podUID }, { pod: 'other' })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ phase: 'Bound', podUID }, { pod: 'other' })).toEqual({ do: 'nothing' });
  });
  test("S9 that the pod can't be given is held back until no late write of a former lock writer can give it", () => {
    expect(swept({ podUID }, { pod: 'waits', reignMs: LATE_MS - 1 })).toEqual({ do: 'wait', ms: 1 });
    expect(swept({ podUID }, { pod: 'waits' })).toEqual({ do: 'hold', ofLock: false });
  });
});

describe('a Held address', () => {
  const held = { phase: 'Held' } as const;
  test('S10 of a slot waits as long as the slot does, and goes with it', () => {
    expect(swept({ ...held, lock: 'night' }, { lock: 'wants', heldMs: 10 ** 9 })).toEqual({ do: 'nothing' });
    expect(swept({ ...held, lock: 'night' }, { lock: 'ended' })).toMatchObject({ do: 'free' });
  });
  test('S11 whose Lock is gone is its owner’s alone', () => {
    expect(swept({ ...held, lock: 'night' }, { lock: 'gone' })).toEqual({ do: 'hold', ofLock: false });
  });
  test('S12 without a Lock is freed after ten minutes, not before', () => {
    expect(swept(held, { heldMs: LOOSE_HOLD_MS - 1 })).toEqual({ do: 'wait', ms: 1 });
    expect(swept(held, { heldMs: LOOSE_HOLD_MS })).toMatchObject({ do: 'free' });
  });
  test('S13 of an ordinal of a StatefulSet waits as long as the set has that ordinal', () => {
    const long = { heldMs: 10 ** 9, statefulSet: redis };
    expect(swept({ ...held, owner: 'feed/redis-2' }, long)).toEqual({ do: 'nothing' });
    expect(swept({ ...held, owner: 'feed/redis-3' }, long)).toMatchObject({ do: 'free' });
    expect(swept({ ...held, owner: 'feed/redis-2' }, { ...long, statefulSet: { ...redis, firstOrdinal: 3 } })).toMatchObject({
      do: 'free',
    });
  });
});

describe('S16 an address whose Node object is gone with its pod', () => {
  test('is neither Held nor freed: the machine may still use it', () => {
    for (const lock of ['none', 'wants', 'gone', 'ended'] as const)
      for (const pod of ['done', 'gone'] as const)
        for (const ownerKind of ['ReplicaSet', 'Job', 'DaemonSet'])
          expect(swept({ podUID }, { pod, lock, ownerKind, stranded: true })).toMatchObject({ do: 'keep' });
    expect(swept({ phase: 'Bound', podUID }, { pod: 'gone', stranded: true })).toMatchObject({ do: 'keep' });
  });
  test('leaves a pod that has another, or was never given it, as ever', () => {
    expect(swept({ podUID }, { pod: 'other', stranded: true })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ podUID }, { pod: 'waits', stranded: true })).toEqual({ do: 'hold', ofLock: false });
  });
});

describe('S17 an address that its node says is wired', () => {
  const wired = { phase: 'Bound', podUID, says: { Wired: 'True' } } as const;
  test('is given to nobody, whatever becomes of its pod’s object, and people are told once that has lasted a minute', () => {
    for (const lock of ['none', 'wants', 'gone', 'ended'] as const)
      for (const pod of ['done', 'gone', 'other', 'waits'] as const)
        expect(swept({ ...wired, lock: 'night' }, { pod, lock })).toMatchObject({ do: 'keep', patienceMs: 60_000 });
  });
  test('or that was given to the node with the pod, is kept the same, bound or not yet', () => {
    for (const phase of ['Locked', 'Bound'] as const)
      for (const pod of ['done', 'gone', 'other', 'waits'] as const)
        for (const stranded of [false, true])
          expect(swept({ phase, podUID, says: { Wired: 'Given' } }, { pod, stranded })).toMatchObject({ do: 'keep' });
    expect(swept({ podUID, says: { Wired: 'False' } }, { pod: 'gone' })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ podUID, says: { Wired: 'Given' } }, { pod: 'gone', off: true })).toEqual({ do: 'hold', ofLock: false });
  });
  test('leaves its pod as soon as the node says that it is wired no longer, also where the Node object is gone by then', () => {
    const unwired = { ...wired, says: { Wired: 'False' } };
    for (const pod of ['done', 'gone'] as const) {
      expect(swept(unwired, { pod })).toEqual({ do: 'hold', ofLock: false });
      expect(swept(unwired, { pod, stranded: true })).toEqual({ do: 'hold', ofLock: false });
    }
    expect(swept(unwired, { pod: 'has' })).toEqual({ do: 'nothing' });
  });
  test('that somebody else wired, or an agent that doesn’t say, goes with its pod’s object', () => {
    expect(swept({ phase: 'Bound', podUID }, { pod: 'gone' })).toEqual({ do: 'hold', ofLock: false });
  });
});

describe('S18 a machine that is off', () => {
  const wired = { phase: 'Bound', podUID, says: { Wired: 'True' } } as const;
  test('gives its addresses back: its Node says so by the taint', () => {
    for (const ipLock of [wired, { phase: 'Bound', podUID }, { podUID }] as const)
      for (const pod of ['gone', 'done'] as const) expect(swept(ipLock, { pod, off: true })).toEqual({ do: 'hold', ofLock: false });
  });
  test('gives its addresses back: its Node is gone, and a person says so of the pod that the address names', () => {
    const fenced = { annotations: { 'gala.internal/fenced': podUID } };
    expect(swept({ ...wired, ...fenced }, { pod: 'gone', stranded: true })).toEqual({ do: 'hold', ofLock: false });
    expect(swept({ podUID, ...fenced }, { pod: 'done', stranded: true })).toEqual({ do: 'hold', ofLock: false });
  });
  test('is not, by what was said of another pod, or of a node that is there', () => {
    const another = { annotations: { 'gala.internal/fenced': '00000000-0000-4000-8000-000000000009' } };
    expect(swept({ ...wired, ...another }, { pod: 'gone', stranded: true })).toMatchObject({ do: 'keep' });
    expect(swept({ ...wired, annotations: { 'gala.internal/fenced': podUID } }, { pod: 'gone' })).toMatchObject({ do: 'keep' });
  });
  test('still keeps what a living pod has', () => {
    expect(swept(wired, { pod: 'has', off: true })).toEqual({ do: 'nothing' });
  });
});

describe('S19 an address that another machine answers for', () => {
  const says = { Probed: 'Conflict' };
  test('is Quarantined, with who answered, while it is Locked or Held', () => {
    for (const ipLock of [
      { lock: 'night', says },
      { podUID, says },
      { phase: 'Held', says },
    ] as const)
      expect(swept(ipLock, { lock: 'wants', pod: 'has' })).toEqual({ do: 'quarantine', because: '3c:fd:fe:11:22:33 answers for it' });
  });
  test('is its pod’s once it is Bound', () => {
    expect(swept({ phase: 'Bound', podUID, says }, { pod: 'has' })).toEqual({ do: 'nothing' });
  });
  test('is what a gateway that is silent does not make it', () => {
    expect(swept({ lock: 'night', says: { Probed: 'GatewaySilent' } }, { lock: 'wants' })).toEqual({ do: 'nothing' });
  });
});

describe('S20 an address that a person let go', () => {
  const annotations = { 'gala.internal/free': 'true' };
  test('is freed where it is Held or Quarantined', () => {
    expect(swept({ phase: 'Held', annotations })).toMatchObject({ do: 'free' });
    expect(swept({ phase: 'Quarantined', annotations })).toMatchObject({ do: 'free' });
    expect(swept({ phase: 'Quarantined', podUID, annotations }, { pod: 'gone' })).toMatchObject({ do: 'free' });
  });
  test('goes after its slot, not before', () => {
    expect(swept({ phase: 'Held', lock: 'night', annotations }, { lock: 'wants' })).toEqual({ do: 'nothing' });
    expect(swept({ phase: 'Held', lock: 'night', annotations }, { lock: 'ended' })).toMatchObject({ do: 'free' });
  });
  test('stays where a pod has it, or has none but it', () => {
    for (const phase of ['Locked', 'Bound', 'Quarantined'] as const)
      expect(swept({ phase, podUID, annotations }, { pod: 'has' })).toEqual({ do: 'nothing' });
  });
});

describe('S21 an address whose slot has moved to another node', () => {
  const moved = { lock: 'wants', listedOn: 'r12-02' } as const;
  test('is written there while it is Held', () => {
    expect(swept({ phase: 'Held', lock: 'night' }, moved)).toEqual({ do: 'move', node: 'r12-02' });
  });
  test('is freed to be made anew there while it waits for a first pod', () => {
    expect(swept({ lock: 'night' }, moved)).toMatchObject({ do: 'free', because: 'its slot has moved to r12-02' });
  });
  test('stays while a pod has it, or is about to', () => {
    for (const phase of ['Locked', 'Bound'] as const)
      expect(swept({ phase, podUID, lock: 'night' }, { ...moved, pod: 'has' })).toEqual({ do: 'nothing' });
    expect(swept({ phase: 'Held', lock: 'night' }, { ...moved, claimed: true })).toEqual({ do: 'nothing' });
  });
});

test('S17 whatever else is so, what may be wired on a machine that is not known to be off is neither Held, freed nor Quarantined', () => {
  const any = fc.record({
    lock: fc.constantFrom<Around['lock']>('none', 'gone', 'wants', 'ended', 'undoing'),
    pod: fc.constantFrom<Around['pod']>('none', 'has', 'other', 'waits', 'done', 'gone', 'unknown'),
    ownerKind: fc.constantFrom('Job', 'StatefulSet', undefined),
    stranded: fc.boolean(),
    reignMs: fc.nat(),
  });
  const says = fc.record({ Wired: fc.constantFrom('True', 'Given'), Probed: fc.constantFrom('True', 'Conflict', 'GatewaySilent') });
  fc.assert(
    fc.property(any, says, fc.boolean(), (more, says, free) => {
      const annotations: Record<string, string> = free ? { 'gala.internal/free': 'true' } : {};
      expect(swept({ phase: 'Bound', podUID, says, annotations }, more).do).toMatch(/^(nothing|ask|keep)$/);
    }),
  );
});

test('S14 a Quarantined address is left to people', () => {
  expect(swept({ phase: 'Quarantined' }, { lock: 'gone', pod: 'gone' })).toEqual({ do: 'nothing' });
});

test('S15 whatever else is so, an address that is about to be used is left alone, and a living pod keeps its own', () => {
  const any = fc.record({
    lock: fc.constantFrom<Around['lock']>('none', 'gone', 'wants', 'ended', 'undoing'),
    pod: fc.constantFrom<Around['pod']>('none', 'has', 'other', 'waits', 'done', 'gone', 'unknown'),
    ownerKind: fc.constantFrom('Job', 'StatefulSet', undefined),
    wasHeld: fc.boolean(),
    stranded: fc.boolean(),
    heldMs: fc.nat(),
    reignMs: fc.nat(),
  });
  const phases = fc.constantFrom('Locked', 'Bound', 'Held', 'Quarantined');
  fc.assert(
    fc.property(any, phases, (more, phase) => {
      expect(swept({ phase: phase as 'Locked', podUID }, { ...more, claimed: true })).toEqual({ do: 'nothing' });
      if (phase === 'Held') return;
      expect(swept({ phase: phase as 'Locked', podUID }, { ...more, pod: 'has' })).toEqual({ do: 'nothing' });
    }),
  );
});
