/** The rules of an election, one by one and together: many candidates, slow and lost answers, kills. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertRules, type LeaseSpec, leadsUntil, look, move, RULES, released, retryInMs, type Sight } from '../../lib/kube/campaign.ts';

const NOON = new Date('2026-11-24T12:00:00.123Z');
const aLease = (spec: LeaseSpec = {}): LeaseSpec => ({
  ...{ holderIdentity: 'b', leaseDurationSeconds: 15, acquireTime: '1', renewTime: '1', leaseTransitions: 3 },
  ...spec,
});
const moveOf = (seen: Sight | undefined, now: number) => move(seen, 'a', RULES, now, NOON);

describe('the rules', () => {
  test('R1 a lease is as old as the moment it was last seen to change, whatever it says about the time', () => {
    const first = look(undefined, aLease({ renewTime: '1970' }), 100);
    expect(first.changedAt).toBe(100);
    expect(look(first, aLease({ renewTime: '1970' }), 900)).toBe(first);
    expect(look(first, aLease({ renewTime: '1971' }), 900).changedAt).toBe(900);
    expect(look(first, aLease({ renewTime: '1970', holderIdentity: 'c' }), 900).changedAt).toBe(900);
  });

  test('R2 it is taken when there is none', () => {
    expect(moveOf(undefined, 0)).toEqual({
      do: 'create',
      spec: {
        ...{ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 },
        ...{ acquireTime: '2026-11-24T12:00:00.123000Z', renewTime: '2026-11-24T12:00:00.123000Z' },
      },
    });
  });

  test('R2 it is taken when it is older than its duration, not before, and the change of leaders is counted', () => {
    const seen = look(undefined, aLease(), 1_000);
    expect(moveOf(seen, 15_999)).toEqual({ do: 'wait', leader: 'b' });
    expect(moveOf(seen, 16_000)).toMatchObject({ do: 'take', spec: { holderIdentity: 'a', leaseTransitions: 4 } });
  });

  test('R2 one that its holder released is taken at once', () => {
    const left = released(aLease(), NOON);
    expect(left.holderIdentity).toBeUndefined();
    expect(moveOf(look(undefined, left, 1_000), 1_000)).toMatchObject({ do: 'take', spec: { leaseTransitions: 4 } });
  });

  test('R3 its holder renews it, and it stays the same term', () => {
    const seen = look(undefined, aLease({ holderIdentity: 'a', acquireTime: 'then' }), 0);
    expect(moveOf(seen, 100)).toMatchObject({ do: 'renew', spec: { holderIdentity: 'a', acquireTime: 'then', leaseTransitions: 3 } });
  });

  test('R4 a leader stops before anybody else may begin', () => {
    expect(leadsUntil(1_000, RULES)).toBe(11_000);
    for (const rules of [
      { ...RULES, renewMs: 15_000 },
      { ...RULES, retryMs: 9_000 },
    ])
      expect(() => assertRules(rules)).toThrow(RangeError);
    expect(() => assertRules(RULES)).not.toThrow();
  });

  test('candidates do not go in step', () => {
    expect([retryInMs(RULES, () => 0), retryInMs(RULES, () => 1)]).toEqual([2_000, 4_400]);
  });
});

/** A candidate of the simulation: what election.ts does, with the calls' times decided by the test. */
interface Candidate {
  readonly identity: string;
  /** Its monotonic clock is off by so much. */
  readonly offset: number;
  seen?: Sight | undefined;
  until: number;
  busyUntil: number;
  dead: boolean;
}

const aStep = fc.record({
  who: fc.nat({ max: 2 }),
  passMs: fc.constantFrom(0, 500, 3_000),
  /** From the call's beginning to the server's doing it, and from there to the answer. */
  thereMs: fc.constantFrom(0, 100, 9_000),
  backMs: fc.constantFrom(0, 100, 9_000),
  fate: fc.constantFrom('done', 'done', 'done', 'lost before', 'answer lost', 'killed'),
});

test('never two that may act at the same moment, whatever calls take, get lost, and whoever is killed', () => {
  const leaders = new Set<string>();
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 120, size: 'max' }), fc.tuple(fc.nat(), fc.nat(), fc.nat()), (steps, offsets) => {
      let time = 0;
      let lease: { spec: LeaseSpec; version: number } | undefined;
      const candidates = offsets.map(
        (offset, i): Candidate => ({ identity: 'abc'[i]!, offset, until: -Infinity, busyUntil: 0, dead: false }),
      );
      const later: { at: number; act: () => void }[] = [];
      const one = () => {
        const acting = candidates.filter(({ until, offset, dead }) => !dead && time + offset < until);
        expect(acting.length).toBeLessThanOrEqual(1);
        if (acting[0]) leaders.add(acting[0].identity);
      };
      const advance = (to: number) => {
        for (let next = earliest(later, to); next; next = earliest(later, to)) {
          time = Math.max(time, next.at);
          next.act();
          one();
        }
        time = to;
        one();
      };
      for (const { who, passMs, thereMs, backMs, fate } of steps) {
        advance(time + passMs);
        const each = candidates[who]!;
        if (each.dead || time < each.busyUntil) continue;
        each.dead = fate === 'killed' && candidates.filter(({ dead }) => !dead).length > 1;
        each.busyUntil = time + thereMs + backMs;
        const here = () => time + each.offset;
        const began = here();
        each.seen = lease && look(each.seen, lease.spec, here());
        const version = lease?.version;
        const next = move(each.seen, each.identity, RULES, began, new Date(0));
        if (next.do === 'wait') each.until = -Infinity;
        if (next.do === 'wait' || fate === 'lost before') continue;
        const spec = { ...next.spec, renewTime: `${time}` };
        const answer = () => {
          each.seen = look(each.seen, spec, here());
          each.until = leadsUntil(began, RULES);
        };
        const write = () => {
          if (lease?.version !== version) return; // a conflict
          lease = { spec, version: (version ?? 0) + 1 };
          if (fate !== 'answer lost') later.push({ at: time + backMs, act: answer });
        };
        later.push({ at: time + thereMs, act: write });
      }
      advance(time + 20_000);
    }),
    { numRuns: 1_000 },
  );
  expect(leaders).toEqual(new Set('abc'));
});

function earliest(later: { at: number; act: () => void }[], to: number) {
  later.sort((a, b) => a.at - b.at);
  return later.length > 0 && later[0]!.at <= to ? later.shift() : undefined;
}
