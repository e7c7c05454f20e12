/**
 * Manifests: plain Kubernetes objects, and the client's models as types for them.
 * Type-only: nothing here costs start-up time.
 */

/** Any Kubernetes object, as it stands in YAML. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

type Key<K> = K extends `_${infer Rest}` ? Rest : K;

/**
 * One of the client's models (`V1DaemonSet`, …) as it stands in a manifest: the models rename keys that are words of
 * JavaScript (`_in`, `_default`) and hold dates as `Date`.
 */
export type Manifest<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? readonly Manifest<Item>[]
    : T extends object
      ? { readonly [K in keyof T as Key<K>]: Manifest<T[K]> }
      : T;

/** `DaemonSet/gala-system/gala-cni`, `ClusterRole/gala-cni`: how an object is named in messages, patches and diffs. */
export function nameOf(object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? `${object.kind}/${name}` : `${object.kind}/${namespace}/${name}`;
}

/** `apps/DaemonSet/gala-system/gala-cni`: what the API server takes for the same object, whatever the version. */
export function keyOf(object: KubeObject): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  return `${group}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Prefix of the annotations that give the reason for a privilege: `because.gala.internal/host-network: it wires the host's links`. */
export const BECAUSE = 'because.gala.internal';
