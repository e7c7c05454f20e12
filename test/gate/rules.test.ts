import { describe, expect, test } from '@jest/globals';
import { findingLine, gate } from '../../lib/gate/gate.ts';
import { rules } from '../../lib/gate/registry.ts';
import { aCluster, CONTEXT } from './builders.ts';
import { samples } from './samples.ts';

test('the gate is silent on a good cluster, whatever its minor and services', () => {
  for (const kubernetes of ['1.35', '1.36', '1.37'] as const) {
    for (const services of ['none', 'kube-proxy'] as const) expect(gate(aCluster(), { kubernetes, services }).map(findingLine)).toEqual([]);
  }
});

test('every rule has a bad sample, and every sample belongs to a rule', () => {
  expect(Object.keys(samples).sort()).toEqual(rules.map(({ id }) => id).sort());
});

test('rule ids are unique, and reasons and remedies are sentences', () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id, reason, remedy } of rules) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(reason).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  }
});

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, { severity }) => {
  test.each((samples[id] ?? []).map((sample) => [sample.path, sample] as const))(
    'fires at %s, and nothing else does',
    (path, { inputs, context = CONTEXT }) => {
      expect(gate(inputs, context).map(({ rule, path, severity }) => ({ rule, path, severity }))).toEqual([{ rule: id, path, severity }]);
    },
  );
});
