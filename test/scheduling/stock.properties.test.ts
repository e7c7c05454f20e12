import { expect, test } from '@jest/globals';
import type { Inventory } from '../../lib/scheduling/inventory.ts';
import { nodeFacts } from '../../lib/scheduling/node.ts';
import { place } from '../../lib/scheduling/place.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import { brute } from './brute.ts';
import { dice } from './dice.ts';
import { isExact } from './exactness.ts';
import { askOf, inventoryOf, stepsOf } from './inventory-of.ts';
import { randomCluster } from './random-cluster.ts';
import { cases } from './stock-cases.ts';

test('the same objects in any order have the same stock and the same places', () =>
  cases('any order', 1000, ({ objects, question, seed }) => {
    const ask = askOf(question);
    const shuffled = inventoryOf(objects, dice(seed).shuffled);
    const [one, other] = [stock(inventoryOf(objects), ask), stock(shuffled, ask)];
    expect(other).toEqual(one);
    for (const count of [1, one.count, one.count + 1]) expect(place(shuffled, ask, count)).toEqual(place(inventoryOf(objects), ask, count));
  }));

test('an inventory that has followed many changes says what a new one says, and what trying comes to', () =>
  cases('incremental', 500, ({ objects, question, seed }) => {
    const roll = dice(seed);
    const ask = askOf(question);
    // Another cluster of the same names first; then what it is to be, over it, and asked all the while.
    const before = randomCluster(seed + 1, { nodes: [5, 5] });
    const changing = inventoryOf(before, roll.shuffled);
    stock(changing, ask);
    forget(changing, before, objects);
    for (const step of roll.shuffled(stepsOf(objects))) {
      step(changing);
      if (roll.chance(0.2)) stock(changing, ask);
    }
    expect(stock(changing, ask)).toEqual(stock(inventoryOf(objects), ask));
    expect(place(changing, ask, 2)).toEqual(place(inventoryOf(objects), ask, 2));
    if (isExact(changing, ask)) expect(stock(changing, ask).count).toBe(brute(objects, question).largest());
  }));

/** Takes out what the one cluster has and the other has not. */
function forget(from: Inventory, before: ReturnType<typeof randomCluster>, after: ReturnType<typeof randomCluster>): void {
  const keys = ({ nodes, pods, hostPools, nodeNetworks, ipLocks }: typeof before) => ({
    Node: nodes.map((it) => it.metadata!.name!),
    Pod: pods.map((it) => `${it.metadata!.namespace}/${it.metadata!.name}`),
    HostPool: hostPools.map((it) => it.metadata.name),
    NodeNetwork: nodeNetworks.map((it) => it.metadata.name),
    IPLock: ipLocks.map((it) => it.metadata.name),
  });
  const [had, has] = [keys(before), keys(after)];
  for (const kind of ['Node', 'Pod', 'HostPool', 'NodeNetwork', 'IPLock'] as const)
    for (const key of had[kind]) if (!has[kind].includes(key)) from.unset(kind, key);
}

test('what was placed counts at once: slots that are promised leave the rest', () =>
  cases('promised', 1000, ({ objects, question, seed }) => {
    const ask = askOf(question);
    const terrain = inventoryOf(objects);
    const { count } = stock(terrain, ask);
    const some = dice(seed).between(1, count + 1);
    // Partly, because a percentage of fewer slots may be too little for them.
    const placed = place(terrain, ask, some, { allowPartial: true });
    const slots = 'slots' in placed ? placed.slots : [];
    slots.forEach(({ node, address }, slot) => {
      terrain.promise(`feed/lock#${slot}`, { node, demand: ask.demand, address });
    });
    const left = stock(terrain, { ...ask, maxPer: undefined }).count;
    // Pods of one kind repel, draw and balance each other; without such rules and caps, what is left is the rest.
    const { affinity, antiAffinity, spread } = ask.demand;
    const apart = affinity.length + antiAffinity.length + spread.length === 0 && ask.maxPer === undefined;
    if (apart) expect(left).toBe(count - slots.length);
    slots.forEach((_, slot) => {
      terrain.release(`feed/lock#${slot}`);
    });
    expect(stock(terrain, ask)).toEqual(stock(inventoryOf(objects), ask));
  }));

test('concentrate takes no more hosts than any other way would', () => {
  let compared = 0;
  cases('fewest hosts', 1500, ({ objects, question }) => {
    const ask = { ...askOf(question), strategy: 'concentrate' as const, near: undefined, byUse: false };
    const terrain = inventoryOf(objects);
    // Spread constraints say themselves how many hosts it takes; addresses that several hosts share are given to whoever comes first.
    const shares = terrain.addresses(ask.demand).sources.length > 0;
    if (ask.demand.spread.length > 0 || shares || !isExact(terrain, ask)) return;
    const { count } = stock(terrain, ask);
    for (let some = 1; some <= count; some++) {
      const placed = place(terrain, ask, some);
      if (!('slots' in placed)) continue;
      compared++;
      expect(new Set(placed.slots.map(({ node }) => node)).size).toBe(brute(objects, { ...question, near: undefined }).fewestNodes(some));
    }
  });
  expect(compared).toBeGreaterThan(500);
});

test('nodes and pools that share nothing add up to the count, and never to less', () =>
  cases('sums', 1500, ({ objects, question }) => {
    const ask = askOf(question);
    const terrain = inventoryOf(objects);
    const { count, nodes, pools, limits } = stock(terrain, ask);
    const sum = (parts: readonly { readonly fit: number }[]) => parts.reduce((total, { fit }) => total + fit, 0);
    for (const { fit } of [...nodes, ...pools]) expect(fit).toBeLessThanOrEqual(count);
    expect(sum(nodes)).toBeGreaterThanOrEqual(count);
    expect(sum(pools)).toBeGreaterThanOrEqual(count);
    const { spread, antiAffinity, affinity } = ask.demand;
    const alone = spread.length + antiAffinity.length + affinity.length === 0 && ask.maxPer === undefined && !ask.demand.address;
    if (alone) expect([sum(nodes), sum(pools)]).toEqual([count, count]);
    expect(limits.reduce((total, { nodes }) => total + nodes, 0)).toBe(nodes.length);
    expect(pools.reduce((total, { hosts }) => total + hosts, 0)).toBe(nodes.length);
  }));

test('a cordoned node has no room, and its cordon is why', () =>
  cases('cordon', 300, ({ objects, question, seed }) => {
    const ask = askOf(question);
    const terrain = inventoryOf(objects);
    const node = dice(seed).pick(objects.nodes);
    const facts = nodeFacts(node);
    terrain.set('Node', facts.name, { ...facts, unschedulable: true, ready: true, taints: [] });
    const found = stock(terrain, ask).nodes.find((it) => it.node === facts.name);
    if (found !== undefined) expect(found).toEqual({ node: facts.name, fit: 0, limit: 'cordoned' });
  }));
