import { expect, test } from '@jest/globals';
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import { aLock, aNode, aPod, aUid } from '../builders.ts';
import { type ModelApi, modelApi } from './model-api.ts';
import { modelWriter } from './model-writer.ts';

const NODES = ['r12-01', 'r12-02', 'r12-03'];
const REPLICASET = { group: 'apps', kind: 'ReplicaSet', name: 'feed-api-5d9f', uid: 'rs' };

interface Bed {
  readonly api: ModelApi;
  /** Pods that the lock writer deleted, by the node that refused them. */
  readonly deleted: string[];
  readonly events: () => readonly string[];
  /** From now on kube-scheduler takes pods everywhere. */
  repair(): void;
  /** The controller makes a pod. */
  make(): void;
  run(seconds: number): void;
}

interface Cluster {
  readonly controller?: PodFacts['controller'];
  /** Of each pod. */
  readonly pod?: Partial<PodFacts>;
  readonly names?: readonly string[];
  readonly says?: (node: string) => string;
}

/** A cluster whose kube-scheduler takes no pod on `refusing`, for a reason that Gala knows nothing of. */
function aBed(
  refusing: readonly string[],
  { controller = REPLICASET, pod: more = {}, names = NODES, says = () => 'a plugin says no' }: Cluster = {},
): Bed {
  const api = modelApi();
  let repaired = false;
  const nodes = new Map(names.map((name) => [name, aNode(name, { cpu: 1 })]));
  const writer = modelWriter({ api, nodes, pools: [], statefulSets: new Map() }, 0);
  const deleted: string[] = [];
  const make = () => api.createPod(aPod({ ...more, name: `feed-api-${aUid()}`, gated: true, controller }));
  make();

  function step(): void {
    for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (writer.deliver(kind));
    writer.begin();
    for (const under of writer.under.splice(0)) {
      const { call } = under.write;
      const pod = call.do === 'delete' && call.kind === 'Pod' ? api.objects.Pod.get(under.write.job.key) : undefined;
      writer.agenda.ended(under.write, api.do(call), api.now * 1000);
      if (pod === undefined) continue;
      deleted.push(pod.pinned as string);
      make();
    }
    for (const pod of api.objects.Pod.values()) {
      if (pod.gated || pod.node !== undefined || pod.pinned === undefined) continue;
      const no = !repaired && refusing.includes(pod.pinned);
      if (!no) api.change('Pod', pod.key, (it) => ({ ...it, node: pod.pinned, unschedulable: undefined }));
      else if (pod.unschedulable === undefined) api.change('Pod', pod.key, (it) => ({ ...it, unschedulable: says(pod.pinned as string) }));
    }
  }
  return {
    ...{ api, deleted, make },
    repair() {
      repaired = true;
    },
    events: () => writer.notes.flatMap((note) => (note.note === 'event' ? [note.message] : [])),
    run(seconds) {
      for (const until = api.now + seconds; api.now < until; api.now++) step();
    },
  };
}

const bound = ({ api }: Bed) => [...api.objects.Pod.values()].map(({ node }) => node);

test('P13 the pod that takes the place of one that its node refused is placed elsewhere', () => {
  const bed = aBed(['r12-01', 'r12-02']);
  bed.run(300);
  expect(bed.deleted.length).toBeLessThanOrEqual(2);
  expect(new Set(bed.deleted).size).toBe(bed.deleted.length);
  expect(bound(bed)).toEqual(['r12-03']);
});

test('P13 where every node refuses for reasons of its own, pods are made and deleted less and less often', () => {
  const bed = aBed(NODES, { says: () => '0/3 nodes are available: 1 Insufficient example.com/gpu.' });
  bed.run(3_600);
  // Without a memory it were 120 of them.
  expect(bed.deleted.length).toBeLessThanOrEqual(6);
});

test('P13 people are told where pods are kept from', () => {
  const bed = aBed(['r12-01'], { names: ['r12-01'] });
  bed.run(60);
  expect(bed.events()).toContainEqual(expect.stringContaining('it gets no slot on r12-01: kube-scheduler or the node refused'));
});

test('P15 what three nodes say is told, and no pod is deleted for it any more: the fourth would say the same', () => {
  const names = Array.from({ length: 200 }, (_, at) => `n${at}`);
  const says = (node: string) => `0/200 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name, on ${node}.`;
  const bed = aBed(names, { names, says });
  bed.run(4 * 3_600);
  expect(bed.deleted).toHaveLength(2);
  expect(bed.events()).toContainEqual(expect.stringContaining('other nodes said the same of pods of ReplicaSet feed-api-5d9f'));
  bed.repair();
  bed.run(10);
  expect(bound(bed)).toEqual([expect.any(String)]);
});

test('P16 the pod of a DaemonSet stays where it is, and has its node back at once when that is repaired', () => {
  const bed = aBed(['r12-02'], {
    controller: { group: 'apps', kind: 'DaemonSet', name: 'node-agent', uid: 'ds' },
    pod: { pinned: 'r12-02' },
  });
  bed.run(600);
  expect(bed.deleted).toEqual([]);
  expect(bed.events()).toContainEqual(expect.stringContaining('DaemonSet node-agent would make the next one for the same node'));
  bed.repair();
  const [pod] = [...bed.api.objects.Pod.keys()];
  bed.api.remove('Pod', pod as string);
  bed.make();
  bed.run(10);
  expect(bound(bed)).toEqual(['r12-02']);
});

test('P13 a Lock that has slots on that node alone gives them, and its pods are deleted less and less often', () => {
  const bed = aBed(['r12-01'], { pod: { lock: 'night' } });
  bed.api.createLock('feed/night', { ...aLock('night').spec, count: 1, ttlSeconds: 3600 });
  bed.run(3_600);
  const [only] = bed.api.objects.Lock.get('feed/night')?.status?.slots ?? [];
  if (only?.node !== 'r12-01') throw new Error(`the slot is on ${only?.node}: the test is about r12-01`);
  expect(bed.deleted.length).toBeGreaterThan(1);
  expect(bed.deleted.length).toBeLessThanOrEqual(7);
});

test('P10 the pod of a Job stays where it is, whatever its node says', () => {
  const bed = aBed(NODES, { controller: { group: 'batch', kind: 'Job', name: 'feed-index', uid: 'job' } });
  bed.run(600);
  expect(bed.deleted).toEqual([]);
  expect(bed.api.objects.Pod.size).toBe(1);
  expect(bed.events()).toContainEqual(expect.stringContaining('Job feed-index would count its deletion as a failure'));
});
