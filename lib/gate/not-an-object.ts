/** The one rule that stands before all families. */
import type { Rule } from './rule.ts';

export const NOT_AN_OBJECT: Rule = {
  id: 'not-an-object',
  family: 'shape',
  severity: 'error',
  server: 'refuses',
  reason: 'Without apiVersion, kind and a name nothing can be applied, found again or pruned.',
  remedy: 'Give it apiVersion, kind and metadata.name; generateName cannot be applied twice.',
};
