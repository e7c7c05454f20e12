import { expect, test } from '@jest/globals';
import { type Inventory, inventory } from '../../lib/scheduling/inventory.ts';
import { place } from '../../lib/scheduling/place.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import type { Ask } from '../../lib/scheduling/types.ts';
import { aDemand, aNode, anIPLock, aPod, aPool, aVlan } from './builders.ts';
import { slotsOf } from './stock-cases.ts';

const ZONE = 'topology.kubernetes.io/zone';
const ask = (how: Partial<Ask> = {}): Ask => ({ demand: aDemand(), strategy: 'spread', ...how });

/** Nodes of 4 CPUs: the usual pod asks for one. */
function nodes(...all: Parameters<typeof aNode>[]): Inventory {
  const made = inventory();
  for (const node of all) made.set('Node', node[0], aNode(...node));
  return made;
}

/** Hosts of pool web in racks r1 and r2, two each. */
function racked(pool: Parameters<typeof aPool>[1]): Inventory {
  const hosts = ['r1', 'r2'].flatMap((rack) => ['a', 'b'].map((host) => [`${rack}-${host}`, { pool: 'web', rack }] as const));
  const made = nodes(...hosts.map(([name, options]) => [name, options] as Parameters<typeof aNode>));
  made.set('HostPool', 'web', aPool('web', { racks: { r1: 'r1-[a-b]', r2: 'r2-[a-b]' }, ...pool }));
  return made;
}

const perNode = (terrain: Inventory, how: Ask, count: number) => {
  const found: Record<string, number> = {};
  for (const { node } of slotsOf(place(terrain, how, count))) found[node] = (found[node] ?? 0) + 1;
  return found;
};

test('nodes that share nothing add up', () => {
  expect(stock(nodes(['a'], ['b', { cpu: 2 }]), ask())).toEqual({
    count: 6,
    limit: 'cpu',
    nodes: [
      { node: 'a', fit: 4, limit: 'cpu' },
      { node: 'b', fit: 2, limit: 'cpu' },
    ],
    pools: [{ pool: '', hosts: 2, fit: 6, lockedByOthers: 0, limits: [{ limit: 'cpu', nodes: 2 }] }],
    limits: [{ limit: 'cpu', nodes: 2 }],
  });
});

test('tenths of a CPU come out even', () => {
  const terrain = nodes(['a', { cpu: 1 }]);
  for (let pod = 0; pod < 7; pod++) terrain.set('Pod', `feed/p-${pod}`, aPod({ name: `p-${pod}`, cpu: '100m', node: 'a' }));
  expect(stock(terrain, ask({ demand: aDemand({ cpu: '0.1' }) })).count).toBe(3);
});

test('without nodes nothing fits, and that is why', () =>
  expect(stock(inventory(), ask())).toMatchObject({ count: 0, limit: 'noNodes', nodes: [], limits: [] }));

test('what limits the whole is said of nodes that may have such pods, however many may not', () => {
  const tainted = { taints: [{ key: 'dedicated', value: 'ml', effect: 'NoSchedule' }] };
  expect(stock(nodes(['a'], ['b', tainted], ['c', tainted]), ask())).toMatchObject({
    limit: 'cpu',
    limits: [
      { limit: 'taint', nodes: 2 },
      { limit: 'cpu', nodes: 1 },
    ],
  });
  expect(stock(nodes(['b', tainted]), ask())).toMatchObject({ count: 0, limit: 'taint' });
});

test('addresses of a VLAN are given out once, however many hosts it is trunked to', () => {
  const terrain = racked({ vlans: [aVlan(110, 5)] });
  const found = stock(terrain, ask());
  expect(found).toMatchObject({ count: 5, limit: 'addresses', limits: [{ limit: 'addresses', nodes: 4 }] });
  // Each host alone could have as many as its CPUs take.
  expect(found.nodes.map(({ fit }) => fit)).toEqual([4, 4, 4, 4]);
  const addresses = slotsOf(place(terrain, ask(), 5)).map(({ address }) => address);
  expect(addresses).toEqual(['10.110.0.10', '10.110.0.11', '10.110.0.12', '10.110.0.13', '10.110.0.14']);
});

test('hosts that have a VLAN of their own leave the shared one to the others', () => {
  // r2 has VLAN 120 as well: all six addresses are used, and none is stranded.
  const terrain = racked({ vlans: [aVlan(110, 3), aVlan(120, 3, { racks: ['r2'] })] });
  expect(stock(terrain, ask()).count).toBe(6);
  expect(slotsOf(place(terrain, ask(), 6)).filter(({ node, address }) => node.startsWith('r1') && address?.startsWith('10.120'))).toEqual(
    [],
  );
});

test('an address that is Held counts for its owner alone, and goes back to the node that had it', () => {
  const terrain = racked({ vlans: [aVlan(110, 1)] });
  terrain.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { phase: 'Held', node: 'r2-a', owner: 'feed/feed-api' }));
  expect(stock(terrain, ask())).toMatchObject({ count: 0, limit: 'addresses' });
  const own = ask({ demand: aDemand({ owner: 'feed/feed-api' }) });
  expect(place(terrain, own, 1)).toMatchObject({ slots: [{ address: '10.110.0.10' }] });
});

test('a switch port shows so many MAC addresses and no more', () =>
  expect(stock(racked({ vlans: [aVlan(110, 64)], macsPerPort: 3 }), ask())).toMatchObject({ count: 12, limit: 'macsPerPort' }));

test('where somebody else wires the pods no address is needed, and none given', () => {
  const terrain = racked({ vlans: [aVlan(110, 1)], cni: 'calico' });
  expect(stock(terrain, ask())).toMatchObject({ count: 16, limit: 'cpu' });
  expect(slotsOf(place(terrain, ask(), 1))).toEqual([{ node: 'r1-a' }]);
});

test('caps bound their places: a node, a rack of its zone, a zone', () => {
  const terrain = nodes(
    ...['z1', 'z2'].flatMap((zone) => ['r1', 'r2'].map((rack): [string, object] => [`${zone}-${rack}`, { zone, rack, cpu: 8 }])),
  );
  // r1 of z1 and r1 of z2 are two racks.
  expect(stock(terrain, ask({ maxPer: { rack: 3 } }))).toMatchObject({ count: 12, limit: 'maxPer.rack' });
  expect(stock(terrain, ask({ maxPer: { zone: 5 } }))).toMatchObject({ count: 10, limit: 'maxPer.zone' });
  expect(stock(terrain, ask({ maxPer: { zone: 5, rack: 2, node: 9 } }))).toMatchObject({ count: 8, limit: 'maxPer.rack' });
});

test('nodes that do not say their rack count as one', () =>
  expect(stock(nodes(['a'], ['b'], ['c', { rack: 'r1' }]), ask({ maxPer: { rack: 2 } })).count).toBe(4));

test('a percentage is of the slots that the lock gets, rounded up: a smaller number can be refused where a larger is not', () => {
  const terrain = nodes(...['r1', 'r2', 'r3'].map((rack): [string, object] => [rack, { rack, cpu: 64, memory: '256Gi' }]));
  const capped = ask({ maxPer: { rack: '30%' } });
  const fits = (count: number) => 'slots' in place(terrain, capped, count);
  // 30 % of 10 is 3 a rack, which makes 9; of 11 it is 4, which makes 12.
  expect([9, 10, 11, 12].map(fits)).toEqual([true, false, true, true]);
  // 30 % of 27 is 9 a rack; of 28 it is 9, too.
  expect(stock(terrain, capped)).toMatchObject({ count: 27, limit: 'maxPer.rack' });
  expect(fits(27)).toBe(true);
  expect(place(terrain, capped, 28)).toEqual({ refused: 'maxPer.rack', want: 28, found: 27, limits: [{ limit: 'maxPer.rack', nodes: 3 }] });
  expect(slotsOf(place(terrain, capped, 10, { allowPartial: true }))).toHaveLength(9);
});

test('spread is even over datacenters, then zones, racks and nodes', () => {
  const terrain = nodes(
    ['a1', { zone: 'a', rack: 'r1' }],
    ['a2', { zone: 'a', rack: 'r2' }],
    ['a3', { zone: 'a', rack: 'r2' }],
    ['b1', { zone: 'b' }],
  );
  expect(perNode(terrain, ask(), 8)).toEqual({ a1: 2, a2: 1, a3: 1, b1: 4 });
  // b is full: the rest stays even among those that are not.
  expect(perNode(terrain, ask(), 12)).toEqual({ a1: 4, a2: 2, a3: 2, b1: 4 });
});

test('concentrate fills as few hosts as it can, and leaves the large gaps to others', () => {
  const terrain = nodes(['a', { cpu: 2 }], ['b', { cpu: 8 }], ['c', { cpu: 3 }]);
  const full = ask({ strategy: 'concentrate' });
  expect(perNode(terrain, full, 8)).toEqual({ b: 8 });
  expect(perNode(terrain, full, 10)).toEqual({ b: 8, a: 2 });
  expect(perNode(terrain, full, 1)).toEqual({ a: 1 });
});

test('near fills a datacenter first, with either strategy', () => {
  const terrain = nodes(['a', { zone: 'bj-a' }], ['b', { zone: 'bj-b' }], ['c', { zone: 'bj-b' }]);
  for (const strategy of ['spread', 'concentrate'] as const) {
    expect(perNode(terrain, ask({ strategy, near: 'bj-b' }), 8)).toEqual({ b: 4, c: 4 });
    expect(perNode(terrain, ask({ strategy, near: 'bj-b' }), 9)).toEqual({ a: 1, b: 4, c: 4 });
  }
});

test('among equals the least promised node comes first; by use, the least used', () => {
  const terrain = nodes(['a'], ['b']);
  terrain.set('Pod', 'ads/there', aPod({ namespace: 'ads', name: 'there', node: 'a', cpu: '500m' }));
  terrain.sample('a', { cpu: 0.1, memory: 0, atMs: 0 });
  terrain.sample('b', { cpu: 3, memory: 0, atMs: 0 });
  expect(perNode(terrain, ask(), 1)).toEqual({ b: 1 });
  expect(perNode(terrain, ask({ byUse: true }), 1)).toEqual({ a: 1 });
  expect(perNode(terrain, ask({ byUse: true, strategy: 'concentrate' }), 1)).toEqual({ b: 1 });
});

test('one pod finds the least promised node that takes it, however many that are less promised do not', () => {
  const name = (at: number) => `n-${String(at).padStart(3, '0')}`;
  const terrain = nodes(...Array.from({ length: 200 }, (_, at): [string, object] => [name(at), at < 150 ? { pods: 0 } : {}]));
  for (let at = 150; at < 200; at++)
    terrain.set('Pod', `ads/p-${at}`, aPod({ namespace: 'ads', name: `p-${at}`, node: name(at), cpu: `${2000 - 2 * at}m` }));
  expect(perNode(terrain, ask(), 1)).toEqual({ 'n-199': 1 });
  expect(place(terrain, ask({ demand: aDemand({ cpu: 4 }) }), 1)).toMatchObject({ refused: 'pods', found: 0 });
});

test('a pool that was not asked for is not looked at', () => {
  const terrain = racked({ vlans: [aVlan(110, 64)] });
  terrain.set('Node', 'other', aNode('other'));
  expect(stock(terrain, ask({ pools: ['web'] }))).toMatchObject({ count: 16, pools: [{ pool: 'web', hosts: 4, fit: 16 }] });
  expect(stock(terrain, ask()).pools.map(({ pool, fit }) => [pool, fit])).toEqual([
    ['', 4],
    ['web', 16],
  ]);
  expect(stock(terrain, ask({ pools: ['nobody'] }))).toMatchObject({ count: 0, limit: 'noNodes' });
});

const selecting = { labelSelector: { matchLabels: { app: 'web' } } };
const required = (kind: string, topologyKey: string) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...selecting }] } },
});
const web = (spec: object) => ask({ demand: aDemand({ labels: { app: 'web' }, spec }) });

test('topology spread lets a zone get so far ahead of the emptiest one, and slots come in an order that keeps to it', () => {
  const terrain = nodes(['a', { zone: 'a', cpu: 8 }], ['b', { zone: 'b', cpu: 2 }]);
  const constraint = { topologyKey: ZONE, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...selecting };
  const even = web({ topologySpreadConstraints: [constraint] });
  expect(stock(terrain, even)).toMatchObject({
    count: 5,
    nodes: [
      { node: 'a', fit: 3, limit: 'spread' },
      { node: 'b', fit: 2, limit: 'cpu' },
    ],
  });
  const concentrated = slotsOf(place(terrain, { ...even, strategy: 'concentrate' }, 5)).map(({ node }) => node);
  expect(concentrated).toEqual(['b', 'a', 'a', 'b', 'a']);
});

test('pods that repel their own kind have a domain each', () => {
  const terrain = nodes(['a', { zone: 'a' }], ['b', { zone: 'a' }], ['c', { zone: 'c' }], ['d']);
  // d is in no zone, and nobody's neighbour.
  expect(stock(terrain, web(required('podAntiAffinity', ZONE)))).toMatchObject({ count: 6, limit: 'antiAffinity' });
  terrain.set('Pod', 'feed/there', aPod({ name: 'there', node: 'c', labels: { app: 'web' } }));
  expect(stock(terrain, web(required('podAntiAffinity', ZONE))).nodes.map(({ fit }) => fit)).toEqual([1, 1, 0, 4]);
});

test('the first pod of a kind that wants to be together goes where most of them fit, and the others follow', () => {
  const terrain = nodes(['a', { zone: 'a' }], ['b', { zone: 'b' }], ['c', { zone: 'b' }]);
  const together = web(required('podAffinity', ZONE));
  expect(stock(terrain, together)).toMatchObject({ count: 8, nodes: [{ fit: 0, limit: 'affinity' }, { fit: 4 }, { fit: 4 }] });
  expect(perNode(terrain, together, 8)).toEqual({ b: 4, c: 4 });
  terrain.set('Pod', 'feed/there', aPod({ name: 'there', node: 'a', labels: { app: 'web' } }));
  expect(stock(terrain, together).count).toBe(3);
});

test('a port of the host is one pod’s', () => {
  const ports = [{ containerPort: 80, hostPort: 80 }];
  const container = { name: 'main', image: 'web:1', resources: { requests: { cpu: '1' } }, ports };
  expect(stock(nodes(['a'], ['b']), web({ containers: [container] }))).toMatchObject({ count: 2, limit: 'hostPorts' });
});

test('what a count cannot be is said', () => {
  for (const count of [-1, 0.5, Number.NaN])
    expect(() => place(nodes(['a']), ask(), count)).toThrow(`count is ${count}; it is a whole number`);
  expect(() => stock(nodes(['a']), ask({ maxPer: { rack: 'half' } }))).toThrow(
    "maxPer is 'half'; a cap is a number of slots, or a percentage",
  );
  expect(place(nodes(['a']), ask(), 0)).toEqual({ slots: [] });
});
