/** The prober: what it asks, writes and remembers, with a wire and an API server that a test plays. */
import { expect, test } from '@jest/globals';
import { logger } from '../../../lib/kube/log.ts';
import type { Ask, Outcome, ProbedLock } from '../../../lib/network/probing/ask.ts';
import { FREE_MS } from '../../../lib/network/probing/next.ts';
import { prober } from '../../../lib/network/probing/prober.ts';
import { aClock, settled } from '../../kube/a-clock.ts';
import { aLock, heardFor, macOf, STRANGER, seenWith } from './a-probe.ts';

type Locks = readonly ProbedLock[];

/** A node whose API server takes every write, until it is told otherwise. */
function aNode(locks: Locks, over: Parameters<typeof seenWith>[1] = {}) {
  const clock = aClock();
  const ending = new AbortController();
  const node = {
    clock,
    end: () => ending.abort(),
    locks: [...locks],
    synced: true,
    refuses: false,
    /** Calls of gala-probe that are at work. */
    asked: [] as { ask: Ask; answer: (outcome: Outcome) => Promise<void> }[],
    calls: 0,
    written: [] as string[],
    found: [] as (string | undefined)[],
    lines: [] as string[],
    prober: undefined as unknown as ReturnType<typeof prober>,
    async set(...now: ProbedLock[]) {
      node.locks = now;
      node.prober.touch();
      await settled();
    },
  };
  node.prober = prober({
    ...{ clock, signal: ending.signal, random: () => 1, date: () => new Date('2026-02-16T20:00:00Z') },
    log: logger({ write: (line) => node.lines.push(JSON.parse(line).because) }),
    seen: () => (node.synced ? seenWith(node.locks, over) : undefined),
    ask: (ask) => {
      node.calls++;
      return new Promise((resolve) => {
        const one = {
          ask,
          async answer(outcome: Outcome) {
            node.asked.splice(node.asked.indexOf(one), 1);
            resolve(outcome);
            await settled();
          },
        };
        node.asked.push(one);
      });
    },
    onFinding: ({ conflict }) => node.found.push(conflict),
    async write(lock, status) {
      if (node.refuses) throw new Error('409: the object has been modified');
      const at = node.locks.findIndex(({ metadata }) => metadata.name === lock.metadata.name);
      node.locks[at] = { ...node.locks[at]!, status };
      node.written.push(`${lock.metadata.name} ${status.conditions?.[0]?.reason}`);
      node.prober.touch();
    },
  });
  return node;
}
const questions = (node: ReturnType<typeof aNode>) => node.asked.map(({ ask }) => ask.addresses.map(({ ip }) => ip));
const answered = async (node: ReturnType<typeof aNode>, over?: Parameters<typeof heardFor>[1]) => {
  const { ask, answer } = node.asked[0]!;
  await answer(heardFor(ask, over));
};

test('a locked address is asked for once and written once, and asked for again when it is due', async () => {
  const node = aNode([aLock()]);
  await settled();
  await answered(node);
  expect(node.written).toEqual(['10.110.0.130 Free']);
  node.clock.advance(FREE_MS - 1);
  await settled();
  expect([node.calls, node.asked.length]).toEqual([1, 0]);
  node.clock.advance(1);
  await settled();
  await answered(node);
  expect([node.calls, node.written.length]).toEqual([2, 1]);
  node.end();
});

test('addresses that come at once are asked for in one call, and those that come meanwhile in the next', async () => {
  const [one, two, three] = [aLock(), aLock({ ip: '10.110.0.131' }), aLock({ ip: '10.110.0.132' })];
  const node = aNode([one, two]);
  await settled();
  await node.set(one, two, three);
  expect(questions(node)).toEqual([['10.110.0.130', '10.110.0.131']]);
  await answered(node, { answered: { '10.110.0.131': STRANGER } });
  // Who answered is tried first (P11).
  await answered(node, { answered: { '10.110.0.131': STRANGER } });
  expect(questions(node)).toEqual([['10.110.0.132']]);
  await answered(node);
  expect(node.written).toEqual(['10.110.0.130 Free', '10.110.0.131 Conflict', '10.110.0.132 Free']);
  node.end();
});

test('a conflict is told each time it is found, and written once', async () => {
  const node = aNode([aLock()]);
  await settled();
  for (let turn = 0; turn < 2; turn++) {
    for (let call = 0; call < 2; call++) await answered(node, { answered: { '10.110.0.130': STRANGER } });
    node.clock.advance(60_000);
    await settled();
  }
  expect([node.found, node.written]).toEqual([[STRANGER, STRANGER], ['10.110.0.130 Conflict']]);
  node.end();
});

test('P11 a machine that answers for every address takes none out of use; once it is gone they are free', async () => {
  const locks = [aLock(), aLock({ ip: '10.110.0.131' })];
  const node = aNode(locks);
  await settled();
  for (let call = 0; call < 2; call++) await answered(node, { everybody: STRANGER });
  expect(node.written).toEqual(['10.110.0.130 AnsweredForAll', '10.110.0.131 AnsweredForAll']);
  node.clock.advance(30_000);
  await settled();
  await answered(node);
  expect([node.found, node.written.slice(2)]).toEqual([Array(4).fill(undefined), ['10.110.0.130 Free', '10.110.0.131 Free']]);
  node.end();
});

test('nothing is asked before everything of the node was read', async () => {
  const node = aNode([aLock()]);
  node.synced = false;
  await settled();
  expect(node.calls).toBe(0);
  node.synced = true;
  node.prober.touch();
  await settled();
  expect(node.calls).toBe(1);
  node.end();
});

test('a pod that comes and goes while its address is asked for is nobody else: it is asked for anew, and for the next pod', async () => {
  const node = aNode([aLock({ podUID: 'pod-1' })]);
  await settled();
  await node.set(aLock({ phase: 'Bound', podUID: 'pod-1' }));
  await node.set(aLock({ phase: 'Held' }));
  await node.set(aLock({ podUID: 'pod-2' }));
  await answered(node, { answered: { '10.110.0.130': macOf('10.110.0.130') } });
  expect(node.written).toEqual([]);
  await answered(node);
  expect(node.written).toEqual(['10.110.0.130 Free']);
  node.end();
});

test('what a pod was wired with meanwhile is not written', async () => {
  const node = aNode([aLock()]);
  await settled();
  await node.set(aLock({ phase: 'Bound', podUID: 'pod-1' }));
  await answered(node, { answered: { '10.110.0.130': '02:67:0a:6e:00:82' } });
  expect(node.written).toEqual([]);
  node.end();
});

test('a write that is refused is found and written anew', async () => {
  const node = aNode([aLock()]);
  await settled();
  node.refuses = true;
  await answered(node);
  node.refuses = false;
  node.clock.advance(1_000);
  await settled();
  await answered(node);
  expect(node.written).toEqual(['10.110.0.130 Free']);
  expect(node.lines).toEqual(['409: the object has been modified']);
  node.end();
});

test('what keeps it from asking is told once, until it changes', async () => {
  const node = aNode([aLock(), aLock({ ip: '10.99.0.5' })]);
  await settled();
  for (const failed of ['bond0.110 has no carrier', 'bond0.110 has no carrier', 'bond0.110 is down']) {
    await node.asked[0]!.answer({ failed });
    node.clock.advance(60_000);
    await settled();
  }
  expect(node.lines).toEqual([expect.stringMatching(/^10\.99\.0\.5 lies in none/), 'bond0.110 has no carrier', 'bond0.110 is down']);
  await answered(node);
  expect(node.written).toEqual(['10.110.0.130 Free']);
  node.end();
});

test('on EC2 the condition is written without a call', async () => {
  const node = aNode([aLock({ ip: '10.16.4.21' })], { pool: { shape: 'ec2' } });
  await settled();
  expect([node.calls, node.written]).toEqual([0, ['10.16.4.21 Free']]);
  node.end();
});

test('it ends with its signal: nothing waits, nothing is written', async () => {
  const node = aNode([aLock()]);
  await settled();
  node.end();
  await answered(node);
  node.prober.touch();
  await settled();
  expect([node.written, node.clock.waiting, node.calls]).toEqual([[], 0, 1]);
});
