/** What becomes of addresses when a node is cordoned and drained: those of loose pods move, the slots of Locks stay. */
import { expect, test } from '@jest/globals';
import { aLock, aPod, aUid } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const gated = (name: string, lock?: string) => aPod({ name, uid: aUid(), gated: true, ...(lock === undefined ? {} : { lock }) });

/** A pod that is wired, on a node that is cordoned then, and deleted. */
function drained(lock?: string) {
  const all = aSmallCluster();
  if (lock !== undefined) {
    all.api.createLock(`feed/${lock}`, { ...aLock(lock).spec, count: 1, ttlSeconds: 3_600 });
    all.run(3);
  }
  all.api.createPod(gated('batch', lock));
  all.run(3);
  const { ip, node } = all.wire('batch');
  all.run(2);
  all.find(node, { unschedulable: true });
  all.api.remove('Pod', 'feed/batch');
  all.api.createPod(gated('batch', lock));
  all.run(3);
  return { all, ip, node };
}

test('D1 a loose pod of a drained node has the same address on another node, and not before its node says that it is taken down', () => {
  const { all, ip, node } = drained();
  expect(all.pod('batch')?.gated).toBe(true);
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Bound', node });
  all.says(ip, 'Wired', 'False');
  all.run(4);
  expect(all.pod('batch')?.gated).toBe(false);
  expect(all.pod('batch')?.pinned).not.toBe(node);
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node: all.pod('batch')?.pinned, podUID: all.pod('batch')?.uid });
});

test('D2 the slot of a Lock stays on its node: its next pod waits there, and has the same address when the node is back', () => {
  const { all, ip, node } = drained('night');
  all.says(ip, 'Wired', 'False');
  all.run(4);
  expect(all.pod('batch')?.gated).toBe(true);
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Held', node, lock: { name: 'night' } });
  expect(all.events('SlotsRejectPod')).toHaveLength(1);
  all.find(node, { unschedulable: false });
  all.run(15);
  expect(all.pod('batch')).toMatchObject({ gated: false, pinned: node });
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node, podUID: all.pod('batch')?.uid });
});
