/** A machine is lost, and a person says that it is off: Kubernetes' own controllers and the lock writer do the rest. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { gala } from '../../cli/gala.ts';
import { makeNodes, type WriterBed, writerBed } from './bed-writers.ts';
import { saying } from './objects.ts';

describeBed('a machine that is lost', ['control-plane'], () => {
  let bed: Bed;
  let all: WriterBed;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    all = await writerBed(bed, { addresses: 4 });
    await makeNodes(all, 1);
    all.replica({ name: 'writer' });
  }, 300_000);
  afterAll(() => bed?.stop());

  test('S18 gala fence has its pods deleted by the garbage collector, and their addresses are given back after them', async () => {
    await all.aPod('lost');
    await all.eventually('a slot', async () => (await all.pod('lost')).metadata.annotations?.['gala.internal/slot'] !== undefined);
    const { uid } = (await all.pod('lost')).metadata;
    const ofPod = async () => (await all.ipLocks()).find(({ spec }) => spec.podUID === uid);
    const { metadata, spec } = (await ofPod())!;
    await all.send('POST', '/api/v1/namespaces/feed/pods/lost/binding', {
      ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name: 'lost' } },
      target: { apiVersion: 'v1', kind: 'Node', name: spec.node },
    });
    const ip = `/apis/gala.internal/v1alpha1/iplocks/${metadata.name}`;
    await all.send('PATCH', ip, { spec: { phase: 'Bound' }, status: { conditions: [saying('Wired', 'True')] } });
    await all.send('PATCH', `/api/v1/nodes/${spec.node}/status`, {
      status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Test', message: '' }] },
    });
    // Whoever deletes it now only asks: its kubelet would have to say that it is gone.
    await all.send('DELETE', '/api/v1/namespaces/feed/pods/lost');
    expect((await all.pod('lost')).metadata.deletionTimestamp).toBeDefined();

    expect(await gala('fence', spec.node, '--kubeconfig', bed.kubeconfig)).toMatchObject({ code: 0 });
    expect((await ofPod())?.spec.phase).toBe('Bound');
    // PodGC looks every 20 s (kubernetes, pkg/controller/podgc, gcCheckPeriod).
    await all.eventually('the pod is deleted', async () => (await all.pods()).length === 0, 180);
    await all.eventually('its address is Held', async () => (await all.send('GET', ip)).spec.phase === 'Held');
  }, 300_000);
});
