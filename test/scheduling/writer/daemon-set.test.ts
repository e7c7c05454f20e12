/** Node agents: pods of a DaemonSet off the host's network, which need their room on their own node again after an update. */
import { expect, test } from '@jest/globals';
import { aLock, aNode, aPod, aTemplate, aUid } from '../builders.ts';
import { modelApi } from './model-api.ts';
import { modelWriter } from './model-writer.ts';

const NODES = ['r12-01', 'r12-02', 'r12-03'];

function aBed() {
  const api = modelApi();
  const writer = modelWriter(
    { api, nodes: new Map(NODES.map((name) => [name, aNode(name, { cpu: 1 })])), pools: [], statefulSets: new Map() },
    0,
  );
  return {
    api,
    run(seconds: number): void {
      for (const until = api.now + seconds; api.now < until; api.now += 0.2) {
        for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (writer.deliver(kind));
        writer.begin();
        for (const { write } of writer.under.splice(0)) writer.agenda.ended(write, api.do(write.call), api.now * 1000);
      }
    },
    agent(name: string, node: string): void {
      const controller = { group: 'apps', kind: 'DaemonSet', name: 'node-agent', uid: 'ds' };
      api.createPod(aPod({ name, uid: aUid(), lock: 'node-agent', pinned: node, gated: true, controller }));
    },
    isGated: (name: string) => api.objects.Pod.get(`feed/${name}`)?.gated,
  };
}

test('a Lock with one slot on each node keeps the room of a node agent while its next pod is made', () => {
  const bed = aBed();
  const template = aTemplate({ cpu: 1 }) as never;
  const spec = { ...aLock('node-agent', { template }).spec, owner: 'node-agent', count: 3, maxPer: { node: 1 }, holdSeconds: 0 };
  bed.api.createLock('feed/node-agent', spec as never);
  bed.run(3);
  for (const node of NODES) bed.agent(`on-${node}`, node);
  bed.run(3);
  bed.api.createPod(aPod({ name: 'batch', uid: aUid(), gated: true }));
  bed.api.remove('Pod', 'feed/on-r12-02');
  bed.run(3_600);
  expect(bed.isGated('batch')).toBe(true);
  bed.agent('next', 'r12-02');
  bed.run(3);
  expect(bed.api.objects.Pod.get('feed/next')).toMatchObject({ gated: false, pinned: 'r12-02' });
});
