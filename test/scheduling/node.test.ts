import { expect, test } from '@jest/globals';
import { selectsNode, tolerates, untolerated } from '../../lib/scheduling/node.ts';
import { both } from '../../lib/scheduling/node-terms.ts';
import { meets } from '../../lib/scheduling/requirement.ts';
import type { Requirement, Toleration } from '../../lib/scheduling/types.ts';
import { aNode } from './builders.ts';

const taint = { key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' };

test.each<[boolean, Toleration]>([
  [true, { operator: 'Exists' }],
  [true, { key: 'gala.internal/pool', operator: 'Exists' }],
  [true, { key: 'gala.internal/pool', value: 'web' }],
  [true, { key: 'gala.internal/pool', operator: 'Equal', value: 'web', effect: 'NoSchedule' }],
  [false, { key: 'gala.internal/pool', value: 'ml' }],
  [false, { key: 'gala.internal/pool' }],
  [false, { key: 'gala.internal/pool', operator: 'Exists', effect: 'NoExecute' }],
  [false, { key: 'other', operator: 'Exists' }],
])('a taint is tolerated: %s by %j', (tolerated, toleration) => expect(tolerates([toleration], taint)).toBe(tolerated));

test('numbers in taints are compared where tolerations say so', () => {
  const sla = { key: 'sla', value: '950', effect: 'NoSchedule' };
  expect(tolerates([{ key: 'sla', operator: 'Gt', value: '900' }], sla)).toBe(true);
  expect(tolerates([{ key: 'sla', operator: 'Lt', value: '900' }], sla)).toBe(false);
  expect(tolerates([{ key: 'sla', operator: 'Gt', value: 'much' }], sla)).toBe(false);
});

test('a taint that only prefers keeps nobody away', () => {
  expect(untolerated([{ ...taint, effect: 'PreferNoSchedule' }], [])).toBeUndefined();
  expect(untolerated([{ ...taint, effect: 'NoExecute' }, taint], [{ ...taint, operator: 'Equal' }])).toEqual({
    ...taint,
    effect: 'NoExecute',
  });
});

const labels = { rack: 'r12', cores: '64' };
test.each<[boolean, Requirement]>([
  [true, { key: 'rack', operator: 'In', values: ['r11', 'r12'] }],
  [false, { key: 'rack', operator: 'In', values: ['r11'] }],
  [false, { key: 'zone', operator: 'In', values: [''] }],
  [true, { key: 'zone', operator: 'NotIn', values: ['a'] }],
  [false, { key: 'rack', operator: 'NotIn', values: ['r12'] }],
  [true, { key: 'rack', operator: 'Exists', values: [] }],
  [false, { key: 'constructor', operator: 'Exists', values: [] }],
  [true, { key: '__proto__', operator: 'DoesNotExist', values: [] }],
  [true, { key: 'cores', operator: 'Gt', values: ['32'] }],
  [false, { key: 'cores', operator: 'Gt', values: ['64'] }],
  [true, { key: 'cores', operator: 'Lt', values: ['65'] }],
  [false, { key: 'rack', operator: 'Gt', values: ['1'] }],
  [false, { key: 'zone', operator: 'Lt', values: ['1'] }],
  [false, { key: 'cores', operator: 'Lt', values: ['99999999999999999999'] }],
])('labels rack=r12 cores=64 meet: %s %j', (met, requirement) => expect(meets(requirement, labels)).toBe(met));

test('terms of node affinity are alternatives, and one that asks for nothing takes no node', () => {
  const node = aNode('r12-01', { rack: 'r12' });
  const on = (name: string) => ({ matchExpressions: [], matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [name] }] });
  const none = { matchExpressions: [], matchFields: [] };
  const takes = (nodeTerms: Parameters<typeof both>[0], nodeSelector = {}) => selectsNode({ nodeSelector, nodeTerms }, node);
  expect(takes([])).toBe('yes');
  expect(takes([on('r12-02'), on('r12-01')])).toBe('yes');
  expect(takes([on('r12-02')])).toBe('nodeAffinity');
  expect(takes([none])).toBe('nodeAffinity');
  expect(takes([], { 'gala.internal/rack': 'r13' })).toBe('nodeSelector');
  expect(takes(both([on('r12-01')], [on('r12-02')]))).toBe('nodeAffinity');
  expect(takes(both([on('r12-01'), on('r12-02')], [on('r12-01')]))).toBe('yes');
  expect(takes(both([none], [on('r12-01')]))).toBe('nodeAffinity');
});
