import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AddressLock, Known, ScheduledPod, Verdict } from '../../lib/scheduling/verify.ts';
import { verify } from '../../lib/scheduling/verify.ts';

const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

const aPod = (pod: Partial<ScheduledPod> = {}): ScheduledPod => ({
  ...{ namespace: 'feed', name: 'feed-api-0', uid: UID, hostNetwork: false, lock: 'feed-api', slot: '3', pinned: 'r12-01' },
  ...pod,
});
const aLoosePod = (pod: Partial<ScheduledPod> = {}) => aPod({ lock: undefined, slot: 'loose', ...pod });

interface Slot {
  readonly slot: number;
  readonly node: string;
  readonly address?: string;
}
const aLock = (slots: readonly Slot[] = [{ slot: 3, node: 'r12-01' }], phase: 'Planning' | 'Ready' | 'Failed' | 'Expired' = 'Ready') => ({
  status: { phase, slots: [...slots] },
});

const anAddress = (spec: Partial<AddressLock['spec']> = {}, name = '10.110.1.7'): AddressLock => ({
  metadata: { name },
  spec: { phase: 'Locked', node: 'r12-01', mac: '02:67:0a:6e:01:07', owner: 'feed/feed-api', podUID: UID, ...spec },
});

/** A world in which Gala owns no addresses, unless something else is said. */
const known = (what: Partial<Known> = {}): Known => ({
  ...{ uid: UID, lock: aLock(), rivals: [], addressFromGala: () => false, addresses: [] },
  ...what,
});
const wiredByGala = { addressFromGala: () => true } as const;

const one = (pod: ScheduledPod, what?: Known, node = 'r12-01'): Verdict => verify(pod, [node], what ?? known())[0]!;
const refused = (rule: string, sentence: RegExp) => ({ rule, reason: expect.stringMatching(sentence) });

test('a pod is bound where its slot is', () => {
  expect(one(aPod())).toEqual({});
  expect(one(aLoosePod(), known({ lock: undefined }))).toEqual({});
});

test('V1 a pod that never waited for a slot is refused on every node in the same words, which kube-scheduler counts', () => {
  const verdicts = verify(aPod({ slot: undefined, pinned: undefined }), ['r12-01', 'r12-02'], known());
  expect(verdicts[0]).toMatchObject(refused('V1', /holds no slot.*gala\.internal\/lock.*delete the pod/));
  expect(verdicts[1]).toEqual(verdicts[0]);
});

test.each([
  ['a word', aPod({ slot: 'first' })],
  ['a negative number', aPod({ slot: '-1' })],
  ['a number written otherwise', aPod({ slot: '03' })],
  ['a number without a Lock', aPod({ lock: undefined })],
  ['loose beside a Lock', aPod({ slot: 'loose' })],
])('V2 annotations that no lock writer writes are refused: %s', (_what, pod) => {
  expect(one(pod)).toMatchObject(refused('V2', /delete the pod/));
});

test('V3 a pod whose name another pod has by now is not bound', () => {
  expect(one(aPod(), known({ uid: OTHER }))).toMatchObject(refused('V3', /another pod has its name/));
  expect(one(aPod(), known({ uid: undefined }))).toMatchObject(refused('V3', /gone/));
});

test('V4 a pod whose Lock is gone is refused with what to do', () => {
  expect(one(aPod(), known({ lock: undefined }))).toMatchObject(refused('V4', /Lock feed\/feed-api is gone; delete the pod/));
});

test('V5 a Lock that is not Ready holds no slot', () => {
  expect(one(aPod(), known({ lock: aLock([], 'Expired') }))).toMatchObject(refused('V5', /is Expired; delete/));
  expect(one(aPod(), known({ lock: aLock(undefined, 'Planning') }))).toMatchObject(refused('V5', /is not Ready yet$/));
  expect(one(aPod(), known({ lock: {} }))).toMatchObject(refused('V5', /is not Ready yet$/));
});

test('V6 a slot is where its Lock says, and nowhere else', () => {
  const verdicts = verify(aPod({ pinned: undefined }), ['r12-01', 'r12-02', 'r12-03'], known());
  expect(verdicts[0]).toEqual({});
  expect(verdicts[1]).toMatchObject(refused('V6', /slot 3 of Lock feed\/feed-api is on r12-01/));
  expect(verdicts[2]).toEqual(verdicts[1]);
  expect(one(aPod({ slot: '4' }))).toMatchObject(refused('V6', /has no slot 4 any more/));
});

test('V7 of two pods with one slot the one on a node keeps it, else exactly one of them', () => {
  const rival = { name: 'feed-api-x', uid: OTHER };
  expect(one(aPod(), known({ rivals: [{ ...rival, node: 'r12-01' }] }))).toMatchObject(refused('V7', /also that of pod feed-api-x/));
  const mine = one(aPod(), known({ rivals: [rival] }));
  const theirs = one(aPod({ uid: OTHER }), known({ uid: OTHER, rivals: [{ name: 'feed-api-0', uid: UID }] }));
  expect([mine, theirs].filter(({ reason }) => reason === undefined)).toHaveLength(1);
});

test('V8 a loose slot is on the node that the pod is pinned to', () => {
  expect(one(aLoosePod({ pinned: 'r12-02' }))).toMatchObject(refused('V8', /is on r12-02/));
  expect(one(aLoosePod({ pinned: undefined }))).toMatchObject(refused('V8', /pinned to no node/));
});

test('V9 nobody says whose addresses a node has that Gala has not seen', () => {
  expect(one(aPod(), known({ addressFromGala: () => undefined }))).toMatchObject(refused('V9', /not known/));
});

test('V10 where Gala owns the addresses, the address must name this pod on this node', () => {
  const planned = aLock([{ slot: 3, node: 'r12-01', address: '10.110.1.7' }]);
  const judged = (...addresses: AddressLock[]) => one(aPod(), known({ ...wiredByGala, lock: planned, addresses }));
  expect(judged(anAddress())).toEqual({});
  expect(judged(anAddress({ phase: 'Bound' }))).toEqual({});
  expect(judged()).toMatchObject(refused('V10', /no address is locked.*10\.110\.1\.7.*delete/));
  expect(judged(anAddress({ podUID: OTHER }))).toMatchObject(refused('V10', /another pod.*delete/));
  expect(judged(anAddress({ podUID: undefined }))).toMatchObject(refused('V10', /Locked and not the pod's/));
  expect(judged(anAddress({ node: 'r12-02' }))).toMatchObject(refused('V10', /10\.110\.1\.7 is on r12-02/));
  expect(judged(anAddress({ phase: 'Quarantined' }))).toMatchObject(refused('V10', /somebody else answers/));
  expect(judged(anAddress({}, '10.110.1.8'))).toMatchObject(refused('V10', /no address is locked/));
});

test('V10 a loose pod has the address that names it', () => {
  expect(one(aLoosePod(), known({ ...wiredByGala, lock: undefined, addresses: [anAddress()] }))).toEqual({});
  expect(one(aLoosePod(), known({ ...wiredByGala, lock: undefined }))).toMatchObject(refused('V10', /no address/));
});

test('V10 of a pod that was given another address for a Quarantined one, that other one counts', () => {
  const addresses = [anAddress({ phase: 'Quarantined' }), anAddress({}, '10.110.1.8')];
  expect(one(aLoosePod(), known({ ...wiredByGala, lock: undefined, addresses }))).toEqual({});
});

test('a pod on the host network needs no address', () => {
  expect(one(aPod({ hostNetwork: true }), known(wiredByGala))).toEqual({});
});

test('whatever is asked, at most one node of those that are asked about passes, and each refusal has a reason', () => {
  const names = ['r12-01', 'r12-02', 'r12-03'];
  const name = fc.constantFrom(...names);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const uid = fc.constantFrom(UID, OTHER);
  const pod = fc.record({
    slot: maybe(fc.constantFrom('0', '3', 'loose', 'x')),
    lock: maybe(fc.constant('feed-api')),
    pinned: maybe(name),
  });
  const lock = fc.record({
    phase: fc.constantFrom('Planning' as const, 'Ready' as const, 'Expired' as const),
    slots: fc.uniqueArray(fc.record({ slot: fc.constantFrom(0, 3), node: name }), { selector: ({ slot }) => slot }),
  });
  const address = fc.record({ node: name, podUID: maybe(uid) });
  const world = fc.record({
    lock: maybe(lock),
    addresses: fc.array(address, { maxLength: 1 }),
    wired: maybe(fc.boolean()),
    uid: maybe(uid),
  });
  fc.assert(
    fc.property(pod, world, (asked, { lock, addresses, wired, uid }) => {
      const what = known({
        uid,
        lock: lock && { status: { phase: lock.phase, slots: [...lock.slots] } },
        addresses: addresses.map((spec) => anAddress(spec)),
        addressFromGala: () => wired,
      });
      const verdicts = verify(aPod(asked), names, what);
      expect(verdicts).toHaveLength(names.length);
      expect(verdicts.filter(({ reason }) => reason === undefined).length).toBeLessThanOrEqual(1);
      for (const { reason } of verdicts) if (reason !== undefined) expect(reason).toMatch(/^gala: \S.*[^.,]$/);
    }),
    { numRuns: 500 },
  );
});
