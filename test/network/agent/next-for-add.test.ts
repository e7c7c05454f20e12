import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IPLock } from '../../../lib/api/kinds.ts';
import { PROBED, PROBED_REASONS } from '../../../lib/api/network.ts';
import { BIND_MS, type Known, LOCK_MS, nextForAdd, PROBE_MS, READ_MS, RIVAL_MS } from '../../../lib/network/agent/next-for-add.ts';
import { refuse } from '../../../lib/network/wiring/refusal.ts';

const POD = { uid: '0f8fad5b', namespace: 'feed', name: 'feed-api-0' };
const noLock = refuse('NoLock', 'no IPLock names the pod');

type Over = Partial<Omit<Known, 'lock'>> & { phase?: IPLock['spec']['phase']; probed?: 'True' | 'conflict' | 'none'; lock?: 'none' };
function known({ phase = 'Locked', probed = 'True', lock, ...over }: Over = {}): Known {
  const status = probed === 'True' ? 'True' : 'False';
  const reason = probed === 'True' ? PROBED_REASONS.free : PROBED_REASONS.conflict;
  const condition = {
    type: PROBED,
    status,
    reason,
    message: '52:54:00:12:34:56 answers for it',
    lastTransitionTime: '2026-11-27T00:00:00Z',
  } as const;
  return {
    ...{ pod: POD, synced: true, waitedMs: 0, asked: false, bound: false, given: false, probes: true, rivals: [] },
    ...(lock === 'none'
      ? {}
      : {
          lock: {
            metadata: { name: '10.110.0.130' },
            spec: { phase, node: 'h-r12-01', mac: '02:67:0a:6e:00:82', owner: 'feed/feed-api', podUID: POD.uid },
            status: { conditions: probed === 'none' ? [] : [condition] },
          },
        }),
    ...over,
  };
}

test('an address that was probed is bound, and then wired', () => {
  expect(nextForAdd(known())).toEqual({ do: 'bind' });
  expect(nextForAdd(known({ bound: true, phase: 'Bound' }))).toEqual({ do: 'wire' });
});

test('an address that was given to the node is wired without a write, once it was looked for on the wire or that takes too long', () => {
  for (const phase of ['Locked', 'Bound'] as const) expect(nextForAdd(known({ phase, given: true }))).toEqual({ do: 'wire' });
  expect(nextForAdd(known({ given: true, probed: 'none', waitedMs: PROBE_MS - 1 }))).toEqual({ do: 'wait' });
  expect(nextForAdd(known({ given: true, probed: 'none', waitedMs: PROBE_MS }))).toEqual({ do: 'wire' });
  expect(nextForAdd(known({ given: true, probed: 'conflict' }))).toMatchObject({ do: 'refuse', refused: 'Conflict' });
  expect(nextForAdd(known({ given: true, rivals: [{ key: 'old-eth0', gone: false }] }))).toEqual({ do: 'wait' });
});

test('what is watched says nothing where the address was not given so: each ADD writes for itself before it wires', () => {
  expect(nextForAdd(known({ phase: 'Bound' }))).toEqual({ do: 'bind' });
});

test('nothing is decided before this node was read, and after a while the pod start is tried again', () => {
  expect(nextForAdd(known({ synced: false, waitedMs: READ_MS - 1 }))).toEqual({ do: 'wait' });
  expect(nextForAdd(known({ synced: false, waitedMs: READ_MS }))).toMatchObject({ do: 'refuse', code: 11 });
});

test('a pod without an address is waited for, asked for once at the API server, and then refused in words that name the gate', () => {
  expect(nextForAdd(known({ lock: 'none', refusal: noLock }))).toEqual({ do: 'wait' });
  expect(nextForAdd(known({ lock: 'none', refusal: noLock, waitedMs: 500 }))).toEqual({ do: 'find' });
  expect(nextForAdd(known({ lock: 'none', refusal: noLock, waitedMs: 600, asked: true }))).toEqual({ do: 'wait' });
  expect(nextForAdd(known({ lock: 'none', refusal: noLock, waitedMs: LOCK_MS, asked: true }))).toMatchObject({
    do: 'refuse',
    refused: 'NoLock',
  });
});

test('an address that is not probed yet is waited for, and wired all the same when the probe is late', () => {
  expect(nextForAdd(known({ probed: 'none', waitedMs: PROBE_MS - 1 }))).toEqual({ do: 'wait' });
  expect(nextForAdd(known({ probed: 'none', waitedMs: PROBE_MS }))).toEqual({ do: 'bind' });
  expect(nextForAdd(known({ probed: 'none', probes: false }))).toEqual({ do: 'bind' });
});

test('an address that somebody else answers for is not wired, and the pod hears who', () => {
  const step = nextForAdd(known({ probed: 'conflict' }));
  expect(step).toMatchObject({ do: 'refuse', refused: 'Conflict', details: expect.stringContaining('52:54:00:12:34:56') });
});

test('what an older sandbox has is taken down first, and waited for while the runtime still has it', () => {
  expect(nextForAdd(known({ rivals: [{ key: 'old-eth0', gone: true }] }))).toEqual({ do: 'collect', key: 'old-eth0' });
  expect(nextForAdd(known({ rivals: [{ key: 'old-eth0', gone: false }] }))).toEqual({ do: 'wait' });
  const refused = nextForAdd(known({ rivals: [{ key: 'old-eth0', gone: false }], waitedMs: RIVAL_MS }));
  expect(refused).toMatchObject({ do: 'refuse', refused: 'StillWired', details: expect.stringContaining('old-eth0') });
});

test('an IPLock that can not be written for long is refused, and not tried for ever', () => {
  expect(nextForAdd(known({ waitedMs: BIND_MS }))).toMatchObject({ do: 'refuse', code: 11 });
});

test('nothing is wired without its own write where it was not given, beside a rival, or against a refusal, whatever is known', () => {
  const any = fc.record({
    ...{
      synced: fc.boolean(),
      waitedMs: fc.nat(20_000),
      asked: fc.boolean(),
      bound: fc.boolean(),
      given: fc.boolean(),
      probes: fc.boolean(),
    },
    phase: fc.constantFrom('Locked' as const, 'Bound' as const),
    probed: fc.constantFrom('True' as const, 'conflict' as const, 'none' as const),
    lock: fc.constantFrom('none' as const, undefined),
    refusal: fc.constantFrom(undefined, noLock),
    rivals: fc.array(fc.record({ key: fc.constant('old-eth0'), gone: fc.boolean() }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(any, (over) => {
      if (nextForAdd(known(over)).do !== 'wire') return;
      expect(over).toMatchObject({ synced: true, rivals: [] });
      expect(over.bound || over.given).toBe(true);
      expect(over.refusal).toBeUndefined();
      expect(over.lock).toBeUndefined();
    }),
  );
});

test('every ADD comes to an end: after a minute there is nothing left to wait for', () => {
  const any = fc.record({
    ...{ synced: fc.boolean(), probes: fc.boolean(), asked: fc.constant(true), bound: fc.constant(false) },
    probed: fc.constantFrom('True' as const, 'none' as const),
    lock: fc.constantFrom('none' as const, undefined),
    refusal: fc.constant(noLock),
    rivals: fc.array(fc.record({ key: fc.constant('old-eth0'), gone: fc.constant(false) }), { maxLength: 2 }),
  });
  fc.assert(fc.property(any, (over) => expect(nextForAdd(known({ ...over, waitedMs: 60_000 })).do).toBe('refuse')));
});
