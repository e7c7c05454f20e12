/**
 * What launching instances takes beside keeping their ENIs: rights of `gala cloud`, each with its reason, the user data that it launches
 * with, and where pools join by bootstrap tokens, what such a token may do.
 */
import type { V1ClusterRoleBinding, V1ConfigMap } from '@kubernetes/client-node';
import { Lazy } from 'cdk8s';
import type { Construct } from 'constructs';
import { BOOTSTRAP_GROUP, LAUNCH_KEY_SECRET, USER_DATA_CONFIGMAP } from '../../lib/api/cloud.ts';
import type { Cluster } from '../../lib/api/cluster.ts';
import { IPLock } from '../../lib/api/kinds.ts';
import { BECAUSE, type KubeObject, type Manifest } from '../../lib/api/manifest.ts';
import { SYSTEM_NAMESPACE } from '../../lib/api/scheduling.ts';
import { userData } from '../hosts.ts';
import type { Permission } from '../permission.ts';
import { add, Platform } from '../platform.ts';
import { by, CLOUD } from '../policies/accounts.ts';
import { addValidatingPolicy } from '../policies/policy.ts';

type Pools = Pick<Cluster, 'ec2Pools' | 'existing' | 'options'>;

/** Whether `gala cloud` launches and ends instances: not where somebody else does (`existing.nodes`), or where it is told to leave them. */
export function managesInstances({ ec2Pools, existing, options }: Pools): boolean {
  const { instances } = (options.cloud ?? {}) as { readonly instances?: 'manage' | 'leave' };
  return ec2Pools.length > 0 && (instances ?? (existing.nodes === undefined ? 'manage' : 'leave')) === 'manage';
}

const joinsByToken = ({ ec2Pools }: Pools): boolean => ec2Pools.some(({ join }) => join.bootstrap === true);
const joinsEks = ({ ec2Pools }: Pools): boolean => ec2Pools.some(({ join }) => join.eks !== undefined);

const core = (resource: string) => ({ group: '', resource });
const certificates = (resource: string) => ({ group: 'certificates.k8s.io', resource });

const ALWAYS: readonly Permission[] = [
  {
    verbs: ['patch', 'delete'],
    on: core('nodes'),
    because: 'it cordons a Node whose instance is to go, and deletes one whose instance is gone',
  },
  { verbs: ['list'], on: core('pods'), because: 'an instance is terminated only when no pod that is to be evicted is left on its Node' },
  { verbs: ['create'], on: core('pods/eviction'), because: 'it drains by evictions, which disruption budgets may hold' },
  {
    verbs: ['patch'],
    on: IPLock,
    because: 'EC2 says that a machine is off: its addresses are told, as `gala fence` does, before its Node is gone',
  },
  {
    verbs: ['create', 'patch'],
    on: { group: 'events.k8s.io', resource: 'events' },
    because: 'what was launched, drained, refused or short stands in the events of the HostPool',
  },
  {
    verbs: ['get'],
    on: core('configmaps'),
    namespace: SYSTEM_NAMESPACE,
    resourceNames: [USER_DATA_CONFIGMAP],
    because: 'it launches with the user data that synth rendered',
  },
  {
    verbs: ['get'],
    on: core('configmaps'),
    namespace: 'kube-system',
    resourceNames: ['kube-root-ca.crt'],
    because: "user data names the cluster's certificate authority",
  },
];

const EKS: readonly Permission[] = [
  {
    verbs: ['get'],
    on: { group: 'networking.k8s.io', resource: 'servicecidrs' },
    resourceNames: ['kubernetes'],
    because: 'user data for nodeadm names the Service CIDR',
  },
];

const TOKENS: readonly Permission[] = [
  {
    verbs: ['create', 'delete'],
    on: core('secrets'),
    namespace: 'kube-system',
    because:
      'a bootstrap token for each launch, deleted when its instance has joined; it can read none, and the policy gala-cloud-tokens keeps it to these',
  },
  {
    verbs: ['get'],
    on: core('secrets'),
    namespace: SYSTEM_NAMESPACE,
    resourceNames: [LAUNCH_KEY_SECRET],
    because: 'the key that bootstrap tokens are worked out of, so that a launch asked for again has the same one',
  },
  {
    verbs: ['create'],
    on: core('secrets'),
    namespace: SYSTEM_NAMESPACE,
    because: `the first one makes ${LAUNCH_KEY_SECRET}; \`create\` can't be limited to a name`,
  },
  {
    verbs: ['get', 'list', 'watch'],
    on: certificates('certificatesigningrequests'),
    because: 'kubelets of launched instances ask for certificates',
  },
  {
    verbs: ['update'],
    on: certificates('certificatesigningrequests/approval'),
    because: 'it approves those that name an instance which EC2 shows, by the token of its launch or by that node itself',
  },
  {
    verbs: ['approve'],
    on: certificates('signers'),
    resourceNames: ['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'],
    because: "kubelets' client and serving certificates are of these two signers, and no others are approved",
  },
];

export const instancesMay = (cluster: Pools): readonly Permission[] => [
  ...ALWAYS,
  ...(joinsEks(cluster) ? EKS : []),
  ...(joinsByToken(cluster) ? TOKENS : []),
];

export function addInstances(scope: Construct): void {
  const platform = Platform.of(scope);
  const { cluster } = platform;
  add(scope, 'network', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: USER_DATA_CONFIGMAP, namespace: SYSTEM_NAMESPACE },
    // Worked out when it is written: how many pods a node runs depends on all agents, whatever renders them.
    data: Lazy.any({
      produce: () => {
        const agents = platform.objects.filter(({ kind }) => kind === 'DaemonSet').map((each) => each.toJson() as KubeObject);
        return userData(cluster, agents);
      },
    }) as Record<string, string>,
  } satisfies Manifest<V1ConfigMap>);
  if (!joinsByToken(cluster)) return;
  add(scope, 'rbac', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: {
      name: 'gala-bootstrap',
      annotations: {
        [`${BECAUSE}/role`]: 'an instance that was just launched asks for its first certificate; gala cloud approves it, or nobody does',
      },
    },
    // Kubernetes' own role: create, get, list and watch CSRs.
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: BOOTSTRAP_GROUP }],
  } satisfies Manifest<V1ClusterRoleBinding>);
  addValidatingPolicy(scope, {
    name: 'gala-cloud-tokens',
    because: 'RBAC knows no name that begins in a certain way: what gala cloud may make and delete in kube-system are bootstrap tokens',
    on: [{ operations: ['CREATE', 'DELETE'], core: ['secrets'] }],
    when: { 'by-gala-cloud': `request.namespace == 'kube-system' && ${by(CLOUD)}` },
    variables: { secret: "request.operation == 'DELETE' ? oldObject : object" },
    must: [
      {
        hold: "variables.secret.type == 'bootstrap.kubernetes.io/token' && variables.secret.metadata.name.startsWith('bootstrap-token-')",
        orSay: `request.userInfo.username + ' may not ' + request.operation.lowerAscii() + ' Secret kube-system/' + variables.secret.metadata.name + ': it makes and deletes bootstrap tokens, and touches no other Secret.'`,
      },
    ],
  });
}
