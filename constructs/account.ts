/** Account: who a workload is at the API server. One ServiceAccount of its own, and what that may do. */
import type { V1ServiceAccount } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import type { Manifest } from '../lib/api/manifest.ts';
import { allow } from './permission.ts';
import { add } from './platform.ts';
import type { Workload } from './workload.ts';

export function addAccount(scope: Construct, { name, namespace, may }: Pick<Workload, 'name' | 'namespace' | 'may'>): void {
  add(scope, 'rbac', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
    // The pods that talk to the API server say so themselves.
    automountServiceAccountToken: false,
  } satisfies Manifest<V1ServiceAccount>);
  allow(scope, { name, namespace }, may);
}
