/**
 * SUMMARY.md: what somebody who signs off on an apply wants to know: what it does first, every privilege and permission
 * with its reason, every image, every path and port on the hosts. Pure: read from the objects, so it can't differ from them.
 */
import type {
  V1Container,
  V1NodeAffinity,
  V1PodSpec,
  V1PodTemplateSpec,
  V1PolicyRule,
  V1ValidatingAdmissionPolicySpec,
} from '@kubernetes/client-node';
import type { Cluster } from '../lib/api/cluster.ts';
import { BECAUSE, type KubeObject, type Manifest, nameOf } from '../lib/api/manifest.ts';
import type { GateInput } from '../lib/gate/finding.ts';

type Template = Manifest<V1PodTemplateSpec>;

export interface Privilege {
  /** `DaemonSet/gala-system/gala-cni` */
  readonly object: string;
  readonly name: string;
  /** `capability.NET_ADMIN`, `host-network`, `host-path.dev` */
  readonly privilege: string;
  readonly reason: string;
}

/** The pod template of a workload, or the pod itself. */
export function templateOf(object: KubeObject): Template | undefined {
  const spec = object.spec as { template?: Template; jobTemplate?: { spec?: { template?: Template } } } | undefined;
  if (object.kind === 'Pod') return object as never;
  if (object.kind === 'CronJob') return spec?.jobTemplate?.spec?.template;
  return ['DaemonSet', 'Deployment', 'StatefulSet', 'ReplicaSet', 'Job'].includes(object.kind) ? spec?.template : undefined;
}

const containersOf = (template: Template): readonly Manifest<V1Container>[] => [
  ...(template.spec?.initContainers ?? []),
  ...(template.spec?.containers ?? []),
];

/** Every privilege on the hosts, with its reason. */
export function privileges(objects: readonly KubeObject[]): Privilege[] {
  return objects.flatMap((object) =>
    Object.entries(templateOf(object)?.metadata?.annotations ?? {}).flatMap(([key, reason]) =>
      key.startsWith(`${BECAUSE}/`)
        ? [{ object: nameOf(object), name: object.metadata.name, privilege: key.slice(BECAUSE.length + 1), reason }]
        : [],
    ),
  );
}

/** Every image with who runs it, by image. */
export function images(objects: readonly KubeObject[]): { image: string; users: string[] }[] {
  const users = new Map<string, Set<string>>();
  for (const object of objects) {
    const template = templateOf(object);
    for (const { image } of template === undefined ? [] : containersOf(template))
      if (image !== undefined) users.set(image, (users.get(image) ?? new Set()).add(nameOf(object)));
  }
  return [...users].map(([image, names]) => ({ image, users: [...names].sort() })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

/** @param hosts files for the hosts, as they stand in the folder */
export function summary(cluster: Cluster, inputs: readonly GateInput[], hosts: readonly { readonly path: string }[]): string {
  const objects = inputs.map(({ object }) => object);
  const sections = [
    [
      `# ${cluster.name}`,
      '',
      `Kubernetes ${cluster.kubernetes} · API server ${cluster.apiServer.url} · services: ${cluster.services} · concerns: ${cluster.concerns.join(', ') || 'none'}`,
    ],
    firstApply(inputs),
    neededNodes(objects),
    [
      '## Privileges on the hosts',
      '',
      ...table(
        ['object', 'privilege', 'because'],
        privileges(objects).map((p) => [p.object, p.privilege, p.reason]),
      ),
    ],
    [
      '## Permissions at the API server',
      '',
      ...table(['role', 'may', 'on', 'because'], objects.flatMap(permissions)),
      '',
      ...table(['binding', 'role', 'given to', 'because'], objects.flatMap(bindings)),
    ],
    [
      "## Rules on everybody's requests",
      '',
      'Asked by the API server itself, from the moment they are applied; what runs already is not asked about.',
      '',
      ...table(['policy', 'does', 'on', 'because'], objects.flatMap(policies)),
    ],
    [
      '## Images',
      '',
      ...table(
        ['image', 'pinned by', 'runs in'],
        images(objects).map(({ image, users }) => [image, image.includes('@') ? 'digest' : 'tag', users.join(', ')]),
      ),
    ],
    ['## Paths on the hosts', '', ...table(['object', 'path', 'mounted'], objects.flatMap(paths))],
    ['## Ports on the hosts', '', ...table(['object', 'container', 'port', 'listens on', 'because'], objects.flatMap(ports))],
    [
      '## Files for the hosts',
      '',
      'Never applied to the API; `APPLY.md` in each pool’s folder says how they reach the hosts and what restarts.',
      '',
      ...table(
        ['file'],
        hosts.map(({ path }) => [path]),
      ),
    ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function firstApply(inputs: readonly GateInput[]): string[] {
  const rows = new Map<string, Map<string, number>>();
  for (const { file, object } of inputs) {
    const kinds = rows.get(file) ?? new Map<string, number>();
    rows.set(file, kinds.set(object.kind, (kinds.get(object.kind) ?? 0) + 1));
  }
  const spelled = [...rows].map(([file, kinds]) => [
    file,
    [...kinds]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', '),
  ]);
  return [
    '## What a first apply does',
    '',
    `Creates ${inputs.length} objects, in this order. Starts no business pod, restarts none, changes no Node.`,
    '',
    ...table(['file', 'creates'], spelled),
  ];
}

/** What must be there before: nodes that the programs insist on. Without them pods stay Pending, and a delivery that waits for them too. */
function neededNodes(objects: readonly KubeObject[]): string[] {
  const rows = objects.flatMap((object) => {
    // A DaemonSet without such a node has no pod, and waits for none.
    const pod = object.kind === 'DaemonSet' ? undefined : templateOf(object)?.spec;
    const labels = pod === undefined ? [] : requiredLabels(pod);
    if (pod === undefined || labels.length === 0) return [];
    const { replicas = 1 } = object.spec as { replicas?: number };
    return [[nameOf(object), String(sharesNoNode(pod) ? replicas : 1), labels.map((label) => `\`${label}\``).join(' or ')]];
  });
  return [
    '## What a first apply needs',
    '',
    ...table(['object', 'nodes', 'labelled'], rows),
    ...(rows.some(([, , labels]) => labels?.includes(SYSTEM_NODE)) ? ['', ...LABELLING] : []),
  ];
}

const SYSTEM_NODE = 'gala.internal/system';
const LABELLING = [
  'With fewer such nodes pods stay Pending, and Argo CD starts no later wave. Where the control plane is managed (EKS), no node has the first label:',
  `\`kubectl label node <node> ${SYSTEM_NODE}=\`, and say it in the template of whatever launches nodes, for their successors.`,
  'With a single such node, set `replicas: 1` among the options of the concern.',
];

/** Labels of which a node must have one. */
function requiredLabels({ affinity }: Manifest<V1PodSpec>): string[] {
  const required = (affinity?.nodeAffinity as Manifest<V1NodeAffinity> | undefined)?.requiredDuringSchedulingIgnoredDuringExecution;
  return (required?.nodeSelectorTerms ?? []).flatMap(({ matchExpressions }) => (matchExpressions ?? []).map(({ key }) => key));
}

const sharesNoNode = ({ topologySpreadConstraints = [] }: Manifest<V1PodSpec>): boolean =>
  topologySpreadConstraints.some(
    (spread) => spread.topologyKey === 'kubernetes.io/hostname' && spread.whenUnsatisfiable === 'DoNotSchedule',
  );

function permissions(object: KubeObject): string[][] {
  if (object.kind !== 'Role' && object.kind !== 'ClusterRole') return [];
  return ((object.rules ?? []) as Manifest<V1PolicyRule>[]).map((rule, i) => [
    nameOf(object),
    rule.verbs.join(', '),
    targetsOf(rule),
    object.metadata.annotations?.[`${BECAUSE}/rule.${i}`] ?? object.metadata.annotations?.[`${BECAUSE}/role`] ?? '',
  ]);
}

/** `hostpools.gala.internal/scale`, as kubectl writes it; `leases.coordination.k8s.io named gala-scheduler`. */
function targetsOf({ apiGroups = [''], resources = [], nonResourceURLs = [], resourceNames }: Manifest<V1PolicyRule>): string {
  const named = resourceNames === undefined ? '' : ` named ${resourceNames.join(', ')}`;
  const targets = apiGroups.flatMap((group) =>
    resources.map((resource) => {
      const [name, ...subresource] = resource.split('/');
      return [group === '' ? name : `${name}.${group}`, ...subresource].join('/');
    }),
  );
  return [...targets, ...nonResourceURLs].join(', ') + named;
}

function bindings(object: KubeObject): string[][] {
  if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding') return [];
  const { kind, name } = object.roleRef as { kind: string; name: string };
  const subjects = (object.subjects ?? []) as { kind: string; name: string; namespace?: string }[];
  return [
    [
      nameOf(object),
      `${kind}/${name}`,
      subjects.map((s) => [s.kind, s.namespace, s.name].filter((part) => part !== undefined).join('/')).join(', '),
      // A role of Gala's own has its reasons rule by rule, in the table above.
      object.metadata.annotations?.[`${BECAUSE}/role`] ?? 'its rules, above',
    ],
  ];
}

/** `ValidatingAdmissionPolicy/gala-slots`: `refuses`, `update pods/status`. */
function policies(object: KubeObject): string[][] {
  const does = { ValidatingAdmissionPolicy: 'refuses', MutatingAdmissionPolicy: 'changes' }[object.kind];
  if (does === undefined) return [];
  const { matchConstraints } = object.spec as Manifest<V1ValidatingAdmissionPolicySpec>;
  const on = (matchConstraints?.resourceRules ?? []).map(
    ({ operations = [], resources = [] }) => `${operations.join(', ').toLowerCase()} ${resources.join(', ')}`,
  );
  return [[nameOf(object), does, on.join('; '), object.metadata.annotations?.[`${BECAUSE}/policy`] ?? '']];
}

function paths(object: KubeObject): string[][] {
  const template = templateOf(object);
  return (template?.spec?.volumes ?? []).flatMap(({ name, hostPath }) => {
    if (hostPath === undefined) return [];
    const mounts = containersOf(template!).flatMap((c) => (c.volumeMounts ?? []).filter((mount) => mount.name === name));
    return [[nameOf(object), hostPath.path, mounts.every((mount) => mount.readOnly === true) ? 'read-only' : 'writable']];
  });
}

function ports(object: KubeObject): string[][] {
  const template = templateOf(object);
  if (template === undefined) return [];
  const onHost = template.spec?.hostNetwork === true;
  return containersOf(template).flatMap((c) =>
    (c.ports ?? []).flatMap(({ name, containerPort, hostPort, hostIP, protocol = 'TCP' }) => {
      if (!onHost && hostPort === undefined) return [];
      const port = hostPort ?? containerPort;
      const reason = template.metadata?.annotations?.[`${BECAUSE}/host-port.${port}`] ?? '';
      return [[nameOf(object), c.name, `${port}/${protocol}${name === undefined ? '' : ` (${name})`}`, hostIP ?? 'every address', reason]];
    }),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['None.'];
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
