/** The reflector on a real API server: what it holds and what it told is what the server has, whichever way it began. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Api, connect } from '../../lib/kube/client.ts';
import { isAlreadyExists, isNotFound } from '../../lib/kube/error.ts';
import { CONFIGMAPS, type Kind, NAMESPACES } from '../../lib/kube/kinds.ts';
import { reflect } from '../../lib/kube/reflector.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { randomFaults, startFaultProxy } from '../bed/proxy.ts';
import { aFastClock } from './a-clock.ts';
import { aFollower, until } from './a-follower.ts';

describeBed('the reflector on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
  });
  /** What a test began ends with it, however it ends. */
  const ends: (() => void)[] = [];
  const aStop = () => {
    const stop = new AbortController();
    ends.push(() => stop.abort());
    return stop;
  };
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  test.each(['watch-list', 'pages'] as const)('by %s it holds what there is, then follows', async (begin) => {
    const namespace = `follows-${begin}`;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    await api.create(CONFIGMAPS, { metadata: { name: 'before', namespace }, data: { v: '1' } });
    const stop = aStop();
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

  test('what it holds is what the server has, however the network and the server misbehave', async () => {
    await api.create(NAMESPACES, { metadata: { name: 'storm' } });
    const random = seeded(Date.now());
    const proxies = await Promise.all(['watch-list', 'pages'].map(() => startFaultProxy(bed, randomFaults(random, 0.4))));
    const stop = aStop();
    const followers = await Promise.all(
      proxies.map(async ({ kubeconfig }, i) => {
        const through = await connect({ kubeconfig });
        const begin = i === 0 ? 'watch-list' : 'pages';
        const maps = reflect(through, CONFIGMAPS, {
          namespace: 'storm',
          begin,
          signal: stop.signal,
          clock: aFastClock(20),
          watchdogMs: 20_000,
        });
        ends.push(() => through.close());
        const follower = aFollower<Map>(({ data }) => data?.v ?? '');
        maps.on(follower.handlers);
        return { ...follower, maps };
      }),
    );
    const changes = changing(api, 'storm', random);
    const cutting = setInterval(() => proxies[Math.floor(random() * 2)]!.cut(), 80);
    ends.push(() => clearInterval(cutting));
    for (let i = 0; i < 8 || proxies.some(({ counts }) => counts.faults < 10); i++) {
      await changes.some(40);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const { setPlan } of proxies) setPlan(i % 3 === 2 ? () => undefined : randomFaults(random, 0.4));
    }
    await bed.end('kube-apiserver');
    bed.again('kube-apiserver');
    while ((await bed.request('GET', '/readyz').catch(() => undefined))?.status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await changes.some(60);
    clearInterval(cutting);
    for (const { setPlan, up } of proxies) {
      setPlan(() => undefined);
      up();
    }
    const { items, resourceVersion } = await api.list(CONFIGMAPS, { namespace: 'storm' });
    await api.create(CONFIGMAPS, { metadata: { name: 'last', namespace: 'storm' } });
    for (const { maps, copy, mistakes } of followers) {
      await until(() => maps.get('storm/last') !== undefined);
      const held = maps.list().filter(({ metadata }) => metadata.name !== 'last');
      expect(versions(held)).toEqual(versions(items));
      expect(versions([...copy.values()])).toEqual(versions(maps.list()));
      expect([mistakes, Number(maps.resourceVersion) > Number(resourceVersion)]).toEqual([[], true]);
      expect(maps.counts.faults).toBeGreaterThan(0);
    }
    stop.abort();
    await Promise.all(followers.map(({ maps }) => maps.stopped));
  });

  test('a kind is empty until its CRD comes, and again when that goes', async () => {
    const stop = aStop();
    const THINGS: Kind = { apiVersion: 'kit.example/v1', kind: 'Thing', plural: 'things', namespaced: false };
    const things = reflect(api, THINGS, { signal: stop.signal, missing: 'empty', missingMs: 200 });
    await things.synced;
    expect(things.size).toBe(0);
    const schema = { openAPIV3Schema: { type: 'object' } };
    await bed.apply([
      {
        ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'things.kit.example' } },
        spec: {
          ...{ group: 'kit.example', scope: 'Cluster', names: { kind: 'Thing', plural: 'things' } },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      },
    ]);
    await api.create(THINGS, { metadata: { name: 'one' } });
    await until(() => things.get('one') !== undefined);
    await bed.request('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.kit.example');
    await until(() => things.size === 0);
    stop.abort();
    await things.stopped;
  });
});

type Map = typeof CONFIGMAPS extends Kind<infer T> ? T : never;

const versions = (maps: readonly Map[]) =>
  maps.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort();

/** Random changes of a few objects, straight at the API server, eight at a time. */
function changing(api: Api, namespace: string, random: () => number) {
  let text = 0;
  const one = async () => {
    const id = { namespace, name: `m${Math.floor(random() * 30)}` };
    const put = { metadata: id, data: { v: `${++text}` } };
    const act = random() < 0.4 ? api.create(CONFIGMAPS, put) : random() < 0.6 ? api.patch(CONFIGMAPS, id, put) : api.delete(CONFIGMAPS, id);
    await act.catch((error: unknown) => {
      if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
    });
  };
  return {
    async some(times: number) {
      for (let i = 0; i < times; i += 8) await Promise.all(Array.from({ length: 8 }, one));
    },
  };
}

/** mulberry32: random numbers that a seed brings back. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
