/** All rules. A new family joins here; its rules then appear in docs/gate.md and need a bad sample in test/gate. */
import { NOT_AN_OBJECT } from './not-an-object.ts';
import type { Family, Rule } from './rule.ts';
import { agentRules } from './rules/agents.ts';
import { containerRules } from './rules/containers.ts';
import { fieldRules } from './rules/fields.ts';
import { hostPortRules } from './rules/host-ports.ts';
import { imageRules } from './rules/images.ts';
import { limitRules } from './rules/limits.ts';
import { lostRules } from './rules/lost.ts';
import { nameRules } from './rules/names.ts';
import { placementRules } from './rules/placement.ts';
import { plainTextRules } from './rules/plain-text.ts';
import { policyRules } from './rules/policies.ts';
import { privilegeRules } from './rules/privileges.ts';
import { rbacRules } from './rules/rbac.ts';
import { referenceRules } from './rules/references.ts';
import { rolloutRules } from './rules/rollout.ts';
import { scopeRules } from './rules/scope.ts';
import { selectorRules } from './rules/selectors.ts';
import { serviceRules } from './rules/services.ts';
import { sizeRules } from './rules/sizes.ts';

export const families: readonly Family[] = [
  fieldRules,
  lostRules,
  nameRules,
  scopeRules,
  selectorRules,
  containerRules,
  limitRules,
  imageRules,
  referenceRules,
  rbacRules,
  policyRules,
  privilegeRules,
  agentRules,
  rolloutRules,
  hostPortRules,
  placementRules,
  serviceRules,
  sizeRules,
  plainTextRules,
];

/** Every rule of the gate, in the order of the docs. */
export const rules: readonly Rule[] = [
  NOT_AN_OBJECT,
  ...families.flatMap(({ name, rules }) => Object.entries(rules).map(([id, facts]) => ({ id, family: name, ...facts }))),
];
