import { expect, test } from '@jest/globals';
import { aLock, aNode, aPod, aPool, aTemplate, aVlan } from '../builders.ts';
import { type ModelApi, modelApi } from './model-api.ts';
import { modelWriter } from './model-writer.ts';

/** One node, one address; the watch of addresses has stopped telling anything. */
function aDeafWriter() {
  const api = modelApi();
  const nodes = new Map([['n1', aNode('n1', { pool: 'web', rack: 'r1' })]]);
  const pools = [aPool('web', { racks: { r1: 'n1' }, vlans: [aVlan(110, 1)], locks: 'advisory' })];
  const writer = modelWriter({ api, nodes, pools, statefulSets: new Map() }, 0);
  const step = () => {
    for (const kind of ['Pod', 'Lock'] as const) while (writer.deliver(kind));
    writer.begin();
    for (const under of writer.under.splice(0)) writer.agenda.ended(under.write, api.do(under.write.call), api.now * 1000);
  };
  return {
    api,
    run(seconds: number): void {
      for (const until = api.now + seconds; api.now < until; api.now++) step();
    },
  };
}

const pod = (name: string, set: string) =>
  aPod({ name, gated: true, controller: { group: 'apps', kind: 'ReplicaSet', name: set, uid: set } });
const waits = (api: ModelApi, name: string) => api.objects.Pod.get(`feed/${name}`)?.gated;
const address = (api: ModelApi) => api.objects.IPLock.get('10.110.0.10')?.spec;

test('an address that this lock writer wrote Held goes to its owner’s next pod, whatever the watch has told', () => {
  const { api, run } = aDeafWriter();
  api.createPod(pod('a', 'web'));
  run(5);
  api.remove('Pod', 'feed/a');
  run(5);
  expect(address(api)?.phase).toBe('Held');
  api.createPod(pod('b', 'web'));
  run(5);
  expect(waits(api, 'b')).toBe(false);
});

test('an address that this lock writer freed is another’s, whatever the watch has told', () => {
  const { api, run } = aDeafWriter();
  api.createPod(pod('a', 'web'));
  run(5);
  api.remove('Pod', 'feed/a');
  api.createPod(pod('c', 'other'));
  run(500);
  expect(waits(api, 'c')).toBe(true);
  run(200);
  expect(waits(api, 'c')).toBe(false);
  expect(address(api)?.owner).toBe('feed/other');
});

test('the room of a plan that was taken back is there for the next plan, whatever the watch has told', () => {
  const api = modelApi();
  const nodes = new Map([['n1', aNode('n1', { cpu: 3 })]]);
  api.createLock('feed/night', { ...aLock('night').spec, count: 2, template: aTemplate({ cpu: 1 }) as never });
  const slots = [0, 1].map((slot) => ({ slot, node: 'n1' }));
  api.change('Lock', 'feed/night', (it) => ({ ...it, status: { phase: 'Planning', slots } }));
  const writer = modelWriter({ api, nodes, pools: [], statefulSets: new Map() }, 0);
  for (let round = 0; round < 20; round++) {
    api.now++;
    writer.begin();
    for (const under of writer.under.splice(0)) writer.agenda.ended(under.write, api.do(under.write.call), api.now * 1000);
  }
  expect(api.objects.Lock.get('feed/night')?.status?.phase).toBe('Ready');
});

test('an address that turned out to be gone is another’s, whatever the watch has told', () => {
  const { api, run } = aDeafWriter();
  api.createPod(pod('a', 'web'));
  run(5);
  api.remove('IPLock', '10.110.0.10');
  api.remove('Pod', 'feed/a');
  run(5);
  api.createPod(pod('c', 'other'));
  run(15);
  expect(waits(api, 'c')).toBe(false);
});
