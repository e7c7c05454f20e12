import { describe, expect, test } from '@jest/globals';
import { SLOT_ANNOTATION } from '../../../lib/api/scheduling.ts';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { agenda } from '../../../lib/scheduling/writer/agenda.ts';
import { inventoryPlanner } from '../../../lib/scheduling/writer/inventory-planner.ts';
import { turnedAway } from '../../../lib/scheduling/writer/turned-away.ts';
import type { Write } from '../../../lib/scheduling/writer/write.ts';
import { aNode, aPod } from '../builders.ts';
import { aStoredLock } from './objects.ts';

const waits = { gated: true, schedulerName: 'gala-scheduler' };
const ofLock = (lock: string, count: number, more: Partial<PodFacts> = {}) =>
  Array.from({ length: count }, (_, at) => aPod({ ...waits, ...more, lock, name: `${lock}-${at}` }));

/** A lock writer and Ready Locks of so many slots each. Each round ten calls are answered. */
function aSite(...locks: string[]) {
  const all = inventory();
  all.set('Node', 'r12-01', aNode('r12-01', { cpu: 9_000, memory: '9000Gi', pods: 9_000 }));
  let now = 0;
  const work = agenda(
    inventoryPlanner(all, () => undefined),
    { term: 'term', beganMs: now, random: () => 0.5 },
  );
  for (const name of locks) {
    const slots = Array.from({ length: 400 }, (_, slot) => ({ slot, node: 'r12-01' }));
    const lock = aStoredLock(name, { slots, phase: 'Ready', count: 400 });
    all.set('Lock', `feed/${name}`, lock as never);
    work.hear({ kind: 'Lock', key: `feed/${name}`, object: lock }, 'watch', now);
  }
  const pods = new Map<string, PodFacts>();
  const under: Write[] = [];
  const pinned: string[] = [];
  return {
    pinned,
    hear(those: readonly PodFacts[]) {
      for (const pod of those) {
        pods.set(pod.key, pod);
        work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
      }
    },
    run(untilMs: number) {
      for (; now < untilMs; now += 10) {
        const quick = under.filter(({ lane }) => lane === 'quick').length;
        under.push(...work.next(now, { quick: 24 - quick, bulk: 30 - under.length + quick, slow: 4 }));
        for (const write of under.splice(0, 10)) {
          if (write.call.do !== 'patch') {
            work.ended(write, write.call.do === 'status' ? { is: 'done', object: write.call.object as never } : { is: 'gone' }, now);
            continue;
          }
          const before = pods.get(write.job.key)!;
          const { annotations } = write.call.patch.metadata as { readonly annotations: Readonly<Record<string, string>> };
          const pod = { ...before, gated: false, pinned: 'r12-01', slot: annotations[SLOT_ANNOTATION]!, resourceVersion: '2' };
          pods.set(pod.key, pod);
          pinned.push(pod.name);
          work.ended(write, { is: 'done', object: pod }, now);
          all.set('Pod', pod.key, pod);
          work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
        }
      }
    },
  };
}

describe('pods of Locks, when as many are being given slots as may be', () => {
  test('P11 those of higher priority come next, whatever Lock they name', () => {
    const site = aSite('batch', 'urgent');
    site.hear(ofLock('batch', 300));
    site.run(50);
    site.hear(ofLock('urgent', 50, { priority: 100 }));
    site.run(1_000);
    const last = site.pinned.lastIndexOf('urgent-49');
    // What was being given slots already goes first; no other of the batch does.
    expect(site.pinned.slice(0, last).filter((name) => name.startsWith('batch')).length).toBeLessThanOrEqual(96 + 50);
    expect(site.pinned.length).toBe(350);
  });

  test('P11 among those of one priority whoever came first', () => {
    const site = aSite('first', 'later', 'last');
    site.hear(ofLock('first', 150, { createdMs: 1 }));
    site.run(10);
    site.hear(ofLock('last', 30, { createdMs: 3 }));
    site.hear(ofLock('later', 30, { createdMs: 2 }));
    site.run(1_000);
    const order = (lock: string) => site.pinned.flatMap((name, at) => (name.startsWith(`${lock}-`) ? [at] : []));
    expect(Math.max(...order('first'))).toBeLessThan(Math.max(...order('later')));
    expect(Math.max(...order('later'))).toBeLessThan(Math.max(...order('last')));
    expect(site.pinned.length).toBe(210);
  });
});

describe('Locks that were turned away', () => {
  const [low, high] = [aPod({ name: 'low' }), aPod({ name: 'high', priority: 9 })];
  const byPriority = (a: PodFacts, b: PodFacts) => (b.priority ?? 0) - (a.priority ?? 0);

  test('are called one by one, and the others leave the one that was called the room for a moment', () => {
    const turned = turnedAway(byPriority);
    turned.add('feed/a', low);
    turned.add('feed/b', high);
    expect(turned.isBefore('feed/a', low, 0)).toBe(true);
    expect(turned.isBefore('feed/b', high, 0)).toBe(false);
    expect(turned.call(0)).toEqual({ lock: 'feed/b', againMs: 200 });
    expect(turned.call(100)).toEqual({ againMs: 200 });
    expect(turned.isBefore('feed/a', low, 100)).toBe(true);
    // It waits for something of its own.
    expect(turned.isBefore('feed/a', low, 200)).toBe(false);
    expect(turned.call(200)).toEqual({ lock: 'feed/a', againMs: 400 });
  });

  test('are forgotten when they have been looked at', () => {
    const turned = turnedAway(byPriority);
    turned.add('feed/b', high);
    turned.remove('feed/b');
    expect(turned.isBefore('feed/a', low, 0)).toBe(false);
    expect(turned.call(0)).toBeUndefined();
  });
});
