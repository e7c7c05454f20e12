/**
 * User roles: what people may do with Gala's kinds. Two are aggregated into Kubernetes' own view and edit (admin contains
 * edit), so whoever has those has the right ones here; `gala-operator` is bound by hand to the platform's team.
 */
import type { V1ClusterRole } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import { BECAUSE, type Manifest } from '../lib/api/manifest.ts';
import { GROUP } from '../lib/api/resource.ts';
import type { Permission, Target, Verb } from './permission.ts';
import { rulesWithReasons } from './permission.ts';
import { add } from './platform.ts';

/** As much of a kind as roles need to know. */
export interface KindOfRole {
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** Its number is a scale subresource. */
  readonly scale?: unknown;
}

const READ: readonly Verb[] = ['get', 'list', 'watch'];
const WRITE: readonly Verb[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ours = (resource: string): Target => ({ group: GROUP, resource });

/** @param kinds those that the cluster has: a slice without locks has no roles for them */
export function addUserRoles(scope: Construct, kinds: readonly KindOfRole[]): void {
  const namespaced = kinds.filter((kind) => kind.scope === 'Namespaced');
  role(scope, 'gala-view', { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }, mayView(kinds));
  role(scope, 'gala-edit', { labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } }, mayEdit(namespaced));
  const unbound = { [`${BECAUSE}/unbound`]: "who operates the platform is the site's to say: bind it to that team's group" };
  role(scope, 'gala-operator', { annotations: unbound }, mayOperate(kinds, namespaced));
}

type Marks = { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };

function role(scope: Construct, name: string, { labels, annotations }: Marks, permissions: readonly Permission[]): void {
  if (permissions.length === 0) return;
  const rules = rulesWithReasons(permissions);
  add(scope, 'rbac', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels, annotations: { ...rules.annotations, ...annotations } },
    rules: rules.rules,
  } satisfies Manifest<V1ClusterRole>);
}

function mayView(kinds: readonly KindOfRole[]): Permission[] {
  return kinds.map(({ plural }) => ({
    verbs: READ,
    on: ours(plural),
    because: `whoever sees pods sees the ${plural} that explain them; nothing in them is secret`,
  }));
}

function mayEdit(namespaced: readonly KindOfRole[]): Permission[] {
  return namespaced.flatMap(({ plural, scale }) => [
    { verbs: WRITE, on: ours(plural), because: `whoever runs pods in a namespace asks for ${plural} there; status is the programs'` },
    ...(scale === undefined ? [] : scaling(plural)),
  ]);
}

function mayOperate(kinds: readonly KindOfRole[], namespaced: readonly KindOfRole[]): Permission[] {
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
    { verbs: READ, on: { group: '', resource: 'nodes' }, because: 'stock is explained node by node' },
    { verbs: READ, on: { group: '', resource: 'pods' }, because: 'who holds a slot, and why a pod waits, is asked of pods' },
    { verbs: READ, on: { group: '', resource: 'namespaces' }, because: 'affinity may select namespaces by labels, and stock counts by it' },
    { verbs: READ, on: { group: 'apps', resource: 'statefulsets' }, because: 'an ordinal that may come back keeps its address' },
    { verbs: READ, on: { group: 'storage.k8s.io', resource: 'csistoragecapacities' }, because: 'stock counts space for local volumes' },
    { verbs: READ, on: { group: 'apps', resource: 'deployments' }, because: 'which programs of Gala run, and whose pods are asked about' },
    { verbs: READ, on: { group: 'apps', resource: 'daemonsets' }, because: 'which agents of Gala run' },
    { verbs: READ, on: { group: 'coordination.k8s.io', resource: 'leases' }, because: 'which replica leads is said by its Lease' },
    // One store under two groups, authorized apart: `kubectl get events` and `describe` ask the core one.
    { verbs: READ, on: { group: '', resource: 'events' }, because: 'why a pod waits is told in events, which kubectl reads here' },
    { verbs: READ, on: { group: 'events.k8s.io', resource: 'events' }, because: 'newer clients read the same events here' },
  ];
}

const scaling = (plural: string): Permission[] => [
  {
    verbs: ['get', 'update', 'patch'],
    on: ours(plural),
    subresource: 'scale',
    because: `how large each of the ${plural} shall be is set by people and autoscalers, never by synth`,
  },
];
