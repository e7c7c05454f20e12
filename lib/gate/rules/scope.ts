/** Scope: namespaces where they belong, each existing; no object twice; nothing that the cluster's minor lacks. */
import type { KubeObject } from '../../api/manifest.ts';
import { nameOf } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import { kindFacts, resourcesOf } from '../fields-table.ts';
import { type Found, family } from '../rule.ts';
import { shown } from '../shape.ts';

export const scopeRules = family({
  name: 'scope',
  rules: {
    'namespace-on-cluster-scoped': {
      severity: 'error',
      server: 'accepts',
      reason:
        'A cluster-scoped object has no namespace: the API server drops it in silence, and tools that compare or prune look in the wrong place.',
      remedy: 'Remove metadata.namespace.',
    },
    'namespace-missing': {
      severity: 'error',
      server: 'accepts',
      reason: "Without a namespace the object lands in whatever namespace the reader's kubectl points at.",
      remedy: 'Set metadata.namespace.',
    },
    'namespace-unknown': {
      severity: 'error',
      server: 'refuses',
      reason: 'Applying into a namespace that does not exist fails.',
      remedy: 'Render the Namespace, or say that the site provides it: annotation gala.internal/provided: Namespace/<name>.',
    },
    'duplicate-object': {
      severity: 'error',
      server: 'accepts',
      reason: 'Two objects of one group, kind, namespace and name are one object to the API server: the later one wins silently.',
      remedy: 'Rename or remove one of them.',
    },
    'api-off-by-default': {
      severity: 'warning',
      server: 'refuses',
      reason: 'Alpha and beta APIs of Kubernetes are not served unless the API server is told to.',
      remedy: 'Use the stable version, or set --runtime-config on the API servers before applying.',
    },
    'api-newer-than-cluster': {
      severity: 'error',
      server: 'refuses',
      reason: "The cluster's Kubernetes minor does not serve this API yet.",
      remedy: 'Leave the object out below that minor.',
    },
  },
  object(object, cluster, found) {
    scope(object, cluster, found);
    const { namespace } = object.metadata;
    if (namespace !== undefined && !cluster.has('Namespace', undefined, namespace, object)) {
      found('namespace-unknown', 'metadata.namespace', `namespace is ${shown(namespace)}; no such Namespace is rendered`);
    }
    const same = cluster.same(object);
    if (same.length > 1 && same[0]?.object !== object) found('duplicate-object', '', `${nameOf(object)} is also in ${same[0]?.file}`);
    version(object, cluster, found);
  },
});

type ScopeRule = 'namespace-on-cluster-scoped' | 'namespace-missing' | 'api-off-by-default' | 'api-newer-than-cluster';

function scope(object: KubeObject, cluster: ClusterView, found: Found<ScopeRule>): void {
  const group = groupOf(object);
  const scope =
    kindFacts(object.apiVersion, object.kind)?.scope ??
    cluster.customKind(object.apiVersion, object.kind)?.scope ??
    cluster.context.kinds?.[`${group}/${object.kind}`];
  const { namespace } = object.metadata;
  if (scope === 'Cluster' && namespace !== undefined)
    found('namespace-on-cluster-scoped', 'metadata.namespace', `namespace is ${shown(namespace)}; a ${object.kind} has none`);
  if (scope === 'Namespaced' && namespace === undefined) found('namespace-missing', 'metadata.namespace', `a ${object.kind} is namespaced`);
}

function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** Stable APIs younger than the oldest minor that Gala supports. KEP-3962: MutatingAdmissionPolicy v1 came with 1.36. */
const STABLE_SINCE: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': '1.36',
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': '1.36',
};

function version({ apiVersion, kind }: KubeObject, cluster: ClusterView, found: Found<ScopeRule>): void {
  const since = Object.hasOwn(STABLE_SINCE, `${apiVersion}/${kind}`) ? STABLE_SINCE[`${apiVersion}/${kind}`] : undefined;
  if (since !== undefined && Number(cluster.context.kubernetes.slice(2)) < Number(since.slice(2))) {
    found(
      'api-newer-than-cluster',
      'apiVersion',
      `${kind} of ${apiVersion} came with Kubernetes ${since}; the cluster is ${cluster.context.kubernetes}`,
    );
  }
  // New beta APIs are off by default since 1.24 (KEP-3136); those that were on before are gone by 1.35.
  if (
    /v\d+(alpha|beta)\d+$/.test(apiVersion) &&
    kindFacts(apiVersion, kind) !== undefined &&
    resourcesOf(apiVersion.split('/')[0] ?? '') !== undefined
  ) {
    found('api-off-by-default', 'apiVersion', `apiVersion is ${apiVersion}; the API server does not serve it by default`);
  }
}
