/** Asking: requests to a bed's API server as somebody, of which a test wants to know whether they are let through. */
import type { Answer } from '../../bed/client.ts';
import type { Bed } from '../../bed/control-plane.ts';
import { until } from '../../bed/process.ts';

/** Who asks. */
export interface Who {
  readonly user: string;
  /** @default one that may do everything by RBAC, so that only a policy can refuse */
  readonly group?: string;
  /** The node that the token's pod runs on. */
  readonly node?: string;
}

export const account = (name: string, node?: string): Who => ({ user: `system:serviceaccount:gala-system:${name}`, node });
export const WRITER = account('gala-scheduler');
export const ADMIN: Who = { user: 'ada' };
/** May do everything in namespaces that gave it `aWildcardRole`, and nothing elsewhere. */
export const TENANT: Who = { user: 'tom', group: 'feed' };
export const kubelet = (node: string): Who => ({ user: `system:node:${node}`, group: 'system:nodes' });

/** A Role of one namespace as wide as there is, and who has it. */
export const aWildcardRole = ({ group }: Who, namespace = 'default') => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'everything', namespace },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'everything', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'everything' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  },
];

export type Ask = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<Answer>;

/** Requests as `who`; PATCH is a merge patch. */
export function as(bed: Bed, { user, group = 'system:masters', node }: Who): Ask {
  const headers = {
    'impersonate-user': user,
    'impersonate-group': group,
    ...(node === undefined ? {} : { 'impersonate-extra-authentication.kubernetes.io%2fnode-name': node }),
  };
  return (method, path, body) =>
    bed.request(method, path, body, { ...headers, ...(method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}) });
}

/** The sentence of a policy that refused, without the API server's words around it. */
export function sentence({ status, body }: Answer): string {
  const { message = '' } = body as { message?: string };
  if (status !== 403) return `not refused by a policy: ${status} ${message}`;
  return message.replace(/^.*denied request: /s, '');
}

/** Policies are compiled a moment after they are stored, all that there are by then at once: waits until `sign` shows that they are. */
export const inForce = (sign: () => Promise<boolean>): Promise<void> => until('the policies in force', [], 60, sign);
