/** P11: a machine that answers for every address takes none out of use. docs/probes.md. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Ask, MOST_QUESTIONS, questionsOf, type Seen } from '../../../lib/network/probing/ask.ts';
import { learnt, next } from '../../../lib/network/probing/next.ts';
import { suspectIn } from '../../../lib/network/probing/suspect.ts';
import { aLock, DUAL, heardFor, macOf, ROUTER, STRANGER, seenWith } from './a-probe.ts';

type Heard = NonNullable<Parameters<typeof heardFor>[1]>;

const askOf = (seen: Seen): Ask => next(seen, new Map(), new Set(), 0).asks[0]!;

/** What is found on a wire that answers like this each time, and who was tried. */
function found(heard: Heard, seen: Seen = seenWith([aLock()]), chance = 0.37, then: Heard | { failed: string } = heard) {
  const ask = askOf(seen);
  const outcome = heardFor(ask, heard);
  const second = suspectIn(ask, outcome, seen, () => chance);
  const trial = second && { ask: second, outcome: 'failed' in then ? then : heardFor(second, then) };
  const { findings, memory } = learnt(ask, outcome, seen, new Map(), 0, () => 1, trial);
  return {
    ask,
    second,
    memory,
    said: findings.map(({ ip, condition, conflict, everybody }) => ({ ip, ...condition, conflict, everybody })),
  };
}
const many = (count: number, over: Parameters<typeof seenWith>[1] = {}) =>
  seenWith(
    Array.from({ length: count }, (_, i) => aLock({ ip: `10.110.0.${130 + i}` })),
    over,
  );

describe('P11 a machine that answers for every address', () => {
  test('is named, and nothing is said of the address: Unknown, AnsweredForAll', () => {
    const { said } = found({ everybody: STRANGER });
    expect(said).toEqual([
      {
        ...{ ip: '10.110.0.130', type: 'Probed', status: 'Unknown', reason: 'AnsweredForAll', conflict: undefined, everybody: STRANGER },
        message: '3c:fd:fe:11:22:33 answers for it on bond0.110, as it does for every other address; nobody else does',
      },
    ]);
  });

  test('may be the gateway itself, by proxy ARP', () => {
    expect(found({ everybody: ROUTER }).said).toMatchObject([{ status: 'Unknown', everybody: ROUTER }]);
  });

  test('hides nobody: who has an address beside it is a conflict still', () => {
    const { said } = found({ everybody: STRANGER, answered: { '10.110.0.131': ROUTER } }, many(3));
    expect(said.map(({ status, conflict }) => [status, conflict])).toEqual([
      ['Unknown', undefined],
      ['False', ROUTER],
      ['Unknown', undefined],
    ]);
  });

  test('nor an older sandbox that has the address still', () => {
    const own = macOf('10.110.0.130');
    expect(found({ everybody: STRANGER, answered: { '10.110.0.130': own } }).said).toMatchObject([{ status: 'False', conflict: own }]);
  });

  test('is found out in IPv6 as in IPv4', () => {
    expect(found({ everybody: STRANGER }, seenWith([aLock()], { intranet: DUAL })).said).toMatchObject([{ status: 'Unknown' }]);
  });

  test('that does so by ARP alone, and has the IPv6 address, is a conflict', () => {
    const seen = seenWith([aLock()], { intranet: DUAL });
    const ask = askOf(seen);
    const outcome = heardFor(ask, { everybody: STRANGER });
    const second = suspectIn(ask, outcome, seen, () => 0)!;
    const heard = heardFor(second, { everybody: STRANGER });
    const answered = heard.answered.filter(({ ip }) => !ip.includes(':'));
    const trial = {
      ask: second,
      outcome: {
        ...heard,
        answered,
        silent: questionsOf(second)
          .map(ipIn)
          .filter((ip) => ip.includes(':')),
      },
    };
    expect(learnt(ask, outcome, seen, new Map(), 0, () => 1, trial).findings).toMatchObject([{ conflict: STRANGER }]);
  });

  test('is looked for again after 30 s, as a conflict is', () => {
    const { memory } = found({ everybody: STRANGER });
    expect(memory.get('10.110.0.130')?.dueMs).toBe(30_000);
  });
});

test('P11 of two that answer one is tried at a time, and of the other nothing is said before its turn', () => {
  const seen = many(2);
  const answered = { '10.110.0.130': ROUTER, '10.110.0.131': STRANGER };
  const { said, memory } = found({ answered }, seen);
  expect(said).toMatchObject([{ ip: '10.110.0.130', conflict: ROUTER }]);
  const { asks } = next(seen, memory, new Set(), 1_000);
  expect(asks.map(({ addresses }) => addresses.map(({ ip }) => ip))).toEqual([['10.110.0.131']]);
});

describe('P11 a machine that has addresses of its own', () => {
  test('is a conflict, for each of them', () => {
    const answered = { '10.110.0.130': STRANGER, '10.110.0.131': STRANGER, '10.110.0.132': STRANGER };
    const { said } = found({ answered }, many(4));
    expect(said.map(({ status }) => status)).toEqual(['False', 'False', 'False', 'True']);
  });

  test('is tried once; an older sandbox of the address is not', () => {
    expect(found({ answered: { '10.110.0.130': STRANGER } }).second?.suspect.mac).toBe(STRANGER);
    expect(found({ answered: { '10.110.0.130': macOf('10.110.0.130') } }).second).toBeUndefined();
    expect(found({}).second).toBeUndefined();
  });

  test('before it could be tried it is not a conflict: it is asked again, soon', () => {
    const { said, memory } = found({ answered: { '10.110.0.130': STRANGER } }, many(2), 0, { failed: 'bond0.110 has no carrier' });
    expect(said).toMatchObject([{ ip: '10.110.0.131', status: 'True' }]);
    expect(memory.get('10.110.0.130')?.dueMs).toBe(1_000);
  });

  test('in a subnet with too few others nothing is told from it: a conflict', () => {
    const vlans = [{ id: 110, subnet: '10.110.0.128/29', gateway: '10.110.0.129', addresses: '10.110.0.130-10.110.0.134' }];
    expect(found({ everybody: STRANGER }, many(3, { intranet: { vlans } })).said).toMatchObject([
      { conflict: STRANGER },
      { conflict: STRANGER },
      { conflict: STRANGER },
    ]);
  });
});

const ipIn = (question: string): string => /:([^,]+)/.exec(question)![1]!;

test('decoys lie in the subnet, are no gateway, are asked for once, and one call takes them with the addresses', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 250 }),
      fc.boolean(),
      fc.integer({ min: 20, max: 29 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (count, dual, prefix, chance) => {
        const vlans = [
          {
            ...{ id: 110, subnet: `10.110.0.0/${prefix}`, gateway: '10.110.0.1', addresses: '10.110.0.2-10.110.0.6' },
            ...(dual && { ipv6Prefix: 'fd00:110::/96' }),
          },
        ];
        const locks = Array.from({ length: count }, (_, i) => aLock({ ip: `10.110.0.${2 + i}` }));
        const seen = seenWith(locks, { intranet: { vlans } });
        const ask = askOf(seen);
        const second = suspectIn(ask, heardFor(ask, { everybody: STRANGER }), seen, () => chance);
        if (second === undefined) return;
        const questions = questionsOf(second).map(ipIn);
        expect(questions.length).toBeLessThanOrEqual(MOST_QUESTIONS);
        expect(new Set(questions).size).toBe(questions.length);
        const most = 2 ** (32 - prefix) - 2;
        for (const { ip } of second.suspect.decoys) {
          const [, , third = 0, last = 0] = ip.split('.').map(Number);
          expect(third * 256 + last).toBeGreaterThanOrEqual(1);
          expect(third * 256 + last).toBeLessThanOrEqual(most);
        }
      },
    ),
  ));
