/** One planted mistake a rule: the good cluster with a single thing changed. rules.test.ts demands an entry for every rule. */
import type { GateContext, GateInput } from '../../lib/gate/finding.ts';
import {
  type Any,
  aBudget,
  aCluster,
  aClusterRole,
  aClusterRoleBinding,
  aConfigMap,
  aDaemonSet,
  aDeployment,
  aHostPool,
  aMutatingPolicy,
  aNamespace,
  aPolicy,
  aPolicyBinding,
  aService,
  aServiceAccount,
  CONTEXT,
  inputs,
  NAMESPACE,
} from './builders.ts';

export interface Sample {
  readonly inputs: GateInput[];
  readonly context?: GateContext;
  /** Where the finding points to. */
  readonly path: string;
}

const pod = (object: Any) => object.spec.template.spec;
const first = (object: Any) => pod(object).containers[0];
const TEMPLATE = 'spec.template.spec';
const FIRST = `${TEMPLATE}.containers[0]`;
const TERMS = `${TEMPLATE}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;

const RULES = 'spec.matchConstraints.resourceRules';

export const samples: Readonly<Record<string, readonly Sample[]>> = {
  'not-an-object': [
    { inputs: aCluster({ apiVersion: 'v1', kind: 'Thing', metadata: { generateName: 'a-' } }), path: 'metadata.name' },
    { inputs: [...aCluster(), { file: 'a.yaml', object: null as Any }], path: 'apiVersion' },
  ],
  'unknown-kind': [
    { inputs: aCluster({ apiVersion: 'apps/v1beta1', kind: 'Thing', metadata: { name: 'a' } }), path: 'kind' },
    { inputs: aCluster(aHostPool((h) => (h.apiVersion = 'gala.internal/v1'))), path: 'apiVersion' },
  ],
  'unknown-field': [
    { inputs: aCluster(aDaemonSet((d) => (first(d).imagePullpolicy = 'Always'))), path: `${FIRST}.imagePullpolicy` },
    {
      inputs: aCluster(aDaemonSet((d) => (first(d).hostPID = false))),
      path: `${FIRST}.hostPID`,
      context: { ...CONTEXT, kubernetes: '1.37' },
    },
    { inputs: aCluster(aDeployment((d) => (d.spec.runAsUser = 1))), path: 'spec.runAsUser' },
    { inputs: aCluster(aHostPool((h) => (h.spec.trunck = 'bond1'))), path: 'spec.trunck' },
  ],
  'unknown-value': [
    { inputs: aCluster(aHostPool((h) => (h.spec.kind = 'moon'))), path: 'spec.kind' },
    { inputs: aCluster(aDaemonSet((d) => (first(d).imagePullPolicy = 'IfNotPresnt'))), path: `${FIRST}.imagePullPolicy` },
    {
      inputs: aCluster(aDaemonSet((d) => (pod(d).tolerations = [{ operator: 'Exists', effect: 'NoSchedul' }]))),
      path: `${TEMPLATE}.tolerations[0].effect`,
      context: { ...CONTEXT, kubernetes: '1.37' },
    },
  ],
  'out-of-bounds': [
    { inputs: aCluster(aDeployment((d) => (d.spec.replicas = -1))), path: 'spec.replicas' },
    {
      inputs: aCluster(aDeployment((d) => (first(d).readinessProbe = { tcpSocket: { port: 80_800 } }))),
      path: `${FIRST}.readinessProbe.tcpSocket.port`,
    },
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.updateStrategy.rollingUpdate.maxUnavailable = 'a tenth'))),
      path: 'spec.updateStrategy.rollingUpdate.maxUnavailable',
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).tolerations = [{ key: 'a b', operator: 'Exists' }]))),
      path: `${TEMPLATE}.tolerations[0].key`,
    },
    { inputs: aCluster(aDeployment((d) => (pod(d).nodeSelector = { pool: 'web pool' }))), path: `${TEMPLATE}.nodeSelector.pool` },
    { inputs: aCluster(aPolicy((p) => (p.spec.variables[0].name = 'two words'))), path: 'spec.variables[0].name' },
    { inputs: aCluster(aService((s) => (s.spec.ports[0].name = 'HTTP'))), path: 'spec.ports[0].name' },
    { inputs: aCluster(aHostPool((h) => (h.spec.trunk = 'bond 0'))), path: 'spec.trunk' },
    { inputs: aCluster(aHostPool((h) => (h.spec.vlans[0].id = 5000))), path: 'spec.vlans[0].id' },
    { inputs: aCluster(aHostPool((h) => h.spec.vlans.push({ id: 110 }))), path: 'spec.vlans' },
    { inputs: aCluster(aHostPool((h) => (h.spec.vlans = []))), path: 'spec.vlans' },
  ],
  'wrong-type': [
    { inputs: aCluster(aDeployment((d) => (first(d).env[0].value = 1))), path: `${FIRST}.env[0].value` },
    { inputs: aCluster(aDeployment((d) => (d.spec.replicas = '2'))), path: 'spec.replicas' },
    { inputs: aCluster(aHostPool((h) => (h.spec.vlans[0].id = '110'))), path: 'spec.vlans[0].id' },
    { inputs: aCluster(aHostPool((h) => (h.metadata.labels = { rack: 12 }))), path: 'metadata.labels.rack' },
    { inputs: aCluster(aHostPool((h) => (h.spec.cpu = 1.5))), path: 'spec.cpu' },
    {
      inputs: aCluster(aDaemonSet((d) => (first(d).resources.limits.memory = '128MB'))),
      path: `${FIRST}.resources.limits.memory`,
    },
  ],
  'missing-field': [
    { inputs: aCluster(aDaemonSet((d) => delete d.spec.selector)), path: 'spec.selector' },
    { inputs: aCluster(aHostPool((h) => delete h.spec.trunk)), path: 'spec.trunk' },
    { inputs: aCluster(aDeployment((d) => (first(d).env[0].name = ''))), path: `${FIRST}.env[0].name` },
    { inputs: aCluster(aDaemonSet((d) => delete pod(d).volumes[1].configMap.name)), path: `${TEMPLATE}.volumes[1].configMap.name` },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).volumes = [{ name: 'a', secret: {} }]))),
      path: `${TEMPLATE}.volumes[0].secret.secretName`,
    },
  ],
  'lost-value': [
    { inputs: aCluster(aDaemonSet((d) => (d.metadata.annotations = { a: null }))), path: 'metadata.annotations.a' },
    { inputs: aCluster(aDaemonSet((d) => (d.metadata.annotations = { a: `${{}}` }))), path: 'metadata.annotations.a' },
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'harbor.bj.intra/undefined/api:1'))), path: `${FIRST}.image` },
    { inputs: aCluster(aHostPool((h) => (h.spec.template.late = new Map()))), path: 'spec.template.late' },
    { inputs: aCluster(aHostPool((h) => (h.spec.template.list = [undefined]))), path: 'spec.template.list[0]' },
    { inputs: aCluster(aHostPool((h) => (h.spec.template.count = Number.NaN))), path: 'spec.template.count' },
  ],
  'nothing-chosen': [
    { inputs: aCluster(aDaemonSet((d) => (pod(d).volumes[0] = { name: 'run' }))), path: `${TEMPLATE}.volumes[0]` },
    { inputs: aCluster(aDaemonSet((d) => (first(d).readinessProbe = { periodSeconds: 5 }))), path: `${FIRST}.readinessProbe` },
    { inputs: aCluster(aDeployment((d) => (first(d).env[0] = { name: 'A', valueFrom: {} }))), path: `${FIRST}.env[0].valueFrom` },
  ],
  'name-invalid': [
    { inputs: aCluster(aDeployment((d) => (d.metadata.name = 'Feed_API'))), path: 'metadata.name' },
    { inputs: aCluster(aDeployment((d) => (first(d).name = 'api.v1'))), path: `${FIRST}.name` },
    { inputs: aCluster(aService((s) => (s.metadata.name = '1-feed'))), path: 'metadata.name', context: { ...CONTEXT, kubernetes: '1.35' } },
    { inputs: [...aCluster(), ...inputs({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } })], path: 'metadata.name' },
  ],
  'name-too-long': [
    { inputs: aCluster(aStatefulSet((s) => (s.metadata.name = 'a'.repeat(53)))), path: 'metadata.name' },
    { inputs: aCluster(aCronJob((c) => (c.metadata.name = 'a'.repeat(53)))), path: 'metadata.name' },
  ],
  'label-invalid': [
    {
      inputs: aCluster(aNamespace((n) => (n.metadata.labels = { 'pod-security.kubernetes.io/enforce': 'priviledged' }))),
      path: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
    },
    {
      inputs: aCluster(aNamespace((n) => (n.metadata.labels = { 'pod-security.kubernetes.io/warn-version': '1.36' }))),
      path: 'metadata.labels["pod-security.kubernetes.io/warn-version"]',
    },
    { inputs: aCluster(aDaemonSet((d) => (d.metadata.labels.note = 'it wires links'))), path: 'metadata.labels.note' },
    { inputs: aCluster(aDaemonSet((d) => (d.metadata.annotations = { 'a/b/c': '' }))), path: 'metadata.annotations["a/b/c"]' },
  ],
  'namespace-on-cluster-scoped': [
    {
      inputs: aCluster({
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: 'a', namespace: NAMESPACE },
        value: 1,
      }),
      path: 'metadata.namespace',
    },
    {
      inputs: aCluster({ apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'a', namespace: NAMESPACE } }),
      context: { ...CONTEXT, kinds: { 'karpenter.sh/NodePool': 'Cluster' } },
      path: 'metadata.namespace',
    },
  ],
  'namespace-missing': [{ inputs: aCluster({ apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a' } }), path: 'metadata.namespace' }],
  'namespace-unknown': [
    {
      inputs: aCluster({ apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a', namespace: 'gala-sytem' } }),
      path: 'metadata.namespace',
    },
  ],
  'duplicate-object': [{ inputs: [...aCluster(), { file: 'dist/bj-a/70-ops.yaml', object: aConfigMap() }], path: '' }],
  'api-off-by-default': [
    {
      inputs: aCluster({
        apiVersion: 'coordination.k8s.io/v1beta1',
        kind: 'LeaseCandidate',
        metadata: { name: 'a', namespace: NAMESPACE },
        spec: { binaryVersion: '1', leaseName: 'a', strategy: 'OldestEmulationVersion' },
      }),
      path: 'apiVersion',
    },
  ],
  'api-newer-than-cluster': [
    {
      inputs: aCluster(
        ...aMutatingPolicy((p) => (p.metadata.annotations = { 'because.gala.internal/unbound': 'the site binds it' })).slice(0, 1),
      ),
      context: { ...CONTEXT, kubernetes: '1.35' },
      path: 'apiVersion',
    },
  ],
  'selector-misses-template': [
    { inputs: aCluster(aDaemonSet((d) => (d.spec.selector.matchLabels['app.kubernetes.io/name'] = 'gala-node'))), path: 'spec.selector' },
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.selector = { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }))),
      path: 'spec.selector',
    },
    { inputs: aCluster(aDaemonSet((d) => (d.spec.selector = {}))), path: 'spec.selector' },
  ],
  'selects-nothing': [
    { inputs: aCluster(aService((s) => (s.spec.selector = { app: 'feed' }))), path: 'spec.selector' },
    {
      inputs: aCluster(aBudget((b) => (b.spec.selector = { matchExpressions: [{ key: 'app', operator: 'In', values: ['feed'] }] }))),
      path: 'spec.selector',
    },
  ],
  'target-port-missing': [{ inputs: aCluster(aService((s) => (s.spec.ports[0].targetPort = 'https'))), path: 'spec.ports[0].targetPort' }],
  'duplicate-in-pod': [
    { inputs: aCluster(aDeployment((d) => pod(d).containers.push({ name: 'api', image: 'a:1' }))), path: `${TEMPLATE}.containers[1].name` },
    { inputs: aCluster(aDeployment((d) => first(d).env.push({ name: 'PEERS', value: '' }))), path: `${FIRST}.env[1].name` },
    { inputs: aCluster(aDeployment((d) => first(d).ports.push({ name: 'admin', containerPort: 8080 }))), path: `${FIRST}.ports[1]` },
    { inputs: aCluster(aDaemonSet((d) => pod(d).volumes.push({ name: 'config', emptyDir: {} }))), path: `${TEMPLATE}.volumes[2].name` },
    {
      inputs: aCluster(aDaemonSet((d) => first(d).volumeMounts.push({ name: 'run', mountPath: '/etc/gala' }))),
      path: `${FIRST}.volumeMounts[2].mountPath`,
    },
    {
      inputs: aCluster(aDaemonSet((d) => pod(d).containers.push({ ...first(d), name: 'second', readinessProbe: undefined }))),
      path: `${TEMPLATE}.containers[1].ports[0]`,
    },
  ],
  'mount-without-volume': [
    { inputs: aCluster(aDaemonSet((d) => (first(d).volumeMounts[0].name = 'runs'))), path: `${FIRST}.volumeMounts[0].name` },
  ],
  'probe-port-missing': [
    {
      inputs: aCluster(aDaemonSet((d) => (first(d).readinessProbe.httpGet.port = 'health'))),
      path: `${FIRST}.readinessProbe.httpGet.port`,
    },
  ],
  'host-port-mismatch': [{ inputs: aCluster(aDaemonSet((d) => (first(d).ports[0].hostPort = 9812))), path: `${FIRST}.ports[0].hostPort` }],
  'no-containers': [
    {
      inputs: aCluster(aDaemonSet((d) => (pod(d).containers = []))),
      context: { ...CONTEXT, services: 'kube-proxy' },
      path: `${TEMPLATE}.containers`,
    },
  ],
  'request-above-limit': [
    { inputs: aCluster(aDaemonSet((d) => (first(d).resources.requests.memory = '97Mi'))), path: `${FIRST}.resources.requests.memory` },
  ],
  'unknown-resource': [
    {
      inputs: aCluster(
        aDaemonSet((d) => {
          first(d).resources.requests = { cpus: '20m' };
        }),
      ),
      path: `${FIRST}.resources.requests.cpus`,
    },
  ],
  'restart-policy': [
    { inputs: aCluster(aDeployment((d) => (pod(d).restartPolicy = 'Never'))), path: `${TEMPLATE}.restartPolicy` },
    {
      inputs: aCluster(aCronJob((c) => delete c.spec.jobTemplate.spec.template.spec.restartPolicy)),
      path: 'spec.jobTemplate.spec.template.spec.restartPolicy',
    },
  ],
  'service-ports': [
    { inputs: aCluster(aService((s) => s.spec.ports.push({ port: 8081 }))), path: 'spec.ports[1].name' },
    { inputs: aCluster(aService((s) => s.spec.ports.push({ name: 'http', port: 8081 }))), path: 'spec.ports[1].name' },
    { inputs: aCluster(aService((s) => s.spec.ports.push({ name: 'again', port: 8080 }))), path: 'spec.ports[1]' },
    {
      inputs: aCluster(aService((s) => (s.spec = { selector: s.spec.selector }))),
      path: 'spec.ports',
      context: { ...CONTEXT, services: 'kube-proxy' },
    },
  ],
  'headless-port': [
    { inputs: aCluster(aService((s) => (s.spec.ports[0] = { name: 'http', port: 443, targetPort: 8080 }))), path: 'spec.ports[0].port' },
    { inputs: aCluster(aService((s) => (s.spec.ports[0].port = 443))), path: 'spec.ports[0].port' },
  ],
  'replicas-owned-twice': [
    {
      inputs: aCluster({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'feed-api', namespace: NAMESPACE },
        spec: { maxReplicas: 9, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'feed-api' } },
      }),
      path: 'spec.scaleTargetRef',
    },
  ],
  'image-missing': [{ inputs: aCluster(aDeployment((d) => delete first(d).image)), path: `${FIRST}.image` }],
  'image-unpinned': [
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'harbor.bj.intra:5000/feed/api'))), path: `${FIRST}.image` },
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'nginx:latest'))), path: `${FIRST}.image` },
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'nginx:1.29@sha256:abc'))), path: `${FIRST}.image` },
    { inputs: aCluster(aDeployment((d) => (first(d).image = `nginx@sha512:${'a'.repeat(64)}`))), path: `${FIRST}.image` },
  ],
  'image-floating': [
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'harbor.bj.intra:5000/feed/api:main'))), path: `${FIRST}.image` },
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'nginx:stable-alpine'))), path: `${FIRST}.image` },
    { inputs: aCluster(aDeployment((d) => (first(d).image = 'nginx:1.29-latest'))), path: `${FIRST}.image` },
  ],
  'dangling-config-map': [
    { inputs: aCluster(aDaemonSet((d) => (pod(d).volumes[1].configMap.name = 'gala-cnl'))), path: `${TEMPLATE}.volumes[1].configMap.name` },
    {
      inputs: aCluster(aDeployment((d) => (first(d).envFrom = [{ configMapRef: { name: 'feed' } }]))),
      path: `${FIRST}.envFrom[0].configMapRef.name`,
    },
  ],
  'dangling-secret': [
    {
      inputs: aCluster(aDeployment((d) => (pod(d).imagePullSecrets = [{ name: 'harbor' }]))),
      path: `${TEMPLATE}.imagePullSecrets[0].name`,
    },
    {
      inputs: aCluster(
        aDeployment((d) => first(d).env.push({ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'feed', key: 'token' } } })),
      ),
      path: `${FIRST}.env[1].valueFrom.secretKeyRef.name`,
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).volumes = [{ name: 'all', projected: { sources: [{ secret: { name: 'feed' } }] } }]))),
      path: `${TEMPLATE}.volumes[0].projected.sources[0].secret.name`,
    },
    { inputs: aCluster(aServiceAccount((s) => (s.imagePullSecrets = [{ name: 'harbor' }]))), path: 'imagePullSecrets[0].name' },
  ],
  'dangling-service-account': [
    { inputs: aCluster(aDeployment((d) => (pod(d).serviceAccountName = 'feed'))), path: `${TEMPLATE}.serviceAccountName` },
  ],
  'dangling-claim': [
    {
      inputs: aCluster(aDeployment((d) => (pod(d).volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'feed' } }]))),
      path: `${TEMPLATE}.volumes[0].persistentVolumeClaim.claimName`,
    },
  ],
  'dangling-priority-class': [
    { inputs: aCluster(aDeployment((d) => (pod(d).priorityClassName = 'gala'))), path: `${TEMPLATE}.priorityClassName` },
  ],
  'dangling-key': [
    {
      inputs: aCluster(aDaemonSet((d) => (pod(d).volumes[1].configMap.items[0].key = 'agent.yaml'))),
      path: `${TEMPLATE}.volumes[1].configMap.items[0].key`,
    },
  ],
  'dangling-policy': [
    {
      inputs: [
        ...aCluster(),
        ...inputs(aPolicyBinding((b) => Object.assign(b, { metadata: { name: 'a' }, spec: { ...b.spec, policyName: 'gala' } }))),
      ],
      path: 'spec.policyName',
    },
  ],
  'policy-malformed': [
    { inputs: aCluster(aPolicy((p) => delete p.spec.matchConstraints)), path: RULES },
    { inputs: aCluster(aPolicy((p) => (p.spec.matchConstraints.resourceRules = []))), path: RULES },
    { inputs: aCluster(aPolicy((p) => (p.spec.matchConstraints.resourceRules[0].operations = []))), path: `${RULES}[0].operations` },
    { inputs: aCluster(aPolicy((p) => (p.spec.matchConstraints.resourceRules[0].apiVersions = ['']))), path: `${RULES}[0].apiVersions` },
    { inputs: aCluster(aPolicy((p) => (p.spec.validations = []))), path: 'spec.validations' },
    { inputs: aCluster(aPolicy((p) => (p.spec.validations[0].expression = ''))), path: 'spec.validations[0].expression' },
    { inputs: aCluster(aPolicy((p) => p.spec.variables.push({ name: 'labels', expression: 'true' }))), path: 'spec.variables' },
    { inputs: aCluster(aPolicyBinding((b) => (b.spec.validationActions = []))), path: 'spec.validationActions' },
    { inputs: aCluster(aPolicyBinding((b) => (b.spec.validationActions = ['Deny', 'Deny']))), path: 'spec.validationActions' },
    { inputs: aCluster(...aMutatingPolicy((p) => (p.spec.mutations = []))), path: 'spec.mutations' },
    { inputs: aCluster(...aMutatingPolicy((p) => delete p.spec.reinvocationPolicy)), path: 'spec.reinvocationPolicy' },
    {
      inputs: aCluster(...aMutatingPolicy((p) => (p.spec.mutations[0].patchType = 'ApplyConfiguration'))),
      path: 'spec.mutations[0].applyConfiguration',
    },
    {
      inputs: aCluster(...aMutatingPolicy((p) => (p.spec.matchConstraints.resourceRules[0].operations = ['DELETE']))),
      path: `${RULES}[0].operations`,
    },
  ],
  'policy-unbound': [{ inputs: [...aCluster(), ...inputs(aPolicy((p) => (p.metadata.name = 'a')))], path: '' }],
  'policy-unknown-resource': [
    { inputs: aCluster(aPolicy((p) => (p.spec.matchConstraints.resourceRules[0].resources = ['pod']))), path: `${RULES}[0].resources[0]` },
    {
      inputs: aCluster(
        aPolicy(
          (p) =>
            (p.spec.matchConstraints.resourceRules[0] = {
              ...p.spec.matchConstraints.resourceRules[0],
              apiGroups: ['gala.internal'],
              resources: ['hostpool'],
            }),
        ),
      ),
      path: `${RULES}[0].resources[0]`,
    },
  ],
  'rbac-dangling-role': [
    {
      inputs: aCluster({
        ...aClusterRoleBinding(),
        kind: 'RoleBinding',
        metadata: { name: 'a', namespace: NAMESPACE },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'gone' },
      }),
      path: 'roleRef.name',
    },
  ],
  'rbac-dangling-subject': [{ inputs: aCluster(aClusterRoleBinding((b) => (b.subjects[0].name = 'gone'))), path: 'subjects[0]' }],
  'rbac-no-subjects': [{ inputs: aCluster(aClusterRoleBinding((b) => (b.subjects = []))), path: 'subjects' }],
  'rbac-unbound-role': [{ inputs: [...aCluster(), ...inputs(aClusterRole((r) => (r.metadata.name = 'lonely')))], path: '' }],
  'rbac-empty-rule': [
    { inputs: aCluster(aClusterRole((r) => (r.rules[0].verbs = []))), path: 'rules[0].verbs' },
    { inputs: aCluster(aClusterRole((r) => delete r.rules[0].apiGroups)), path: 'rules[0].apiGroups' },
  ],
  'rbac-unknown-resource': [
    { inputs: aCluster(aClusterRole((r) => (r.rules[0].resources = ['daemonsets']))), path: 'rules[0].resources[0]' },
    { inputs: aCluster(aClusterRole((r) => (r.rules[0].resources = ['pods', 'pods/logs']))), path: 'rules[0].resources[1]' },
  ],
  'rbac-wildcard': [{ inputs: aCluster(aClusterRole((r) => (r.rules[0].verbs = ['*']))), path: 'rules[0].verbs' }],
  'rbac-no-reason': [{ inputs: aCluster(aClusterRole((r) => delete r.metadata.annotations)), path: 'rules[0]' }],
  'rbac-powerful-role': [
    { inputs: [...aCluster(), ...inputs(aGrant((b) => (b.roleRef.name = 'cluster-admin')))], path: 'roleRef.name' },
    {
      inputs: [
        ...aCluster(),
        ...inputs(
          aGrant((b) => {
            b.kind = 'RoleBinding';
            b.metadata.namespace = NAMESPACE;
            b.roleRef.name = 'edit';
          }),
        ),
      ],
      path: 'roleRef.name',
    },
    {
      inputs: [...aCluster(), ...inputs(aGrant((b) => (b.roleRef.name = 'system:controller:clusterrole-aggregation-controller')))],
      path: 'roleRef.name',
    },
  ],
  'rbac-broad-subject': [
    {
      inputs: [...aCluster(), ...inputs(aGrant((b) => (b.subjects = [aGroup('system:authenticated')])))],
      path: 'subjects[0].name',
    },
    {
      inputs: [...aCluster(), ...inputs(aGrant((b) => b.subjects.push(aGroup('system:masters'))))],
      path: 'subjects[1].name',
    },
  ],
  'privilege-without-reason': [
    {
      inputs: aCluster(aDaemonSet((d) => delete d.spec.template.metadata.annotations['because.gala.internal/host-network'])),
      path: `${TEMPLATE}.hostNetwork`,
    },
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.template.metadata.annotations['because.gala.internal/host-path.run'] = ' '))),
      path: `${TEMPLATE}.volumes[0].hostPath`,
    },
    {
      inputs: aCluster(aDaemonSet((d) => first(d).securityContext.capabilities.add.push('CAP_BPF'))),
      path: `${FIRST}.securityContext.capabilities.add[1]`,
    },
    { inputs: aCluster(aDeployment((d) => (pod(d).hostPID = true))), path: `${TEMPLATE}.hostPID` },
    { inputs: aCluster(aDeployment((d) => (first(d).ports[0].hostPort = 8080))), path: `${FIRST}.ports[0].hostPort` },
    { inputs: aCluster(aDeployment((d) => (pod(d).shareProcessNamespace = true))), path: `${TEMPLATE}.shareProcessNamespace` },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).securityContext = { seccompProfile: { type: 'Unconfined' } }))),
      path: `${TEMPLATE}.securityContext.seccompProfile.type`,
    },
    {
      inputs: aCluster(aDeployment((d) => (first(d).securityContext = { appArmorProfile: { type: 'Unconfined' } }))),
      path: `${FIRST}.securityContext.appArmorProfile.type`,
    },
    {
      inputs: aCluster(
        aDeployment((d) => (d.spec.template.metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/api': 'unconfined' })),
      ),
      path: 'spec.template.metadata.annotations["container.apparmor.security.beta.kubernetes.io/api"]',
    },
    {
      // Only a pod with user ids of its own may have it at all.
      inputs: aCluster(
        aDeployment((d) => {
          pod(d).hostUsers = false;
          first(d).securityContext = { procMount: 'Unmasked' };
        }),
      ),
      path: `${FIRST}.securityContext.procMount`,
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).securityContext = { sysctls: [{ name: 'net/core/somaxconn', value: '4096' }] }))),
      path: `${TEMPLATE}.securityContext.sysctls[0]`,
    },
    { inputs: aCluster(aDeployment((d) => (pod(d).securityContext = { runAsUser: 0 }))), path: `${TEMPLATE}.securityContext.runAsUser` },
    { inputs: aCluster(aDeployment((d) => (first(d).securityContext = { runAsUser: 0 }))), path: `${FIRST}.securityContext.runAsUser` },
    {
      inputs: aCluster(
        aDaemonSet((d) => {
          pod(d).securityContext = { runAsNonRoot: false };
          first(d).securityContext = { allowPrivilegeEscalation: false };
          first(d).volumeMounts[0].readOnly = true;
        }),
      ),
      path: `${TEMPLATE}.securityContext.runAsNonRoot`,
    },
  ],
  'privileged-no-escalation': [
    {
      inputs: aCluster(
        aDaemonSet((d) => {
          d.spec.template.metadata.annotations['because.gala.internal/privileged'] = 'it mounts';
          first(d).securityContext.privileged = true;
        }),
      ),
      path: `${FIRST}.securityContext`,
    },
  ],
  'agent-memory-limit': [
    { inputs: aCluster(aDaemonSet((d) => delete first(d).resources.limits.memory)), path: `${FIRST}.resources.limits.memory` },
  ],
  'agent-cpu-limit': [{ inputs: aCluster(aDaemonSet((d) => (first(d).resources.limits.cpu = 1))), path: `${FIRST}.resources.limits.cpu` }],
  'rollout-stuck': [
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.updateStrategy.rollingUpdate = { maxUnavailable: 0 }))),
      path: 'spec.updateStrategy.rollingUpdate',
    },
    {
      inputs: aCluster(aDeployment((d) => (d.spec.strategy = { rollingUpdate: { maxUnavailable: '0%', maxSurge: 0 } }))),
      path: 'spec.strategy.rollingUpdate',
    },
  ],
  'rollout-surge-on-host': [
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.updateStrategy.rollingUpdate = { maxUnavailable: 0, maxSurge: 1 }))),
      path: 'spec.updateStrategy.rollingUpdate',
    },
    {
      inputs: aCluster(aDaemonSet((d) => (d.spec.updateStrategy.rollingUpdate = { maxSurge: 1 }))),
      path: 'spec.updateStrategy.rollingUpdate',
    },
  ],
  'pdb-on-daemonset': [
    { inputs: aCluster(aBudget((b) => (b.spec.selector.matchLabels = { 'app.kubernetes.io/name': 'gala-cni' }))), path: 'spec.selector' },
  ],
  'pdb-blocks-eviction': [
    { inputs: aCluster(aBudget((b) => (b.spec.maxUnavailable = 0))), path: 'spec.maxUnavailable' },
    { inputs: aCluster(aBudget((b) => (b.spec = { minAvailable: 2, selector: b.spec.selector }))), path: 'spec.minAvailable' },
  ],
  'pdb-invalid': [
    { inputs: aCluster(aBudget((b) => (b.spec.minAvailable = 1))), path: 'spec' },
    { inputs: aCluster(aBudget((b) => delete b.spec.maxUnavailable)), path: 'spec' },
  ],
  'host-port-collision': [
    {
      inputs: [...aCluster(), ...inputs(aDaemonSet((d) => (d.metadata.name = 'gala-node')))],
      path: `${FIRST}.ports[0]`,
    },
    { inputs: aCluster(aDeployment(onHostPort(9811))), path: `${FIRST}.ports[0]` },
  ],
  'host-port-taken': [
    { inputs: aCluster(aDaemonSet((d) => (first(d).ports[0].containerPort = 10250))), path: `${FIRST}.ports[0]` },
    {
      inputs: aCluster(aDaemonSet((d) => (first(d).ports[0].containerPort = 10256))),
      context: { ...CONTEXT, services: 'kube-proxy' },
      path: `${FIRST}.ports[0]`,
    },
    {
      inputs: aCluster(
        aDeployment((d) => {
          onHostPort(10259)(d);
          pod(d).nodeSelector = { 'node-role.kubernetes.io/control-plane': '' };
          pod(d).tolerations = [{ operator: 'Exists' }];
        }),
      ),
      path: `${FIRST}.ports[0]`,
    },
  ],
  'toleration-invalid': [
    { inputs: aCluster(aDeployment((d) => (pod(d).tolerations = [{}]))), path: `${TEMPLATE}.tolerations[0].operator` },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).tolerations = [{ key: 'a', operator: 'Exists', value: 'b' }]))),
      path: `${TEMPLATE}.tolerations[0].value`,
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).tolerations = [{ key: 'a', operator: 'Exists', tolerationSeconds: 1 }]))),
      path: `${TEMPLATE}.tolerations[0].effect`,
    },
  ],
  'node-affinity-invalid': [
    { inputs: aCluster(aDeployment((d) => (pod(d).affinity = onNodes()))), path: TERMS },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).affinity = onNodes({ key: 'a', operator: 'In', values: [] })))),
      path: `${TERMS}[0].matchExpressions[0].values`,
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).affinity = onNodes({ key: 'a', operator: 'Exists', values: ['b'] })))),
      path: `${TERMS}[0].matchExpressions[0].values`,
    },
    {
      inputs: aCluster(aDeployment((d) => (pod(d).affinity = onNodes({ key: 'a', operator: 'Gt' })))),
      path: `${TERMS}[0].matchExpressions[0].values`,
    },
  ],
  'spread-twice': [
    {
      inputs: aCluster(
        aDeployment((d) => {
          const one = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' };
          pod(d).topologySpreadConstraints = [one, { ...one, maxSkew: 2 }];
        }),
      ),
      path: `${TEMPLATE}.topologySpreadConstraints[1]`,
    },
  ],
  'needs-service': [
    { inputs: aCluster(aService((s) => delete s.spec.clusterIP)), path: `${FIRST}.env[0].value` },
    {
      inputs: aCluster(aDeployment((d) => (first(d).args = ['--prometheus=http://prometheus.monitoring.svc.cluster.local:9090/']))),
      path: `${FIRST}.args[0]`,
    },
  ],
  'needs-cluster-dns': [
    {
      inputs: aCluster(aDaemonSet((d) => first(d).env.push({ name: 'PEERS', value: `feed-api.${NAMESPACE}.svc:8080` }))),
      path: `${FIRST}.env[1].value`,
    },
  ],
  'needs-api-server-address': [{ inputs: aCluster(aDaemonSet((d) => (first(d).env = []))), path: `${TEMPLATE}.containers` }],
  'webhook-through-service': [
    {
      inputs: aCluster({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'a' },
        webhooks: [
          {
            name: 'a.gala.internal',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            clientConfig: { service: { name: 'feed-api', namespace: NAMESPACE } },
          },
        ],
      }),
      path: 'webhooks[0].clientConfig.service',
    },
  ],
  'annotations-too-large': [
    { inputs: aCluster(aConfigMap((c) => (c.metadata.annotations = { a: 'x'.repeat(256 * 1024) }))), path: 'metadata.annotations' },
  ],
  'config-map-too-large': [{ inputs: aCluster(aConfigMap((c) => (c.data.more = 'x'.repeat(1024 * 1024)))), path: 'data' }],
  'secret-in-manifest': [
    {
      inputs: aCluster({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'a', namespace: NAMESPACE },
        stringData: { password: 'hunter2' },
      }),
      path: 'stringData',
    },
  ],
  'secret-in-plain-text': [
    { inputs: aCluster(aDeployment((d) => first(d).env.push({ name: 'DB_PASSWORD', value: 'hunter2' }))), path: `${FIRST}.env[1].value` },
    {
      inputs: aCluster(aDeployment((d) => first(d).env.push({ name: 'DB', value: 'postgres://feed:hunter2@db.bj.intra/feed' }))),
      path: `${FIRST}.env[1].value`,
    },
    { inputs: aCluster(aDeployment((d) => (first(d).args = ['--auth-token=c0ffee']))), path: `${FIRST}.args[0]` },
    { inputs: aCluster(aDeployment((d) => (first(d).command = ['feed', '--password', 'hunter2']))), path: `${FIRST}.command[2]` },
    { inputs: aCluster(aConfigMap((c) => (c.data.clientSecret = 'hunter2\n'))), path: 'data.clientSecret' },
    {
      inputs: aCluster(aConfigMap((c) => (c.data['tls.key'] = '-----BEGIN EC PRIVATE KEY-----\nMHc…\n-----END EC PRIVATE KEY-----\n'))),
      path: 'data["tls.key"]',
    },
  ],
};

function onNodes(...matchExpressions: Any[]): Any {
  const nodeSelectorTerms = matchExpressions.length === 0 ? [] : [{ matchExpressions }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

/** A port of the host, with its reason. */
function onHostPort(port: number) {
  return (object: Any) => {
    first(object).ports = [{ containerPort: 8080, hostPort: port, name: 'http' }];
    object.spec.template.metadata.annotations = { [`because.gala.internal/host-port.${port}`]: 'a balancer outside asks it' };
  };
}

/** A second binding for the agent's account. */
function aGrant(change: (object: Any) => void): Any {
  return aClusterRoleBinding((b) => {
    b.metadata.name = 'gala-cni.more';
    change(b);
  });
}

function aGroup(name: string): Any {
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name };
}

function aStatefulSet(change: (object: Any) => void): Any {
  const { spec, metadata, ...rest } = aDeployment();
  const object = { ...rest, kind: 'StatefulSet', metadata: { ...metadata, name: 'feed-db' }, spec: { ...spec, serviceName: 'feed-api' } };
  change(object);
  return object;
}

function aCronJob(change: (object: Any) => void): Any {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:1' }] } };
  const object = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly', namespace: NAMESPACE },
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template } } },
  };
  change(object);
  return object;
}
