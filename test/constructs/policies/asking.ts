/** Asking: requests to a bed's API server as somebody, of which a test wants to know whether they are let through. */
import type { Answer } from '../../bed/client.ts';
import type { Bed } from '../../bed/control-plane.ts';
import { until } from '../../bed/process.ts';

/** Who asks. All may do everything by RBAC, so that only a policy can refuse them. */
export interface Who {
  readonly user: string;
  /** The node that the token's pod runs on. */
  readonly node?: string;
}

export const account = (name: string, node?: string): Who => ({ user: `system:serviceaccount:gala-system:${name}`, node });
export const WRITER = account('gala-scheduler');
export const ADMIN: Who = { user: 'ada' };

export type Ask = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<Answer>;

/** Requests as `who`; PATCH is a merge patch. */
export function as(bed: Bed, { user, node }: Who): Ask {
  const headers = {
    'impersonate-user': user,
    'impersonate-group': 'system:masters',
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
export const inForce = (sign: () => Promise<boolean>): Promise<void> => until('the policies in force', [], 30, sign);
