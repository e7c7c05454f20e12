/** Placement: tolerations, node affinity and spread constraints that the API server refuses. */
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { type Fields, fields, items, shown, text, texts, within } from '../shape.ts';

export const placementRules = family({
  name: 'placement',
  rules: {
    'toleration-invalid': {
      severity: 'error',
      server: 'refuses',
      reason:
        'The API server refuses a toleration without a key unless its operator is Exists, Exists with a value, and tolerationSeconds for any effect but NoExecute.',
      remedy: 'Name key and effect of the taint; leave the value out with Exists.',
    },
    'node-affinity-invalid': {
      severity: 'error',
      server: 'refuses',
      reason:
        'The API server refuses required node affinity without terms, In and NotIn without values, Exists and DoesNotExist with them, and Gt and Lt without exactly one.',
      remedy: 'Name what the node must have, or leave the affinity out.',
    },
    'spread-twice': {
      severity: 'error',
      server: 'refuses',
      reason: 'Topology spread constraints are told apart by topologyKey and whenUnsatisfiable: the API server refuses two alike.',
      remedy: 'Join the two, or give one of them another key.',
    },
  },
  pod(pod, _cluster, found) {
    for (const { item, index } of items(pod.spec.tolerations)) toleration(item, `${pod.path}.tolerations[${index}]`, found);
    nodeAffinity(pod, found);
    spread(pod, found);
  },
});

type PlacementRule = 'toleration-invalid' | 'node-affinity-invalid' | 'spread-twice';

/** ValidateTolerations in pkg/apis/core/validation. */
function toleration(item: Fields, path: string, found: Found<PlacementRule>): void {
  const { key, operator, value, effect, tolerationSeconds } = item;
  if (text(key) === undefined && operator !== 'Exists')
    found(
      'toleration-invalid',
      `${path}.operator`,
      `operator is ${shown(operator ?? 'Equal')} and key is missing; without a key it is Exists`,
    );
  if (operator === 'Exists' && text(value) !== undefined)
    found('toleration-invalid', `${path}.value`, `value is ${shown(value)} with operator Exists, which takes none`);
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    found('toleration-invalid', `${path}.effect`, `effect is ${shown(effect ?? '')} with tolerationSeconds; it must be NoExecute`);
}

/** A node selector that is no object, or lacks its terms, is a wrong type or a missing field, told by the family `fields`. */
function nodeAffinity({ spec, path }: Pod, found: Found<PlacementRule>): void {
  const at = `${path}.affinity.nodeAffinity`;
  const affinity = within(spec, 'affinity', 'nodeAffinity');
  const { nodeSelectorTerms } = fields(affinity.requiredDuringSchedulingIgnoredDuringExecution);
  const required = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (Array.isArray(nodeSelectorTerms) && nodeSelectorTerms.length === 0)
    found('node-affinity-invalid', required, 'nodeSelectorTerms is empty; at least one is needed');
  for (const { item, index } of items(nodeSelectorTerms)) term(item, `${required}[${index}]`, found);
  for (const { item, index } of items(affinity.preferredDuringSchedulingIgnoredDuringExecution))
    term(fields(item.preference), `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`, found);
}

/** ValidateNodeSelectorRequirement in pkg/apis/core/validation. */
function term(of: Fields, path: string, found: Found<PlacementRule>): void {
  for (const { item, index } of items(of.matchExpressions)) {
    const values = texts(item.values);
    const operator = text(item.operator) ?? '';
    const allowed = Object.hasOwn(VALUES, operator) ? VALUES[operator] : undefined;
    if (allowed === undefined || allowed.fits(values.length)) continue;
    found(
      'node-affinity-invalid',
      `${path}.matchExpressions[${index}].values`,
      `${operator} takes ${allowed.takes}; values is ${shown(item.values ?? [])}`,
    );
  }
}
const SOME = { fits: (count: number) => count > 0, takes: 'one value or more' };
const NO = { fits: (count: number) => count === 0, takes: 'no values' };
const ONE = { fits: (count: number) => count === 1, takes: 'one value' };
const VALUES: Readonly<Record<string, typeof SOME>> = { In: SOME, NotIn: SOME, Exists: NO, DoesNotExist: NO, Gt: ONE, Lt: ONE };

function spread({ spec, path }: Pod, found: Found<PlacementRule>): void {
  const seen = new Set<string>();
  for (const { item, index } of items(spec.topologySpreadConstraints)) {
    const key = `${text(item.topologyKey)}, ${text(item.whenUnsatisfiable)}`;
    if (seen.has(key)) found('spread-twice', `${path}.topologySpreadConstraints[${index}]`, `${key} stands here twice`);
    seen.add(key);
  }
}
