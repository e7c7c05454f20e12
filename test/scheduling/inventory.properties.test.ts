import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Held, type Inventory, inventory, type Promised, type Sample } from '../../lib/scheduling/inventory.ts';
import type { Demand } from '../../lib/scheduling/types.ts';
import { aDemand, aLock, aNode, aNodeNetwork, anEc2Pool, anIPLock, aPod, aPool, aStorageCapacity, aVlan } from './builders.ts';
import * as recount from './recount.ts';

// A small world: what is set one moment is set otherwise the next, and everything meets everything.
const NODES = ['r12-01', 'r13-01', 'other'];
const NAMESPACES = ['feed', 'ads'];
const OWNERS = ['feed/x', 'ads/x', 'feed/p0'];
const ADDRESSES = ['10.110.0.10', '10.110.0.11', '10.110.0.12', '10.120.0.10', '10.16.0.1', '10.16.0.2'];
const SUPPLIES = ['cpu', 'memory', 'pods', 'egress', 'ingress', 'ephemeral-storage', 'a/gpu', 'storage/log'];

const node = fc.constantFrom(...NODES);
const namespace = fc.constantFrom(...NAMESPACES);
const app = fc.constantFrom('x', 'y');
const maybe = <T>(it: fc.Arbitrary<T>) => fc.option(it, { nil: undefined, freq: 2 });

const apart = (key: string, of: string, selector?: object) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: key,
          labelSelector: { matchLabels: { app: of } },
          ...(selector === undefined ? {} : { namespaceSelector: selector }),
        },
      ],
    },
  },
});
const claim = { spec: { storageClassName: 'log', resources: { requests: { storage: '1Gi' } } } };
const spec = fc.constantFrom<object>(
  {},
  {},
  apart('kubernetes.io/hostname', 'x'),
  apart('topology.kubernetes.io/zone', 'y', {}),
  apart('topology.kubernetes.io/zone', 'x', { matchLabels: { team: 't' } }),
  { containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80 }], resources: { limits: { 'a/gpu': '1' } } }] },
  { hostNetwork: true },
  { volumes: [{ name: 'log', ephemeral: { volumeClaimTemplate: claim } }] },
  { nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }] },
);
const shape = fc.record({
  cpu: fc.constantFrom('100m', '0.3', '2'),
  egress: maybe(fc.constantFrom('100M', '1G')),
  ephemeral: maybe(fc.constant('1Gi')),
  app,
  spec,
});
const demand = fc
  .record({ shape, namespace, owner: maybe(fc.constantFrom(...OWNERS)) })
  .map(({ shape: { app, ...shape }, namespace, owner }) => aDemand({ ...shape, labels: { app }, namespace, owner }));

type Change = (all: Inventory, state: recount.State) => void;

function setting<K extends keyof Held>(
  kind: K,
  key: fc.Arbitrary<string>,
  object: (key: string) => fc.Arbitrary<Held[K]>,
): fc.Arbitrary<Change> {
  const set = key.chain((key) =>
    object(key).map(
      (it): Change =>
        (all, state) => {
          all.set(kind, key, it);
          // The same again, as another object: a watch that begins anew tells all there is.
          all.set(kind, key, structuredClone(it));
          (state.objects[kind] as Map<string, Held[K]>).set(key, it);
        },
    ),
  );
  const unset = key.map(
    (key): Change =>
      (all, state) => {
        all.unset(kind, key);
        state.objects[kind].delete(key);
      },
  );
  return fc.oneof({ arbitrary: set, weight: 3 }, { arbitrary: unset, weight: 1 });
}

const setNode = setting('Node', node, (name) =>
  fc
    .record({
      cpu: fc.constantFrom(2, 8),
      pool: maybe(fc.constantFrom('web', 'burst')),
      rack: maybe(fc.constantFrom('r12', 'r13')),
      zone: maybe(fc.constantFrom('a', 'b')),
      hard: fc.boolean(),
      ready: fc.constantFrom(true, true, false),
      unschedulable: fc.constantFrom(false, false, true),
      labels: fc.constantFrom<Record<string, string>>({}, { disk: 'ssd' }),
      allocatable: fc.constantFrom<Record<string, number>>({}, { 'a/gpu': 2 }),
    })
    .map((it) => aNode(name, it)),
);

const slot = maybe(fc.constantFrom('0', '1', 'loose'));
const setPod = setting(
  'Pod',
  fc.tuple(namespace, fc.constantFrom('p0', 'p1', 'p2')).map((it) => it.join('/')),
  (key) =>
    fc
      .record({
        shape,
        node: maybe(node),
        pinned: maybe(node),
        lock: maybe(fc.constantFrom('l0', 'l1')),
        slot,
        gated: fc.boolean(),
        done: fc.constantFrom(false, false, false, true),
        deleting: fc.boolean(),
        startedMs: maybe(fc.constantFrom(500, 20_000, 50_000)),
      })
      .map(({ shape: { app, ...shape }, ...pod }) => {
        const [namespace, name] = key.split('/') as [string, string];
        return aPod({ namespace, name, ...shape, labels: { app }, ...pod });
      }),
);

const slots = fc
  .uniqueArray(fc.record({ slot: fc.nat(2), node, address: maybe(fc.constantFrom(...ADDRESSES)) }), { selector: ({ slot }) => slot })
  .map((list) => list as Parameters<typeof aLock>[1] extends { slots?: infer S } ? S : never);
const setLock = setting(
  'Lock',
  fc.tuple(namespace, fc.constantFrom('l0', 'l1')).map((it) => it.join('/')),
  (key) =>
    fc
      .record({
        slots: maybe(slots),
        phase: fc.constantFrom('Planning' as const, 'Ready' as const, 'Ready' as const, 'Expired' as const),
        cpu: fc.constantFrom('1', '250m'),
      })
      .map(({ slots, phase, cpu }) => {
        const [namespace, name] = key.split('/') as [string, string];
        const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', resources: { requests: { cpu } } }] } };
        return aLock(name, { namespace, owner: 'x', slots, phase, template: template as never });
      }),
);

const setIPLock = setting('IPLock', fc.constantFrom(...ADDRESSES), (ip) =>
  fc
    .record({
      phase: fc.constantFrom('Locked' as const, 'Bound' as const, 'Held' as const, 'Held' as const, 'Quarantined' as const),
      node,
      owner: fc.constantFrom(...OWNERS),
    })
    .map((it) => anIPLock(ip, it)),
);

const VLANS = [
  [aVlan(110, 4)],
  [aVlan(110, 3), aVlan(120, 2, { namespaces: ['ads'] })],
  [aVlan(110, 4, { racks: ['r12'] }), aVlan(120, 2)],
  [aVlan(110, 0, { subnet: '10.110.0.0/29', gateway: '10.110.0.10', addresses: '10.110.0.9-10.110.0.12' })],
];
const setPool = setting('HostPool', fc.constantFrom('web', 'burst'), (name) => {
  const bandwidth = maybe(fc.constantFrom('1G', '25G'));
  const cni = fc.constantFrom(undefined, undefined, undefined, 'calico');
  if (name === 'burst') return fc.record({ bandwidth, cni }).map((it) => anEc2Pool(name, it));
  const racks = fc.constantFrom<Record<string, string>>({ r12: 'r12-[01-02]', r13: 'r13-01' }, { r12: 'r12-01' });
  return fc
    .record({ vlans: fc.constantFrom(...VLANS), racks, bandwidth, cni, macsPerPort: fc.constantFrom(2, 8) })
    .map((it) => aPool(name, it));
});

const setNetwork = setting('NodeNetwork', node, (name) =>
  fc
    .record({ enis: fc.subarray(['10.16.0.1', '10.16.0.2']), macsInUse: maybe(fc.nat(4)) })
    .map(({ enis, macsInUse }) => ({ ...aNodeNetwork(name, enis), ...(macsInUse === undefined ? {} : { status: { macsInUse } }) })),
);
const setNamespace = setting('Namespace', namespace, () => fc.constantFrom<Record<string, string>>({}, { team: 't' }));
const setSpace = setting('CSIStorageCapacity', fc.constantFrom('s/0', 's/1'), () =>
  fc
    .record({
      capacity: fc.constantFrom('10Gi', '20Gi'),
      labels: fc.constantFrom<Record<string, string>>({}, { disk: 'ssd' }, { 'kubernetes.io/hostname': 'r12-01' }),
    })
    .map(({ capacity, labels }) => aStorageCapacity('log', capacity, labels)),
);

const promise = fc.record({
  key: fc.constantFrom('feed/l0#0', 'feed/l0#2', 'ads/l1#1', 'feed/p0#loose', 'ads/p9#loose'),
  node,
  demand,
  address: maybe(fc.constantFrom(...ADDRESSES)),
});
const promising = promise.map(
  ({ key, ...it }): Change =>
    (all, state) => {
      all.promise(key, it);
      state.promises.set(key, it as Promised);
    },
);
const releasing = promise.map(
  ({ key }): Change =>
    (all, state) => {
      all.release(key);
      state.promises.delete(key);
    },
);
const sampling = fc
  .record({
    node,
    sample: maybe(
      fc.record({
        atMs: fc.constantFrom(10_000, 30_000, 60_000),
        egress: maybe(fc.constantFrom(1e8, 3e9)),
        ephemeralStorage: maybe(fc.constant(5e9)),
        cpu: maybe(fc.constantFrom(0.5, 3)),
        memory: maybe(fc.constant(1e9)),
      }),
    ),
  })
  .map(
    ({ node, sample }): Change =>
      (all, state) => {
        all.sample(node, sample);
        if (sample === undefined) state.samples.delete(node);
        else state.samples.set(node, sample as Sample);
      },
  );
const ticking = fc.constantFrom(0, 45_000, 75_000, 125_000).map(
  (nowMs): Change =>
    (all, state) => {
      all.tick(nowMs);
      state.nowMs = nowMs;
    },
);

/** One field of a pod that is there: what a kubelet or the lock writer changes. */
const tweakedPod = fc
  .record({
    at: fc.nat(5),
    field: fc.oneof(
      fc.record({ deleting: fc.boolean() }),
      fc.record({ node: maybe(node) }),
      fc.record({ gated: fc.boolean(), pinned: maybe(node) }),
      fc.record({ lock: maybe(fc.constantFrom('l0', 'l1')), slot }),
      fc.record({ startedMs: maybe(fc.constantFrom(500, 50_000)) }),
      fc.record({ done: fc.boolean() }),
    ),
  })
  .map(
    ({ at, field }): Change =>
      (all, state) => {
        const [key, pod] = [...state.objects.Pod][at % Math.max(1, state.objects.Pod.size)] ?? [];
        if (key === undefined || pod === undefined) return;
        all.set('Pod', key, { ...pod, ...field });
        state.objects.Pod.set(key, { ...pod, ...field });
      },
  );

/** One slot of a Lock that is there. */
const tweakedLock = fc
  .record({
    at: fc.nat(3),
    of: fc.nat(2),
    slot: fc.oneof(fc.record({ node }), fc.record({ address: maybe(fc.constantFrom(...ADDRESSES)) })),
  })
  .map(
    ({ at, of, slot }): Change =>
      (all, state) => {
        const [key, lock] = [...state.objects.Lock][at % Math.max(1, state.objects.Lock.size)] ?? [];
        if (key === undefined || lock === undefined || lock.status === undefined) return;
        const slots = lock.status.slots?.map((it, index) => (index === of ? { ...it, ...slot } : it));
        const tweaked = { ...lock, status: { ...lock.status, slots } };
        all.set('Lock', key, tweaked);
        state.objects.Lock.set(key, tweaked);
      },
  );

const change = fc.oneof(
  { arbitrary: tweakedPod, weight: 6 },
  { arbitrary: tweakedLock, weight: 3 },
  { arbitrary: setNode, weight: 4 },
  { arbitrary: setPod, weight: 6 },
  { arbitrary: setLock, weight: 3 },
  { arbitrary: setIPLock, weight: 4 },
  { arbitrary: setPool, weight: 3 },
  setNetwork,
  setNamespace,
  setSpace,
  { arbitrary: promising, weight: 2 },
  releasing,
  sampling,
  ticking,
);

const ASKED: readonly Demand[] = [
  aDemand({ labels: { app: 'x' }, owner: 'feed/x' }),
  aDemand({ namespace: 'ads', labels: { app: 'y' }, owner: 'ads/x', spec: { schedulerName: 'default-scheduler' } }),
  aDemand({
    labels: { app: 'y' },
    spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort: 80 }] }] } as never,
  }),
  aDemand({ spec: { hostNetwork: true, tolerations: [{ operator: 'Exists' }] } }),
];
const SELECTED = [{ key: 'app', operator: 'In' as const, values: ['x'] }];

/** All that an inventory shows, by node. */
function shown(all: Inventory) {
  const by = (node: string) => {
    const row = all.row(node);
    const supply = (name: string) => {
      const { capacity, used } = all.supply(name)!;
      return [
        capacity[row],
        isHad(
          name,
          NODES.filter((node) => all.row(node) !== -1).map((node) => capacity[all.row(node)]!),
        )
          ? used[row]
          : 0,
      ];
    };
    const named = ({ of, names }: { of: Int32Array; names: readonly string[] }) => names[of[row]!];
    const why = (demand: Demand, pools?: string[]) => {
      const { why, limits } = all.eligible(demand, { pools });
      return why[row] === 0 ? 'yes' : limits[why[row]! - 1];
    };
    const free = (demand: Demand) => {
      const { group, sources, free, names, take } = all.addresses(demand);
      if (group[row] === -1) return undefined;
      return Object.fromEntries([...sources[group[row]!]!].map((source) => [names[source], [free[source], take(source, row, 99)]]));
    };
    return {
      supplies: SUPPLIES.map(supply),
      pool: all.pool[row] === -1 ? undefined : all.poolNames[all.pool[row]!],
      rack: named(all.level('rack')),
      zone: named(all.level('zone')),
      disk: named(all.domains('disk')),
      why: ASKED.map((demand) => [why(demand), why(demand, ['web'])]),
      free: ASKED.map(free),
      macs: all.addresses(ASKED[0]!).macs[row],
      locked: ASKED.map((demand) => all.lockedByOthers(demand)[row]),
      matching: NAMESPACES.flatMap((namespace) => [true, false].map((deleting) => all.matching([namespace], SELECTED, { deleting })[row])),
      realUse: all.realUse[row],
    };
  };
  return Object.fromEntries(NODES.filter((node) => all.row(node) !== -1).map((node) => [node, by(node)]));
}

function recounted(state: recount.State): ReturnType<typeof shown> {
  const things = recount.thingsOf(state);
  const named = recount.namedIn(state);
  const by = (node: string) => {
    const { labels } = state.objects.Node.get(node)!;
    const why = (demand: Demand, pools?: string[]) => recount.whyNot(state, things, node, demand, pools);
    const free = (demand: Demand) => {
      const found = recount.freeOf(state, named, node, demand);
      return (
        found && Object.fromEntries(Object.entries(found).map(([name, list]) => [name, [list.length, recount.orderOf(state, node, list)]]))
      );
    };
    return {
      supplies: SUPPLIES.map((name) => [
        recount.capacityOf(state, node, name),
        isHad(
          name,
          nodes.map((node) => recount.capacityOf(state, node, name)),
        )
          ? recount.usedOf(state, things, node, name)
          : 0,
      ]),
      pool: state.objects.HostPool.has(labels['gala.internal/pool'] ?? '') ? labels['gala.internal/pool'] : undefined,
      rack: recount.rackOf(state, node),
      zone: labels['topology.kubernetes.io/zone'],
      disk: labels.disk,
      why: ASKED.map((demand) => [why(demand), why(demand, ['web'])]),
      free: ASKED.map(free),
      macs: recount.macsOf(state, named, node),
      locked: ASKED.map(({ owner }) => {
        const slots = things.filter((it) => it.node === node && it.locked);
        return slots.filter((it) => owner === undefined || it.demand.owner !== owner).length;
      }),
      matching: NAMESPACES.flatMap((namespace) =>
        [true, false].map((deleting) => recount.matchingOf(things, node, namespace, SELECTED, deleting)),
      ),
      realUse: recount.realUseOf(state, node),
    };
  };
  const nodes = NODES.filter((node) => state.objects.Node.has(node));
  return Object.fromEntries(nodes.map((node) => [node, by(node)])) as never;
}

/** Of a resource or space that no node has, nobody keeps what is used: nothing is there to be compared with it. */
const isHad = (supply: string, capacities: readonly number[]) => !supply.includes('/') || capacities.some((capacity) => capacity > 0);

/** A hall as it mostly is, so that most changes meet something. */
function furnish(all: Inventory, state: recount.State): void {
  const put = <K extends keyof Held>(kind: K, key: string, object: Held[K]) => {
    all.set(kind, key, object);
    (state.objects[kind] as Map<string, Held[K]>).set(key, object);
  };
  put('HostPool', 'web', aPool('web', { vlans: VLANS[1], macsPerPort: 8, bandwidth: '25G', racks: { r12: 'r12-[01-02]', r13: 'r13-01' } }));
  for (const name of NODES) put('Node', name, aNode(name, { pool: name === 'other' ? undefined : 'web', zone: 'a' }));
}

const nothing = (): recount.State => ({
  objects: {
    ...{ Node: new Map(), Pod: new Map(), HostPool: new Map(), NodeNetwork: new Map() },
    ...{ Lock: new Map(), IPLock: new Map(), Namespace: new Map(), CSIStorageCapacity: new Map() },
  },
  promises: new Map(),
  samples: new Map(),
  nowMs: 0,
  maxAgeMs: 60_000,
});

test('whatever comes in whatever order, after every change the columns are what a recount of all objects gives', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 24, size: 'max' }), fc.boolean(), (changes, furnished) => {
      const all = inventory();
      const state = nothing();
      if (furnished) furnish(all, state);
      for (const change of changes) {
        change(all, state);
        const [is, should] = [shown(all), recounted(state)];
        // jest's own comparison takes a millisecond, which is most of this test's time.
        if (!isDeepStrictEqual(is, should)) expect(is).toEqual(should);
      }
    }),
    { numRuns: 2_000 },
  );
}, 300_000);
