import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { GATE, LOCK_ANNOTATION, REMADE_ANNOTATION, SCHEDULER_NAME } from '../../../lib/api/scheduling.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { simulate } from '../../bed/hosts.ts';
import type { Started } from '../../bed/process.ts';
import { aNodeManifest } from '../builders.ts';
import { aGatedPod, type Stored, type WriterBed, writerBed } from './bed-writers.ts';

describeBed('pods through the gate, with the real scheduler and controllers', ['control-plane', 'kwok'], () => {
  let bed: Bed;
  let all: WriterBed;
  let writer: Started;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    all = await writerBed(bed, { addresses: 60 });
    const names = ['r12-01', 'r12-02', 'r12-03', 'r12-04'];
    await simulate(
      bed,
      names.map((name, at) => ({
        ...aNodeManifest(name, { pool: 'web', rack: 'r12', zone: at < 2 ? 'a' : 'b', cpu: 16, memory: '256Gi' }),
        spec: {},
      })) as never,
    );
    const config = join(bed.folder, 'gala-scheduler.yaml');
    writeFileSync(
      config,
      stringify({
        apiVersion: 'kubescheduler.config.k8s.io/v1',
        kind: 'KubeSchedulerConfiguration',
        leaderElection: { leaderElect: false },
        clientConnection: { kubeconfig: bed.kubeconfig },
        profiles: [{ schedulerName: SCHEDULER_NAME }],
      }),
    );
    bed.run('kube-scheduler', [
      '--config',
      config,
      '--secure-port',
      `${await bed.network.port(20_259)}`,
      '--bind-address',
      bed.network.host,
    ]);
    // Twenty times as fast: 30 s of patience pass in 1.5.
    writer = all.replica({ name: 'writer', speed: 20, looseHoldMs: 100_000 });
  }, 300_000);
  afterAll(async () => {
    if (process.env.SHOW) process.stderr.write(writer.log());
    await bed?.stop();
  });

  const own = async (uid: string) => (await all.ipLocks()).filter(({ spec }) => spec.podUID === uid);
  const bound = async (name: string) => {
    await all.eventually(`${name} bound`, async () => {
      const pod = (await bed.request('GET', `/api/v1/namespaces/feed/pods/${name}`)).body as Stored;
      return pod.spec?.nodeName !== undefined;
    });
    const pod = await all.pod(name);
    const [address, ...more] = await own(pod.metadata.uid);
    expect(more).toEqual([]);
    expect(address?.spec.node).toBe(pod.spec.nodeName);
    return { uid: pod.metadata.uid, node: pod.spec.nodeName!, address: address!.metadata.name };
  };
  const gated = (template: ReturnType<typeof aGatedPod>, labels: object) => {
    const { name: _, ...metadata } = template.metadata;
    return { metadata: { ...metadata, labels }, spec: template.spec };
  };
  const workload = (kind: string, name: string, more: object, pod = aGatedPod('x')) =>
    all.send('POST', `/apis/apps/v1/namespaces/feed/${kind}`, {
      metadata: { name },
      spec: { selector: { matchLabels: { app: name } }, template: gated(pod, { app: name }), ...more },
    });

  test('the real scheduler binds a pod to the node that it was pinned to, whatever its own affinity says in how many ways', async () => {
    const required = 'requiredDuringSchedulingIgnoredDuringExecution';
    const inZone = (zone: string) => ({ matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: [zone] }] });
    const affinities: Record<string, object[]> = {
      'one-term': [inZone('b')],
      'two-terms': [inZone('b'), { matchExpressions: [{ key: 'nobody', operator: 'Exists' }] }],
      'empty-term': [inZone('b'), {}],
      'by-name': [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['r12-04'] }] }],
      'not-by-name': [{ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['r12-01'] }], ...inZone('a') }],
    };
    for (const [name, nodeSelectorTerms] of Object.entries(affinities))
      await all.aPod(name, { spec: { affinity: { nodeAffinity: { [required]: { nodeSelectorTerms } } } } as never });
    const nodes = await Promise.all(Object.keys(affinities).map(async (name) => [name, (await bound(name)).node]));
    expect(Object.fromEntries(nodes)).toEqual({
      'one-term': expect.stringMatching(/0[34]$/),
      'two-terms': expect.stringMatching(/0[34]$/),
      'empty-term': expect.stringMatching(/0[34]$/),
      'by-name': 'r12-04',
      'not-by-name': 'r12-02',
    });
  });

  test('an ordinal of a StatefulSet gets its address back, also after a scale to nothing for less than the hold', async () => {
    await workload('statefulsets', 'redis', { serviceName: 'redis', replicas: 2, podManagementPolicy: 'Parallel' });
    const before = { 0: await bound('redis-0'), 1: await bound('redis-1') };
    await all.remove('redis-0');
    await all.eventually('a new redis-0', async () => {
      const { body } = await bed.request('GET', '/api/v1/namespaces/feed/pods/redis-0');
      return body.metadata?.uid !== undefined && body.metadata.uid !== before[0].uid;
    });
    expect((await bound('redis-0')).address).toBe(before[0].address);
    expect((await bound('redis-1')).address).toBe(before[1].address);
    // As long as the set has that ordinal its address waits, however long: here some ten minutes of the writer's clock.
    await all.send('PATCH', '/apis/apps/v1/namespaces/feed/statefulsets/redis', { spec: { replicas: 1 } });
    await all.eventually(
      'the address of redis-1 freed',
      async () => !(await all.ipLocks()).some(({ metadata }) => metadata.name === before[1].address),
    );
    expect((await bound('redis-0')).address).toBe(before[0].address);
    await all.send('DELETE', '/apis/apps/v1/namespaces/feed/statefulsets/redis');
  });

  test('pods of a Deployment take the slots of the Lock that they name, and a rollout gets the same addresses', async () => {
    await all.aLock('rollout', { count: 4, ttlSeconds: 3_600, holdSeconds: 3_600 });
    await all.eventually('Ready', async () => (await all.lock('rollout')).status?.phase === 'Ready');
    await workload('deployments', 'web', { replicas: 4, strategy: { type: 'Recreate' } }, aGatedPod('x', { lock: 'rollout' }));
    const pods = async () => (await all.pods()).filter(({ metadata }) => metadata.annotations?.[LOCK_ANNOTATION] === 'rollout');
    const allBound = async (revision: string) => {
      const now = (await pods()).filter(({ spec }) => spec.nodeName !== undefined);
      return now.length === 4 && now.every(({ metadata }) => (metadata.annotations?.revision ?? '1') === revision);
    };
    await all.eventually('4 bound', () => allBound('1'));
    const addresses = async () =>
      (await all.ipLocks())
        .filter(({ spec }) => spec.lock?.name === 'rollout')
        .map(({ metadata, spec }) => [metadata.name, spec.node])
        .sort();
    const before = await addresses();
    await all.send('PATCH', '/apis/apps/v1/namespaces/feed/deployments/web', {
      spec: { template: { metadata: { annotations: { revision: '2' } } } },
    });
    await all.eventually('4 of revision 2 bound', () => allBound('2'));
    expect(await addresses()).toEqual(before);
    expect(before).toHaveLength(4);
    await all.send('DELETE', '/apis/apps/v1/namespaces/feed/deployments/web');
  });

  test('P9, P10 a pinned pod whose node is cordoned meanwhile is deleted where its controller makes another; where none is known to, people are told', async () => {
    const cordoned = 'r12-04';
    await all.send('PATCH', `/api/v1/nodes/${cordoned}`, { spec: { unschedulable: true } });
    // Pinned by hand as the writer pins, to a node that refuses: what a cordon in the wrong moment leaves behind.
    const pinnedTo = (name: string, owner?: object, annotations = {}) => ({
      metadata: { name, annotations: { 'gala.internal/slot': 'loose', ...annotations }, ...(owner && { ownerReferences: [owner] }) },
      spec: {
        ...aGatedPod(name).spec,
        schedulingGates: [],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [cordoned] }] }],
            },
          },
        },
      },
    });
    // Somebody's own controller: those of the control plane would see to the pod themselves.
    const theirs = (await all.send('POST', '/api/v1/namespaces/feed/configmaps', { metadata: { name: 'owner' } })) as Stored;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: theirs.metadata.uid, controller: true };
    await all.send('POST', '/api/v1/namespaces/feed/pods', pinnedTo('owned', owner, { [REMADE_ANNOTATION]: 'true' }));
    await all.send('POST', '/api/v1/namespaces/feed/pods', pinnedTo('unsaid', owner));
    await all.send('POST', '/api/v1/namespaces/feed/pods', pinnedTo('bare'));
    await all.eventually(
      'the owned one deleted',
      async () => (await bed.request('GET', '/api/v1/namespaces/feed/pods/owned')).status === 404,
    );
    for (const name of ['bare', 'unsaid']) {
      await all.eventually(`${name} told`, async () =>
        (await bed.kubectl(['events', '-n', 'feed', '--for', `pod/${name}`])).stdout.includes('NodeRefusesPod'),
      );
      expect((await all.pod(name)).metadata.name).toBe(name);
    }
    await all.send('PATCH', `/api/v1/nodes/${cordoned}`, { spec: { unschedulable: false } });
  });

  test("a pod behind somebody else's gate gets nothing before that is gone", async () => {
    const pod = aGatedPod('twice');
    await all.send('POST', '/api/v1/namespaces/feed/pods', {
      ...pod,
      spec: { ...pod.spec, schedulingGates: [{ name: 'example.com/theirs' }, { name: GATE }] },
    });
    await all.aPod('after-it');
    await bound('after-it');
    expect(await own((await all.pod('twice')).metadata.uid)).toEqual([]);
    await all.send('PATCH', '/api/v1/namespaces/feed/pods/twice', { spec: { schedulingGates: [{ name: GATE }] } });
    await bound('twice');
  });

  test('higher priority gets the last address', async () => {
    await all.send('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
      metadata: { name: 'high' },
      value: 1_000,
      preemptionPolicy: 'Never',
    });
    // What the tests before left behind is freed within 5 s of its pod's end, and would be a second address.
    await all.eventually('nothing about to be freed', async () => {
      const there = new Set((await all.pods()).filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.uid));
      return (await all.ipLocks()).every(({ spec }) => spec.lock !== undefined || (spec.phase !== 'Held' && there.has(spec.podUID ?? '')));
    });
    const free = 60 - (await all.ipLocks()).length;
    await all.aLock('rest', { count: free, ttlSeconds: 3_600 });
    await all.eventually('Ready', async () => (await all.lock('rest')).status?.phase === 'Ready');
    await all.aPod('low');
    await all.eventually('told', async () =>
      (await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/low'])).stdout.includes('NoAddress'),
    );
    await all.aPod('high', { spec: { priorityClassName: 'high' } });
    const after = await all.pod('after-it');
    await all.remove('after-it');
    // Held for its owner first; then there is one for somebody else.
    await all.eventually('high bound', async () => (await all.pod('high')).spec.nodeName !== undefined);
    expect((await all.pod('low')).spec.nodeName).toBeUndefined();
    expect(after.metadata.name).toBe('after-it');
  });
});
