import { expect, test } from '@jest/globals';
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
    for (const write of work.next(now, { quick: 32, bulk: 48 })) {
      asked.push(write);
      const read: Outcome = { is: 'done', object: pods.get(write.job.key)! };
      work.ended(write, write.call.do === 'read' ? read : outcome, now);
    }
  }
  expect(asked.map(({ job }) => job.key)).toContain(other.key);
});
