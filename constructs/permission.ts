/**
 * Permissions: what a program may do at the API server, rule by rule, each with its reason. Rendered as one ClusterRole for
 * what is cluster-wide and one Role for each namespace; the reason of rule i is the annotation
 * `because.gala.internal/rule.<i>`. A grant of somebody else's role is a binding with its reason.
 */
import type { V1ClusterRole, V1ClusterRoleBinding, V1Role, V1RoleBinding } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../lib/api/manifest.ts';
import type { Nonsense } from './nonsense.ts';
import { add } from './platform.ts';

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'] as const;
const OTHER_VERBS = ['bind', 'escalate', 'impersonate', 'approve', 'sign', 'use', 'attest'] as const;
export type Verb = (typeof VERBS)[number] | (typeof OTHER_VERBS)[number];

/** What a rule is about: one of Gala's kinds (`Lock`, with `subresource: 'status'` beside it), or a resource by name. */
export type Target = { readonly group: string; readonly plural: string } | { readonly group: string; readonly resource: string };

export interface Permission {
  readonly verbs: readonly Verb[];
  /** `Lock`; `{ group: '', resource: 'pods' }` for the core group; `{ group: 'apps', resource: 'daemonsets/status' }`. */
  readonly on: Target;
  /** @default the resource itself */
  readonly subresource?: string;
  /** The namespace it holds in. @default everywhere */
  readonly namespace?: string;
  /** Only objects of these names; `create` and `deletecollection` can't be told names. @default all */
  readonly resourceNames?: readonly string[];
  readonly because: string;
}

/** A role that exists and is not ours: Kubernetes' own, for instance. */
export interface Grant {
  /** A ClusterRole, or with `namespace` the Role of that namespace. */
  readonly role: string;
  /** The namespace of the Role. @default it is a ClusterRole, granted everywhere */
  readonly namespace?: string;
  readonly because: string;
}

/** `pods/status` of group `''`. */
function resourceOf(permission: Permission): string {
  const base = 'plural' in permission.on ? permission.on.plural : permission.on.resource;
  return permission.subresource === undefined ? base : `${base}/${permission.subresource}`;
}

/** One rule of a Role or ClusterRole. */
function rule(permission: Permission) {
  return {
    apiGroups: [permission.on.group],
    resources: [resourceOf(permission)],
    verbs: [...permission.verbs],
    ...(permission.resourceNames === undefined ? {} : { resourceNames: [...permission.resourceNames] }),
  };
}

/** Rules and, under the same number, their reasons: what a Role and a ClusterRole have in common. */
export function rulesWithReasons(permissions: readonly Permission[]) {
  return {
    annotations: Object.fromEntries(permissions.map((permission, index) => [`${BECAUSE}/rule.${index}`, permission.because.trim()])),
    rules: permissions.map(rule),
  };
}

/**
 * Renders what a ServiceAccount may do, into phase `rbac`.
 * @param account its name is also that of its roles and bindings
 */
export function allow(
  scope: Construct,
  account: { readonly name: string; readonly namespace: string },
  may: readonly (Permission | Grant)[],
): void {
  const subjects = [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }];
  const permissions = may.filter((one): one is Permission => 'on' in one);
  for (const [namespace, some] of Map.groupBy(permissions, (permission) => permission.namespace)) {
    const { annotations, rules } = rulesWithReasons(some);
    const kind = namespace === undefined ? 'ClusterRole' : 'Role';
    const metadata = { name: account.name, namespace };
    add(scope, 'rbac', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { ...metadata, annotations },
      rules,
    } satisfies Manifest<V1ClusterRole | V1Role>);
    add(scope, 'rbac', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: account.name },
      subjects,
    } satisfies Manifest<V1ClusterRoleBinding | V1RoleBinding>);
  }
  for (const grant of may.filter((one): one is Grant => 'role' in one)) {
    const kind = grant.namespace === undefined ? 'ClusterRole' : 'Role';
    add(scope, 'rbac', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: `${kind}Binding`,
      metadata: {
        name: `${account.name}.${grant.role.replace(/^system:+/, '')}`,
        namespace: grant.namespace,
        annotations: { [`${BECAUSE}/role`]: grant.because.trim() },
      },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: grant.role },
      subjects,
    } satisfies Manifest<V1ClusterRoleBinding | V1RoleBinding>);
  }
}

/** What is wrong with these permissions: rules that give everything, nothing, or something else than they say. */
export function nonsenseOfPermissions(may: readonly (Permission | Grant)[]): Nonsense[] {
  return may.flatMap((one, index) => {
    const path = `may[${index}]`;
    const found: Nonsense[] = [];
    if (typeof one.because !== 'string' || one.because.trim() === '')
      found.push({
        path: `${path}.because`,
        what: `is ${JSON.stringify(one.because)}`,
        got: one.because,
        allowed: 'every permission has its reason in words',
        remedy: 'Say what the program does with it; if nothing comes to mind, leave the permission out.',
      });
    return 'on' in one ? [...found, ...nonsenseOfRule(one, path)] : found;
  });
}

function nonsenseOfRule(permission: Permission, path: string): Nonsense[] {
  const found: Nonsense[] = [];
  const known: readonly string[] = [...VERBS, ...OTHER_VERBS];
  const strange = permission.verbs.filter((verb) => !known.includes(verb));
  if (permission.verbs.length === 0 || strange.length > 0)
    found.push({
      path: `${path}.verbs`,
      what: `are [${permission.verbs.join(', ')}]`,
      got: permission.verbs,
      allowed: `some of ${known.join(', ')}`,
      remedy: 'Name each verb that the program uses.',
    });
  const resource = resourceOf(permission);
  if (resource.includes('*') || permission.on.group.includes('*') || resource === '')
    found.push({
      path: `${path}.on`,
      what: `is '${resource}' of group '${permission.on.group}'`,
      got: permission.on,
      allowed: 'one resource of one group',
      remedy: 'Name each resource that the program uses.',
    });
  // The API server learns the name of such a request too late (kubernetes.io/docs/reference/access-authn-authz/rbac, "Referring to resources").
  const nameless = permission.verbs.filter((verb) => verb === 'create' || verb === 'deletecollection');
  if (permission.resourceNames !== undefined && nameless.length > 0)
    found.push({
      path: `${path}.resourceNames`,
      what: `would not let ${nameless.join(' and ')} through`,
      got: permission.resourceNames,
      allowed: 'names go with verbs on one existing object',
      remedy: `Give ${nameless.join(' and ')} a permission without resourceNames.`,
    });
  return found;
}
