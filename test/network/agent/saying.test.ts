import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { PROBED, WIRED } from '../../../lib/api/network.ts';
import { silent } from '../../../lib/kube/log.ts';
import type { Attachment } from '../../../lib/network/agent/journal.ts';
import { conditionOf } from '../../../lib/network/agent/next-for-add.ts';
import type { Lock } from '../../../lib/network/agent/node-view.ts';
import { QUIET_MS, SAID_MS, saying } from '../../../lib/network/agent/saying.ts';
import { aClock } from '../../kube/a-clock.ts';

const IP = '10.110.0.130';
const at = '2026-11-27T00:00:00Z';
const aLock = (podUID = 'pod-a'): Lock =>
  ({
    metadata: { name: IP, uid: 'u', resourceVersion: '1' },
    spec: { phase: 'Locked', node: 'h-r12-01', mac: '02:67:0a:6e:00:82', owner: 'feed/a', podUID },
    status: {
      conditions: [
        { type: PROBED, status: 'True', reason: 'Free', lastTransitionTime: at },
        { type: WIRED, status: 'Unknown', reason: 'Given', lastTransitionTime: at },
      ],
    },
  }) as Lock;

function aNode() {
  const clock = aClock();
  const wired = { sandbox: { containerId: 'c1' }, pod: { uid: 'pod-a' }, ip: IP, state: 'wired' } as Attachment;
  const node = { notes: [wired], lock: aLock(), adding: { size: 0 }, writes: 0 };
  const { up } = saying({
    view: {
      lockAt: () => node.lock,
      patchLock: async (lock, { spec, status }) => {
        node.writes++;
        node.lock = { ...lock, spec: { ...lock.spec, ...spec }, status } as Lock;
        return node.lock;
      },
    },
    journal: { values: () => node.notes },
    adding: node.adding,
    ...{ clock, log: silent },
  });
  return Object.assign(node, {
    up: () => up(IP),
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 100) {
        clock.advance(100);
        await turn();
        await turn();
      }
    },
  });
}

test('what was wired is said a moment later: Bound and wired, and the rest as it was', async () => {
  const node = aNode();
  node.up();
  await node.pass(QUIET_MS / 2);
  expect(node.writes).toBe(0);
  await node.pass(2 * QUIET_MS);
  expect(node.lock.spec.phase).toBe('Bound');
  expect(conditionOf(node.lock, WIRED)).toMatchObject({ status: 'True', message: expect.stringContaining('c1') });
  expect(conditionOf(node.lock, PROBED)?.status).toBe('True');
  node.up();
  await node.pass(3 * QUIET_MS);
  expect(node.writes).toBe(1);
});

test('it waits for pods that start, and not for ever', async () => {
  const node = aNode();
  node.adding.size = 1;
  node.up();
  await node.pass(SAID_MS - QUIET_MS);
  expect(node.writes).toBe(0);
  await node.pass(3 * QUIET_MS);
  expect(node.writes).toBe(1);
});

test('what was taken down before, or is another pod’s by now, is not said', async () => {
  const down = aNode();
  down.up();
  down.notes.pop();
  await down.pass(3 * QUIET_MS);
  const others = aNode();
  others.up();
  others.lock = aLock('pod-b');
  await others.pass(3 * QUIET_MS);
  expect([down.writes, others.writes]).toEqual([0, 0]);
});
