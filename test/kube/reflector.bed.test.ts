/** The reflector on a real API server: what it holds and what it told is what the server has, whichever way it began. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Api, connect } from '../../lib/kube/client.ts';
import { CONFIGMAPS, NAMESPACES } from '../../lib/kube/kinds.ts';
import { reflect } from '../../lib/kube/reflector.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';

describeBed('the reflector on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  test.each(['watch-list', 'pages'] as const)('by %s it holds what there is, then follows', async (begin) => {
    const namespace = `follows-${begin}`;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    await api.create(CONFIGMAPS, { metadata: { name: 'before', namespace }, data: { v: '1' } });
    const stop = new AbortController();
    const said: string[] = [];
    const maps = reflect(api, CONFIGMAPS, { namespace, begin, signal: stop.signal });
    maps.on({
      added: (object, key) => said.push(`+${key} ${object.data?.v}`),
      updated: (old, object, key) => said.push(`~${key} ${old.data?.v} ${object.data?.v}`),
      deleted: (object, key) => said.push(`-${key} ${object.data?.v}`),
      synced: () => said.push('synced'),
    });
    await maps.synced;
    expect(said).toEqual([`+${namespace}/before 1`, 'synced']);
    await api.create(CONFIGMAPS, { metadata: { name: 'after', namespace }, data: { v: '1' } });
    await api.patch(CONFIGMAPS, { namespace, name: 'after' }, { data: { v: '2' } });
    await api.delete(CONFIGMAPS, { namespace, name: 'before' });
    while (said.length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(said.slice(2)).toEqual([`+${namespace}/after 1`, `~${namespace}/after 1 2`, `-${namespace}/before 1`]);
    expect(maps.list().map(({ metadata }) => metadata.name)).toEqual(['after']);
    expect(maps.counts).toEqual({ reads: 1, events: 3, watches: 1, faults: 0 });
    stop.abort();
    await maps.stopped;
  });
});
