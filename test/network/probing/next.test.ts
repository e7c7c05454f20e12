/** What is asked for when, and what follows. docs/probes.md has the rules by their numbers. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Ask, MOST_QUESTIONS, type Outcome, type ProbedLock, questionsOf, type Seen } from '../../../lib/network/probing/ask.ts';
import { FREE_MS, forgotten, learnt, type Memory, type Next, next } from '../../../lib/network/probing/next.ts';
import { aCondition, aLock, DUAL, heardFor, macOf, ROUTER, STRANGER, seenWith } from './a-probe.ts';

const NONE: Memory = new Map();
const IDLE: ReadonlySet<string> = new Set();
const stepped = (seen: Seen, memory: Memory = NONE, nowMs = 1_000, busy = IDLE): Next => next(seen, memory, busy, nowMs);
const only = (seen: Seen, memory?: Memory, nowMs?: number): Ask => {
  const { asks } = stepped(seen, memory, nowMs);
  expect(asks).toHaveLength(1);
  return asks[0]!;
};
const ips = ({ asks }: Next) => asks.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
const learn = (ask: Ask, outcome: Outcome, seen: Seen, memory: Memory = NONE, nowMs = 1_000) =>
  learnt(ask, outcome, seen, memory, nowMs, () => 1);

describe('what is asked for', () => {
  test('P1 is each Locked address of this node on the sub-interface of its VLAN, with the gateway', () => {
    const seen = seenWith([aLock(), aLock({ ip: '10.130.0.70' }), aLock({ ip: '10.110.0.131' })], { rack: 'r13' });
    const { asks } = stepped(seen);
    expect(asks.map(({ link }) => link)).toEqual(['bond0.110', 'bond0.130']);
    expect(asks.map(questionsOf)).toEqual([
      ['answers:10.110.0.1', 'free:10.110.0.130', 'free:10.110.0.131'],
      ['answers:10.130.0.1', 'free:10.130.0.70'],
    ]);
  });

  test('P1 is IPv6 too where the VLAN has a prefix', () => {
    expect(questionsOf(only(seenWith([aLock()], { intranet: DUAL })))).toEqual([
      ...['answers:10.110.0.1', 'answers:fd00:110::10.110.0.1'],
      ...['free:10.110.0.130', 'free:fd00:110::10.110.0.130'],
    ]);
  });

  test('P1 is on the trunk that the node has, or on that of the pool', () => {
    expect(only(seenWith([aLock()], { network: { pool: 'web', trunk: 'team7' } })).link).toBe('team7.110');
    expect(only(seenWith([aLock()], { network: { pool: 'web' } })).link).toBe('bond0.110');
  });

  test.each([
    ['Bound', aLock({ phase: 'Bound', podUID: 'pod-1' })],
    ['Held', aLock({ phase: 'Held' })],
    ['Quarantined', aLock({ phase: 'Quarantined' })],
    ['on another node', aLock({ node: 'h-r12-02' })],
    ['wired still', aLock({ conditions: [aCondition({ type: 'Wired', reason: 'OnTheNode' })] })],
  ])('P1 is none that is %s', (_, lock) => expect(stepped(seenWith([lock]))).toMatchObject({ asks: [], findings: [] }));

  test('P1 is one that was wired, once nothing is left of it', () => {
    const conditions = [aCondition({ type: 'Wired', status: 'False', reason: 'TakenDown' })];
    expect(ips(stepped(seenWith([aLock({ conditions })])))).toEqual(['10.110.0.130']);
  });

  test.each([
    ['10.99.0.5', {}, /lies in none of the VLANs of pool web/],
    ['10.130.0.70', {}, /of VLAN 130, trunked to r13; node h-r12-01 stands in r12/],
    ['10.130.0.70', { rack: 'r99' }, /stands in r99/],
    [
      '10.110.0.130',
      { intranet: { vlans: [{ id: 110, subnet: '10.110.0.0/24', gateway: '10.110.0.130', addresses: '10.110.0.128/26' }] } },
      /is the gateway of VLAN 110/,
    ],
  ])('%s is not asked for where it has no wire here, and that is said', (ip, over, why) => {
    const step = stepped(seenWith([aLock({ ip })], over));
    expect(step.asks).toEqual([]);
    expect(step.unaskable.get(ip)).toMatch(why);
  });

  test('P6 waits while the link is being asked on', () => {
    const seen = seenWith([aLock(), aLock({ ip: '10.130.0.70' })], { rack: 'r13' });
    expect(ips(stepped(seen, NONE, 1_000, new Set(['bond0.110'])))).toEqual(['10.130.0.70']);
  });

  test('P6 is no more than one call takes; the rest, that waits longest, comes first the next time', () => {
    const locks = Array.from({ length: 300 }, (_, i) => aLock({ ip: `10.110.${i >> 8}.${i & 255}` }));
    const intranet = {
      vlans: [{ id: 110, subnet: '10.110.0.0/16', gateway: '10.110.255.1', addresses: '10.110.0.0/20', ipv6Prefix: 'fd00:110::/96' }],
    };
    const seen = seenWith(locks, { intranet });
    const asked = new Set<string>();
    let memory = NONE;
    for (let turn = 0; turn < 3; turn++) {
      const ask = only(seen, memory);
      expect(questionsOf(ask).length).toBeLessThanOrEqual(MOST_QUESTIONS);
      for (const { ip } of ask.addresses) asked.add(ip);
      memory = learn(ask, heardFor(ask), seen, memory).memory;
    }
    expect(asked.size).toBe(300);
  });
});

describe('what is found', () => {
  const seen = seenWith([aLock()]);
  const found = (over: Parameters<typeof heardFor>[1], of = seen) => {
    const ask = only(of);
    return learn(ask, heardFor(ask, over), of).findings.map(({ condition: { status, reason, message }, conflict }) => ({
      status,
      reason,
      message,
      conflict,
    }));
  };

  test('P3 nobody answers, and the gateway does: True, Free', () => {
    expect(found({})).toEqual([
      {
        status: 'True',
        reason: 'Free',
        message: 'nobody answers for it on bond0.110, and the gateway 10.110.0.1 is there',
        conflict: undefined,
      },
    ]);
  });

  test('P4 somebody answers: False, Conflict, with the MAC', () => {
    expect(found({ answered: { '10.110.0.130': STRANGER } })).toEqual([
      { status: 'False', reason: 'Conflict', message: '3c:fd:fe:11:22:33 answers for it on bond0.110', conflict: STRANGER },
    ]);
  });

  test("P4 the address's own MAC answers: an older sandbox has it still", () => {
    const [one] = found({ answered: { '10.110.0.130': macOf('10.110.0.130') } });
    expect(one).toMatchObject({ status: 'False', reason: 'Conflict', conflict: '02:67:0a:6e:00:82' });
    expect(one!.message).toMatch(
      /^02:67:0a:6e:00:82 answers for it on bond0\.110, with the MAC that Gala gives it: an older sandbox still has it/,
    );
  });

  test('P4 a conflict counts whether the gateway is there or not, and in IPv6 too', () => {
    const dual = seenWith([aLock()], { intranet: DUAL });
    const [one] = found({ answered: { 'fd00:110::10.110.0.130': STRANGER }, mute: ['10.110.0.1'] }, dual);
    expect(one).toMatchObject({
      reason: 'Conflict',
      message: `${STRANGER} answers for its IPv6 address fd00:110::10.110.0.130 on bond0.110`,
    });
  });

  test('P5 nobody answers, and the gateway neither: False, GatewaySilent', () => {
    expect(found({ mute: ['10.110.0.1'] })).toEqual([
      {
        ...{ status: 'False', reason: 'GatewaySilent', conflict: undefined },
        message: 'nobody answers for it on bond0.110, and neither does the gateway for 10.110.0.1',
      },
    ]);
    const dual = seenWith([aLock()], { intranet: DUAL });
    expect(found({ mute: ['fd00:110::10.110.0.1'] }, dual)).toMatchObject([
      { reason: 'GatewaySilent', message: expect.stringMatching(/for fd00:110::10\.110\.0\.1$/) },
    ]);
  });

  test('P9 somebody else asks for it at this moment: nothing is said, and it is asked again soon', () => {
    const ask = only(seen);
    const { findings, memory } = learn(ask, heardFor(ask, { probing: { '10.110.0.130': STRANGER } }), seen);
    expect(findings).toEqual([]);
    expect(stepped(seen, memory, 1_000)).toMatchObject({ asks: [], waitMs: 1_000 });
    expect(ips(stepped(seen, memory, 2_000))).toEqual(['10.110.0.130']);
  });

  test('P9 what was asked for and stands in no list is not free', () => {
    const ask = only(seen);
    expect(learn(ask, { ...heardFor(ask), silent: [] }, seen).findings).toEqual([]);
  });

  test.each([
    ['Bound meanwhile', [aLock({ phase: 'Bound', podUID: 'pod-1' })]],
    ['gone', []],
    ['locked anew', [aLock({ uid: 'another' })]],
    ['of another Lock', [aLock({ lock: { namespace: 'feed', name: 'other' } })]],
    ['being wired', [aLock({ conditions: [aCondition({ type: 'Wired' })] })]],
  ])('P7 of an address that is %s nothing is said: its own pod may have answered', (_, locks) => {
    const ask = only(seen);
    const outcome = heardFor(ask, { answered: { '10.110.0.130': macOf('10.110.0.130') } });
    expect(learn(ask, outcome, seenWith(locks))).toEqual({ findings: [], memory: NONE });
  });

  test('P7 a pod that comes to its slot meanwhile changes nothing', () => {
    const ask = only(seen);
    expect(learn(ask, heardFor(ask), seenWith([aLock({ podUID: 'pod-1' })])).findings).toHaveLength(1);
  });
});

describe('when it is asked again', () => {
  const seen = seenWith([aLock()]);
  const ask = only(seen);
  const waits = (outcomes: readonly Outcome[]): number[] => {
    let memory = NONE;
    let nowMs = 1_000;
    return outcomes.map((outcome) => {
      memory = learn(ask, outcome, seen, memory, nowMs).memory;
      const { waitMs = -1 } = stepped(seen, memory, nowMs);
      nowMs += waitMs;
      return waitMs / 1000;
    });
  };
  const many = (outcome: Outcome, count: number) => Array.from({ length: count }, () => outcome);

  test('P2 what is free, after five minutes; and at once for another holder', () => {
    const { memory } = learn(ask, heardFor(ask), seen);
    expect(stepped(seen, memory, 1_000)).toMatchObject({ asks: [], waitMs: FREE_MS });
    expect(ips(stepped(seen, memory, 1_000 + FREE_MS))).toEqual(['10.110.0.130']);
    expect(ips(stepped(seenWith([aLock({ uid: 'another' })]), memory))).toEqual(['10.110.0.130']);
  });

  test('P2 what was Held in between, at once, by whatever its condition says', () => {
    const { memory } = learn(ask, heardFor(ask), seen);
    const between = stepped(seenWith([aLock({ phase: 'Held' })]), memory);
    expect(between.memory.size).toBe(0);
    expect(ips(stepped(seenWith([aLock({ conditions: [aCondition()] })]), between.memory))).toEqual(['10.110.0.130']);
  });

  test('P5 a silent gateway, after 4 s and then ever later, to five minutes', () => {
    expect(waits(many(heardFor(ask, { mute: ['10.110.0.1'] }), 9))).toEqual([4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test('P4 a conflict, after 30 s and then ever later', () => {
    expect(waits(many(heardFor(ask, { answered: { '10.110.0.130': STRANGER } }), 5))).toEqual([30, 60, 120, 240, 300]);
  });

  test('P10 where it could not be asked, after a second and then ever later; once it could, as usual', () => {
    expect(waits([...many({ failed: 'bond0.110 has no carrier' }, 8), heardFor(ask)])).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 300]);
  });

  test('what could not be written is found anew, soon', () => {
    const { memory } = learn(ask, heardFor(ask), seen);
    expect(stepped(seen, forgotten(memory, '10.110.0.130', 1_000), 1_000)).toMatchObject({ asks: [], waitMs: 1_000 });
    expect(forgotten(NONE, '10.110.0.130', 1_000)).toEqual(NONE);
  });
});

describe('on EC2', () => {
  const seen = seenWith([aLock({ ip: '10.16.4.21', mac: '06:3f:aa:00:00:01' })], { pool: { shape: 'ec2' }, network: { pool: 'burst' } });

  test('P8 nothing is asked: the condition is True at once, says why, and is said once', () => {
    const { asks, findings, memory, waitMs } = stepped(seen);
    expect({ asks, waitMs }).toEqual({ asks: [], waitMs: undefined });
    expect(findings).toMatchObject([
      {
        ip: '10.16.4.21',
        condition: { type: 'Probed', status: 'True', reason: 'Free', message: expect.stringMatching(/^nothing was asked: an ENI/) },
      },
    ]);
    expect(stepped(seen, memory, 1e9)).toMatchObject({ asks: [], findings: [] });
  });

  test('P8 it is said again where it could not be written', () => {
    const memory = forgotten(stepped(seen).memory, '10.16.4.21', 1_000);
    expect(stepped(seen, memory, 1_000)).toMatchObject({ findings: [], waitMs: 1_000 });
    expect(stepped(seen, memory, 2_000).findings).toHaveLength(1);
  });
});

describe('whatever comes', () => {
  const anIp = fc.tuple(fc.constantFrom(110, 130, 99), fc.integer({ min: 60, max: 200 })).map(([vlan, last]) => `10.${vlan}.0.${last}`);
  const someLocks = fc.uniqueArray(
    fc
      .record({
        ip: anIp,
        phase: fc.constantFrom('Locked' as const, 'Locked' as const, 'Bound' as const, 'Held' as const),
        node: fc.constantFrom('h-r12-01', 'h-r13-01'),
        uid: fc.constantFrom('a', 'b'),
        wired: fc.boolean(),
      })
      .map(({ wired, ...over }) => aLock({ ...over, ...(wired && { conditions: [aCondition({ type: 'Wired' })] }) })),
    { selector: ({ metadata }) => metadata.name, maxLength: 40 },
  );
  const aWorld = fc.record({ locks: someLocks, rack: fc.constantFrom('r12', 'r13'), dual: fc.boolean() });
  const seenOf = ({ locks, rack, dual }: { locks: readonly ProbedLock[]; rack: string; dual: boolean }) =>
    seenWith(locks, { rack, ...(dual && { intranet: DUAL }) });
  const anAnswer = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('answered' as const, 'probing' as const),
    mac: fc.constantFrom(STRANGER, ROUTER),
  });

  test('each Locked address of the node is asked for or it is said why not, each in one call, and none else', () =>
    fc.assert(
      fc.property(aWorld, (world) => {
        const seen = seenOf(world);
        const { asks, unaskable } = stepped(seen);
        const told = [...asks.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)), ...unaskable.keys()];
        const wanted = world.locks.filter(
          ({ spec, status }) => spec.phase === 'Locked' && spec.node === 'h-r12-01' && status === undefined,
        );
        expect(told.sort()).toEqual(wanted.map(({ metadata }) => metadata.name).sort());
        for (const ask of asks) expect(new Set(questionsOf(ask)).size).toBe(questionsOf(ask).length);
      }),
    ));

  test('only an address for which nobody answered, with its gateway there, is ever True', () =>
    fc.assert(
      fc.property(aWorld, aWorld, fc.array(anAnswer, { maxLength: 10 }), fc.boolean(), (world, later, answers, isMute) => {
        for (const ask of stepped(seenOf(world)).asks) {
          const all = ask.addresses.flatMap(({ ip, ipv6 }) => (ipv6 === undefined ? [ip] : [ip, ipv6]));
          const heard = { answered: {} as Record<string, string>, probing: {} as Record<string, string> };
          for (const { at, how, mac } of answers) heard[how][all[at % all.length]!] = mac;
          const outcome = heardFor(ask, { ...heard, mute: isMute ? [ask.gateway] : [] });
          const { findings, memory } = learn(ask, outcome, seenOf(later));
          for (const { ip, condition } of findings) {
            const { ipv6, holder } = ask.addresses.find((one) => one.ip === ip)!;
            const touched = [ip, ipv6 ?? ip].some((one) => heard.answered[one] !== undefined || heard.probing[one] !== undefined);
            expect(condition.status === 'True').toBe(!touched && !isMute);
            // And of none that has changed hands.
            const lock = later.locks.find(({ metadata }) => metadata.name === ip)!;
            expect([lock.spec.phase, holder]).toEqual(['Locked', memory.get(ip)!.holder]);
          }
        }
      }),
    ));

  test('looking twice at the same moment changes nothing, and everything is due in the end', () =>
    fc.assert(
      fc.property(aWorld, fc.nat(1e6), (world, nowMs) => {
        const seen = seenOf(world);
        let memory = NONE;
        let first = stepped(seen, memory, nowMs);
        expect(stepped(seen, first.memory, nowMs)).toEqual(first);
        for (let turn = 0; first.asks.length > 0 && turn < 10; turn++) {
          for (const ask of first.asks) memory = learn(ask, heardFor(ask), seen, memory, nowMs).memory;
          first = stepped(seen, memory, nowMs);
        }
        expect(first.asks).toEqual([]);
        if (memory.size > 0) {
          expect(first.waitMs).toBe(FREE_MS);
          expect(stepped(seen, memory, nowMs + FREE_MS).asks).not.toEqual([]);
        }
      }),
    ));
});
