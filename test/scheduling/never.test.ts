import { expect, test } from '@jest/globals';
import type { Inventory } from '../../lib/scheduling/inventory.ts';
import { inventory } from '../../lib/scheduling/inventory.ts';
import { whyNever } from '../../lib/scheduling/never.ts';
import type { NodeFacts } from '../../lib/scheduling/node.ts';
import { aDemand, aNode, aPool, GIB } from './builders.ts';

function withNodes(...nodes: NodeFacts[]): Inventory {
  const there = inventory();
  for (const node of nodes) there.set('Node', node.name, node);
  return there;
}

test('a pod that fits an empty node somewhere is not one that never fits', () => {
  const there = withNodes(aNode('small', { cpu: 1 }), aNode('large', { cpu: 64 }));
  expect(whyNever(there, { demand: aDemand({ cpu: '2' }) })).toBeUndefined();
});

test('what passes by itself is no reason for never', () => {
  const there = withNodes(aNode('down', { ready: false }), aNode('cordoned', { unschedulable: true }));
  expect(whyNever(there, { demand: aDemand({ cpu: '2' }) })).toBeUndefined();
});

test('a pod larger than every node never fits: by the supply, with what it asks and what the largest has', () => {
  const there = withNodes(aNode('a', { cpu: 4 }), aNode('b', { cpu: 8 }), aNode('c', { cpu: 64, memory: '1Gi' }));
  expect(whyNever(there, { demand: aDemand({ cpu: '16', memory: '4Gi' }) })).toEqual([
    { limit: 'cpu', nodes: 2, asks: 16, most: 8 },
    { limit: 'memory', nodes: 1, asks: 4 * GIB, most: GIB },
  ]);
});

test('a selector, a taint and a resource that no node has are reasons', () => {
  const there = withNodes(
    aNode('a', { labels: { disk: 'hdd' } }),
    aNode('b', { taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }] }),
  );
  expect(whyNever(there, { demand: aDemand({ spec: { nodeSelector: { disk: 'ssd' } } }) })).toEqual([
    { limit: 'nodeSelector', nodes: 1 },
    { limit: 'taint', nodes: 1 },
  ]);
  expect(
    whyNever(there, {
      demand: aDemand({
        spec: { containers: [{ name: 'main', resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } }] },
      }),
    })?.map(({ limit }) => limit),
  ).toEqual(['example.com/gpu', 'taint']);
});

test('nodes of other pools than those that are asked for never count', () => {
  const there = withNodes(aNode('a', { pool: 'web' }), aNode('b'));
  there.set('HostPool', 'web', aPool('web'));
  expect(whyNever(there, { demand: aDemand(), pools: ['ml'] })).toEqual([{ limit: 'pool', nodes: 2 }]);
  expect(whyNever(there, { demand: aDemand(), pools: ['web'] })).toBeUndefined();
});

test('of a cluster without nodes nothing is said', () => {
  expect(whyNever(withNodes(), { demand: aDemand({ cpu: '2' }) })).toBeUndefined();
});
