/**
 * Pods: the template that a NodeAgent and a Program share. Least privilege first, then exactly what the needs add; a hash
 * of the config files, so that a change of them rolls the pods.
 */
import type { V1Container, V1PodSpec, V1PodTemplateSpec, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { Manifest } from '../lib/api/manifest.ts';
import { configHash } from './config-files.ts';
import type { Container } from './container.ts';
import type { Need } from './need.ts';
import { reasons, volumeNameOf } from './need.ts';
import { probe } from './probe.ts';
import type { Workload } from './workload.ts';

/** The label that selectors go by: the name and nothing that a release changes. */
export const selectorOf = (name: string) => ({ 'app.kubernetes.io/name': name });

/** The user of everything that needn't be root: `nonroot` of the distroless images. */
const NONROOT = 65532;

/** What only one of the two has: where the pods go. */
export type Placement = Pick<
  Manifest<V1PodSpec>,
  'affinity' | 'nodeSelector' | 'priorityClassName' | 'tolerations' | 'topologySpreadConstraints'
>;

/** The pod template of a workload. */
export function podTemplate(workload: Workload, placement: Placement): Manifest<V1PodTemplateSpec> {
  const { name, needs, root } = workload;
  const annotations = { ...reasons(needs), ...configHash(workload.containers) };
  return {
    metadata: {
      labels: selectorOf(name),
      annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
    },
    spec: {
      ...placement,
      serviceAccountName: name,
      automountServiceAccountToken: workload.may.length > 0,
      // The variables of every Service in the namespace are noise, and the ClusterIPs in them needn't work.
      enableServiceLinks: false,
      // The node's resolver: cluster DNS needs a Service network that may not be there.
      dnsPolicy: onHostNetwork(needs) ? 'Default' : undefined,
      hostNetwork: onHostNetwork(needs) ? true : undefined,
      hostPID: needs.some((need) => 'hostPid' in need) ? true : undefined,
      terminationGracePeriodSeconds: workload.terminationGracePeriodSeconds,
      securityContext: {
        // Said for the pod, not the container: the kubelet then gives the mounted token to this user.
        runAsNonRoot: root ? undefined : true,
        runAsUser: root ? 0 : NONROOT,
        runAsGroup: root ? 0 : NONROOT,
        seccompProfile: { type: isPrivileged(needs) ? 'Unconfined' : 'RuntimeDefault' },
      },
      initContainers: orNone(workload.before.map((one) => unprivileged(container(one, workload), workload))),
      containers: workload.containers.map((one) => container(one, workload)),
      volumes: orNone(workload.containers.flatMap((one) => volumes(one, workload))),
    },
  };
}

function container(told: Container, workload: Workload): Manifest<V1Container> {
  const onHost = onHostNetwork(workload.needs);
  return {
    name: told.name,
    image: told.image,
    command: told.command,
    args: orNone(told.args),
    env: orNone(env(told, workload)),
    ports: orNone(ports(told.needs)),
    resources: { limits: { memory: told.memory }, requests: { cpu: told.cpu, memory: told.memory } },
    securityContext: securityContext(told.needs, workload.needs),
    volumeMounts: orNone(volumeMounts(told, workload)),
    livenessProbe: probe(told.livenessProbe, onHost),
    readinessProbe: probe(told.readinessProbe, onHost),
    startupProbe: probe(told.startupProbe, onHost),
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

/** What comes before has no needs, so it needn't be the root that the pod is. */
function unprivileged(made: Manifest<V1Container>, { root }: Workload): Manifest<V1Container> {
  if (!root) return made;
  return { ...made, securityContext: { ...made.securityContext, runAsNonRoot: true, runAsUser: NONROOT, runAsGroup: NONROOT } };
}

function securityContext(needs: readonly Need[], ofPod: readonly Need[]): Manifest<V1Container>['securityContext'] {
  if (isPrivileged(needs)) return { privileged: true, readOnlyRootFilesystem: true };
  const capabilities = needs.flatMap((need) => ('capability' in need ? [need.capability] : [])).toSorted();
  return {
    // By the API's own words it is always true with SYS_ADMIN (core/v1 SecurityContext), and `CAP_SYS_ADMIN` with false is refused.
    allowPrivilegeEscalation: capabilities.includes('SYS_ADMIN'),
    capabilities: { drop: ['ALL'], add: orNone(capabilities) },
    readOnlyRootFilesystem: true,
    // The pod's word is for the privileged container beside this one.
    seccompProfile: isPrivileged(ofPod) ? { type: 'RuntimeDefault' } : undefined,
  };
}

function env(told: Container, workload: Workload): Manifest<V1Container>['env'] & {} {
  const given = Object.entries(told.env ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (typeof value === 'string' ? { name, value } : { name, valueFrom: { fieldRef: value } }));
  if (workload.may.length === 0) return given;
  // The kubelet would put the `kubernetes` Service's ClusterIP here, which nothing answers where there is no kube-proxy.
  return [
    { name: 'KUBERNETES_SERVICE_HOST', value: workload.apiServer.host },
    { name: 'KUBERNETES_SERVICE_PORT', value: String(workload.apiServer.port) },
    ...given,
  ];
}

function ports(needs: readonly Need[]): Manifest<V1Container>['ports'] & {} {
  return needs.flatMap((need) =>
    'hostPort' in need
      ? [{ containerPort: need.hostPort, hostPort: need.hostPort, hostIP: need.hostIP, protocol: need.protocol ?? 'TCP' }]
      : [],
  );
}

function volumes(told: Container, workload: Workload): Manifest<V1Volume>[] {
  const host = told.needs.flatMap((need) =>
    'hostPath' in need ? [{ name: volumeNameOf(need), hostPath: { path: need.hostPath, type: need.type ?? 'Directory' } }] : [],
  );
  const empty = Object.entries(told.emptyDirs ?? {}).map(([path, sizeLimit]) => ({
    name: ofContainer('empty', told, workload) + pathWords(path),
    emptyDir: { sizeLimit },
  }));
  const config = told.config === undefined ? [] : [{ name: ofContainer('config', told, workload), configMap: { name: told.configName } }];
  return [...config, ...empty, ...host];
}

function volumeMounts(told: Container, workload: Workload): Manifest<V1VolumeMount>[] {
  const host = told.needs.flatMap((need) => {
    if (!('hostPath' in need)) return [];
    const readOnly = need.readOnly ?? true;
    return [
      {
        name: volumeNameOf(need),
        mountPath: need.mountPath ?? need.hostPath,
        // The API server keeps no `false` here.
        readOnly: readOnly ? true : undefined,
        // Without it the mounts below a read-only path stay writable. It excludes propagation (core/validation).
        recursiveReadOnly: readOnly && need.propagation === undefined ? 'IfPossible' : undefined,
        mountPropagation: need.propagation,
      },
    ];
  });
  const empty = Object.keys(told.emptyDirs ?? {}).map((mountPath) => ({
    name: ofContainer('empty', told, workload) + pathWords(mountPath),
    mountPath,
  }));
  const config =
    told.config === undefined ? [] : [{ name: ofContainer('config', told, workload), mountPath: told.configPath, readOnly: true }];
  return [...config, ...empty, ...host];
}

/** `config`, or for a container beside the workload's own `config-kube-scheduler`: each has its own. */
const ofContainer = (volume: string, { name }: Container, workload: Workload): string =>
  name === workload.name ? volume : `${volume}-${name}`;

/** `/var/cache/x` → `-var-cache-x`; after `empty` it is what no path of the host is called. */
const pathWords = (path: string): string => path.replace(/[^a-z0-9]+/g, '-').replace(/-$/, '');

const onHostNetwork = (needs: readonly Need[]): boolean => needs.some((need) => 'hostNetwork' in need);
const isPrivileged = (needs: readonly Need[]): boolean => needs.some((need) => 'privileged' in need);

/** Kubernetes tells "none" from "an empty list" nowhere, but an empty list is one more line to read. */
const orNone = <T>(items: readonly T[]): readonly T[] | undefined => (items.length === 0 ? undefined : items);
