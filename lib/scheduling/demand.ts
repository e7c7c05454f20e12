/**
 * Demand: what one pod asks of a node, in numbers, from its template. Read as kube-scheduler 1.37 reads the pod that the API
 * server would make of it, so that stock and scheduler count the same.
 */

import { spell } from '../api/issue.ts';
import type { Problem } from '../api/problem.ts';
import { toNumber } from '../api/quantity.ts';
import { EGRESS_ANNOTATION, INGRESS_ANNOTATION, POOL_TAINT, SCHEDULER_NAME } from '../api/scheduling.ts';
import { DEEPEST, deeperThan } from './depth.ts';
import { both, nodeTermsOf, onNode, tolerationsOf } from './node-terms.ts';
import { type Own, podTermsOf, spreadOf } from './pod-terms.ts';
import { below, type Fields, type Reader, reader } from './reading.ts';
import { requestsOf } from './requests.ts';
import type { Demand, Toleration } from './types.ts';
import { type Claim, templatesOf, volumesOf, withClaims } from './volumes.ts';

export interface DemandOptions {
  /** Where its pods will be. */
  readonly namespace: string;
  /** `<namespace>/<name>`, by owner.ts: Held addresses of this owner count as free. @default none are */
  readonly owner?: string;
  /** `spec.volumeClaimTemplates` of a StatefulSet. @default none */
  readonly volumeClaimTemplates?: unknown;
  /** The class of volumes that name none. @default their space is not counted */
  readonly defaultStorageClass?: string;
  /** Looks up a claim that the pod names. @default such claims are not counted */
  readonly claims?: (name: string) => Claim | undefined;
  /** Where the template stands, for paths of problems: `spec.template`. @default the root */
  readonly path?: string;
}

export type Demanded =
  | { readonly demand: Demand; readonly problems: readonly [] }
  | { readonly demand?: undefined; readonly problems: readonly Problem[] };

/**
 * The demand of the pods of a template, or all that is wrong with it.
 *
 * A template is taken as admission leaves its pods: those of `gala-scheduler` (so are those that name none) off the host's network
 * get their gate and, with it, the toleration of every pool's taint; below Kubernetes 1.36 they bring both along, and are refused
 * without (constructs/policies/gate.ts). A stored pod (`podFacts`) tolerates what it says, and nothing more.
 * @param template `metadata` (labels; annotations for bandwidth) and `spec`, as in a Deployment
 * @example demandOf(deployment.spec.template, { namespace: 'feed', owner: 'feed/feed-api' }).demand?.requests.get('cpu') // 2
 */
export function demandOf(template: unknown, options: DemandOptions): Demanded {
  const read = reader();
  // A Lock's template is whatever its author wrote: the API server does not look into it.
  if (deeperThan(DEEPEST, template)) {
    const remedy = 'Give the template of a pod.';
    read.wrong(options.path ?? 'template', 'the template is nested too deep', undefined, `${DEEPEST} levels at most`, remedy);
    return { problems: read.problems };
  }
  const shape = readShape(template, options, read);
  if (read.problems.length > 0) return { problems: read.problems };
  const { claims, labels, ...rest } = shape;
  const { namespace, owner } = options;
  const asked = { namespace, labels, owner, ...rest, tolerations: [...rest.tolerations, ...admitted(template, rest.address)] };
  const known = claims.flatMap((name) => options.claims?.(name) ?? []);
  return { demand: known.length === 0 ? asked : withClaims(asked, known), problems: [] };
}

/** What the gate's policy adds, or asks for. */
function admitted(template: unknown, offHostNetwork: boolean): readonly Toleration[] {
  // A template that names no scheduler is asked about for this one: no other gives out slots.
  const { schedulerName = SCHEDULER_NAME } = (template as { spec: { schedulerName?: unknown } }).spec;
  return schedulerName === SCHEDULER_NAME && offHostNetwork ? [{ key: POOL_TAINT, operator: 'Exists', effect: 'NoSchedule' }] : [];
}

/** A demand without its owner, and the claims that it names. */
export type Shape = Omit<Demand, 'namespace' | 'owner'> & { readonly claims: readonly string[] };

/** Whatever can be read; what can't is told to `read`. */
export function readShape(template: unknown, options: DemandOptions, read: Reader): Shape {
  const at = (field: string) => (options.path === undefined ? field : `${options.path}.${field}`);
  const { metadata, spec: given } = read.fields(template, options.path ?? 'template');
  if (given === undefined || given === null) read.wrong(at('spec'), 'spec is missing', undefined, 'the spec of a pod', 'Add it.');
  const spec = read.fields(given, at('spec'));
  const { labels, annotations } = read.fields(metadata, at('metadata'));
  const own: Own = { namespace: options.namespace, labels: read.labels(labels, at('metadata.labels')) };
  const affinity = read.fields(spec.affinity, at('spec.affinity'));
  const required = (kind: string) => read.fields(affinity[kind], at(`spec.affinity.${kind}`))[REQUIRED];
  const hostNetwork = spec.hostNetwork === true;
  const volumes = volumesOf(spec.volumes, options.defaultStorageClass, read, at('spec.volumes'));
  const templates = templatesOf(options.volumeClaimTemplates, options.defaultStorageClass, read, 'spec.volumeClaimTemplates');
  return {
    labels: own.labels,
    requests: inUnits([
      ...requestsOf(spec, read, at('spec')),
      ['pods', 1],
      ...bandwidthOf(read.fields(annotations, at('metadata.annotations')), read, at('metadata.annotations')),
      ...sum(volumes.space, templates),
    ]),
    address: !hostNetwork,
    nodeSelector: read.labels(spec.nodeSelector, at('spec.nodeSelector')),
    nodeTerms: placed(nodeTermsOf(required('nodeAffinity'), read, at(`spec.affinity.nodeAffinity.${REQUIRED}`)), spec, read, at('spec')),
    tolerations: tolerationsOf(spec.tolerations, read, at('spec.tolerations')),
    spread: spreadOf(spec.topologySpreadConstraints, own, read, at('spec.topologySpreadConstraints')),
    affinity: podTermsOf(required('podAffinity'), own, read, at(`spec.affinity.podAffinity.${REQUIRED}`)),
    antiAffinity: podTermsOf(required('podAntiAffinity'), own, read, at(`spec.affinity.podAntiAffinity.${REQUIRED}`)),
    hostPorts: hostPortsOf(spec, hostNetwork, read, at('spec')),
    claims: volumes.claims,
  };
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** CPUs as cores; what isn't asked for is left out. */
function inUnits(amounts: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  return new Map(amounts.filter(([, amount]) => amount > 0).map(([name, amount]) => [name, name === 'cpu' ? amount / 1000 : amount]));
}

function sum(...all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  for (const [name, amount] of all.flatMap((map) => [...map])) total.set(name, (total.get(name) ?? 0) + amount);
  return total;
}

/** A template that names its node goes there. */
function placed(terms: Demand['nodeTerms'], spec: Fields, read: Reader, path: string): Demand['nodeTerms'] {
  const node = read.text(spec.nodeName, `${path}.nodeName`);
  return node === undefined || node === '' ? terms : both(terms, [onNode(node)]);
}

/** As the kubelet reads them for the bandwidth plugin (pkg/util/bandwidth/utils.go): 1k to 1P bits a second. */
function bandwidthOf(annotations: Fields, read: Reader, path: string): [string, number][] {
  return [['egress', EGRESS_ANNOTATION] as const, ['ingress', INGRESS_ANNOTATION] as const].flatMap(
    ([supply, annotation]): [string, number][] => {
      const text = read.text(annotations[annotation], below(path, annotation));
      if (text === undefined) return [];
      const bits = bitsOf(text);
      if (bits >= 1e3 && bits <= 1e15) return [[supply, bits]];
      const remedy = "Write it with its unit: '200M'.";
      read.wrong(below(path, annotation), `${supply} bandwidth is ${spell(text)}`, text, 'bits a second, 1k to 1P', remedy);
      return [];
    },
  );
}

function bitsOf(text: string): number {
  try {
    return Math.ceil(toNumber(text));
  } catch {
    return Number.NaN;
  }
}

/**
 * Ports of containers and native sidecars (getHostPorts in plugins/nodeports). On the host's network each port of the container
 * is one of the host (defaultHostNetworkPorts).
 */
function hostPortsOf(spec: Fields, hostNetwork: boolean, read: Reader, path: string): readonly string[] {
  const sidecars = read.items(spec.initContainers, `${path}.initContainers`).filter(({ item }) => item.restartPolicy === 'Always');
  const ports = [...read.items(spec.containers, `${path}.containers`), ...sidecars].flatMap(({ item, path }) =>
    read.items(item.ports, `${path}.ports`).flatMap(({ item, path }) => {
      const asked = item.hostPort === 0 ? undefined : item.hostPort;
      const port = asked ?? (hostNetwork ? item.containerPort : undefined);
      const number = read.integer(port, `${path}.${asked === undefined ? 'containerPort' : 'hostPort'}`, 1, 65_535);
      const protocol = read.word(item.protocol, `${path}.protocol`, ['TCP', 'UDP', 'SCTP']) ?? 'TCP';
      const ip = read.text(item.hostIP, `${path}.hostIP`);
      if (number === undefined) return [];
      return [ip === undefined || ip === '' || ip === '0.0.0.0' ? `${protocol}/${number}` : `${protocol}/${number}@${ip}`];
    }),
  );
  return [...new Set(ports)].sort();
}
