/**
 * References: what an object names must be rendered with it, stand in every cluster, or be said to be provided by the site
 * (annotation gala.internal/provided, or `existing` in the context).
 */
import type { KubeObject } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { type Fields, fields, items, shown, text, within } from '../shape.ts';

const PROVIDE = 'Render it, correct the name, or say that the site provides it: annotation gala.internal/provided: ';
const facts = (kind: string, consequence: string) => ({
  severity: 'error' as const,
  server: 'accepts' as const,
  reason: `A pod that names a ${kind} which does not exist ${consequence}.`,
  remedy: `${PROVIDE}${kind}/<name>.`,
});

export const referenceRules = family({
  name: 'references',
  rules: {
    'dangling-config-map': facts('ConfigMap', 'never starts'),
    'dangling-secret': {
      severity: 'error',
      server: 'accepts',
      reason: 'A pod that names a Secret which does not exist never starts, and Secrets are not rendered: somebody else must bring it.',
      remedy: 'Mark the reference optional, or say that the site provides it: annotation gala.internal/provided: Secret/<name>.',
    },
    'dangling-service-account': facts('ServiceAccount', 'is never created'),
    'dangling-claim': facts('PersistentVolumeClaim', 'is never scheduled'),
    'dangling-priority-class': facts('PriorityClass', 'is never created'),
    'dangling-key': {
      severity: 'error',
      server: 'accepts',
      reason: 'A pod that reads a key which its ConfigMap does not have never starts.',
      remedy: 'Add the key to the ConfigMap, correct it, or mark the reference optional.',
    },
    'dangling-policy': {
      severity: 'error',
      server: 'accepts',
      reason: 'A binding of an admission policy that does not exist guards nothing.',
      remedy: 'Render the policy, or correct policyName.',
    },
  },
  object(object, cluster, found) {
    if (object.kind === 'ServiceAccount') {
      for (const { item, index } of items(object.imagePullSecrets))
        refer({ kind: 'Secret', name: text(item.name), path: `imagePullSecrets[${index}].name` }, object, cluster, found);
    }
    const policy = /^(Validating|Mutating)AdmissionPolicyBinding$/.exec(object.kind);
    const name = text(within(object, 'spec').policyName);
    if (policy !== null && name !== undefined && !cluster.has(`${policy[1]}AdmissionPolicy`, undefined, name, object)) {
      found('dangling-policy', 'spec.policyName', `${policy[1]}AdmissionPolicy ${shown(name)} is not rendered`);
    }
  },
  pod(pod, cluster, found) {
    for (const reference of ofPod(pod)) refer(reference, pod.owner, cluster, found);
  },
});

const RULE_OF = {
  ConfigMap: 'dangling-config-map',
  Secret: 'dangling-secret',
  ServiceAccount: 'dangling-service-account',
  PersistentVolumeClaim: 'dangling-claim',
  PriorityClass: 'dangling-priority-class',
} as const;
type ReferenceRule = (typeof RULE_OF)[keyof typeof RULE_OF] | 'dangling-key' | 'dangling-policy';

interface Reference {
  readonly kind: keyof typeof RULE_OF;
  readonly name: string | undefined;
  readonly path: string;
  readonly optional?: boolean;
  /** Keys that are read, with the path of each. */
  readonly keys?: readonly (readonly [string | undefined, string])[];
}

function refer({ kind, name, path, optional, keys }: Reference, by: KubeObject, cluster: ClusterView, found: Found<ReferenceRule>): void {
  if (name === undefined || optional === true) return;
  const namespace = kind === 'PriorityClass' ? undefined : by.metadata.namespace;
  if (!cluster.has(kind, namespace, name, by)) {
    found(RULE_OF[kind], path, `${kind} ${shown(name)} is not rendered${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
    return;
  }
  const target = kind === 'ConfigMap' ? cluster.rendered(kind, namespace, name) : undefined;
  if (target === undefined) return;
  for (const [key, at] of keys ?? []) {
    if (key !== undefined && !Object.hasOwn(fields(target.data), key) && !Object.hasOwn(fields(target.binaryData), key)) {
      found(
        'dangling-key',
        at,
        `ConfigMap ${name} has no key ${shown(key)}; it has ${shown([...Object.keys(fields(target.data)), ...Object.keys(fields(target.binaryData))])}`,
      );
    }
  }
}

function* ofPod({ spec, path, containers, volumes }: Pod): Generator<Reference> {
  yield { kind: 'ServiceAccount', name: text(spec.serviceAccountName), path: `${path}.serviceAccountName` };
  yield { kind: 'PriorityClass', name: text(spec.priorityClassName), path: `${path}.priorityClassName` };
  for (const { item, index } of items(spec.imagePullSecrets))
    yield { kind: 'Secret', name: text(item.name), path: `${path}.imagePullSecrets[${index}].name` };
  for (const volume of volumes) yield* ofVolume(volume.spec, volume.path);
  for (const container of containers) {
    for (const { item, index } of items(container.spec.envFrom)) yield* ofEnvFrom(item, `${container.path}.envFrom[${index}]`);
    for (const { item, index } of items(container.spec.env))
      yield* ofEnv(fields(item.valueFrom), `${container.path}.env[${index}].valueFrom`);
  }
}

function* ofVolume(volume: Fields, path: string): Generator<Reference> {
  if (volume.configMap !== undefined) yield mounted('ConfigMap', fields(volume.configMap), 'name', `${path}.configMap`);
  if (volume.secret !== undefined) yield mounted('Secret', fields(volume.secret), 'secretName', `${path}.secret`);
  yield {
    kind: 'PersistentVolumeClaim',
    name: text(fields(volume.persistentVolumeClaim).claimName),
    path: `${path}.persistentVolumeClaim.claimName`,
  };
  for (const { item, index } of items(fields(volume.projected).sources)) {
    const at = `${path}.projected.sources[${index}]`;
    if (item.configMap !== undefined) yield mounted('ConfigMap', fields(item.configMap), 'name', `${at}.configMap`);
    if (item.secret !== undefined) yield mounted('Secret', fields(item.secret), 'name', `${at}.secret`);
  }
}

function mounted(kind: 'ConfigMap' | 'Secret', source: Fields, field: string, path: string): Reference {
  const keys = items(source.items).map(({ item, index }) => [text(item.key), `${path}.items[${index}].key`] as const);
  return { kind, name: text(source[field]), path: `${path}.${field}`, optional: source.optional === true, keys };
}

function* ofEnvFrom({ configMapRef, secretRef }: Fields, path: string): Generator<Reference> {
  yield {
    kind: 'ConfigMap',
    name: text(fields(configMapRef).name),
    path: `${path}.configMapRef.name`,
    optional: fields(configMapRef).optional === true,
  };
  yield {
    kind: 'Secret',
    name: text(fields(secretRef).name),
    path: `${path}.secretRef.name`,
    optional: fields(secretRef).optional === true,
  };
}

function* ofEnv({ configMapKeyRef, secretKeyRef }: Fields, path: string): Generator<Reference> {
  const map = fields(configMapKeyRef);
  yield {
    kind: 'ConfigMap',
    name: text(map.name),
    path: `${path}.configMapKeyRef.name`,
    optional: map.optional === true,
    keys: [[text(map.key), `${path}.configMapKeyRef.key`]],
  };
  const secret = fields(secretKeyRef);
  yield { kind: 'Secret', name: text(secret.name), path: `${path}.secretKeyRef.name`, optional: secret.optional === true };
}
