/**
 * Services and cluster DNS. Without kube-proxy (`services: 'none'`) a ClusterIP leads nowhere, except that of the API server
 * on pods of the pod network; headless Services work, because their names resolve to the pods themselves.
 */
import type { KubeObject } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Container, Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { hasLabels } from '../selector.ts';
import { fields, isFields, items, shown, text, texts, within } from '../shape.ts';

export const serviceRules = family({
  name: 'services',
  rules: {
    'needs-service': {
      severity: 'error',
      server: 'accepts',
      reason: "Without kube-proxy (services: 'none') a Service's cluster IP leads nowhere.",
      remedy:
        "Use a headless Service (clusterIP: None), an address outside the cluster, or services: 'kube-proxy'; say of a headless Service of the site that it is provided: annotation gala.internal/provided: Service/<namespace>/<name>.",
    },
    'needs-cluster-dns': {
      severity: 'error',
      server: 'accepts',
      reason:
        "A pod on the host's network asks the host's resolver, which does not know cluster names, unless its dnsPolicy is ClusterFirstWithHostNet.",
      remedy: 'Set dnsPolicy: ClusterFirstWithHostNet, or use an address.',
    },
    'needs-api-server-address': {
      severity: 'error',
      server: 'accepts',
      reason:
        "Without kube-proxy (services: 'none') a program on the host's network does not reach the API server at the address it is given by default.",
      remedy:
        "Set KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT to the definition's apiServer, or automountServiceAccountToken: false where no API is called.",
    },
    'headless-port': {
      severity: 'warning',
      server: 'accepts',
      reason:
        'A headless Service translates no port: its name leads to the pods themselves, and who calls port there finds what listens on targetPort elsewhere.',
      remedy: 'Set port to what the pods listen on.',
    },
    'webhook-through-service': {
      severity: 'warning',
      server: 'accepts',
      reason:
        'Without kube-proxy the API server reaches the Service of a webhook or APIService only with --enable-aggregator-routing, and only where it can reach pods.',
      remedy: 'Use clientConfig.url, or see that the API servers run with --enable-aggregator-routing and reach pods.',
    },
  },
  object(object, cluster, found) {
    if (object.kind === 'Service' && within(object, 'spec').clusterIP === 'None') headlessPorts(object, cluster, found);
    if (cluster.context.services === 'none')
      for (const [service, path] of calledServices(object)) {
        found(
          'webhook-through-service',
          path,
          `the API server calls Service ${shown(text(service.namespace))}/${shown(text(service.name))}`,
        );
      }
  },
  pod(pod, cluster, found) {
    const resolves = !pod.hostNetwork || pod.spec.dnsPolicy === 'ClusterFirstWithHostNet' || pod.spec.dnsPolicy === 'None';
    for (const container of pod.containers) {
      for (const { value, path } of words(container)) {
        for (const host of hostsIn(value)) service(host, path, { pod, cluster, found, resolves });
      }
    }
    if (cluster.context.services === 'none' && pod.hostNetwork) apiServerAddress(pod, cluster, found);
  },
});

type ServiceRule = 'headless-port' | 'needs-service' | 'needs-cluster-dns' | 'needs-api-server-address' | 'webhook-through-service';

function headlessPorts(service: KubeObject, cluster: ClusterView, found: Found<ServiceRule>): void {
  const { ports, selector } = within(service, 'spec');
  for (const { item, index } of items(ports)) {
    const target = text(item.targetPort) === undefined ? item.targetPort : portOf(text(item.targetPort)!, service, selector, cluster);
    if (typeof target === 'number' && target !== item.port)
      found('headless-port', `spec.ports[${index}].port`, `port is ${shown(item.port)} and the pods listen on ${target}`);
  }
}

/** The number of a port by its name, where all pods that are selected agree. */
function portOf(name: string, service: KubeObject, selector: unknown, cluster: ClusterView): unknown {
  const pods = cluster.candidates(service.metadata.namespace ?? '', selector).filter((pod) => hasLabels(selector, pod.labels));
  const declared = pods.flatMap((pod) =>
    pod.containers.flatMap(({ spec }) => items(spec.ports).flatMap(({ item }) => (item.name === name ? [item.containerPort] : []))),
  );
  return new Set(declared).size === 1 ? declared[0] : undefined;
}

/** What a program is told on its command line and in its environment. */
function words({ spec, path }: Container): { value: string; path: string }[] {
  const listed = (list: 'command' | 'args') => texts(spec[list]).map((value, index) => ({ value, path: `${path}.${list}[${index}]` }));
  const env = items(spec.env).flatMap(({ item, index }) =>
    text(item.value) === undefined ? [] : [{ value: text(item.value) as string, path: `${path}.env[${index}].value` }],
  );
  return [...listed('command'), ...listed('args'), ...env];
}

const CLUSTER_NAME = /(?<![\w.-])((?:[a-z0-9-]+\.)*[a-z0-9-]+\.[a-z0-9-]+\.svc)(?:\.[a-z0-9.-]+)?(?![\w-])/g;
const URL_HOST = /\b[a-z][a-z0-9+.-]*:\/\/(?:[^@/\s]*@)?([a-z0-9.-]+)/g;

/** Names of hosts in a text that can be told for sure: `x.y.svc…` anywhere, and the host of a URL. */
function hostsIn(value: string): string[] {
  return [
    ...new Set(
      [...value.matchAll(CLUSTER_NAME), ...value.matchAll(URL_HOST)].map((match) => (match[1] ?? '').replace(/(\.svc)\..*$/, '$1')),
    ),
  ];
}

interface Seen {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly found: Found<ServiceRule>;
  readonly resolves: boolean;
}

function service(host: string, path: string, { pod, cluster, found, resolves }: Seen): void {
  const parts = host.split('.');
  const isClusterName = parts.at(-1) === 'svc';
  // `pod-0.db.web.svc` is a pod of the headless Service db.
  const [name = '', namespace = pod.namespace] = isClusterName ? [parts.at(-3), parts.at(-2)] : parts.length <= 2 ? parts : [];
  const rendered = cluster.rendered('Service', namespace, name);
  if (!isClusterName && rendered === undefined) return;
  if (!resolves)
    found('needs-cluster-dns', path, `names ${host}; dnsPolicy is ${shown(pod.spec.dnsPolicy ?? 'ClusterFirst')} on the host's network`);
  if (cluster.context.services !== 'none') return;
  const works = rendered === undefined ? reachesUnrendered(namespace, name, pod, cluster) : isHeadless(rendered);
  if (!works)
    found(
      'needs-service',
      path,
      `names ${host}; ${rendered === undefined ? 'that Service is not rendered' : 'that Service has a cluster IP'}`,
    );
}

function reachesUnrendered(namespace: string, name: string, pod: Pod, cluster: ClusterView): boolean {
  // The nodes' dummy link holds the API server's cluster IP; pods of the pod network reach it, the host itself does not.
  if (namespace === 'default' && name === 'kubernetes') return !pod.hostNetwork;
  return cluster.has('Service', namespace, name, pod.owner);
}

function isHeadless(service: KubeObject): boolean {
  const { clusterIP, type } = within(service, 'spec');
  return clusterIP === 'None' || type === 'ExternalName';
}

function apiServerAddress(pod: Pod, cluster: ClusterView, found: Found<ServiceRule>): void {
  if (!mountsToken(pod, cluster)) return;
  const told = pod.containers.some(({ spec }) => items(spec.env).some(({ item }) => item.name === 'KUBERNETES_SERVICE_HOST'));
  if (!told)
    found(
      'needs-api-server-address',
      `${pod.path}.containers`,
      "the pod is on the host's network, mounts a ServiceAccount token, and no container has env KUBERNETES_SERVICE_HOST",
    );
}

/** The pod's own word counts before its ServiceAccount's; without either the token is mounted. */
function mountsToken(pod: Pod, cluster: ClusterView): boolean {
  const projected = pod.volumes.some(({ spec }) =>
    items(fields(spec.projected).sources).some(({ item }) => item.serviceAccountToken !== undefined),
  );
  const account = cluster.rendered('ServiceAccount', pod.namespace, text(pod.spec.serviceAccountName) ?? 'default');
  return projected || (pod.spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true) === true;
}

/** The Services that the API server itself is told to call. */
function calledServices(object: KubeObject): [Readonly<Record<string, unknown>>, string][] {
  const service = (holder: unknown, path: string): [Readonly<Record<string, unknown>>, string][] => {
    const { service } = fields(holder);
    return isFields(service) ? [[service, path]] : [];
  };
  switch (object.kind) {
    case 'APIService':
      return service(object.spec, 'spec.service');
    case 'CustomResourceDefinition':
      return service(within(object, 'spec', 'conversion', 'webhook').clientConfig, 'spec.conversion.webhook.clientConfig.service');
    case 'ValidatingWebhookConfiguration':
    case 'MutatingWebhookConfiguration':
      return items(object.webhooks).flatMap(({ item, index }) => service(item.clientConfig, `webhooks[${index}].clientConfig.service`));
    default:
      return [];
  }
}
