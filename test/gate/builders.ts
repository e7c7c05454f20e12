/**
 * Objects that the gate has nothing to say about, each changed in one place by a test.
 * A builder hides all but what matters: `aDaemonSet((d) => { … })` hands out a fresh object to change.
 */
import type { GateContext, GateInput } from '../../lib/gate/finding.ts';

/** Loose on purpose: tests plant what the types forbid. */
// biome-ignore lint/suspicious/noExplicitAny: bad samples are what the types forbid
export type Any = any;
export type Change = (object: Any) => void;

export const CONTEXT: GateContext = { services: 'none', kubernetes: '1.36' };
export const NAMESPACE = 'gala-system';

function changed(object: Any, change?: Change): Any {
  change?.(object);
  return object;
}

const LABELS = { 'app.kubernetes.io/name': 'gala-cni', 'app.kubernetes.io/part-of': 'gala' };

export const aNamespace = (change?: Change): Any => changed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, change);

/** An agent on the host's network, with every privilege it uses written down. */
export const aDaemonSet = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'gala-cni', namespace: NAMESPACE, labels: { ...LABELS } },
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/name': 'gala-cni' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
        template: {
          metadata: {
            labels: { ...LABELS },
            annotations: {
              'because.gala.internal/host-network': "it wires the host's links",
              'because.gala.internal/capability.NET_ADMIN': 'it creates VLAN sub-interfaces',
              'because.gala.internal/host-path.run': 'the shim finds its socket there',
            },
          },
          spec: {
            hostNetwork: true,
            serviceAccountName: 'gala-cni',
            priorityClassName: 'system-node-critical',
            volumes: [
              { name: 'run', hostPath: { path: '/run/gala', type: 'DirectoryOrCreate' } },
              { name: 'config', configMap: { name: 'gala-cni', items: [{ key: 'agent.json', path: 'agent.json' }] } },
            ],
            containers: [
              {
                name: 'agent',
                image: 'harbor.bj.intra/gala/gala:0.1.0',
                env: [{ name: 'KUBERNETES_SERVICE_HOST', value: '10.8.0.10' }],
                ports: [{ name: 'metrics', containerPort: 9811 }],
                readinessProbe: { httpGet: { path: '/ready', port: 'metrics' } },
                resources: { requests: { cpu: '20m', memory: '48Mi' }, limits: { memory: '96Mi' } },
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
                volumeMounts: [
                  { name: 'run', mountPath: '/run/gala' },
                  { name: 'config', mountPath: '/etc/gala' },
                ],
              },
            ],
          },
        },
      },
    },
    change,
  );

export const aConfigMap = (change?: Change): Any =>
  changed(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'gala-cni', namespace: NAMESPACE }, data: { 'agent.json': '{}' } },
    change,
  );

export const aServiceAccount = (change?: Change): Any =>
  changed({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'gala-cni', namespace: NAMESPACE } }, change);

export const aClusterRole = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'gala-cni', annotations: { 'because.gala.internal/rule.0': 'it learns which address a pod has' } },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    change,
  );

export const aClusterRoleBinding = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'gala-cni' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gala-cni' },
      subjects: [{ kind: 'ServiceAccount', name: 'gala-cni', namespace: NAMESPACE }],
    },
    change,
  );

/** A program on the pod network: two replicas behind a headless Service. */
export const aDeployment = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'feed-api', namespace: NAMESPACE },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'feed-api' } },
        template: {
          metadata: { labels: { app: 'feed-api' } },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                name: 'api',
                image: 'harbor.bj.intra/feed/api:1188',
                ports: [{ name: 'http', containerPort: 8080 }],
                env: [{ name: 'PEERS', value: 'http://feed-api:8080' }],
              },
            ],
          },
        },
      },
    },
    change,
  );

export const aService = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'feed-api', namespace: NAMESPACE },
      spec: { clusterIP: 'None', selector: { app: 'feed-api' }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] },
    },
    change,
  );

export const aBudget = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'feed-api', namespace: NAMESPACE },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'feed-api' } } },
    },
    change,
  );

export const aPolicy = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'gala-slots' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods', 'pods/status'] }],
        },
        matchConditions: [{ name: 'not-by-nodes', expression: "!('system:nodes' in request.userInfo.groups)" }],
        variables: [{ name: 'labels', expression: 'object.metadata.?labels.orValue({})' }],
        validations: [{ expression: 'variables.labels == oldObject.metadata.?labels.orValue({})', reason: 'Forbidden' }],
      },
    },
    change,
  );

export const aPolicyBinding = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'gala-slots' },
      spec: { policyName: 'gala-slots', validationActions: ['Deny'] },
    },
    change,
  );

/** With its binding: the good cluster has none, because 1.35 does not serve it. */
export const aMutatingPolicy = (change?: Change): Any[] => [
  changed(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'gala-gate' },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'IfNeeded',
        matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/spec/nodeSelector'}]" } }],
      },
    },
    change,
  ),
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'gala-gate' },
    spec: { policyName: 'gala-gate' },
  },
];

export const aCrd = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'hostpools.gala.internal' },
      spec: {
        group: 'gala.internal',
        scope: 'Cluster',
        names: { kind: 'HostPool', plural: 'hostpools', singular: 'hostpool', listKind: 'HostPoolList' },
        versions: [
          {
            name: 'v1alpha1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                required: ['spec'],
                properties: {
                  spec: {
                    type: 'object',
                    required: ['trunk', 'datacenter'],
                    properties: {
                      trunk: { type: 'string', minLength: 1, maxLength: 15, pattern: '^[a-z0-9.]+$' },
                      datacenter: { type: 'string', default: 'here' },
                      kind: { type: 'string', enum: ['intranet', 'ec2'] },
                      vlans: {
                        type: 'array',
                        minItems: 1,
                        maxItems: 16,
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-list-map-keys': ['id'],
                        items: { type: 'object', required: ['id'], properties: { id: { type: 'integer', minimum: 1, maximum: 4094 } } },
                      },
                      cpu: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
                      labels: { type: 'object', additionalProperties: { type: 'string' } },
                      template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                    },
                  },
                },
              },
            },
          },
        ],
      },
    },
    change,
  );

export const aHostPool = (change?: Change): Any =>
  changed(
    {
      apiVersion: 'gala.internal/v1alpha1',
      kind: 'HostPool',
      metadata: { name: 'web' },
      spec: { trunk: 'bond0', kind: 'intranet', vlans: [{ id: 110 }], labels: { rack: 'r12' }, template: { anything: { goes: 1 } } },
    },
    change,
  );

/** Objects as inputs, all in one file. */
export const inputs = (...objects: Any[]): GateInput[] => objects.map((object) => ({ file: 'dist/bj-a/40-network.yaml', object }));

/** The good set; `swap` replaces those of the same kind, others join it. */
export function aCluster(...swap: Any[]): GateInput[] {
  const good = [
    aNamespace(),
    aCrd(),
    aServiceAccount(),
    aClusterRole(),
    aClusterRoleBinding(),
    aConfigMap(),
    aDaemonSet(),
    aDeployment(),
    aService(),
    aBudget(),
    aHostPool(),
    aPolicy(),
    aPolicyBinding(),
  ];
  const replaced = good.map((object) => swap.find((other) => other?.kind === object.kind) ?? object);
  return inputs(...replaced, ...swap.filter((object) => !replaced.includes(object)));
}
