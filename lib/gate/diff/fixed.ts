/**
 * Fields that no object of a kind may change while it lives, whatever the value.
 * Sources: the Validate…Update functions in pkg/apis/<group>/validation of Kubernetes. test/gate/refusals.bed.test.ts asks a
 * real API server about every one of them, and fails for one that it doesn't ask about.
 */
export interface Fixed {
  /** Dotted paths; what lies below one is fixed too. */
  readonly paths: readonly string[];
  /** Paths below these that may change after all. */
  readonly except?: readonly string[];
  readonly remedy: string;
}

const DELETE_FIRST = 'Delete the object and apply again; nothing that runs depends on it.';
const KEEP_PODS = 'Give it a new name, or `kubectl delete --cascade=orphan` it first so that its pods stay.';
const UNBOUND = 'Delete the binding and apply again; in between its subjects have no permission.';
const NEW_NAME = 'Give it a new name.';

export const FIXED: Readonly<Record<string, Fixed>> = {
  DaemonSet: { paths: ['spec.selector'], remedy: KEEP_PODS },
  Deployment: { paths: ['spec.selector'], remedy: KEEP_PODS },
  ReplicaSet: { paths: ['spec.selector'], remedy: KEEP_PODS },
  StatefulSet: {
    paths: ['spec.selector', 'spec.volumeClaimTemplates', 'spec.serviceName', 'spec.podManagementPolicy'],
    remedy: KEEP_PODS,
  },
  Job: {
    paths: ['template', 'selector', 'completionMode', 'podFailurePolicy', 'successPolicy', 'backoffLimitPerIndex', 'managedBy'].map(
      (field) => `spec.${field}`,
    ),
    remedy: 'Give the Job a new name.',
  },
  Pod: { paths: ['spec'], remedy: 'Delete the Pod and apply again.' },
  PersistentVolumeClaim: {
    paths: ['spec'],
    except: ['spec.resources.requests', 'spec.volumeAttributesClassName'],
    remedy: 'Make a new claim and move the data.',
  },
  PersistentVolume: {
    paths: ['spec'],
    except: [
      'accessModes',
      'capacity',
      'claimRef',
      'mountOptions',
      'persistentVolumeReclaimPolicy',
      'storageClassName',
      'volumeAttributesClassName',
    ].map((field) => `spec.${field}`),
    remedy: 'Make a new volume beside it; with reclaim policy Retain the old one keeps its data.',
  },
  StorageClass: {
    paths: ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'],
    remedy: 'Delete the object and apply again; bound volumes stay as they are.',
  },
  VolumeAttributesClass: { paths: ['driverName', 'parameters'], remedy: NEW_NAME },
  CSIDriver: { paths: ['spec.attachRequired', 'spec.volumeLifecycleModes'], remedy: DELETE_FIRST },
  PriorityClass: {
    paths: ['value', 'preemptionPolicy'],
    remedy: 'Delete the object and apply again; running pods keep the priority they have.',
  },
  RoleBinding: { paths: ['roleRef'], remedy: UNBOUND },
  ClusterRoleBinding: { paths: ['roleRef'], remedy: UNBOUND },
  RuntimeClass: { paths: ['handler'], remedy: NEW_NAME },
  IngressClass: { paths: ['spec.controller'], remedy: DELETE_FIRST },
  ServiceCIDR: { paths: ['spec.cidrs'], remedy: 'Add another ServiceCIDR, and delete this one when no Service has an address of it.' },
  EndpointSlice: { paths: ['addressType'], remedy: NEW_NAME },
  ResourceQuota: { paths: ['spec.scopes'], remedy: DELETE_FIRST },
  ResourceClaim: { paths: ['spec'], remedy: NEW_NAME },
  ResourceClaimTemplate: { paths: ['spec'], remedy: NEW_NAME },
  ControllerRevision: { paths: ['data'], remedy: NEW_NAME },
  Secret: { paths: ['type'], remedy: DELETE_FIRST },
  CustomResourceDefinition: {
    paths: ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind'],
    remedy: 'Add a new kind beside it and move the objects: deleting a CRD deletes every object of it.',
  },
};

/** What the API server takes for said where a fixed field is left out: writing it down, or leaving it out again, changes nothing. */
export const DEFAULTS: Readonly<Record<string, unknown>> = {
  'CSIDriver.spec.attachRequired': true,
  'CSIDriver.spec.volumeLifecycleModes': ['Persistent'],
  'Job.spec.completionMode': 'NonIndexed',
  'PersistentVolume.spec.volumeMode': 'Filesystem',
  'PersistentVolumeClaim.spec.volumeMode': 'Filesystem',
  'PriorityClass.preemptionPolicy': 'PreemptLowerPriority',
  'Secret.type': 'Opaque',
  'StatefulSet.spec.podManagementPolicy': 'OrderedReady',
  'StorageClass.reclaimPolicy': 'Delete',
  'StorageClass.volumeBindingMode': 'Immediate',
};
