/** What `gala diff` says of a change is what a real API server answers to it, field by field. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, KINDS, NodeNetwork } from '../../lib/api/kinds.ts';
import type { KubeObject } from '../../lib/api/manifest.ts';
import type { Resource } from '../../lib/api/resource.ts';
import { immutableFields } from '../../lib/gate/diff/immutable.ts';
import { type DiffSide, diffSynth } from '../../lib/gate/diff.ts';
import { items } from '../../lib/gate/shape.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import type { Any, Change } from './builders.ts';

/** `perhaps`: diff says "may be refused", and in the state of this pair the server does or does not. */
type Said = 'refused' | 'accepted' | 'perhaps, and is refused' | 'perhaps, and is accepted';
interface Pair {
  readonly kind: string;
  readonly title: string;
  readonly said: Said;
  /** From `before` to after. */
  readonly change: Change;
  /** Made of the kind's usual object first. */
  readonly start?: Change;
  /** Written through the status subresource before the change. */
  readonly status?: object;
  /** What a plain PUT of the same manifest is answered, where it is not what apply is answered. */
  readonly put?: 'refused' | 'accepted';
}

const NAMESPACE = 'default';
const LABELS = { app: 'a' };
const clone = (value: object): Any => structuredClone(value);
const kindOf =
  (apiVersion: string, kind: string, body: object, scope: 'Namespaced' | 'Cluster' = 'Namespaced') =>
  (name: string): Any => ({
    apiVersion,
    kind,
    metadata: scope === 'Cluster' ? { name } : { name, namespace: NAMESPACE },
    ...clone(body),
  });
const POD = { containers: [{ name: 'a', image: 'a:1' }] };
const workload = (kind: string, more: object = {}) =>
  kindOf('apps/v1', kind, { spec: { selector: { matchLabels: LABELS }, template: { metadata: { labels: LABELS }, spec: POD }, ...more } });
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } };
const required = (key: string) => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } });
const deviceClaim = { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'x' } }] } };
const roleRef = (kind: string) => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'a' }, subjects: [] });

const OBJECTS: Record<string, (name: string) => Any> = {
  DaemonSet: workload('DaemonSet'),
  Deployment: workload('Deployment'),
  ReplicaSet: workload('ReplicaSet'),
  StatefulSet: workload('StatefulSet', { serviceName: 'a', volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: claimSpec }] }),
  Job: kindOf('batch/v1', 'Job', { spec: { completions: 2, parallelism: 2, template: { spec: { ...POD, restartPolicy: 'Never' } } } }),
  Pod: kindOf('v1', 'Pod', {
    spec: { ...POD, initContainers: [{ name: 'i', image: 'i:1' }], tolerations: [{ key: 'a', operator: 'Exists' }] },
  }),
  ConfigMap: kindOf('v1', 'ConfigMap', { data: { a: 'b' } }),
  Secret: kindOf('v1', 'Secret', { type: 'a.b/c', stringData: { a: 'b' } }),
  Service: kindOf('v1', 'Service', { spec: { selector: LABELS, ports: [{ name: 'a', port: 80 }] } }),
  EndpointSlice: kindOf('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [] }),
  ServiceCIDR: kindOf('networking.k8s.io/v1', 'ServiceCIDR', { spec: { cidrs: ['10.97.0.0/16'] } }, 'Cluster'),
  IngressClass: kindOf('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'a.b/c' } }, 'Cluster'),
  PersistentVolumeClaim: kindOf('v1', 'PersistentVolumeClaim', { spec: { ...claimSpec, storageClassName: 'grows' } }),
  PersistentVolume: kindOf(
    'v1',
    'PersistentVolume',
    { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' } } },
    'Cluster',
  ),
  StorageClass: kindOf(
    'storage.k8s.io/v1',
    'StorageClass',
    { provisioner: 'a.b', parameters: { a: 'b' }, reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    'Cluster',
  ),
  VolumeAttributesClass: kindOf('storage.k8s.io/v1', 'VolumeAttributesClass', { driverName: 'a.b', parameters: { a: 'b' } }, 'Cluster'),
  CSIDriver: kindOf('storage.k8s.io/v1', 'CSIDriver', { spec: { attachRequired: false } }, 'Cluster'),
  ResourceClaim: kindOf('resource.k8s.io/v1', 'ResourceClaim', { spec: deviceClaim }),
  ResourceClaimTemplate: kindOf('resource.k8s.io/v1', 'ResourceClaimTemplate', { spec: { spec: deviceClaim } }),
  PriorityClass: kindOf('scheduling.k8s.io/v1', 'PriorityClass', { value: 1, preemptionPolicy: 'Never' }, 'Cluster'),
  RuntimeClass: kindOf('node.k8s.io/v1', 'RuntimeClass', { handler: 'a' }, 'Cluster'),
  ResourceQuota: kindOf('v1', 'ResourceQuota', { spec: { hard: { pods: '1' }, scopes: ['NotTerminating'] } }),
  ControllerRevision: kindOf('apps/v1', 'ControllerRevision', { revision: 1, data: { a: 1 } }),
  RoleBinding: kindOf('rbac.authorization.k8s.io/v1', 'RoleBinding', roleRef('Role')),
  ClusterRoleBinding: kindOf('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', roleRef('ClusterRole'), 'Cluster'),
  CustomResourceDefinition: (name) => aKind(name),
};

/** A CRD whose plural is the pair's name: no two pairs share one. */
function aKind(name: string): Any {
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'string' } } } },
  });
  const plural = `${name}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.bed.example` },
    spec: {
      group: 'bed.example',
      scope: 'Cluster',
      names: { kind: name.toUpperCase(), plural },
      versions: [version('v1', true), version('v0', false)],
    },
  };
}

const container = (object: Any) => object.spec.template.spec.containers[0];
const pairs: Pair[] = [];
const pair =
  (said: Said) =>
  (kind: string, title: string, change: Change, more: Partial<Pair> = {}) =>
    pairs.push({ kind, title, said, change, ...more });
const refused = pair('refused');
const accepted = pair('accepted');
const perhapsRefused = pair('perhaps, and is refused');
const perhapsAccepted = pair('perhaps, and is accepted');

const suspended: Change = (o) => (o.spec.suspend = true);
const indexed: Change = (o) => (o.spec.completionMode = 'Indexed');
const immutable: Change = (o) => (o.immutable = true);
const gated: Change = (o) => (o.spec.schedulingGates = [{ name: 'a.b/c' }]);
const balanced: Change = (o) => {
  Object.assign(o.spec, { type: 'LoadBalancer', loadBalancerClass: 'a.b/c', externalTrafficPolicy: 'Local', healthCheckNodePort: 30011 });
};
const headless: Change = (o) => (o.spec.clusterIP = 'None');
const toExternalName: Change = (o) => (o.spec = { type: 'ExternalName', externalName: 'a.b' });
const bound = { phase: 'Bound', capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] };
/** A plain PUT lacks what the controller or admission has filled in and nobody may take away. */
const fromApplyOnly = { put: 'refused' } as const;

for (const kind of ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet']) {
  const tier: Change = (o) => {
    o.spec.selector.matchLabels.tier = 'a';
    o.spec.template.metadata.labels.tier = 'a';
  };
  refused(kind, 'spec.selector', tier);
  accepted(kind, 'an image of the template', (o) => (container(o).image = 'a:2'));
  accepted(kind, 'minReadySeconds', (o) => (o.spec.minReadySeconds = 5));
}

refused('StatefulSet', 'spec.volumeClaimTemplates', (o) => (o.spec.volumeClaimTemplates[0].spec.resources.requests.storage = '20Gi'));
refused('StatefulSet', 'spec.serviceName', (o) => (o.spec.serviceName = 'b'));
refused('StatefulSet', 'spec.podManagementPolicy', (o) => (o.spec.podManagementPolicy = 'Parallel'));
accepted('StatefulSet', 'podManagementPolicy written down as it is by default', (o) => (o.spec.podManagementPolicy = 'OrderedReady'));
accepted('StatefulSet', 'persistentVolumeClaimRetentionPolicy', (o) => {
  o.spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Retain' };
});
accepted('StatefulSet', 'ordinals', (o) => (o.spec.ordinals = { start: 1 }));
refused('StatefulSet', 'spec.updateStrategy', (o) => (o.spec.updateStrategy = { type: 'OnDelete' }), { put: 'accepted' });
accepted('StatefulSet', 'OnDelete instead of a rollingUpdate that was applied', (o) => (o.spec.updateStrategy = { type: 'OnDelete' }), {
  start: (o) => (o.spec.updateStrategy = { rollingUpdate: { partition: 0 } }),
});
refused('Deployment', 'spec.strategy', (o) => (o.spec.strategy = { type: 'Recreate' }), { put: 'accepted' });
accepted('Deployment', 'Recreate instead of a rollingUpdate that was applied', (o) => (o.spec.strategy = { type: 'Recreate' }), {
  start: (o) => (o.spec.strategy = { rollingUpdate: { maxSurge: 1 } }),
});
accepted('Deployment', 'rolling again after Recreate', (o) => delete o.spec.strategy, {
  start: (o) => (o.spec.strategy = { type: 'Recreate' }),
});
accepted('DaemonSet', 'OnDelete', (o) => (o.spec.updateStrategy = { type: 'OnDelete' }));

refused('Job', 'spec.template', (o) => (o.spec.template.spec.terminationGracePeriodSeconds = 5));
refused('Job', 'spec.template.spec.containers', (o) => (container(o).image = 'a:2'));
refused('Job', 'spec.template.spec.containers', (o) => (container(o).image = 'a:2'), { start: suspended });
perhapsAccepted('Job', 'resources while suspended', (o) => (container(o).resources = { requests: { cpu: '1' } }), {
  start: suspended,
  ...fromApplyOnly,
});
for (const [field, value] of Object.entries({
  nodeSelector: { a: 'b' },
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required('a').required } },
  schedulingGates: [{ name: 'a.b/c' }],
  tolerations: [{ key: 'a', operator: 'Exists' }],
})) {
  refused('Job', `spec.template.spec.${field}`, (o) => (o.spec.template.spec[field] = value));
  perhapsAccepted('Job', `${field} while suspended`, (o) => (o.spec.template.spec[field] = value), { start: suspended, ...fromApplyOnly });
}
refused('Job', 'spec.template.metadata', (o) => (o.spec.template.metadata = { labels: { a: 'b' } }));
perhapsAccepted('Job', 'labels while suspended', (o) => (o.spec.template.metadata = { labels: { a: 'b' } }), {
  start: suspended,
  ...fromApplyOnly,
});
refused('Job', 'spec.selector', (o) => (o.spec.selector.matchLabels = { b: 'b' }), {
  start: (o) => {
    Object.assign(o.spec, { manualSelector: true, selector: { matchLabels: { a: 'a' } } });
    o.spec.template.metadata = { labels: { a: 'a', b: 'b' } };
  },
});
refused('Job', 'spec.completionMode', indexed);
accepted('Job', 'completionMode written down as it is by default', (o) => (o.spec.completionMode = 'NonIndexed'), fromApplyOnly);
refused('Job', 'spec.podFailurePolicy', (o) => {
  o.spec.podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] };
});
refused('Job', 'spec.successPolicy', (o) => (o.spec.successPolicy = { rules: [{ succeededCount: 1 }] }), { start: indexed });
refused('Job', 'spec.backoffLimitPerIndex', (o) => (o.spec.backoffLimitPerIndex = 1), { start: indexed });
refused('Job', 'spec.managedBy', (o) => (o.spec.managedBy = 'a.b/c'));
refused('Job', 'spec.completions', (o) => (o.spec.completions = 3));
refused('Job', 'spec.completions', (o) => delete o.spec.completions);
refused('Job', 'spec.completions', (o) => (o.spec.completions = 3), { start: indexed });
accepted('Job', 'completions and parallelism of an Indexed Job', (o) => Object.assign(o.spec, { completions: 3, parallelism: 3 }), {
  start: indexed,
  ...fromApplyOnly,
});
for (const field of ['parallelism', 'backoffLimit', 'activeDeadlineSeconds', 'ttlSecondsAfterFinished'])
  accepted('Job', field, (o) => (o.spec[field] = 3), fromApplyOnly);
accepted('Job', 'suspend', suspended, fromApplyOnly);

refused('Pod', 'spec', (o) => (o.spec.terminationGracePeriodSeconds = 5));
refused('Pod', 'spec.containers', (o) => (o.spec.containers[0].env = [{ name: 'A', value: 'b' }]));
refused('Pod', 'spec.initContainers', (o) => (o.spec.initContainers[0].args = ['a']));
accepted('Pod', 'an image', (o) => (o.spec.containers[0].image = 'a:2'), fromApplyOnly);
accepted('Pod', 'an image of an init container', (o) => (o.spec.initContainers[0].image = 'i:2'), fromApplyOnly);
for (const [seconds, said, put] of [
  [50, accepted, 'refused'],
  [150, refused, 'refused'],
  [undefined, refused, 'refused'],
] as const)
  said('Pod', 'spec.activeDeadlineSeconds', (o) => (o.spec.activeDeadlineSeconds = seconds), {
    start: (o) => (o.spec.activeDeadlineSeconds = 100),
    put,
  });
accepted('Pod', 'a first activeDeadlineSeconds', (o) => (o.spec.activeDeadlineSeconds = 9), fromApplyOnly);
refused('Pod', 'spec.tolerations', (o) => (o.spec.tolerations = []));
accepted('Pod', 'one more toleration', (o) => o.spec.tolerations.push({ key: 'b', operator: 'Exists' }), fromApplyOnly);
refused('Pod', 'spec.schedulingGates', (o) => o.spec.schedulingGates.push({ name: 'd.e/f' }), { start: gated });
accepted('Pod', 'a gate taken away', (o) => delete o.spec.schedulingGates, { start: gated, ...fromApplyOnly });
refused('Pod', 'spec.nodeSelector', (o) => (o.spec.nodeSelector = { a: 'b' }));
refused(
  'Pod',
  'spec.affinity',
  (o) => (o.spec.affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required('a').required } }),
);
perhapsAccepted('Pod', 'nodeSelector while gated', (o) => (o.spec.nodeSelector = { a: 'b' }), { start: gated, ...fromApplyOnly });
perhapsAccepted(
  'Pod',
  'nodeAffinity while gated',
  (o) => (o.spec.affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required('a').required } }),
  { start: gated, ...fromApplyOnly },
);

refused('ConfigMap', 'the object', (o) => (o.data.a = 'c'), { start: immutable });
refused('ConfigMap', 'immutable taken back', (o) => (o.immutable = false), { start: immutable });
accepted('ConfigMap', 'labels of an immutable one', (o) => (o.metadata.labels = LABELS), { start: immutable });
accepted('ConfigMap', 'data, and immutable from now on', (o) => Object.assign(o, { immutable: true, data: { a: 'c' } }));
refused('Secret', 'the object', (o) => (o.stringData.a = 'c'), { start: immutable });
refused('Secret', 'type', (o) => (o.type = 'a.b/d'));
accepted('Secret', 'data', (o) => (o.stringData.a = 'c'));
accepted('Secret', 'type Opaque written down', (o) => (o.type = 'Opaque'), { start: (o) => delete o.type });
accepted('Secret', 'type Opaque left out again', (o) => delete o.type, { start: (o) => (o.type = 'Opaque') });

refused('Service', 'spec.clusterIP', headless);
refused('Service', 'spec.clusterIP', (o) => (o.spec.clusterIP = '10.96.9.1'));
refused('Service', 'spec.clusterIP', (o) => (o.spec.clusterIP = '10.96.9.2'), { start: headless });
refused('Service', 'spec.clusterIP', (o) => Object.assign(o.spec, { type: 'NodePort', clusterIP: undefined }), { start: headless });
refused('Service', 'spec.clusterIPs', (o) => Object.assign(o.spec, { clusterIP: '10.96.9.4', clusterIPs: ['10.96.9.4'] }), {
  start: (o) => Object.assign(o.spec, { clusterIP: '10.96.9.3', clusterIPs: ['10.96.9.3'] }),
});
accepted('Service', 'clusterIP left out: it keeps the one it has', (o) => delete o.spec.clusterIP, {
  start: (o) => (o.spec.clusterIP = '10.96.9.5'),
});
accepted('Service', 'clusterIP None left out: it stays headless', (o) => delete o.spec.clusterIP, { start: headless });
accepted('Service', 'a headless one to ExternalName', toExternalName, { start: headless });
accepted('Service', 'ExternalName to a headless one', (o) => (o.spec = { clusterIP: 'None', ports: [{ name: 'a', port: 80 }] }), {
  start: toExternalName,
});
refused('Service', 'spec.ipFamilies', (o) => (o.spec.ipFamilies = ['IPv6']), { start: (o) => (o.spec.ipFamilies = ['IPv4']) });
perhapsRefused('Service', 'another family than the first one, left out', (o) => (o.spec.ipFamilies = ['IPv6']));
perhapsAccepted('Service', 'the same family written down', (o) => (o.spec.ipFamilies = ['IPv4']));
refused('Service', 'spec.loadBalancerClass', (o) => (o.spec.loadBalancerClass = 'a.b/d'), { start: balanced });
refused('Service', 'spec.healthCheckNodePort', (o) => (o.spec.healthCheckNodePort = 30012), { start: balanced });
accepted('Service', 'loadBalancerClass with the type', (o) => (o.spec = { selector: LABELS, ports: o.spec.ports }), { start: balanced });
accepted('Service', 'type NodePort', (o) => (o.spec.type = 'NodePort'));
accepted('Service', 'selector', (o) => (o.spec.selector = { b: 'b' }));

refused('EndpointSlice', 'addressType', (o) => (o.addressType = 'IPv6'));
refused('ServiceCIDR', 'spec.cidrs', (o) => (o.spec.cidrs = ['10.98.0.0/16']));
refused('IngressClass', 'spec.controller', (o) => (o.spec.controller = 'a.b/d'));
refused('PersistentVolumeClaim', 'spec', (o) => (o.spec.accessModes = ['ReadWriteMany']));
refused('PersistentVolumeClaim', 'spec', (o) => (o.spec.resources.limits = { storage: '20Gi' }), { status: bound });
accepted('PersistentVolumeClaim', 'volumeMode written down as it is by default', (o) => (o.spec.volumeMode = 'Filesystem'));
refused('PersistentVolumeClaim', 'spec.resources.requests.storage', (o) => (o.spec.resources.requests.storage = '9000Mi'), {
  status: bound,
});
perhapsAccepted('PersistentVolumeClaim', 'a bound claim grows', (o) => (o.spec.resources.requests.storage = '11Gi'), { status: bound });
perhapsRefused('PersistentVolumeClaim', 'an unbound claim grows', (o) => (o.spec.resources.requests.storage = '11Gi'));
perhapsRefused('PersistentVolumeClaim', 'spec.volumeAttributesClassName', (o) => (o.spec.volumeAttributesClassName = 'a'));
perhapsAccepted('PersistentVolumeClaim', 'spec.volumeAttributesClassName', (o) => (o.spec.volumeAttributesClassName = 'a'), {
  status: bound,
});
refused('PersistentVolumeClaim', 'spec.storageClassName', (o) => (o.spec.storageClassName = 'other'));
perhapsAccepted('PersistentVolumeClaim', 'a first storageClassName', (o) => (o.spec.storageClassName = 'other'), {
  start: (o) => delete o.spec.storageClassName,
});
refused('PersistentVolume', 'spec', (o) => (o.spec.hostPath.path = '/b'));
refused('PersistentVolume', 'spec.nodeAffinity', (o) => (o.spec.nodeAffinity = required('b')), {
  start: (o) => (o.spec.nodeAffinity = required('a')),
});
accepted('PersistentVolume', 'a first nodeAffinity', (o) => (o.spec.nodeAffinity = required('b')));
accepted('PersistentVolume', 'all that may change', (o) =>
  Object.assign(o.spec, {
    accessModes: ['ReadWriteMany'],
    capacity: { storage: '2Gi' },
    claimRef: { namespace: NAMESPACE, name: 'a' },
    mountOptions: ['ro'],
    persistentVolumeReclaimPolicy: 'Delete',
    storageClassName: 'other',
    volumeMode: 'Filesystem',
  }),
);
refused('StorageClass', 'provisioner', (o) => (o.provisioner = 'c.d'));
refused('StorageClass', 'parameters', (o) => (o.parameters.a = 'c'));
refused('StorageClass', 'reclaimPolicy', (o) => (o.reclaimPolicy = 'Retain'));
refused('StorageClass', 'volumeBindingMode', (o) => (o.volumeBindingMode = 'WaitForFirstConsumer'));
accepted('StorageClass', 'allowVolumeExpansion and mountOptions', (o) =>
  Object.assign(o, { allowVolumeExpansion: true, mountOptions: ['ro'] }),
);
accepted('StorageClass', 'defaults left out', (o) => {
  delete o.reclaimPolicy;
  delete o.volumeBindingMode;
});
refused('VolumeAttributesClass', 'driverName', (o) => (o.driverName = 'c.d'));
refused('VolumeAttributesClass', 'parameters', (o) => (o.parameters.a = 'c'));
refused('CSIDriver', 'spec.attachRequired', (o) => (o.spec.attachRequired = true));
refused('CSIDriver', 'spec.volumeLifecycleModes', (o) => (o.spec.volumeLifecycleModes = ['Ephemeral']));
accepted(
  'CSIDriver',
  'defaults written down',
  (o) => Object.assign(o.spec, { attachRequired: true, volumeLifecycleModes: ['Persistent'] }),
  {
    start: (o) => (o.spec = {}),
  },
);
accepted('CSIDriver', 'fsGroupPolicy, podInfoOnMount', (o) => Object.assign(o.spec, { fsGroupPolicy: 'None', podInfoOnMount: true }));
refused('ResourceClaim', 'spec', (o) => (o.spec.devices.requests[0].name = 'b'));
refused('ResourceClaimTemplate', 'spec', (o) => (o.spec.spec.devices.requests[0].name = 'b'));
refused('PriorityClass', 'value', (o) => (o.value = 2));
refused('PriorityClass', 'preemptionPolicy', (o) => (o.preemptionPolicy = 'PreemptLowerPriority'));
accepted('PriorityClass', 'description', (o) => (o.description = 'a'));
accepted('PriorityClass', 'preemptionPolicy as it is by default', (o) => (o.preemptionPolicy = 'PreemptLowerPriority'), {
  start: (o) => delete o.preemptionPolicy,
});
refused('RuntimeClass', 'handler', (o) => (o.handler = 'b'));
accepted('RuntimeClass', 'overhead', (o) => (o.overhead = { podFixed: { cpu: '1' } }));
refused('ResourceQuota', 'spec.scopes', (o) => (o.spec.scopes = ['Terminating']));
accepted('ResourceQuota', 'hard', (o) => (o.spec.hard.pods = '2'));
refused('ControllerRevision', 'data', (o) => (o.data.a = 2));
for (const kind of ['RoleBinding', 'ClusterRoleBinding']) {
  refused(kind, 'roleRef', (o) => (o.roleRef.name = 'b'));
  accepted(kind, 'subjects', (o) => (o.subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'b' }]));
}
refused('CustomResourceDefinition', 'spec.scope', (o) => (o.spec.scope = 'Namespaced'));
refused('CustomResourceDefinition', 'spec.group', (o) => (o.spec.group = 'other.example'));
refused('CustomResourceDefinition', 'spec.names.plural', (o) => (o.spec.names.plural = 'others'));
refused('CustomResourceDefinition', 'spec.names.kind', (o) => (o.spec.names.kind = 'Other'));
refused('CustomResourceDefinition', 'spec.versions', (o) => {
  o.spec.versions.shift();
  o.spec.versions[0].storage = true;
});
perhapsAccepted('CustomResourceDefinition', 'a version that nothing is stored in', (o) => o.spec.versions.pop());
accepted('CustomResourceDefinition', 'short names and a new field', (o) => {
  o.spec.names.shortNames = ['sh'];
  o.spec.versions[0].schema.openAPIV3Schema.properties.b = { type: 'string' };
});

/** Gala's own kinds, each from the example of its reference page. */
const own = ({ kind, example, moreExamples, scope, group, version }: Resource, which?: string) => {
  const spec = which === undefined ? example : moreExamples?.[which];
  OBJECTS[which === undefined ? kind : `${kind}, ${which}`] = kindOf(`${group}/${version}`, kind, { spec: clone(spec as object) }, scope);
};
for (const kind of KINDS) own(kind);
own(HostPool, 'an EC2 pool');
own(NodeNetwork, 'an EC2 instance with one pod ENI');
const EC2_POOL = 'HostPool, an EC2 pool';

refused('HostPool', 'shape', (o) => (o.spec = { shape: 'ec2', ec2: clone(Object.values(HostPool.moreExamples ?? {})[0] as Any).ec2 }));
refused(EC2_POOL, 'region', (o) => (o.spec.ec2.region = 'us-east-1'));
accepted(EC2_POOL, 'size', (o) => (o.spec.ec2.size.max = 61));
const seen = (bound: number) => {
  const taken = { locked: 0, bound, held: 0, lowest: '10.110.1.7', highest: '10.110.2.37', racks: ['r12'] };
  return { vlans: [{ id: 110, subnet: '10.110.0.0/22', total: 94, quarantined: 0, ...(bound === 0 ? {} : { taken }) }] };
};
const wider: Change = (o) => (o.spec.intranet.vlans[0].subnet = '10.110.0.0/21');
const retrunked: Change = (o) => (o.spec.intranet.trunk = 'bond9');
perhapsRefused('HostPool', 'the subnet of a VLAN with taken addresses', wider, { status: seen(3) });
perhapsAccepted('HostPool', 'the subnet of a VLAN without any', wider, { status: seen(0) });
perhapsRefused('HostPool', 'a VLAN with taken addresses dropped', (o) => o.spec.intranet.vlans.shift(), { status: seen(3) });
accepted('HostPool', 'a VLAN more', (o) => o.spec.intranet.vlans.push({ ...o.spec.intranet.vlans[0], id: 140 }), { status: seen(3) });
perhapsRefused('HostPool', 'trunk', retrunked, { status: seen(3) });
perhapsAccepted('HostPool', 'the trunk while nothing is taken', retrunked, { status: seen(0) });
const OTHER: Readonly<Record<string, unknown>> = {
  template: { spec: { containers: [{ name: 'other', image: 'a:1' }] } },
  maxPer: { rack: 7 },
  near: 'elsewhere',
  podFrom: { kind: 'Pod', name: 'other' },
  count: 7,
  strategy: 'pack',
  owner: 'other',
  ttlSeconds: 77,
  allowPartial: true,
  holdSeconds: 77,
  moveOnDrain: 'wait',
};
const fromPod: Change = (o) => {
  delete o.spec.template;
  o.spec.podFrom = { kind: 'Pod', name: 'a' };
};
for (const [field, value] of Object.entries(OTHER))
  refused('Lock', field, (o) => (o.spec[field] = value), field === 'podFrom' ? { start: fromPod } : {});
accepted('Lock', 'renewedAt', (o) => (o.spec.renewedAt = '2026-02-17T12:00:00Z'));
refused('NodeNetwork', 'machineID', (o) => (o.spec.machineID = '0'.repeat(32)));
refused(
  'NodeNetwork, an EC2 instance with one pod ENI',
  'providerID',
  (o) => (o.spec.providerID = 'aws:///ap-northeast-1a/i-0000000000000000f'),
);
accepted('NodeNetwork', 'trunk', (o) => (o.spec.trunk = 'bond9'));
const POD_UID = '0e4b2f7e-6f0b-4b0e-9d7a-6f0b4b0e9d7a';
const inPhase =
  (phase: string): Change =>
  (o) => {
    o.spec.phase = phase;
    o.spec.podUID = POD_UID;
  };
const elsewhere: Change = (o) => (o.spec.node = 'other');
refused('IPLock', 'owner', (o) => (o.spec.owner = 'feed/other'), { start: inPhase('Locked') });
refused('IPLock', 'mac', (o) => (o.spec.mac = '02:67:0a:07:01:06'), { start: inPhase('Locked') });
perhapsRefused('IPLock', 'phase', inPhase('Locked'), { start: inPhase('Bound') });
perhapsAccepted('IPLock', 'phase', inPhase('Bound'), { start: inPhase('Locked') });
perhapsRefused('IPLock', 'podUID', (o) => (o.spec.podUID = '1e4b2f7e-6f0b-4b0e-9d7a-6f0b4b0e9d7a'), { start: inPhase('Locked') });
perhapsRefused('IPLock', 'node', elsewhere, { start: inPhase('Locked') });
perhapsRefused('IPLock', 'lock', (o) => delete o.spec.lock, { start: inPhase('Bound') });

test('every field that diff holds for immutable has a pair that the server refuses, or may refuse', () => {
  const asked = pairs
    .filter(({ said }) => said !== 'accepted')
    .map(({ kind, title }) => (title === 'the object' ? kind : `${kind}.${title}`));
  expect(immutableFields.filter((field) => !asked.includes(field))).toEqual([]);
});

test('every transition rule of our own kinds has a pair that the server refuses', () => {
  const asked = pairs.filter(({ said }) => said.includes('refused')).map(({ kind, title }) => `${kind.split(',')[0]} ${title}`);
  const inRules = KINDS.flatMap((kind) => oldSelfRules(crd(kind)).map((path) => `${kind.kind} ${path.split('.').at(-1)}`));
  expect(inRules.length).toBeGreaterThan(10);
  // The VLANs' rule is asked about by what it is for.
  expect(inRules.filter((rule) => rule !== 'HostPool vlans' && !asked.includes(rule))).toEqual([]);
});

/** The fieldPath of each rule that compares with what was there. */
function oldSelfRules(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(oldSelfRules);
  if (typeof schema !== 'object' || schema === null) return [];
  const mine = items((schema as Any)['x-kubernetes-validations'])
    .filter(({ item }) => String(item.rule).includes('oldSelf') && item.optionalOldSelf !== true)
    .map(({ item }) => String(item.fieldPath));
  return [...mine, ...Object.values(schema).flatMap(oldSelfRules)];
}

const aSide = (object: KubeObject): DiffSide => ({
  objects: [...KINDS.map((kind) => crd(kind)), object].map((object) => ({ file: 'a.yaml', object })),
  hosts: [],
});

/** What diff says, in the words of a pair. */
function saidOf(before: KubeObject, after: KubeObject): string {
  const { refused, inPlace, rolls } = diffSynth(aSide(before), aSide(after));
  if (refused.length > 0) return 'refused';
  if (inPlace.some(({ note }) => note?.startsWith('may be refused: '))) return 'perhaps';
  return inPlace.length + rolls.length > 0 ? 'accepted' : 'nothing changes';
}

describeBed('what diff says is what a real API server answers', ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    await bed.apply([
      ...KINDS.map((kind) => crd(kind)),
      // Without controllers nobody makes it, and no Pod is taken without it.
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: NAMESPACE } },
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'grows' },
        provisioner: 'a.b',
        allowVolumeExpansion: true,
      },
    ]);
  });
  afterAll(() => bed?.stop());

  async function settled(path: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      const { body } = await bed.request('GET', path);
      const conditions: Any[] = body.status?.conditions ?? [];
      if (
        body.kind !== 'CustomResourceDefinition' ||
        conditions.some(({ type, status }) => type === 'Established' && status === 'True') ||
        tries > 100
      )
        return body.metadata.resourceVersion;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  describe.each(Object.keys(OBJECTS).map((kind) => [kind]))('%s', (kind) => {
    const mine = pairs.filter((one) => one.kind === kind);
    test.each(mine.map((one) => [one.title, one.said, one] as const))('%s: %s', async (_, said, { change, start, status, put }) => {
      const name = kind.startsWith('IPLock')
        ? OBJECTS.IPLock!('10.7.1.5').metadata.name
        : `x${pairs.findIndex((one) => one.change === change)}`;
      const before = OBJECTS[kind]!(name);
      start?.(before);
      const after = clone(before);
      change(after);
      expect(saidOf(before, after)).toBe(said.startsWith('perhaps') ? 'perhaps' : said);

      const [made] = await bed.apply([before]);
      expect(made).toMatchObject({ result: 'created' });
      const path = (await bed.pathOf(before))!;
      try {
        if (status !== undefined) {
          const written = await bed.request('PATCH', `${path}/status`, { status }, { 'content-type': 'application/merge-patch+json' });
          expect(written.status).toBe(200);
        }
        const resourceVersion = await settled(path);
        const replaced = await bed.request('PUT', `${path}?dryRun=All`, { ...after, metadata: { ...after.metadata, resourceVersion } });
        const [applied] = await bed.apply([after]);
        const answer = said.split(' ').at(-1);
        expect({ apply: applied?.result === 'refused' ? 'refused' : 'accepted', message: applied?.message }).toMatchObject({
          apply: answer,
        });
        expect({ put: replaced.status >= 300 ? 'refused' : 'accepted', message: replaced.body.message }).toMatchObject({
          put: put ?? answer,
        });
      } finally {
        await bed.request('DELETE', `${path}?gracePeriodSeconds=0`);
      }
    });
  });

  test('the patch that diff names makes room for Recreate and OnDelete', async () => {
    for (const [kind, strategy, type] of [
      ['Deployment', 'strategy', 'Recreate'],
      ['StatefulSet', 'updateStrategy', 'OnDelete'],
    ] as const) {
      const before = OBJECTS[kind]!('patched');
      const after = clone(before);
      after.spec[strategy] = { type };
      const patch = /-p '([^']+)'/.exec(diffSynth(aSide(before), aSide(after)).refused[0]?.note ?? '')?.[1];
      await bed.apply([before]);
      const patched = await bed.kubectl(['patch', kind, 'patched', '--type=merge', '-p', patch ?? '']);
      expect(patched).toMatchObject({ code: 0 });
      expect((await bed.apply([after]))[0]).toMatchObject({ result: 'unchanged' });
    }
  });

  test('clusterIP left out says what stays, and it stays', async () => {
    const before = OBJECTS.Service!('stays');
    before.spec.clusterIP = 'None';
    const after = OBJECTS.Service!('stays');
    expect(diffSynth(aSide(before), aSide(after)).inPlace[0]?.note).toBe(
      'the Service keeps clusterIP None while it lives; delete it to be given another',
    );
    await bed.apply([before]);
    expect((await bed.apply([after]))[0]?.live).toMatchObject({ spec: { clusterIP: 'None' } });
  });
});
