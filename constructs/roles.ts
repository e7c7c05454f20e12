/**
 * User roles: what people may do with Gala's kinds (lib/api/user-roles.ts) as ClusterRoles. Two are aggregated into Kubernetes' own
 * view and edit (admin contains edit), so whoever has those has the right ones here; `gala-operator` is bound by hand to the
 * platform's team.
 */
import type { V1ClusterRole } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../lib/api/manifest.ts';
import { type KindOfRole, type RoleRule, userRoles } from '../lib/api/user-roles.ts';
import { rulesWithReasons } from './permission.ts';
import { add } from './platform.ts';

/** @param kinds those that the cluster has: a slice without locks has no roles for them */
export function addUserRoles(scope: Construct, kinds: readonly KindOfRole[]): void {
  const roles = userRoles(kinds);
  role(scope, 'gala-view', { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }, roles['gala-view']);
  role(scope, 'gala-edit', { labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } }, roles['gala-edit']);
  const unbound = { [`${BECAUSE}/unbound`]: "who operates the platform is the site's to say: bind it to that team's group" };
  role(scope, 'gala-operator', { annotations: unbound }, roles['gala-operator']);
}

type Marks = { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };

function role(scope: Construct, name: string, { labels, annotations }: Marks, permissions: readonly RoleRule[]): void {
  if (permissions.length === 0) return;
  const rules = rulesWithReasons(permissions);
  add(scope, 'rbac', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels, annotations: { ...rules.annotations, ...annotations } },
    rules: rules.rules,
  } satisfies Manifest<V1ClusterRole>);
}
