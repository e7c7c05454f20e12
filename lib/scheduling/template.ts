/**
 * A pod template without what no demand is made of: no image, command, environment or mount. What is left is small, the same
 * for all pods of a workload, and holds no secret: it is what pods are told apart by, and all that a snapshot keeps of them.
 */
import { EGRESS_ANNOTATION, INGRESS_ANNOTATION } from '../api/scheduling.ts';

/** As untrusted as the template it was made of: a wrong shape stays wrong, so that whoever reads it says so. */
export interface BareTemplate {
  readonly metadata: { readonly labels?: unknown; readonly annotations?: unknown };
  readonly spec: Readonly<Record<string, unknown>>;
}

type Loose = Readonly<Record<string, unknown>>;

/** @param template with `metadata` and `spec`; a Pod is one */
export function bareTemplate(template: unknown): BareTemplate {
  const { metadata, spec } = loose(template);
  const { labels, annotations } = loose(metadata);
  const from = loose(spec);
  const kept: Record<string, unknown> = {};
  for (const field of KEPT) if (from[field] !== undefined && from[field] !== null) kept[field] = from[field];
  const affinity = bareAffinity(from.affinity);
  if (affinity !== undefined) kept.affinity = affinity;
  kept.containers = bareList(from.containers, (it) => bareContainer(it, from.hostNetwork === true));
  if (from.initContainers !== undefined)
    kept.initContainers = bareList(from.initContainers, (it) => bareInit(it, from.hostNetwork === true));
  const volumes = Array.isArray(from.volumes) ? from.volumes.filter(asksForSpace).map(bareVolume) : from.volumes;
  if (volumes !== undefined && !(Array.isArray(volumes) && volumes.length === 0)) kept.volumes = volumes;
  return { metadata: { labels, annotations: bareAnnotations(annotations) }, spec: kept };
}

/** Fields of a pod's spec that are kept as they are. */
const KEPT = [
  'hostNetwork',
  'nodeName',
  'nodeSelector',
  'overhead',
  'resources',
  'schedulerName',
  'tolerations',
  'topologySpreadConstraints',
] as const;

const loose = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {});
const bareList = (list: unknown, bare: (item: unknown) => unknown): unknown => (Array.isArray(list) ? list.map(bare) : list);

function bareAnnotations(annotations: unknown): unknown {
  const { [EGRESS_ANNOTATION]: egress, [INGRESS_ANNOTATION]: ingress } = loose(annotations);
  if (egress === undefined && ingress === undefined) return undefined;
  return { [EGRESS_ANNOTATION]: egress, [INGRESS_ANNOTATION]: ingress };
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** What is preferred is a wish, and keeps no pod from a node. */
function bareAffinity(affinity: unknown): unknown {
  if (typeof affinity !== 'object' || affinity === null) return affinity ?? undefined;
  const kept: Record<string, unknown> = {};
  for (const [kind, terms] of Object.entries(affinity)) {
    const required = loose(terms)[REQUIRED];
    if (typeof terms !== 'object') kept[kind] = terms;
    else if (required !== undefined && required !== null) kept[kind] = { [REQUIRED]: required };
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Without host network only the ports that ask for one of the host count; with it each does (defaultHostNetworkPorts). */
function bareContainer(container: unknown, hostNetwork: boolean): unknown {
  const { resources, ports } = loose(container);
  const { requests, limits } = loose(resources);
  const kept = Array.isArray(ports) ? ports.filter((port) => hostNetwork || loose(port).hostPort !== undefined) : ports;
  return {
    resources: requests === undefined && limits === undefined ? undefined : { requests, limits },
    ports: Array.isArray(kept) && kept.length === 0 ? undefined : kept,
  };
}

function bareInit(container: unknown, hostNetwork: boolean): unknown {
  return { ...(bareContainer(container, hostNetwork) as Loose), restartPolicy: loose(container).restartPolicy };
}

const asksForSpace = (volume: unknown): boolean =>
  loose(volume).ephemeral !== undefined || loose(volume).persistentVolumeClaim !== undefined;

function bareVolume(volume: unknown): unknown {
  const { ephemeral, persistentVolumeClaim } = loose(volume);
  return persistentVolumeClaim === undefined ? { ephemeral } : { persistentVolumeClaim };
}
