import { expect, test } from '@jest/globals';
import type { Inventory } from '../../lib/scheduling/inventory.ts';
import { inventory } from '../../lib/scheduling/inventory.ts';
import { score } from '../../lib/scheduling/score.ts';
import { aLock, aNode, aPod, aPodManifest, aPool } from './builders.ts';

function aCluster(): Inventory {
  const there = inventory();
  for (const name of ['free', 'half', 'full']) there.set('Node', name, aNode(name, { cpu: 4 }));
  there.set('Node', 'cordoned', aNode('cordoned', { unschedulable: true }));
  there.set('Pod', 'feed/half', aPod({ name: 'half', cpu: 2, node: 'half' }));
  there.set('Pod', 'feed/full', aPod({ name: 'full', cpu: 4, node: 'full' }));
  return there;
}

const scored = (there: Inventory, nodes: string[], cpu: number | string = '200m') =>
  score(there, aPodManifest({ name: 'unlocked', cpu, memory: '1Mi' }), 'feed', nodes);

test('a node gets more points the more is left, 0 to 10', () => {
  expect(scored(aCluster(), ['free', 'half'])).toEqual([{ score: 10 }, { score: 5 }]);
  expect(scored(aCluster(), ['free'], 4)).toEqual([{ score: 0 }]);
});

test('a node without room, or that may not have it, says why', () => {
  const [full, cordoned, unknown] = scored(aCluster(), ['full', 'cordoned', 'unknown']);
  expect(full).toEqual({ reason: 'gala: too little CPU is left', score: 0 });
  expect(cordoned).toEqual({ reason: 'gala: the node is cordoned', score: 0 });
  expect(unknown?.reason).toMatch(/not known/);
});

test('what is locked and not used yet is not there for others', () => {
  const there = aCluster();
  there.set('Lock', 'feed/feed-api', { ...aLock('feed-api', { slots: [{ slot: 0, node: 'free' }] }) });
  expect(scored(there, ['free'], 4)[0]?.reason).toBe('gala: too little CPU is left');
});

test('where pods take an address from Gala, a pod without a slot has none', () => {
  const there = aCluster();
  there.set('HostPool', 'web', aPool('web', { racks: { r12: 'r12-[01-16]' } }));
  there.set('Node', 'r12-01', aNode('r12-01', { pool: 'web', rack: 'r12' }));
  expect(scored(there, ['r12-01'])[0]?.reason).toMatch(/take an address/);
});

test('a pod that can not be read has no room anywhere', () => {
  const [only] = scored(aCluster(), ['free'], 'much');
  expect(only?.reason).toMatch(/can't be read/);
});
