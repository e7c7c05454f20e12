/**
 * Kinds: what the API calls an object, and what TypeScript calls it. Every typed call takes one of these, so the path of a
 * request and the type of its answer come from one place. Type-only beside the constants: no model of the client is loaded.
 */
import type {
  EventsV1Event,
  V1CertificateSigningRequest,
  V1ConfigMap,
  V1CSIStorageCapacity,
  V1CustomResourceDefinition,
  V1DaemonSet,
  V1Deployment,
  V1EndpointSlice,
  V1Endpoints,
  V1Job,
  V1Lease,
  V1Namespace,
  V1Node,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodTemplate,
  V1ReplicaSet,
  V1Secret,
  V1SelfSubjectAccessReview,
  V1SelfSubjectReview,
  V1Service,
  V1ServiceAccount,
  V1ServiceCIDR,
  V1StatefulSet,
  V1StorageClass,
  V1SubjectAccessReview,
  V1TokenReview,
  V1ValidatingAdmissionPolicy,
} from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import type { Resource, TypeOf } from '../api/resource.ts';

/** `metadata` of an object that the API server has stored. */
export type StoredMeta = Omit<Manifest<V1ObjectMeta>, 'name' | 'uid' | 'resourceVersion'> & {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
};

/** An object as the API server answers it: of model or schema `T`, with what every stored object has. */
export type Stored<T> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
};

/** Any stored object. */
export interface AnyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
}

type Part<T> = T extends readonly (infer Item)[] ? readonly Part<Item>[] : T extends object ? { readonly [K in keyof T]?: Part<T[K]> } : T;

/** What a person or program sends: any part of the object, with its name. `apiVersion` and `kind` are filled in. */
export type Draft<T> = Part<Omit<T, 'metadata'>> & { readonly metadata: Part<Manifest<V1ObjectMeta>> };

/** A kind of object whose stored form is `T`. */
export interface Kind<T extends AnyObject = AnyObject> {
  /** `v1`, `apps/v1`, … */
  readonly apiVersion: string;
  readonly kind: string;
  /** Its name in paths. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Only for the compiler: never set. */
  readonly stored?: T;
}

/** Which object: `namespace` for namespaced kinds only. */
export interface Id {
  readonly namespace?: string;
  readonly name: string;
}

const namespaced = <T>(apiVersion: string, kind: string, plural: string): Kind<Stored<Manifest<T>>> => ({
  ...{ apiVersion, kind, plural },
  namespaced: true,
});
const clusterWide = <T>(apiVersion: string, kind: string, plural: string): Kind<Stored<Manifest<T>>> => ({
  ...{ apiVersion, kind, plural },
  namespaced: false,
});

export const CERTIFICATESIGNINGREQUESTS = clusterWide<V1CertificateSigningRequest>(
  'certificates.k8s.io/v1',
  'CertificateSigningRequest',
  'certificatesigningrequests',
);
export const CONFIGMAPS = namespaced<V1ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const CRDS = clusterWide<V1CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
);
export const CSISTORAGECAPACITIES = namespaced<V1CSIStorageCapacity>('storage.k8s.io/v1', 'CSIStorageCapacity', 'csistoragecapacities');
export const DAEMONSETS = namespaced<V1DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets');
export const DEPLOYMENTS = namespaced<V1Deployment>('apps/v1', 'Deployment', 'deployments');
export const ENDPOINTS = namespaced<V1Endpoints>('v1', 'Endpoints', 'endpoints');
export const ENDPOINTSLICES = namespaced<V1EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices');
export const EVENTS = namespaced<EventsV1Event>('events.k8s.io/v1', 'Event', 'events');
export const JOBS = namespaced<V1Job>('batch/v1', 'Job', 'jobs');
export const LEASES = namespaced<V1Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const NAMESPACES = clusterWide<V1Namespace>('v1', 'Namespace', 'namespaces');
export const NODES = clusterWide<V1Node>('v1', 'Node', 'nodes');
export const PERSISTENTVOLUMECLAIMS = namespaced<V1PersistentVolumeClaim>('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims');
export const PERSISTENTVOLUMES = clusterWide<V1PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes');
export const PODS = namespaced<V1Pod>('v1', 'Pod', 'pods');
export const PODTEMPLATES = namespaced<V1PodTemplate>('v1', 'PodTemplate', 'podtemplates');
export const REPLICASETS = namespaced<V1ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets');
export const SECRETS = namespaced<V1Secret>('v1', 'Secret', 'secrets');
export const SELFSUBJECTACCESSREVIEWS = clusterWide<V1SelfSubjectAccessReview>(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
);
export const SELFSUBJECTREVIEWS = clusterWide<V1SelfSubjectReview>('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews');
export const SERVICEACCOUNTS = namespaced<V1ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts');
export const SERVICECIDRS = clusterWide<V1ServiceCIDR>('networking.k8s.io/v1', 'ServiceCIDR', 'servicecidrs');
export const SERVICES = namespaced<V1Service>('v1', 'Service', 'services');
export const STATEFULSETS = namespaced<V1StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets');
export const STORAGECLASSES = clusterWide<V1StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses');
export const SUBJECTACCESSREVIEWS = clusterWide<V1SubjectAccessReview>(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
);
export const TOKENREVIEWS = clusterWide<V1TokenReview>('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews');
export const VALIDATINGADMISSIONPOLICIES = clusterWide<V1ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1',
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
);

/** The kind of one of Gala's own resources: `kindOf(Lock)`. */
export function kindOf<R extends Resource>(resource: R): Kind<Stored<TypeOf<R>>> {
  const { group, version, kind, plural, scope } = resource;
  return { apiVersion: `${group}/${version}`, kind, plural, namespaced: scope === 'Namespaced' };
}

/**
 * The path of a kind's collection, or of one object in it.
 * @example pathOf(PODS, { namespace: 'web', name: 'feed-0' }) // '/api/v1/namespaces/web/pods/feed-0'
 */
export function pathOf(kind: Kind, { namespace, name }: Partial<Id>, subresource?: string): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${kind.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** `web/feed-0`, or `bj-a-r12-01` for what has no namespace: how reflectors and queues name an object. */
export function keyOf({ namespace, name }: Id): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The way back from a key; throws nothing, a name has no `/`. */
export function idOf(key: string): Id {
  const slash = key.indexOf('/');
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
