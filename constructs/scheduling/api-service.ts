/**
 * How callers find the stock and lock API: a headless Service, whose EndpointSlices name the hosts that it runs on. No cluster IP,
 * so it works without kube-proxy and from outside the pod network; replicas that are not ready are left out, which is the default.
 */
import type { V1Role, V1RoleBinding, V1Service } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../../lib/api/manifest.ts';
import { API_CA, API_PORT, API_PORT_NAME, API_SERVICE, SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import { rulesWithReasons } from '../permission.ts';
import { PHASE } from '../phase.ts';
import { add, SYSTEM_NAMESPACE as namespace } from '../platform.ts';
import { selectorOf } from '../pod.ts';

const RBAC = 'rbac.authorization.k8s.io';

export function addApiService(scope: Construct): void {
  add(scope, (scope.node.tryGetContext(PHASE) as string | undefined) ?? 'scheduling', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: API_SERVICE, namespace },
    spec: {
      clusterIP: 'None',
      selector: selectorOf(SCHEDULER_NAME),
      ports: [{ name: API_PORT_NAME, port: API_PORT, targetPort: API_PORT, protocol: 'TCP' }],
    },
  } satisfies Manifest<V1Service>);
  addFinders(scope);
}

/** Where the API is and whom to trust is no secret: what somebody may do there is asked of the API server, call by call. */
function addFinders(scope: Construct): void {
  const name = 'gala-api-caller';
  const { annotations, rules } = rulesWithReasons([
    {
      verbs: ['get', 'list'],
      on: { group: 'discovery.k8s.io', resource: 'endpointslices' },
      because: 'callers look there for the hosts of the API',
    },
    {
      verbs: ['get'],
      on: { group: '', resource: 'configmaps' },
      resourceNames: [API_CA],
      because: 'callers trust the authority that stands there',
    },
  ]);
  add(scope, 'rbac', {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name, namespace, annotations },
    rules,
  } satisfies Manifest<V1Role>);
  add(scope, 'rbac', {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: {
      name,
      namespace,
      annotations: {
        [`${BECAUSE}/subject.0`]: 'pipelines of any namespace call the API; what they may do there is asked of the API server',
      },
    },
    roleRef: { apiGroup: RBAC, kind: 'Role', name },
    subjects: [{ apiGroup: RBAC, kind: 'Group', name: 'system:authenticated' }],
  } satisfies Manifest<V1RoleBinding>);
}
