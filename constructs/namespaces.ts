/** Namespaces: Gala's own, with the Pod Security levels that its pods need, and why. */
import type { V1Namespace } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../lib/api/manifest.ts';
import { add, Platform, SYSTEM_NAMESPACE } from './platform.ts';

/**
 * `gala-system`. Comes before every object in it: kubectl creates the objects of a file in their order.
 */
export function addNamespaces(scope: Construct): void {
  const { kubernetes } = Platform.of(scope).cluster;
  add(scope, 'rbac', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: SYSTEM_NAMESPACE,
      labels: {
        'pod-security.kubernetes.io/enforce': 'privileged',
        // Every apply of every agent would be answered with a warning that nobody can act on.
        'pod-security.kubernetes.io/warn': 'privileged',
        // The audit log still tells what goes beyond, by the rules of this minor.
        'pod-security.kubernetes.io/audit': 'restricted',
        'pod-security.kubernetes.io/audit-version': `v${kubernetes}`,
      },
      annotations: {
        [`${BECAUSE}/pod-security`]:
          "node agents and programs run on the host's network, which both stricter levels forbid; what each pod has beyond it stands in its own annotations",
      },
    },
  } satisfies Manifest<V1Namespace>);
}
