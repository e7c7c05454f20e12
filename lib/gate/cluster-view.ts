/**
 * All objects of one cluster, indexed once, so that a rule over several objects costs no more than a look-up.
 * Answers what a name refers to: an object of this synth, one that every cluster has, or one that the site provides.
 */
import { type KubeObject, keyOf, nameOf } from '../api/manifest.ts';
import type { GateContext, GateInput } from './finding.ts';
import { type Pod, podOf } from './pod.ts';
import { entries, type Fields, fields, items, text, within } from './shape.ts';

/**
 * On an object or its pod template: what it refers to and the site provides, `Kind/name` of the same namespace or
 * `Kind/namespace/name`, separated by commas or spaces: `gala.internal/provided: Secret/harbor-pull`.
 */
export const PROVIDED = 'gala.internal/provided';

/** A custom kind whose CRD is among the objects. */
export interface CustomKind {
  readonly crd: string;
  readonly scope: 'Namespaced' | 'Cluster';
  /** The served versions' schemas, by version. */
  readonly schemas: ReadonlyMap<string, Fields>;
}

export class ClusterView {
  readonly context: GateContext;
  readonly inputs: readonly GateInput[];
  readonly pods: readonly Pod[];
  readonly #existing: ReadonlySet<string>;
  readonly #named = new Map<string, GateInput[]>();
  readonly #keyed = new Map<string, GateInput[]>();
  readonly #kinds = new Map<string, KubeObject[]>();
  readonly #podOf = new Map<KubeObject, Pod>();
  readonly #podsIn = new Map<string, Pod[]>();
  readonly #bound = new Set<string>();
  readonly #customKinds = new Map<string, CustomKind>();

  constructor(inputs: readonly GateInput[], context: GateContext) {
    this.inputs = inputs;
    this.context = context;
    this.#existing = new Set(context.existing ?? []);
    const pods: Pod[] = [];
    for (const input of inputs) {
      push(this.#named, nameOf(input.object), input);
      push(this.#keyed, keyOf(input.object), input);
      push(this.#kinds, input.object.kind, input.object);
      const pod = podOf(input.object);
      if (pod !== undefined) {
        pods.push(pod);
        this.#podOf.set(input.object, pod);
        push(this.#podsIn, pod.namespace, pod);
        for (const [key, value] of entries(pod.labels)) push(this.#podsIn, labelKey(pod.namespace, key, value), pod);
      }
    }
    this.pods = pods;
    for (const crd of this.ofKind('CustomResourceDefinition')) this.#addCustomKind(crd);
    for (const binding of [...this.ofKind('RoleBinding'), ...this.ofKind('ClusterRoleBinding')]) {
      const { kind, name } = fields(binding.roleRef);
      this.#bound.add(`${kind}/${kind === 'Role' ? binding.metadata.namespace : ''}/${name}`);
    }
  }

  ofKind(kind: string): readonly KubeObject[] {
    return this.#kinds.get(kind) ?? [];
  }

  podOf(object: KubeObject): Pod | undefined {
    return this.#podOf.get(object);
  }

  /** Pods of a namespace that may match a selector: looked up by its first label, so that many Services stay cheap. */
  candidates(namespace: string, matchLabels: unknown): readonly Pod[] {
    const [first] = entries(matchLabels);
    return this.#podsIn.get(first === undefined ? namespace : labelKey(namespace, first[0], first[1])) ?? [];
  }

  /** Whether a binding that counts for the role's namespace names it. */
  isBound({ kind, metadata }: KubeObject): boolean {
    return this.#bound.has(`${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
  }

  /** The objects that the API server takes for the same one. */
  same(object: KubeObject): readonly GateInput[] {
    return this.#keyed.get(keyOf(object)) ?? [];
  }

  rendered(kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#named.get(namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`)?.[0]?.object;
  }

  /** Whether `by` may refer to this: rendered, or known to be in the cluster, or said to be provided. */
  has(kind: string, namespace: string | undefined, name: string, by: KubeObject): boolean {
    const full = namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
    return this.#named.has(full) || this.#existing.has(full) || this.provided(by).has(full) || inEveryCluster(kind, namespace, name);
  }

  /** What an object says the site provides, written out in full. */
  provided(by: KubeObject): ReadonlySet<string> {
    const said = [by.metadata.annotations?.[PROVIDED], this.#podOf.get(by)?.annotations[PROVIDED]].flatMap(
      (value) => text(value)?.split(/[\s,]+/) ?? [],
    );
    if (said.length === 0) return NOTHING;
    const { namespace } = by.metadata;
    return new Set(
      said.flatMap((name) => [
        name,
        ...(namespace !== undefined && name.split('/').length === 2 ? [name.replace('/', `/${namespace}/`)] : []),
      ]),
    );
  }

  customKind(apiVersion: string, kind: string): CustomKind | undefined {
    return this.#customKinds.get(`${apiVersion.split('/')[0]}/${kind}`);
  }

  #addCustomKind(crd: KubeObject): void {
    const spec = within(crd, 'spec');
    const schemas = new Map<string, Fields>();
    for (const { item } of items(spec.versions)) {
      const version = text(item.name);
      if (version !== undefined && item.served !== false) schemas.set(version, within(item, 'schema', 'openAPIV3Schema'));
    }
    const scope = spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced';
    this.#customKinds.set(`${text(spec.group) ?? ''}/${text(fields(spec.names).kind) ?? ''}`, { crd: crd.metadata.name, scope, schemas });
  }
}
const NOTHING: ReadonlySet<string> = new Set();

function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace}\n${key}=${value}`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** What the API server and the controller manager make by themselves in every cluster. */
function inEveryCluster(kind: string, namespace: string | undefined, name: string): boolean {
  switch (kind) {
    case 'Namespace':
      return name === 'default' || name === 'kube-system' || name === 'kube-public' || name === 'kube-node-lease';
    case 'PriorityClass':
      return name === 'system-node-critical' || name === 'system-cluster-critical';
    case 'ClusterRole':
      return name === 'cluster-admin' || name === 'admin' || name === 'edit' || name === 'view' || name.startsWith('system:');
    case 'Role':
      return name.startsWith('system:') || (namespace === 'kube-system' && name === 'extension-apiserver-authentication-reader');
    case 'ServiceAccount':
      return name === 'default';
    case 'ConfigMap':
      return name === 'kube-root-ca.crt' || (namespace === 'kube-system' && name === 'extension-apiserver-authentication');
    case 'Service':
      return namespace === 'default' && name === 'kubernetes';
    default:
      return false;
  }
}

/** The reasons written on an object or pod template under a prefix. */
export function reasons(annotations: unknown, prefix: string): ReadonlyMap<string, string> {
  return new Map(
    entries(annotations).flatMap(([key, value]) =>
      key.startsWith(`${prefix}/`) && value.trim() !== '' ? [[key.slice(prefix.length + 1), value]] : [],
    ),
  );
}
