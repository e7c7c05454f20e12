/** RBAC: every role is bound, every binding binds, every permission names something that exists and says why it is there. */
import { BECAUSE, type KubeObject } from '../../api/manifest.ts';
import { type ClusterView, reasons } from '../cluster-view.ts';
import { resourcesOf } from '../fields-table.ts';
import { mayBeNewer } from '../newer.ts';
import { type Found, family } from '../rule.ts';
import { type Fields, fields, items, shown, text, texts } from '../shape.ts';
import { resembling } from './resembling.ts';

export const rbacRules = family({
  name: 'rbac',
  rules: {
    'rbac-dangling-role': {
      severity: 'error',
      server: 'accepts',
      reason: 'A binding to a role that does not exist grants nothing, and whoever creates that role later decides what it grants.',
      remedy: 'Render the role, correct roleRef, or say that the site provides it: annotation gala.internal/provided: ClusterRole/<name>.',
    },
    'rbac-dangling-subject': {
      severity: 'error',
      server: 'accepts',
      reason: 'Permissions granted to a ServiceAccount that does not exist wait for whoever creates it.',
      remedy:
        'Render the ServiceAccount, correct the subject, or say that the site provides it: annotation gala.internal/provided: ServiceAccount/<namespace>/<name>.',
    },
    'rbac-no-subjects': {
      severity: 'error',
      server: 'accepts',
      reason: 'A binding without subjects grants nothing to anybody.',
      remedy: 'Add a subject or remove the binding.',
    },
    'rbac-unbound-role': {
      severity: 'error',
      server: 'accepts',
      reason: 'A role that no binding names grants nothing to anybody.',
      remedy: `Bind it, remove it, or say who binds it: annotation ${BECAUSE}/unbound.`,
    },
    'rbac-empty-rule': {
      severity: 'error',
      server: 'refuses',
      reason: 'A rule without verbs, or without resources and URLs, permits nothing; the API server refuses it.',
      remedy: 'Name verbs, apiGroups and resources, or remove the rule.',
    },
    'rbac-unknown-resource': {
      severity: 'error',
      server: 'accepts',
      reason: 'A permission on a resource that the API group does not have permits nothing.',
      remedy: 'Use the plural, lower-case name as `kubectl api-resources` shows it, and its API group.',
    },
    'rbac-wildcard': {
      severity: 'error',
      server: 'accepts',
      reason: 'A wildcard grants what nobody has thought of, now and after every upgrade.',
      remedy: `List what is needed, or write down why not: annotation ${BECAUSE}/wildcard.<rule>.`,
    },
    'rbac-no-reason': {
      severity: 'error',
      server: 'accepts',
      reason: 'Every permission of a program has a written reason, so that a reviewer can tell what may go.',
      remedy: `Annotate the role with ${BECAUSE}/rule.<index>.`,
    },
    'rbac-powerful-role': {
      severity: 'error',
      server: 'accepts',
      reason:
        'Kubernetes brings roles that can do almost anything (cluster-admin, admin, edit, those of its own components); granting one is a wildcard by another name.',
      remedy: `Grant a role with just the rules that are needed, or annotate the binding with ${BECAUSE}/role.`,
    },
    'rbac-broad-subject': {
      severity: 'error',
      server: 'accepts',
      reason: 'Groups such as system:authenticated take in everybody, and members of system:masters are held back by no role at all.',
      remedy: `Name the group or ServiceAccount that needs it, or annotate the binding with ${BECAUSE}/subject.<index>.`,
    },
  },
  object(object, cluster, found) {
    if (object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding') binding(object, cluster, found);
    if (object.kind === 'Role' || object.kind === 'ClusterRole') role(object, cluster, found);
  },
});

type RbacRule =
  | 'rbac-dangling-role'
  | 'rbac-dangling-subject'
  | 'rbac-no-subjects'
  | 'rbac-unbound-role'
  | 'rbac-empty-rule'
  | 'rbac-unknown-resource'
  | 'rbac-wildcard'
  | 'rbac-no-reason'
  | 'rbac-powerful-role'
  | 'rbac-broad-subject';

function binding(object: KubeObject, cluster: ClusterView, found: Found<RbacRule>): void {
  const { kind, name } = fields(object.roleRef);
  const named = text(name);
  if ((kind === 'Role' || kind === 'ClusterRole') && named !== undefined) {
    const namespace = kind === 'Role' ? object.metadata.namespace : undefined;
    if (!cluster.has(kind, namespace, named, object))
      found('rbac-dangling-role', 'roleRef.name', `${kind} ${shown(named)} is not rendered`);
  }
  const because = reasons(object.metadata.annotations, BECAUSE);
  if (
    kind === 'ClusterRole' &&
    isPowerful(named ?? '') &&
    cluster.rendered(kind, undefined, named ?? '') === undefined &&
    !because.has('role')
  )
    found('rbac-powerful-role', 'roleRef.name', `ClusterRole ${shown(named)} is granted; annotation ${BECAUSE}/role is missing`);
  const subjects = items(object.subjects);
  if (subjects.length === 0) found('rbac-no-subjects', 'subjects', 'subjects is empty');
  for (const { item, index } of subjects) {
    if ((item.kind === 'Group' || item.kind === 'User') && BROAD.has(text(item.name) ?? '') && !because.has(`subject.${index}`))
      found(
        'rbac-broad-subject',
        `subjects[${index}].name`,
        `${item.kind} is ${shown(item.name)}; annotation ${BECAUSE}/subject.${index} is missing`,
      );
    const account = text(item.name);
    if (item.kind !== 'ServiceAccount' || account === undefined) continue;
    const namespace = text(item.namespace) ?? object.metadata.namespace;
    if (namespace === undefined)
      found(
        'rbac-dangling-subject',
        `subjects[${index}].namespace`,
        `ServiceAccount ${shown(account)} has no namespace; a ClusterRoleBinding must say which`,
        { remedy: 'Set it.' },
      );
    else if (!cluster.has('ServiceAccount', namespace, account, object))
      found('rbac-dangling-subject', `subjects[${index}]`, `ServiceAccount ${namespace}/${account} is not rendered`);
  }
}

/** Those that read all Secrets, make pods anywhere, or change what others may (plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
function isPowerful(role: string): boolean {
  return POWERFUL.has(role) || role.startsWith('system:controller:');
}
const POWERFUL: ReadonlySet<string> = new Set([
  'admin',
  'cluster-admin',
  'edit',
  'system:aggregate-to-admin',
  'system:aggregate-to-edit',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:node',
]);
/** Who is in them is not for this cluster's manifests to say: everybody, every pod, or those above all rules. */
const BROAD: ReadonlySet<string> = new Set([
  'system:anonymous',
  'system:authenticated',
  'system:masters',
  'system:serviceaccounts',
  'system:unauthenticated',
]);

function role(object: KubeObject, cluster: ClusterView, found: Found<RbacRule>): void {
  const forUsers = isAggregated(object);
  if (!forUsers && !reasons(object.metadata.annotations, BECAUSE).has('unbound') && !cluster.isBound(object)) {
    found('rbac-unbound-role', '', `no binding of this synth names ${object.kind} ${object.metadata.name}`);
  }
  const because = reasons(object.metadata.annotations, BECAUSE);
  for (const { item, index } of items(object.rules)) {
    const path = `rules[${index}]`;
    emptyRule(item, path, found);
    for (const list of ['verbs', 'apiGroups', 'resources', 'nonResourceURLs']) {
      if (texts(item[list]).includes('*') && !because.has(`wildcard.${index}`))
        found('rbac-wildcard', `${path}.${list}`, `${list} is ${shown(item[list])}; a wildcard needs a reason`);
    }
    unknownResources(item, path, cluster, found);
    if (!forUsers && !because.has(`rule.${index}`))
      found(
        'rbac-no-reason',
        path,
        `annotation ${BECAUSE}/rule.${index} is missing for ${shown(item.verbs)} on ${shown(item.resources ?? item.nonResourceURLs)}`,
      );
  }
}

/** User roles: they reach people through view, edit and admin, or are made of other roles. */
function isAggregated({ metadata, aggregationRule }: KubeObject): boolean {
  return (
    aggregationRule !== undefined ||
    Object.keys(metadata.labels ?? {}).some((key) => key.startsWith('rbac.authorization.k8s.io/aggregate-to-'))
  );
}

function emptyRule(rule: Fields, path: string, found: Found<RbacRule>): void {
  const count = (list: string) => texts(rule[list]).length;
  if (count('verbs') === 0) found('rbac-empty-rule', `${path}.verbs`, 'verbs is empty');
  if (count('resources') === 0 && count('nonResourceURLs') === 0)
    found('rbac-empty-rule', path, 'neither resources nor nonResourceURLs are named');
  if (count('resources') > 0 && count('apiGroups') === 0)
    found('rbac-empty-rule', `${path}.apiGroups`, "apiGroups is empty; the core group is ''");
}

/** Resources that only authorization knows: impersonation, signing. They have no URL, so the client has no call for them. */
const ONLY_IN_AUTHORIZATION: Readonly<Record<string, readonly string[]>> = {
  '': ['users', 'groups', 'uids'],
  'authentication.k8s.io': ['users', 'groups', 'serviceaccounts', 'uids', 'userextras', 'nodes'],
  'certificates.k8s.io': ['signers'],
};

function unknownResources(rule: Fields, path: string, cluster: ClusterView, found: Found<RbacRule>): void {
  const groups = texts(rule.apiGroups);
  const known = groups.flatMap((group) => resourcesOf(group) ?? []);
  // With a foreign group among them, a resource may be meant for that one.
  if (groups.length === 0 || known.length < groups.length) return;
  texts(rule.resources).forEach((resource, index) => {
    if (resource.includes('*') || groups.some((group) => isKnown(resource, group))) return;
    const alike = resembling(
      resource,
      known.flatMap((names) => [...names]),
    );
    found(
      'rbac-unknown-resource',
      `${path}.resources[${index}]`,
      `API group ${shown(groups.join(', '))} has no resource ${shown(resource)}`,
      alike === undefined ? mayBeNewer(cluster.context) : { remedy: `Did you mean ${alike}?` },
    );
  });
}

function isKnown(resource: string, group: string): boolean {
  const [name = '', subresource] = resource.split('/');
  const served = resourcesOf(group);
  if (ONLY_IN_AUTHORIZATION[group]?.includes(name)) return true;
  if (!served?.has(name)) return false;
  return subresource === undefined || subresource === 'finalizers' || OWN_SUBRESOURCES.has(name) || served.has(resource);
}

/** The kubelet's endpoints (nodes/metrics), signers' checks (certificatesigningrequests/nodeclient) and DRA's are only words of RBAC. */
const OWN_SUBRESOURCES: ReadonlySet<string> = new Set(['nodes', 'certificatesigningrequests', 'resourceclaims']);
