/** Admission policies: each looks at requests that exist, decides something, and is bound. CEL itself is the API server's to compile. */
import { BECAUSE, type KubeObject } from '../../api/manifest.ts';
import { type ClusterView, reasons } from '../cluster-view.ts';
import { resourcesOf } from '../fields-table.ts';
import { mayBeNewer } from '../newer.ts';
import { type Found, family } from '../rule.ts';
import { type Fields, fields, items, shown, text, texts, within } from '../shape.ts';
import { resembling } from './resembling.ts';

export const policyRules = family({
  name: 'policies',
  rules: {
    'policy-malformed': {
      severity: 'error',
      server: 'refuses',
      reason:
        'A policy names the requests it looks at and what it decides about them, a binding what follows; the API server refuses one that leaves that out, or says it twice.',
      remedy: 'Say what is missing, or take the second one out.',
    },
    'policy-unbound': {
      severity: 'error',
      server: 'accepts',
      reason: 'A policy that no binding names is asked nothing.',
      remedy: `Render the binding, or say who binds it: annotation ${BECAUSE}/unbound.`,
    },
    'policy-unknown-resource': {
      severity: 'error',
      server: 'accepts',
      reason: 'A policy on a resource that the API group does not have never sees a request.',
      remedy: 'Use the plural, lower-case name as `kubectl api-resources` shows it, and its API group.',
    },
  },
  object(object, cluster, found) {
    const mutates = object.kind.startsWith('Mutating');
    switch (object.kind) {
      case 'ValidatingAdmissionPolicy':
      case 'MutatingAdmissionPolicy':
        return policy(object, mutates, cluster, found);
      case 'ValidatingAdmissionPolicyBinding':
      case 'MutatingAdmissionPolicyBinding':
        return binding(object, mutates, found);
    }
  },
});

type PolicyRule = 'policy-malformed' | 'policy-unbound' | 'policy-unknown-resource';

function binding(object: KubeObject, mutates: boolean, found: Found<PolicyRule>): void {
  const { policyName, validationActions } = within(object, 'spec');
  if (policyName === '') found('policy-malformed', 'spec.policyName', 'policyName is empty');
  if (mutates) return;
  const actions = texts(validationActions);
  if (actions.length === 0) found('policy-malformed', 'spec.validationActions', 'validationActions is empty; Deny refuses');
  twice(actions, 'spec.validationActions', found);
}

function policy(object: KubeObject, mutates: boolean, cluster: ClusterView, found: Found<PolicyRule>): void {
  const spec = within(object, 'spec');
  matches(object, mutates, cluster, found);
  const decides = mutates ? items(spec.mutations) : [...items(spec.validations), ...items(spec.auditAnnotations)];
  if (decides.length === 0)
    found('policy-malformed', mutates ? 'spec.mutations' : 'spec.validations', 'the policy decides nothing: the list is empty or missing');
  if (mutates) {
    if (spec.reinvocationPolicy === undefined)
      found('policy-malformed', 'spec.reinvocationPolicy', 'reinvocationPolicy is missing; Never or IfNeeded');
    for (const { item, index } of decides) mutation(item, `spec.mutations[${index}]`, found);
  }
  for (const list of ['validations', 'matchConditions', 'variables'])
    for (const { item, index } of items(spec[list]))
      if (item.expression === '') found('policy-malformed', `spec.${list}[${index}].expression`, 'expression is empty');
  for (const list of ['matchConditions', 'variables'])
    twice(
      items(spec[list]).map(({ item }) => text(item.name) ?? ''),
      `spec.${list}`,
      found,
    );
  const bound = cluster.ofKind(`${object.kind}Binding`).some((one) => within(one, 'spec').policyName === object.metadata.name);
  if (!bound && !reasons(object.metadata.annotations, BECAUSE).has('unbound'))
    found('policy-unbound', '', `no ${object.kind}Binding of this synth names ${object.metadata.name}`);
}

function mutation(item: Fields, path: string, found: Found<PolicyRule>): void {
  const field = item.patchType === 'ApplyConfiguration' ? 'applyConfiguration' : 'jsonPatch';
  const { expression } = fields(item[field]);
  if (expression === undefined || expression === '')
    found('policy-malformed', `${path}.${field}`, `${field} has no expression; patchType is ${shown(item.patchType)}`);
}

function matches(object: KubeObject, mutates: boolean, cluster: ClusterView, found: Found<PolicyRule>): void {
  const at = 'spec.matchConstraints.resourceRules';
  const rules = items(within(object, 'spec', 'matchConstraints').resourceRules);
  if (rules.length === 0) found('policy-malformed', at, 'resourceRules is empty or missing: the policy looks at no request');
  for (const { item, index } of rules) {
    const path = `${at}[${index}]`;
    for (const list of ['apiGroups', 'apiVersions', 'operations', 'resources']) {
      const names = texts(item[list]);
      // The core group's name is empty.
      if (names.length === 0 || (list !== 'apiGroups' && names.includes('')))
        found('policy-malformed', `${path}.${list}`, `${list} is ${shown(item[list])}; it must name some`);
    }
    // pkg/apis/admissionregistration/validation: what is deleted or connected to has nothing that could be changed.
    if (mutates && texts(item.operations).some((one) => one === 'DELETE' || one === 'CONNECT' || one === '*'))
      found(
        'policy-malformed',
        `${path}.operations`,
        `operations is ${shown(item.operations)}; what changes objects takes CREATE and UPDATE`,
      );
    unknownResources(item, path, cluster, found);
  }
}

function unknownResources(rule: Fields, path: string, cluster: ClusterView, found: Found<PolicyRule>): void {
  const groups = texts(rule.apiGroups);
  const known = groups.flatMap((group) => resourcesIn(group, cluster) ?? []);
  // With a foreign group among them, a resource may be meant for that one.
  if (groups.length === 0 || known.length < groups.length) return;
  texts(rule.resources).forEach((resource, index) => {
    if (resource === '' || resource.includes('*') || known.some((names) => names.has(resource))) return;
    const names = known.flatMap((some) => [...some]);
    const alike = resembling(resource, names);
    found(
      'policy-unknown-resource',
      `${path}.resources[${index}]`,
      `API group ${shown(groups.join(', '))} has no resource ${shown(resource)}`,
      alike === undefined ? mayBeNewer(cluster.context) : { remedy: `Did you mean ${alike}?` },
    );
  });
}

/** Resources of a built-in group, or of one whose CRDs are among the objects; `undefined` for somebody else's. */
function resourcesIn(group: string, cluster: ClusterView): ReadonlySet<string> | undefined {
  const builtIn = resourcesOf(group);
  if (builtIn !== undefined) return builtIn;
  const crds = cluster.ofKind('CustomResourceDefinition').filter((crd) => within(crd, 'spec').group === group);
  if (crds.length === 0) return undefined;
  const plurals = crds.flatMap((crd) => text(within(crd, 'spec', 'names').plural) ?? []);
  return new Set(plurals.flatMap((plural) => [plural, `${plural}/status`, `${plural}/scale`]));
}

/** Lists whose items have keys: two with the same one are refused before anybody looks at them. */
function twice(keys: readonly string[], path: string, found: Found<PolicyRule>): void {
  for (const key of new Set(keys.filter((key, index) => keys.indexOf(key) !== index)))
    found('policy-malformed', path, `${shown(key)} stands here twice`);
}
