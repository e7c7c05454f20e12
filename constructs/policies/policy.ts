/**
 * Policies: rules that the API server itself asks of every request (CEL, in its own process: no webhook that could be down).
 * A policy and its binding have one name. A request that a policy cannot judge is refused (failurePolicy Fail), so each
 * looks at as few requests as it can: by resource and operation, then by its match condition.
 *
 * What it costs is decided there. The API server works out every match condition, also after one that is false
 * (webhook/matchconditions/matcher.go): so there is one, an AND that ends at the first thing that is not so. And of a policy that
 * matches it works out every rule and every sentence, refused or not (policy/validating/validator.go): so a policy matches what
 * breaks one of its rules, and no other request gets that far.
 */
import type {
  V1MutatingAdmissionPolicy,
  V1MutatingAdmissionPolicyBinding,
  V1MutatingAdmissionPolicySpec,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
  V1ValidatingAdmissionPolicyBindingSpec,
  V1ValidatingAdmissionPolicySpec,
} from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../../lib/api/manifest.ts';
import { GROUP, VERSION } from '../../lib/api/resource.ts';
import { PHASE } from '../phase.ts';
import { add } from '../platform.ts';

type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** Requests that a policy looks at. */
export interface On {
  readonly operations: readonly Operation[];
  /** Of the core group: `pods`, `pods/status`. */
  readonly core?: readonly string[];
  /** Of Gala's own group: `iplocks`. */
  readonly gala?: readonly string[];
}

interface Policy {
  /** Stable: people look for it by the message that has it. */
  readonly name: string;
  /** What it is for, in words. */
  readonly because: string;
  readonly on: readonly On[];
  /** Only requests for which all of these hold, by name; the cheapest, and those that most often do not, first. CEL without variables. */
  readonly when?: Readonly<Record<string, string>>;
  /** CEL by name, for rules and messages; worked out once a request, when it is first asked for. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** What must hold, and the sentence for whoever is refused: CEL that makes a text. */
export interface Must {
  readonly hold: string;
  readonly orSay: string;
}

/** CEL: an update changes more than metadata. What moves objects to another storage version changes nothing. */
export const CHANGES = '(object.spec != oldObject.spec || object.?status != oldObject.?status)';

/** CEL: an update changes annotations. */
export const ANNOTATES = '(object.metadata.?annotations != oldObject.metadata.?annotations)';

/** Refuses what does not hold, as Forbidden. */
export function addValidatingPolicy(scope: Construct, { must, ...policy }: Policy & { readonly must: readonly Must[] }): void {
  const rules = must.map(({ hold }) => inlined(hold, policy.variables));
  // A match condition knows no namespace (matcher.go passes none).
  const canMatch = !rules.some((rule) => rule.includes('namespaceObject'));
  const when = { ...policy.when, ...(canMatch && { 'breaks-a-rule': `!(${and(rules)})` }) };
  const validations = must.map(({ hold, orSay }) => ({ expression: hold, messageExpression: orSay, reason: 'Forbidden' }));
  addBound(scope, 'Validating', { ...policy, when }, { validations }, { validationActions: ['Deny'] });
}

/** CEL: all of these, a line each, from the first to the first that is not so. */
const and = (all: readonly string[]): string => (all.length === 1 ? all.join() : all.map((one) => `(${one})`).join(' &&\n'));

/** CEL with its variables written out. */
const inlined = (cel: string, variables: Policy['variables'] = {}): string =>
  cel.replace(/\bvariables\.(\w+)/g, (_, name: string) => `(${inlined(variables[name] ?? '', variables)})`);

/**
 * Changes what is asked for before it is judged.
 *
 * By JSONPatch: an ApplyConfiguration may not change a list that is atomic, as tolerations are (policy/mutating/patch/smd.go,
 * validatePatch), and to merge by schema costs the API server more than to write the pod as JSON and read it again.
 * @param policy `patch` is CEL that makes a list of JSONPatch; one list, because each mutation converts the whole object anew
 */
export function addMutatingPolicy(scope: Construct, policy: Policy & { readonly patch: string }): void {
  const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression: policy.patch } }];
  // IfNeeded: once more after a webhook has changed the object, which may be one of ours only then.
  addBound(scope, 'Mutating', policy, { reinvocationPolicy: 'IfNeeded', mutations }, {});
}

type Spec = V1ValidatingAdmissionPolicySpec & V1MutatingAdmissionPolicySpec;

function addBound(
  scope: Construct,
  what: 'Validating' | 'Mutating',
  { name, because, ...policy }: Policy,
  decides: Manifest<Partial<Spec>>,
  follows: Manifest<Partial<V1ValidatingAdmissionPolicyBindingSpec>>,
): void {
  const phase = (scope.node.tryGetContext(PHASE) as string | undefined) ?? 'scheduling';
  const apiVersion = 'admissionregistration.k8s.io/v1';
  add(scope, phase, {
    apiVersion,
    kind: `${what}AdmissionPolicy`,
    metadata: { name, annotations: { [`${BECAUSE}/policy`]: because } },
    spec: { ...match(policy), ...decides },
  } satisfies Manifest<V1ValidatingAdmissionPolicy | V1MutatingAdmissionPolicy>);
  add(scope, phase, {
    apiVersion,
    kind: `${what}AdmissionPolicyBinding`,
    metadata: { name },
    spec: { policyName: name, ...follows },
  } satisfies Manifest<V1ValidatingAdmissionPolicyBinding | V1MutatingAdmissionPolicyBinding>);
}

function match({ on, when = {}, variables = {} }: Omit<Policy, 'name' | 'because'>) {
  const conditions = Object.values(when);
  // Named after what is asked last.
  const name = Object.keys(when).at(-1) ?? '';
  const named = Object.entries(variables).map(([name, expression]) => ({ name, expression }));
  return {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: on.flatMap(rules) },
    ...(conditions.length === 0 ? {} : { matchConditions: [{ name, expression: and(conditions) }] }),
    ...(named.length === 0 ? {} : { variables: named }),
  };
}

function rules({ operations, core = [], gala = [] }: On) {
  return [
    ...(core.length === 0 ? [] : [{ apiGroups: [''], apiVersions: ['v1'], operations, resources: core }]),
    ...(gala.length === 0 ? [] : [{ apiGroups: [GROUP], apiVersions: [VERSION], operations, resources: gala }]),
  ];
}
