/** Events on a real API server, which is strict about them: what is recorded is what `kubectl describe` shows. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Api, connect } from '../../lib/kube/client.ts';
import { recorder } from '../../lib/kube/events.ts';
import { CONFIGMAPS, EVENTS, NODES } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';

describeBed('events on a real API server', ['etcd', 'kube-apiserver', 'kubectl'], () => {
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

  const eventsOf = async (name: string) =>
    (await api.list(EVENTS, { fieldSelector: `regarding.name=${name}` })).items.map(({ reason, note, series }) => [
      reason,
      note,
      series?.count,
    ]);

  test('the same again becomes a series, another message another event', async () => {
    const map = await api.create(CONFIGMAPS, { metadata: { name: 'spoken-of', namespace: 'default' } });
    const { event, flush } = recorder(api, 'gala.internal/test');
    for (let i = 0; i < 4; i++) event(map, 'NoAddress', 'no free address on 31 hosts', 'Warning');
    event(map, 'NoAddress', 'no free address on 30 hosts', 'Warning', { action: 'Locking', related: map });
    await flush();
    expect((await eventsOf('spoken-of')).sort()).toEqual([
      ['NoAddress', 'no free address on 30 hosts', undefined],
      ['NoAddress', 'no free address on 31 hosts', 4],
    ]);
    const { stdout } = await bed.kubectl(['describe', 'configmap', 'spoken-of']);
    expect(stdout).toMatch(/Warning +NoAddress .*gala\.internal\/test +no free address on 31 hosts/);
    expect(stdout).toMatch(/x4 over/);
  });

  test('an event about an object of the cluster, of any length and in any language, is taken', async () => {
    const node = await api.create(NODES, { metadata: { name: 'spoken-of' } });
    const { event, flush } = recorder(api, 'gala.internal/test', { instance: 'x'.repeat(300) });
    event(node, 'Repeated', '地'.repeat(600));
    await flush();
    const [[, note] = []] = await eventsOf('spoken-of').then((events) => events.filter(([reason]) => reason === 'Repeated'));
    expect(note).toBe(`${'地'.repeat(340)}…`);
  });

  test('a series goes on when its Event has expired', async () => {
    const map = await api.create(CONFIGMAPS, { metadata: { name: 'long-spoken-of', namespace: 'default' } });
    const { event, flush } = recorder(api, 'gala.internal/test');
    event(map, 'Waiting', 'for a slot');
    await flush();
    await api.request({ method: 'DELETE', path: '/apis/events.k8s.io/v1/namespaces/default/events' });
    event(map, 'Waiting', 'for a slot');
    await flush();
    expect(await eventsOf('long-spoken-of')).toEqual([['Waiting', 'for a slot', 2]]);
  });

  test('what the API server refuses is a line, not a fault', async () => {
    const lines: string[] = [];
    const log = { debug() {}, info() {}, warn: (line: string) => lines.push(line), error() {}, with: () => log };
    const { event, flush } = recorder(api, 'gala.internal/test', { log });
    event({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'lost', namespace: 'nowhere' } }, 'Lost', 'no such namespace');
    event({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} as never }, 'Lost', 'not even a name');
    await flush();
    expect(lines).toEqual(['event not written']);
  });
});
