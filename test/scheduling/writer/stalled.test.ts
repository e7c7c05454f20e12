import { describe, expect, test } from '@jest/globals';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { agenda } from '../../../lib/scheduling/writer/agenda.ts';
import { inventoryPlanner } from '../../../lib/scheduling/writer/inventory-planner.ts';
import type { Outcome, Write } from '../../../lib/scheduling/writer/write.ts';
import { aNode, aPod } from '../builders.ts';

const WAIT: { readonly name: string; readonly outcome: Outcome }[] = [
  { name: 'a policy refuses every change of its pods', outcome: { is: 'refused', reason: 'Forbidden', message: 'denied by policy' } },
  { name: 'its webhook is down', outcome: { is: 'doubtful', message: 'failed calling webhook' } },
];

test.each(WAIT)('a namespace with hundreds of older pods does not keep those of others waiting when $name', ({ outcome }) => {
  const all = inventory();
  all.set('Node', 'r12-01', aNode('r12-01', { cpu: 900, memory: '900Gi', pods: 1000 }));
  let now = 0;
  const work = agenda(
    inventoryPlanner(all, () => undefined),
    { term: 'term', beganMs: now, random: () => 0.5 },
  );
  const gated = { gated: true, schedulerName: 'gala-scheduler' };
  const hear = (pod: ReturnType<typeof aPod>) => work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
  const stuck = Array.from({ length: 300 }, (_, at) => aPod({ ...gated, namespace: 'stuck', name: `old-${at}`, createdMs: at }));
  const other = aPod({ ...gated, namespace: 'feed', name: 'api-0', createdMs: 1_000_000 });
  const pods = new Map([...stuck, other].map((pod) => [pod.key, pod]));
  for (const pod of pods.values()) hear(pod);

  const asked: Write[] = [];
  for (let rounds = 0; rounds < 400 && !asked.some(({ job }) => job.key === other.key); rounds++) {
    now += 50;
    for (const write of work.next(now, { quick: 32, bulk: 48, slow: 4 })) {
      asked.push(write);
      const read: Outcome = { is: 'done', object: pods.get(write.job.key)! };
      work.ended(write, write.call.do === 'read' ? read : outcome, now);
    }
  }
  expect(asked.map(({ job }) => job.key)).toContain(other.key);
});

/** As run.ts has it. */
const ROOM = { quick: 24, bulk: 30, slow: 4 };
const HANGS_MS = 5_000;
const ANSWERS_MS = 10;
const hung: Outcome = { is: 'doubtful', message: 'no answer within 5000 ms' };

interface Site {
  /** Namespaces whose webhook doesn't answer. */
  readonly stuck: Set<string>;
  hear(pod: ReturnType<typeof aPod>): void;
  run(untilMs: number): void;
  /** How long after it came each had its slot. */
  waitedMs(pods: readonly ReturnType<typeof aPod>[]): number[];
}

/** A lock writer, and an API server that takes its time. Nothing is real but the decisions: time is a number. */
function aSite(...stuckOnes: string[]): Site {
  const all = inventory();
  all.set('Node', 'r12-01', aNode('r12-01', { cpu: 90_000, memory: '90000Gi', pods: 100_000 }));
  let now = 0;
  const work = agenda(
    inventoryPlanner(all, () => undefined),
    { term: 'term', beganMs: now, random: () => 0.5 },
  );
  const stuck = new Set(stuckOnes);
  const pods = new Map<string, ReturnType<typeof aPod>>();
  const under: { readonly write: Write; readonly endsMs: number; readonly hangs: boolean }[] = [];
  const [came, pinned] = [new Map<string, number>(), new Map<string, number>()];

  function answer({ write, hangs }: (typeof under)[number]): void {
    const pod = pods.get(write.job.key)!;
    if (write.call.do !== 'patch' || hangs) {
      work.ended(write, hangs ? hung : { is: 'done', object: pod }, now);
      return;
    }
    const after = { ...pod, gated: false, pinned: 'r12-01', slot: 'loose', resourceVersion: String(Number(pod.resourceVersion) + 1) };
    pods.set(pod.key, after);
    pinned.set(pod.key, now);
    work.ended(write, { is: 'done', object: after }, now);
    all.set('Pod', after.key, after);
    work.hear({ kind: 'Pod', key: after.key, object: after }, 'watch', now);
  }

  return {
    stuck,
    hear(pod) {
      pods.set(pod.key, pod);
      came.set(pod.key, now);
      work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
    },
    run(untilMs) {
      for (; now < untilMs; now += 10) {
        for (const it of under.filter(({ endsMs }) => endsMs <= now)) {
          under.splice(under.indexOf(it), 1);
          answer(it);
        }
        const left = { ...ROOM };
        for (const { write } of under) left[write.lane]--;
        for (const write of work.next(now, left)) {
          const hangs = write.call.do === 'patch' && stuck.has(write.job.key.split('/')[0]!);
          under.push({ write, hangs, endsMs: now + (hangs ? HANGS_MS : ANSWERS_MS) });
        }
      }
    },
    waitedMs: (those) => those.map(({ key }) => (pinned.get(key) ?? Number.POSITIVE_INFINITY) - (came.get(key) ?? 0)),
  };
}

const waits = { gated: true, schedulerName: 'gala-scheduler' };
const some = (namespace: string, count: number, more: object = {}) =>
  Array.from({ length: count }, (_, at) => aPod({ ...waits, namespace, name: `p-${at}`, ...more }));

describe('a namespace whose webhook answers nothing, and each write there takes five seconds to fail', () => {
  test('keeps pods of others waiting no longer than its first writes last, and no later ones at all', () => {
    const site = aSite('stuck');
    for (const pod of some('stuck', 300)) site.hear(pod);
    site.run(1_000);
    const early = some('feed', 20, { priority: 1000 });
    for (const pod of early) site.hear(pod);
    site.run(20_000);
    expect(Math.max(...site.waitedMs(early))).toBeLessThanOrEqual(HANGS_MS);
    const late = some('search', 200, { priority: 1000 });
    for (const pod of late) site.hear(pod);
    site.run(40_000);
    expect(Math.max(...site.waitedMs(late))).toBeLessThanOrEqual(1_000);
  });

  test('has half of the places at most, from the first moment on', () => {
    const site = aSite('stuck');
    for (const pod of some('stuck', 40)) site.hear(pod);
    const others = some('feed', 40, { createdMs: 1_000 });
    for (const pod of others) site.hear(pod);
    site.run(1_000);
    expect(Math.max(...site.waitedMs(others))).toBeLessThanOrEqual(500);
  });

  test('gets all its slots once the webhook answers again', () => {
    const site = aSite('stuck');
    const pods = some('stuck', 300);
    for (const pod of pods) site.hear(pod);
    site.run(30_000);
    site.stuck.clear();
    site.run(80_000);
    expect(Math.max(...site.waitedMs(pods))).toBeLessThan(80_000);
  });

  test('is tried in turn with others of its sort, so that each learns in time that its webhook is back', () => {
    const many = Array.from({ length: 20 }, (_, at) => `stuck-${at}`);
    const site = aSite(...many);
    for (const namespace of many) for (const pod of some(namespace, 30)) site.hear(pod);
    site.run(60_000);
    site.stuck.delete('stuck-19');
    site.run(120_000);
    expect(Math.max(...site.waitedMs(some('stuck-19', 30)))).toBeLessThan(120_000);
  });
});
