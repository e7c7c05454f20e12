import { expect, test } from '@jest/globals';
import { LIMITS } from '../../lib/scheduling/inventory/suitability.ts';
import { NO_NODES } from '../../lib/scheduling/placing/limits.ts';
import { LEVELS } from '../../lib/scheduling/types.ts';
import { whyOf } from '../../lib/scheduling/why.ts';

const SUPPLIES = ['cpu', 'memory', 'ephemeral-storage', 'pods', 'egress', 'ingress', 'storage/gala-log', 'nvidia.com/gpu'];
const RULES = [...LIMITS, 'addresses', 'macsPerPort', 'affinity', 'spread', NO_NODES, ...LEVELS.map((level) => `maxPer.${level}`)];

test.each([...new Set([...SUPPLIES, ...RULES])])('%s has a word for programs, a sentence and what to do', (limit) => {
  const { reason, sentence, remedy } = whyOf(limit);
  expect(reason).toMatch(/^[A-Z][A-Za-z0-9]{2,62}$/);
  expect(sentence).toMatch(/^[a-z].*[a-z)]$/i);
  expect(remedy).toMatch(/^[a-z].*\.$/i);
});

test('no two rules share a word', () => {
  const words = [...new Set(RULES)].map((limit) => whyOf(limit).reason);
  expect(new Set(words).size).toBe(words.length);
});

test('an extended resource keeps its name, as far as a word can', () => {
  expect(whyOf('nvidia.com/gpu')).toMatchObject({ reason: 'NoNvidiaComGpu', sentence: 'too little nvidia.com/gpu is left' });
});
