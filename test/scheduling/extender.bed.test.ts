/**
 * The extender beside the real kube-scheduler: what it refuses is not bound, and people read why where they look. The lock
 * writer's part (pin, annotations, IPLock) is written by hand here, right or wrong.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { schedulerConfiguration } from '../../constructs/scheduling/configuration.ts';
import { HostPool, IPLock, Lock } from '../../lib/api/kinds.ts';
import { LOCK_ANNOTATION, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { kindOf, NODES, PODS } from '../../lib/kube/kinds.ts';
import { type Extender, extender } from '../../lib/scheduling/extender.ts';
import { score } from '../../lib/scheduling/score.ts';
import { watchWorld } from '../../lib/scheduling/world.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { type Started, until } from '../bed/process.ts';

const LOCKS = kindOf(Lock);
const IPLOCKS = kindOf(IPLock);
const HOSTPOOLS = kindOf(HostPool);
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const crd = (plural: string) => parse(readFileSync(join(import.meta.dirname, `../../imports/crds/${plural}.yaml`), 'utf8'));

interface Placed {
  readonly slot?: string;
  readonly lock?: string;
  readonly node?: string;
}

const aPod = (name: string, { slot, lock, node }: Placed, cpu = '100m') => ({
  metadata: {
    ...{ name, namespace: 'feed' },
    annotations: { ...(lock === undefined ? {} : { [LOCK_ANNOTATION]: lock }), ...(slot === undefined ? {} : { [SLOT_ANNOTATION]: slot }) },
  },
  spec: {
    schedulerName: 'gala-scheduler',
    containers: [{ name: 'feed', image: 'feed:1', resources: { requests: { cpu } } }],
    ...(node === undefined ? {} : { affinity: pinnedTo(node) }),
  },
});

const pinnedTo = (node: string) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  },
});

describeBed('the extender beside the real kube-scheduler', ['etcd', 'kube-apiserver', 'kube-scheduler'], () => {
  let bed: Bed;
  let api: Api;
  let scheduler: Started;
  let server: Server | undefined;
  let port: number;
  let asked: Extender;
  const answers: { pod?: string; outcome: string; live: boolean }[] = [];
  const stopping = new AbortController();
  /** Ends what the caches hear, so that the API server is ahead of them. */
  const deafening = new AbortController();

  beforeAll(async () => {
    bed = await startControlPlane({ network: 'loopback', without: ['kube-controller-manager', 'kube-scheduler'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
    await bed.apply([
      ...['locks', 'iplocks', 'hostpools', 'nodenetworks'].map(crd),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'feed' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'feed' } },
    ]);
    await api.create(HOSTPOOLS, { metadata: { name: 'web' }, spec: WEB } as never);
    for (const name of ['r12-01', 'r12-02', 'r12-03']) {
      const labels = name === 'r12-03' ? { 'gala.internal/pool': 'web', 'gala.internal/rack': 'r12' } : undefined;
      await api.create(NODES, { metadata: { name, labels }, status: ROOM } as never);
      // Nobody here untaints nodes that are Ready.
      await api.patch(NODES, { name }, { spec: { taints: null } });
    }
    const world = watchWorld(api, { signal: AbortSignal.any([stopping.signal, deafening.signal]) });
    asked = extender({ world, api, onAnswer: (answer) => answers.push(answer) });
    port = await serve(0);
    scheduler = await startScheduler();
  }, 300_000);
  afterAll(async () => {
    await away();
    stopping.abort();
    api?.close();
    await bed?.stop();
  });

  async function serve(at: number): Promise<number> {
    server = createServer((request, response) => {
      if (!asked.handle(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server!.listen(at, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function away(): Promise<void> {
    const closed = new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server?.closeAllConnections();
    await closed;
  }

  async function startScheduler(prioritizeVerb?: string): Promise<Started> {
    const config = schedulerConfiguration({ leaseNamespace: 'feed', extender: { port, prioritizeVerb } });
    const file = join(bed.folder, 'gala-scheduler.yaml');
    const clientConnection = { ...config.clientConnection, kubeconfig: bed.kubeconfig };
    writeFileSync(file, stringify({ ...config, clientConnection, leaderElection: { leaderElect: false } }));
    const securePort = await bed.network.port(10269);
    const started = bed.run('kube-scheduler', ['--config', file, '--bind-address', '127.0.0.1', '--secure-port', `${securePort}`]);
    await until('serving', started, 60, async () => started.log().includes('Serving securely'));
    return started;
  }

  const ready = async (name: string, slots: { slot: number; node: string; address?: string }[], template: object = { spec: {} }) => {
    const spec = { template, count: slots.length, owner: 'feed-api' };
    await api.create(LOCKS, { metadata: { name, namespace: 'feed' }, spec } as never);
    await api.patch(LOCKS, { namespace: 'feed', name }, { status: { phase: 'Ready', slots } }, { subresource: 'status' });
  };
  const lockAddress = (address: string, node: string, podUID?: string) =>
    api.create(IPLOCKS, {
      metadata: { name: address },
      spec: { phase: 'Locked', node, mac: '02:67:0a:6e:01:07', owner: 'feed/feed-api', podUID },
    });
  const create = async (name: string, placed: Placed, cpu?: string) => api.create(PODS, aPod(name, placed, cpu) as never);
  const now = async (name: string) => api.get(PODS, { namespace: 'feed', name });
  const isBound = async (name: string) => (await now(name)).spec?.nodeName !== undefined;
  const conditionOf = async (name: string) => (await now(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');

  const bound = async (name: string) => {
    await until(`binding ${name}`, scheduler, 60, async () => isBound(name));
    return (await now(name)).spec?.nodeName;
  };
  const refused = async (name: string) => {
    await until(`refusing ${name}`, scheduler, 60, async () => (await conditionOf(name))?.reason === 'Unschedulable');
    expect(await isBound(name)).toBe(false);
    return (await conditionOf(name))?.message;
  };

  test('a pod is bound where its slot is, at once and from the caches', async () => {
    await ready('feed-api', [{ slot: 0, node: 'r12-01' }]);
    await until('hearing of the Lock', scheduler, 60, async () => (await api.list(LOCKS)).items.length === 1);
    await create('right', { lock: 'feed-api', slot: '0', node: 'r12-01' });
    expect(await bound('right')).toBe('r12-01');
    await create('loose', { slot: 'loose', node: 'r12-02' });
    expect(await bound('loose')).toBe('r12-02');
  });

  test('a pod that is pinned elsewhere than its slot is not bound, and its condition says where the slot is', async () => {
    await ready('elsewhere', [{ slot: 0, node: 'r12-01' }]);
    await create('wrong-node', { lock: 'elsewhere', slot: '0', node: 'r12-02' });
    expect(await refused('wrong-node')).toContain('1 gala: slot 0 of Lock feed/elsewhere is on r12-01');
  });

  test('a pod without a slot is not bound, no preemption is tried, and it says what to do', async () => {
    await create('no-slot', {});
    const message = await refused('no-slot');
    expect(message).toContain('0/3 nodes are available: 3 gala: the pod holds no slot');
    expect(message).toContain('delete the pod, and the one that takes its place gets a slot');
    expect(message).toMatch(/preemption: 0\/3 nodes are available: 3 Preemption is not helpful for scheduling/);
  });

  test('a pod whose Lock is gone is not bound', async () => {
    await create('lock-gone', { lock: 'was-here', slot: '0', node: 'r12-01' });
    expect(await refused('lock-gone')).toContain('gala: Lock feed/was-here is gone');
  });

  test('where Gala owns the addresses, a pod is bound with the address that names it, and with no other', async () => {
    await ready('addressed', [
      { slot: 0, node: 'r12-03', address: '10.110.1.7' },
      { slot: 1, node: 'r12-03', address: '10.110.1.8' },
    ]);
    await lockAddress('10.110.1.8', 'r12-03', OTHER);
    await create('no-address', { lock: 'addressed', slot: '0', node: 'r12-03' });
    await create('foreign', { lock: 'addressed', slot: '1', node: 'r12-03' });
    expect(await refused('no-address')).toContain('gala: no address is locked for the pod (its slot has 10.110.1.7)');
    expect(await refused('foreign')).toContain(`gala: address 10.110.1.8 of its slot is that of another pod, UID ${OTHER}`);
    const { metadata } = await now('no-address');
    await lockAddress('10.110.1.7', 'r12-03', metadata.uid);
    // No event of the scheduler's tells of an IPLock; any change of the pod makes it try again.
    await api.patch(PODS, { namespace: 'feed', name: 'no-address' }, { metadata: { labels: { again: 'yes' } } });
    expect(await bound('no-address')).toBe('r12-03');
  });

  test('while the extender is away pods wait and none is bound; when it is back they are, without a restart', async () => {
    await away();
    await ready('patient', [
      { slot: 0, node: 'r12-01' },
      { slot: 1, node: 'r12-01' },
    ]);
    await create('patient-0', { lock: 'patient', slot: '0', node: 'r12-01' });
    await create('patient-1', { lock: 'patient', slot: '1', node: 'r12-02' }); // wrong
    await until('trying in vain', scheduler, 60, async () => (await conditionOf('patient-0'))?.reason === 'SchedulerError');
    expect((await conditionOf('patient-0'))?.message).toContain('connection refused');
    expect(await isBound('patient-0')).toBe(false);
    await serve(port);
    expect(await bound('patient-0')).toBe('r12-01');
    expect(await refused('patient-1')).toContain('is on r12-01');
  }, 300_000);

  test('what the caches have not heard yet is asked of the API server before a pod is refused', async () => {
    deafening.abort();
    await ready('news', [{ slot: 0, node: 'r12-03', address: '10.110.1.9' }]);
    // Gated until its address is there, as the lock writer does it.
    const pod = aPod('news', { lock: 'news', slot: '0', node: 'r12-03' });
    await api.create(PODS, { ...pod, spec: { ...pod.spec, schedulingGates: [{ name: 'gala.internal/lock' }] } } as never);
    await lockAddress('10.110.1.9', 'r12-03', (await now('news')).metadata.uid);
    answers.length = 0;
    await api.patch(PODS, { namespace: 'feed', name: 'news' }, { spec: { schedulingGates: null } });
    expect(await bound('news')).toBe('r12-03');
    const ofNews = answers.filter(({ pod }) => pod === 'feed/news');
    expect(ofNews).toEqual([expect.objectContaining({ outcome: 'passed', live: true })]);
  });

  test.each([
    ['no JSON', '{"Pod":', /asked about no pod/],
    ['no pod', '{}', /asked about no pod/],
    [
      'whole Nodes',
      JSON.stringify({ Pod: { metadata: { name: 'a', namespace: 'b', uid: 'c' } }, Nodes: { items: [] } }),
      /nodeCacheCapable: true/,
    ],
    ['a body beyond all measure', ' '.repeat(9 * 2 ** 20), /longer than/],
  ])('%s is answered in Error, which kube-scheduler logs, and the extender goes on', async (_what, body, error) => {
    const answer = await fetch(`http://127.0.0.1:${port}/filter`, { method: 'POST', body });
    expect(await answer.json()).toEqual({ Error: expect.stringMatching(error) });
    expect((await fetch(`http://127.0.0.1:${port}/filter`)).status).toBe(405);
  });

  test('where the cluster says so, pods without a slot go where the inventory has most room; what is locked is not room', async () => {
    await scheduler.kill();
    const world = watchWorld(api, { signal: stopping.signal });
    await world.synced;
    asked = extender({ world, api, unlocked: (pod, namespace, nodes) => score(world.inventory, pod, namespace, nodes) });
    // kube-scheduler knows of no Lock: to it r12-01 has as much room as r12-02, which has a pod.
    const template = { spec: { containers: [{ name: 'feed', image: 'feed:1', resources: { requests: { cpu: '1' } } }] } };
    const slots = [0, 1, 2].map((slot) => ({ slot, node: 'r12-01' }));
    await ready('kept', slots, template);
    const used = () => world.inventory.supply('cpu')?.used[world.inventory.row('r12-01')] ?? 0;
    await until('counting the Lock', [], 60, async () => used() > 3);
    scheduler = await startScheduler('prioritize');
    await create('unlocked', {});
    expect(await bound('unlocked')).toBe('r12-02');
    // Four CPUs: three are locked, one and a bit is asked for.
    await create('large', {}, '1200m');
    expect(await bound('large')).toBe('r12-02');
    await create('larger', {}, '3500m');
    expect(await refused('larger')).toContain('gala: too little CPU is left');
  }, 300_000);
});

const ROOM = {
  allocatable: { cpu: '4', memory: '8Gi', pods: '100' },
  capacity: { cpu: '4', memory: '8Gi', pods: '100' },
  conditions: [{ type: 'Ready', status: 'True' }],
};
const WEB = {
  shape: 'intranet',
  intranet: {
    trunk: 'bond0',
    racks: [{ name: 'r12', hosts: 'r12-03' }],
    vlans: [{ id: 110, subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses: '10.110.1.0-10.110.2.223' }],
  },
};
