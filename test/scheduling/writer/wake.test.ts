import { describe, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { agenda } from '../../../lib/scheduling/writer/agenda.ts';
import { inventoryPlanner } from '../../../lib/scheduling/writer/inventory-planner.ts';
import type { Planner } from '../../../lib/scheduling/writer/planner.ts';
import { aDemand, aNode, aPod } from '../builders.ts';

const waits = { gated: true, schedulerName: 'gala-scheduler' };
const NODES = 400;
const nameOf = (at: number) => `r12-${String(at).padStart(3, '0')}`;

/** Nodes that are full, each with one pod of four cores; and a lock writer whose looks at them are counted. */
function aSite() {
  const all = inventory();
  let now = 0;
  const looks: (string | undefined)[] = [];
  const real = inventoryPlanner(all, () => undefined);
  const planner: Planner = {
    ...real,
    place(ask, count, allowPartial, node) {
      looks.push(node);
      return real.place(ask, count, allowPartial, node);
    },
  };
  const work = agenda(planner, { term: 'term', beganMs: now, random: () => 0.5 });
  const there = Array.from({ length: NODES }, (_, at) => {
    all.set('Node', nameOf(at), aNode(nameOf(at)));
    const pod = aPod({ namespace: 'web', name: `there-${at}`, cpu: 4, node: nameOf(at), pinned: nameOf(at), slot: 'loose' });
    all.set('Pod', pod.key, pod);
    work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
    return pod;
  });
  const step = () => {
    const before = looks.length;
    const writes = work.next(now, { quick: 24, bulk: 30, slow: 4 });
    return { looks: looks.slice(before), writes };
  };
  return {
    there,
    step,
    hear: (pods: readonly PodFacts[]) => {
      for (const pod of pods) work.hear({ kind: 'Pod', key: pod.key, object: pod }, 'watch', now);
    },
    ends(pod: PodFacts) {
      all.unset('Pod', pod.key);
      work.hear({ kind: 'Pod', key: pod.key, object: pod, gone: true }, 'watch', now);
    },
    anythingChanges: () => work.freed(now),
    /** Steps each 20 ms. */
    run(forMs: number) {
      const steps: ReturnType<typeof step>[] = [];
      for (const until = now + forMs; now < until; now += 20) steps.push(step());
      return steps;
    },
  };
}

const ofDaemonSet = () => {
  const demand = aDemand({ namespace: 'log', cpu: 1, owner: 'log/agent' });
  return Array.from({ length: NODES }, (_, at) => aPod({ ...waits, namespace: 'log', name: `agent-${at}`, demand, pinned: nameOf(at) }));
};
const ofManyShapes = (count: number, cpu = 2) =>
  Array.from({ length: count }, (_, at) => aPod({ ...waits, namespace: 'web', name: `shape-${cpu}-${at}`, cpu: cpu + at / 1000 }));

describe('pods that fit nowhere', () => {
  test('are looked at some in each step, and all in the end: who asks the extender meanwhile waits for no more than a step', () => {
    const site = aSite();
    site.hear([...ofDaemonSet(), ...ofManyShapes(100)]);
    const steps = site.run(2_000);
    expect(Math.max(...steps.map(({ looks }) => looks.filter((node) => node !== undefined).length))).toBeLessThanOrEqual(60);
    expect(Math.max(...steps.map(({ looks }) => looks.filter((node) => node === undefined).length))).toBeLessThanOrEqual(4);
    expect(steps.flatMap(({ looks }) => looks).length).toBe(NODES + 100);
  });

  test('P12 those that are pinned are looked at again when something ends on their node, and the others are not', () => {
    const site = aSite();
    site.hear(ofDaemonSet());
    site.run(2_000);
    site.ends(site.there[7]!);
    const steps = site.run(300);
    expect(steps.flatMap(({ looks }) => looks)).toEqual([nameOf(7)]);
    expect(steps.flatMap(({ writes }) => writes.map(({ job }) => job.key))).toContain('log/agent-7');
  });

  test('P12 of those that are not pinned, the ones that the node has room for', () => {
    const site = aSite();
    site.hear([...ofManyShapes(5, 2), ...ofManyShapes(5, 5)]);
    site.run(1_000);
    site.ends(site.there[7]!);
    const steps = site.run(300);
    // The first leaves too little for the others of two cores; those of five are not looked at.
    expect(steps.flatMap(({ looks }) => looks).length).toBe(5);
    expect(new Set(steps.flatMap(({ writes }) => writes.map(({ job }) => job.key)))).toEqual(new Set(['web/shape-2-0']));
  });

  test('are all looked at again when it is not known where something was freed, but not without a rest', () => {
    const site = aSite();
    site.hear(ofManyShapes(100));
    site.run(3_000);
    const steps: ReturnType<typeof site.step>[] = [];
    for (let at = 0; at < 100; at++) {
      site.anythingChanges();
      steps.push(...site.run(40));
    }
    const busy = steps.filter(({ looks }) => looks.length > 0).length;
    expect(steps.flatMap(({ looks }) => looks).length).toBeGreaterThanOrEqual(200);
    expect(busy / steps.length).toBeLessThanOrEqual(0.6);
  });

  test('a look that concerns one node does not wait for the end of one that concerns all', () => {
    const site = aSite();
    const [urgent] = ofManyShapes(1, 4).map((pod) => ({ ...pod, priority: 100 }));
    site.hear([urgent!, ...ofManyShapes(200)]);
    site.run(100);
    site.ends(site.there[7]!);
    const steps = site.run(300);
    expect(steps.flatMap(({ writes }) => writes.map(({ job }) => job.key))[0]).toBe(urgent!.key);
  });
});
