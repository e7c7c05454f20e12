/** The world on a real API server: what it counts is what is there, whoever wrote it and whatever kinds there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { HostPool, IPLock, Lock } from '../../lib/api/kinds.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { CRDS, kindOf, NAMESPACES, NODES, PODS, SERVICEACCOUNTS } from '../../lib/kube/kinds.ts';
import { demandOf } from '../../lib/scheduling/demand.ts';
import { podFacts } from '../../lib/scheduling/facts.ts';
import { interning } from '../../lib/scheduling/intern.ts';
import { readWorld, type World, watchWorld } from '../../lib/scheduling/world.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aLock, aNodeManifest, anIPLock, aPodManifest, aPool, aTemplate } from './builders.ts';

const until = async (holds: () => boolean | undefined) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const aClaim = { accessModes: ['ReadWriteOnce'], storageClassName: 'gala-log', resources: { requests: { storage: '20Gi' } } };

describeBed('the world of scheduling', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  const stops: AbortController[] = [];
  const watch = async (): Promise<World> => {
    const stop = new AbortController();
    stops.push(stop);
    const world = watchWorld(api, { signal: stop.signal });
    await world.synced;
    return world;
  };
  const used = ({ inventory }: Pick<World, 'inventory'>, node: string, supply = 'cpu') =>
    inventory.supply(supply)?.used[inventory.row(node)];

  async function aNodeThere(name: string, options: Parameters<typeof aNodeManifest>[1] = {}): Promise<void> {
    const node = aNodeManifest(name, options);
    await api.create(NODES, node as never);
    await api.updateStatus(NODES, { ...(await api.get(NODES, { name })), status: node.status } as never);
  }

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
    for (const name of ['feed', 'ads']) await api.create(NAMESPACES, { metadata: { name, labels: { team: name } } });
    for (const namespace of ['feed', 'ads']) await api.create(SERVICEACCOUNTS, { metadata: { namespace, name: 'default' } });
    await aNodeThere('r12-01', { cpu: 8, pool: 'web', rack: 'r12' });
  });
  afterEach(() => {
    for (const stop of stops.splice(0)) stop.abort();
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  test('without the CRDs nodes and pods are counted, and the rest is empty', async () => {
    const world = await watch();
    await api.create(PODS, aPodManifest({ name: 'plain', cpu: 1, node: 'r12-01' }) as never);
    await until(() => used(world, 'r12-01') === 1);
    expect(world.hasSynced()).toBe(true);
    expect(world.staleMs()).toBeLessThan(60_000);
    expect([world.locks.size, world.hostPools.size]).toEqual([0, 0]);
    const read = await readWorld(api);
    expect(used(read, 'r12-01')).toBe(1);
    expect(read.unread).toEqual(['HostPool', 'IPLock', 'Lock', 'NodeNetwork'].map((kind) => ({ kind, because: 'missing' })));
  });

  test('with the CRDs it follows them from the moment they are there', async () => {
    for (const plural of ['hostpools', 'nodenetworks', 'locks', 'iplocks']) {
      const text = readFileSync(join(import.meta.dirname, `../../imports/crds/${plural}.yaml`), 'utf8');
      await api.create(CRDS, parse(text));
    }
    const pool = aPool('web', { racks: { r12: 'r12-[01-16]' } });
    for (let tries = 0; ; tries++) {
      // An API server serves a kind a moment after its CRD.
      const made = await api.create(kindOf(HostPool), pool as never).catch((error) => error);
      if (!(made instanceof Error) || tries > 500) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const world = await watch();
    const { inventory } = world;
    const { demand } = demandOf(aTemplate(), { namespace: 'feed', owner: 'feed/feed-api' });
    const free = () => inventory.addresses(demand!).free[0];
    await until(() => free() === 16);

    await api.create(kindOf(IPLock), anIPLock('10.110.0.10') as never);
    await until(() => free() === 15);
    const { status: _, ...lock } = aLock('big', { count: 1 });
    const stored = await api.create(kindOf(Lock), lock as never);
    const slots = [{ slot: 0, node: 'r12-01', address: '10.110.0.11' }];
    await api.updateStatus(kindOf(Lock), { ...stored, status: { phase: 'Planning', slots } } as never);
    await until(() => free() === 14);
    expect(used(world, 'r12-01')).toBe(2);
    expect(
      inventory.namespacesOf({
        topologyKey: '',
        selector: [],
        namespaces: [],
        namespaceSelector: [{ key: 'team', operator: 'In', values: ['ads'] }],
      }),
    ).toEqual(['ads']);

    const read = await readWorld(api);
    expect(read.unread).toEqual([]);
    expect(used(read, 'r12-01')).toBe(2);
    expect(read.inventory.addresses(demand!).free[0]).toBe(14);
  });

  test('what a write was answered counts at once, and an answer that is overtaken brings nothing back', async () => {
    const world = await watch();
    const intern = interning();
    const before = used(world, 'r12-01')!;
    for (let i = 0; i < 20; i++) {
      const made = await api.create(PODS, aPodManifest({ name: `quick-${i}`, cpu: 1, node: 'r12-01' }) as never);
      world.inventory.set('Pod', `feed/quick-${i}`, podFacts(made as never, intern));
      expect(used(world, 'r12-01')).toBe(before + 1);
      await api.delete(PODS, { namespace: 'feed', name: `quick-${i}` }, { gracePeriodSeconds: 0 });
      await until(() => used(world, 'r12-01') === before);
      world.inventory.set('Pod', `feed/quick-${i}`, podFacts(made as never, intern));
      expect(used(world, 'r12-01')).toBe(before);
    }
  });

  test('what was deleted is free at once and stays so, and the next of its name is not taken for it', async () => {
    const world = await watch();
    const { demand } = demandOf(aTemplate(), { namespace: 'feed', owner: 'feed/other' });
    const free = () => world.inventory.addresses(demand!).free[0]!;
    const before = free();
    const id = { name: '10.110.0.20' };
    const kind = kindOf(IPLock);
    let least = before;
    const watched = world.ipLocks.on({ added: () => (least = Math.min(least, free())), deleted: () => (least = Math.min(least, free())) });
    for (let i = 0; i < 20; i++) {
      world.inventory.set('IPLock', id.name, (await api.create(kind, anIPLock(id.name) as never)) as never);
      expect(free()).toBe(before - 1);
      await api.delete(kind, id);
      world.inventory.unset('IPLock', id.name);
      expect(free()).toBe(before);
    }
    await api.create(kind, anIPLock('10.110.0.21') as never);
    await until(() => world.ipLocks.get('10.110.0.21') !== undefined);
    watched();
    // One at a time, whatever the watch told of them, and late.
    expect([least, free()]).toEqual([before - 1, before - 1]);
    await api.delete(kind, { name: '10.110.0.21' });
  });

  test('who may list nodes and pods alone is told what could not be read', async () => {
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
    const role = { kind: 'ClusterRole', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' };
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'ads' }];
    const rules = [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['list'] }];
    const path = '/apis/rbac.authorization.k8s.io/v1';
    await bed.request('POST', `${path}/clusterroles`, { ...rbac, kind: 'ClusterRole', metadata: { name: 'reader' }, rules });
    const binding = { ...rbac, kind: 'ClusterRoleBinding', metadata: { name: 'reader' }, roleRef: role, subjects };
    await bed.request('POST', `${path}/clusterrolebindings`, binding);

    const reader = await connect({ kubeconfig: await kubeconfigOf(bed, 'ads', 'default') });
    const read = await readWorld(reader);
    reader.close();
    expect(used(read, 'r12-01')).toBe(1);
    expect(new Set(read.unread.map(({ because }) => because))).toEqual(new Set(['forbidden']));
    expect(read.unread.map(({ kind }) => kind)).toEqual([
      'CSIStorageCapacity',
      'HostPool',
      'IPLock',
      'Lock',
      'Namespace',
      'NodeNetwork',
      'StatefulSet',
    ]);
  });

  // What the API server makes of a template is what was read from it.
  const container = (resources: object, more: object = {}) => ({ name: 'main', image: 'registry.example/app:1', resources, ...more });
  const apart = (more: object) => ({ topologyKey: 'zone', labelSelector: { matchLabels: { app: 'feed' } }, ...more });
  const required = (terms: object) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms });
  test.each<[string, object]>([
    ['limits alone', { containers: [container({ limits: { cpu: '1500m', memory: '1.5Gi', 'example.com/gpu': '2' } })] }],
    ['amounts in every form', { containers: [container({ requests: { cpu: '1u', memory: '1e3', 'ephemeral-storage': '.5Ki' } })] }],
    [
      'sidecars and init containers',
      {
        containers: [container({ requests: { cpu: 1 } })],
        initContainers: [
          {
            ...container({ requests: { cpu: 2 } }, { restartPolicy: 'Always', ports: [{ containerPort: 90, hostPort: 90 }] }),
            name: 'side',
          },
          { ...container({ limits: { cpu: 4 } }), name: 'init' },
        ],
      },
    ],
    [
      'a pod with resources of its own',
      { containers: [container({ requests: { cpu: 1 } })], resources: { limits: { cpu: 4, memory: '1Gi' } } },
    ],
    ["the host's network", { containers: [container({}, { ports: [{ containerPort: 8080 }] })], hostNetwork: true }],
    [
      'spread and affinity',
      {
        containers: [container({})],
        topologySpreadConstraints: [
          {
            maxSkew: 2,
            whenUnsatisfiable: 'DoNotSchedule',
            matchLabelKeys: ['version'],
            minDomains: 2,
            ...apart({ nodeTaintsPolicy: 'Honor' }),
          },
        ],
        affinity: {
          podAntiAffinity: required([
            apart({ mismatchLabelKeys: ['version'] }),
            apart({ namespaceSelector: {} }),
            apart({ namespaces: ['ads'] }),
          ]),
          podAffinity: required([apart({ matchLabelKeys: ['version'] })]),
          nodeAffinity: required({ nodeSelectorTerms: [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['8'] }] }] }),
        },
        tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
      },
    ],
    [
      'a volume of its own',
      { containers: [container({})], volumes: [{ name: 'log', ephemeral: { volumeClaimTemplate: { spec: { ...aClaim } } } }] },
    ],
  ])('a template with %s asks for what its stored pod asks for', async (_what, asked) => {
    const spec = { schedulerName: 'default-scheduler', ...asked };
    const metadata = { labels: { app: 'feed', version: '7' }, annotations: { 'kubernetes.io/egress-bandwidth': '200M' } };
    const { demand, problems } = demandOf({ metadata, spec }, { namespace: 'feed' });
    expect(problems).toEqual([]);
    const pod = { metadata: { ...metadata, namespace: 'feed', name: 'read' }, spec };
    const { demand: stored, unreadable } = podFacts((await api.create(PODS, pod as never, { dryRun: true })) as never, interning());
    expect(unreadable).toBeUndefined();
    // Not in a template: who the pod is of, and for how long it stays on nodes that are lost (DefaultTolerationSeconds).
    const tolerations = stored.tolerations.filter(({ key }) => !/not-ready|unreachable/.test(key ?? ''));
    expect({ ...stored, owner: undefined, tolerations }).toEqual(demand);
  });

  test.each<[string, object]>([
    ['a resource without a domain', { containers: [container({ requests: { gpu: 1 } })] }],
    ['a GPU without a limit', { containers: [container({ requests: { 'example.com/gpu': '1' } })] }],
    ['a request above its limit', { containers: [container({ requests: { cpu: 2 }, limits: { cpu: 1 } })] }],
    ['less than nothing', { containers: [container({ requests: { cpu: '-1' } })] }],
    ['no quantity', { containers: [container({ requests: { memory: '4 GB' } })] }],
    [
      'less for the pod than for its containers',
      { containers: [container({ requests: { cpu: 2 } })], resources: { requests: { cpu: 1 } } },
    ],
    ['a port beyond ports', { containers: [container({}, { ports: [{ containerPort: 80, hostPort: 70_000 }] })] }],
    ['no container', { containers: [] }],
    ['a toleration of everything without Exists', { containers: [container({})], tolerations: [{ value: 'x' }] }],
    ['an affinity without a term', { containers: [container({})], affinity: { nodeAffinity: required({ nodeSelectorTerms: [] }) } }],
    [
      'a skew of nothing',
      { containers: [container({})], topologySpreadConstraints: [apart({ maxSkew: 0, whenUnsatisfiable: 'DoNotSchedule' })] },
    ],
    [
      'spread over no key',
      { containers: [container({})], topologySpreadConstraints: [{ maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }] },
    ],
  ])('a template with %s is refused here as the API server refuses its pod', async (_what, spec) => {
    expect(demandOf({ spec }, { namespace: 'feed' }).problems).not.toEqual([]);
    const pod = { metadata: { namespace: 'feed', name: 'read' }, spec };
    await expect(api.create(PODS, pod as never, { dryRun: true })).rejects.toMatchObject({ name: 'ApiError' });
  });
});
