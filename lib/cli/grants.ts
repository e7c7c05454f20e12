/** Rights that somebody lacks: as a sentence, with the role that has them and the commands that grant them. Pure. */
import { KINDS } from '../api/kinds.ts';
import { GROUP } from '../api/resource.ts';
import { type RoleRule, type UserRole, userRoles } from '../api/user-roles.ts';

export interface Right {
  readonly verb: string;
  /** `locks.gala.internal` */
  readonly resource: string;
  /** Undefined: in the whole cluster. */
  readonly namespace?: string;
}

export interface Lacking extends Right {
  readonly user: string;
}

/** `pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope` */
const CANNOT = /User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)" (?:at the cluster scope|in the namespace "([^"]+)")/;

/** What the API server's sentence says that somebody lacks; undefined when it says no such thing. */
export function lackingIn(said: string): Lacking | undefined {
  const [, user, verb, resource, group, namespace] = CANNOT.exec(said) ?? [];
  if (user === undefined || verb === undefined || resource === undefined) return undefined;
  return { user, verb, resource: group ? `${resource}.${group}` : resource, ...(namespace === undefined ? {} : { namespace }) };
}

/** `jane may not get and create locks.gala.internal in namespace feed, list nodes and pods in the whole cluster.` */
export function lackSentence(user: string, rights: readonly Right[]): string {
  const parts = groupsOf(rights).map(
    ({ verbs, resources, namespace }) =>
      `${and(verbs)} ${and(resources)} ${namespace === undefined ? 'in the whole cluster' : `in namespace ${namespace}`}`,
  );
  return `${user} may not ${parts.join(', nor ')}.`;
}

const and = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** What an administrator types so that the same command works: by the role that has it all, or with nothing but that. */
export function grantsOf(user: string, rights: readonly Right[]): string {
  const role = roleWith(rights);
  const exactly = groupsOf(rights).flatMap((group) => exactGrant(user, group));
  if (role === undefined) return ['Somebody who may grants it with', ...exactly].join('\n');
  const namespaces = role === 'gala-operator' ? [undefined] : [...new Set(rights.map(({ namespace }) => namespace))];
  const bindings = namespaces.map((namespace) => bindingOf(`${role}-${plain(user)}`, 'clusterrole', role, user, namespace));
  return [
    `The ClusterRole ${role} has ${rights.length === 1 ? 'it' : 'these'}${role === 'gala-operator' ? '' : `, by gala-${role}`}. Somebody who may grants it with`,
    ...bindings,
    `or, where Gala's roles are not installed, or are too much, with`,
    ...exactly,
  ].join('\n');
}

/** In one order, and without what a right of the whole cluster gives as well. */
export function distinct<R extends Right>(rights: readonly R[]): R[] {
  const key = ({ namespace = '', resource, verb }: Right) => JSON.stringify([namespace, resource, verb]);
  const everywhere = new Set(rights.filter(({ namespace }) => namespace === undefined).map(key));
  const needed = rights.filter(
    (right) => right.namespace === undefined || !everywhere.has(key({ verb: right.verb, resource: right.resource })),
  );
  return [...new Map(needed.map((right) => [key(right), right]))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
}

interface Group {
  readonly namespace?: string;
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
}

/** By namespace and verbs, so that one role takes as many resources as it can. */
function groupsOf(rights: readonly Right[]): Group[] {
  const byResource = Map.groupBy(rights, ({ namespace, resource }) => JSON.stringify([namespace, resource]));
  const resources = [...byResource.values()].map((of) => ({ ...of[0]!, verbs: [...new Set(of.map(({ verb }) => verb))] }));
  const groups = Map.groupBy(resources, ({ namespace, verbs }) => JSON.stringify([namespace, verbs]));
  return [...groups.values()].map((of) => {
    const { namespace, verbs } = of[0]!;
    return { ...(namespace === undefined ? {} : { namespace }), verbs, resources: of.map(({ resource }) => resource) };
  });
}

function exactGrant(user: string, { verbs, resources, namespace }: Group): string[] {
  const kind = namespace === undefined ? 'clusterrole' : 'role';
  const [resource = '', ...more] = resources;
  const name = more.length === 0 ? `${verbs.join('-')}-${resource.replaceAll(/[./]/g, '-')}` : `gala-${verbs.join('-')}`;
  return [
    `  kubectl create ${kind} ${name} --verb=${verbs.join(',')} --resource=${resources.join(',')}${inNamespace(namespace)}`,
    bindingOf(`${name}-${plain(user)}`, kind, name, user, namespace),
  ];
}

function bindingOf(name: string, kind: 'role' | 'clusterrole', role: string, user: string, namespace: string | undefined): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  const subject = account === null ? `--user='${user}'` : `--serviceaccount=${account[1]}:${account[2]}`;
  const binding = namespace === undefined ? 'clusterrolebinding' : 'rolebinding';
  return `  kubectl create ${binding} ${name} --${kind}=${role} ${subject}${inNamespace(namespace)}`;
}

const inNamespace = (namespace: string | undefined): string => (namespace === undefined ? '' : ` -n ${namespace}`);
const plain = (user: string): string => user.replaceAll(/[^a-z0-9.-]/gi, '-');

/** What Kubernetes' own view may read of what commands ask for (plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
const VIEWED = [
  'pods',
  'persistentvolumeclaims',
  'deployments.apps',
  'statefulsets.apps',
  'replicasets.apps',
  'daemonsets.apps',
  'jobs.batch',
];
const READ = ['get', 'list', 'watch'];

/** The smallest of the roles that has all of it. */
function roleWith(rights: readonly Right[]): 'view' | 'edit' | 'gala-operator' | undefined {
  const roles = userRoles(KINDS);
  const has = (role: UserRole, { verb, resource }: Right) => roles[role].some((rule) => allows(rule, verb, resource));
  const inOne = rights.every(({ namespace }) => namespace !== undefined);
  const isViewed = (right: Right) => has('gala-view', right) || (VIEWED.includes(right.resource) && READ.includes(right.verb));
  if (inOne && rights.every(isViewed)) return 'view';
  if (inOne && rights.every((right) => isViewed(right) || has('gala-edit', right))) return 'edit';
  return rights.every((right) => has('gala-operator', right)) ? 'gala-operator' : undefined;
}

function allows({ verbs, on, subresource }: RoleRule, verb: string, resource: string): boolean {
  const name = `${on.resource}${subresource === undefined ? '' : `/${subresource}`}`;
  return (verbs as readonly string[]).includes(verb) && resource === (on.group === '' ? name : `${name}.${on.group}`);
}

/** Of one of Gala's kinds: `locks` → `locks.gala.internal`. */
export const ours = (plural: string): string => `${plural}.${GROUP}`;
