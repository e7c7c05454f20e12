/**
 * What people may do with Gala's kinds, role by role, each rule with its reason. Synth renders the roles (constructs/roles.ts);
 * the terminal says by them which one has what somebody lacks. Pure data.
 */
import { CLOUD_STATUS_CONFIGMAP } from './cloud.ts';
import { GROUP } from './resource.ts';

/** As much of a kind as roles need to know. */
export interface KindOfRole {
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** Its number is a scale subresource. */
  readonly scale?: unknown;
}

export interface RoleRule {
  readonly verbs: readonly ('get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection')[];
  readonly on: { readonly group: string; readonly resource: string };
  /** @default the resource itself */
  readonly subresource?: string;
  /** @default all */
  readonly resourceNames?: readonly string[];
  readonly because: string;
}

/** `gala-view` and `gala-edit` are aggregated into Kubernetes' own view and edit. */
export const USER_ROLES = ['gala-view', 'gala-edit', 'gala-operator'] as const;
export type UserRole = (typeof USER_ROLES)[number];

const READ: RoleRule['verbs'] = ['get', 'list', 'watch'];
const WRITE: RoleRule['verbs'] = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ours = (resource: string) => ({ group: GROUP, resource });

/** @param kinds those that the cluster has: a slice without locks has no roles for them */
export function userRoles(kinds: readonly KindOfRole[]): Readonly<Record<UserRole, readonly RoleRule[]>> {
  const namespaced = kinds.filter((kind) => kind.scope === 'Namespaced');
  return { 'gala-view': mayView(kinds), 'gala-edit': mayEdit(namespaced), 'gala-operator': mayOperate(kinds, namespaced) };
}

function mayView(kinds: readonly KindOfRole[]): RoleRule[] {
  return kinds.map(({ plural }) => ({
    verbs: READ,
    on: ours(plural),
    because: `whoever sees pods sees the ${plural} that explain them; nothing in them is secret`,
  }));
}

function mayEdit(namespaced: readonly KindOfRole[]): RoleRule[] {
  return namespaced.flatMap(({ plural, scale }) => [
    { verbs: WRITE, on: ours(plural), because: `whoever runs pods in a namespace asks for ${plural} there; status is the programs'` },
    ...(scale === undefined ? [] : scaling(plural)),
  ]);
}

function mayOperate(kinds: readonly KindOfRole[], namespaced: readonly KindOfRole[]): RoleRule[] {
  if (kinds.length === 0) return [];
  const clusterWide = kinds.filter((kind) => kind.scope === 'Cluster');
  return [
    ...clusterWide.flatMap(({ plural, scale }) => [
      { verbs: READ, on: ours(plural), because: `operators look at ${plural} anywhere; synth and the programs write them` },
      ...(scale === undefined ? [] : scaling(plural)),
    ]),
    ...namespaced.map(({ plural }) => ({
      verbs: [...READ, ...WRITE],
      on: ours(plural),
      because: `operators clear away ${plural} in namespaces that are not theirs`,
    })),
    ...clusterWide.filter(({ plural }) => plural === 'iplocks').map(({ plural }) => lettingGo(plural)),
    ...clusterWide.filter(({ plural }) => plural === 'nodenetworks').map(({ plural }) => rebuilding(plural)),
    { verbs: READ, on: { group: '', resource: 'nodes' }, because: 'stock is explained node by node' },
    {
      verbs: ['patch'],
      on: { group: '', resource: 'nodes' },
      because: 'that a machine is off is said by a taint of its Node (gala fence)',
    },
    { verbs: READ, on: { group: '', resource: 'pods' }, because: 'who holds a slot, and why a pod waits, is asked of pods' },
    { verbs: READ, on: { group: '', resource: 'namespaces' }, because: 'affinity may select namespaces by labels, and stock counts by it' },
    { verbs: READ, on: { group: 'apps', resource: 'statefulsets' }, because: 'an ordinal that may come back keeps its address' },
    { verbs: READ, on: { group: 'storage.k8s.io', resource: 'csistoragecapacities' }, because: 'stock counts space for local volumes' },
    {
      verbs: ['list'],
      on: { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
      because: "gala doctor asks whether Gala's kinds are served",
    },
    { verbs: READ, on: { group: 'apps', resource: 'deployments' }, because: 'which programs of Gala run, and whose pods are asked about' },
    {
      verbs: ['get'],
      on: { group: '', resource: 'configmaps' },
      resourceNames: [CLOUD_STATUS_CONFIGMAP],
      because: 'how far gala cloud is stands there (gala cloud status)',
    },
    { verbs: READ, on: { group: 'apps', resource: 'daemonsets' }, because: 'which agents of Gala run' },
    { verbs: READ, on: { group: 'coordination.k8s.io', resource: 'leases' }, because: 'which replica leads is said by its Lease' },
    // One store under two groups, authorized apart: `kubectl get events` and `describe` ask the core one.
    { verbs: READ, on: { group: '', resource: 'events' }, because: 'why a pod waits is told in events, which kubectl reads here' },
    { verbs: READ, on: { group: 'events.k8s.io', resource: 'events' }, because: 'newer clients read the same events here' },
  ];
}

/** What a patch may say the policy of IPLocks bounds: RBAC knows verbs, not annotations. */
const lettingGo = (plural: string): RoleRule => ({
  verbs: ['patch'],
  on: ours(plural),
  because: `operators say by annotations that nobody uses an address any more, that its slot shall go to another node, or that its machine is off; a policy lets them write nothing else of ${plural}`,
});

/** The policy of NodeNetworks keeps what a node has from people: an annotation is left to them. */
const rebuilding = (plural: string): RoleRule => ({
  verbs: ['patch'],
  on: ours(plural),
  because: `operators have IPLocks rebuilt by an annotation (gala ips rebuild); a policy keeps spec and status of ${plural} from them`,
});

const scaling = (plural: string): RoleRule[] => [
  {
    verbs: ['get', 'update', 'patch'],
    on: ours(plural),
    subresource: 'scale',
    because: `how large each of the ${plural} shall be is set by people and autoscalers, never by synth`,
  },
];
