/** Which rights each command needs, and which of them somebody lacks: asked of the API server all at once. */
import { GROUP, VERSION } from '../api/resource.ts';
import { SYSTEM_NAMESPACE } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { type ApiError, isNotFound } from '../kube/error.ts';
import { SELFSUBJECTACCESSREVIEWS } from '../kube/kinds.ts';
import { grantsOf, lackingIn, lackSentence, ours, type Right } from './grants.ts';
import { Refused } from './output.ts';

/** A right, and whether it is one of the namespace that is asked about, of Gala's own or of the whole cluster. */
interface Need {
  readonly verb: string;
  readonly resource: string;
  readonly of: 'namespace' | 'system' | 'cluster';
}

const here = (verb: string, resource: string): Need => ({ verb, resource, of: 'namespace' });
const everywhere = (verb: string, resource: string): Need => ({ verb, resource, of: 'cluster' });

/** Nodes and pods, without which nothing can be said; and what more is counted where it may be listed. */
const WORLD: readonly Need[] = [
  ...['nodes', 'pods', 'namespaces', 'statefulsets.apps', 'csistoragecapacities.storage.k8s.io'],
  ...['hostpools', 'nodenetworks', 'locks', 'iplocks'].map(ours),
].map((resource) => everywhere('list', resource));

/** What a command does beyond that is told by its own answer. */
export const NEEDS = {
  stock: WORLD,
  snapshot: WORLD,
  'explain pod': WORLD,
  lock: ['create', 'get'].map((verb) => here(verb, ours('locks'))),
  'lock --renew': ['get', 'patch'].map((verb) => here(verb, ours('locks'))),
  unlock: [here('delete', ours('locks'))],
  locks: [here('list', ours('locks'))],
  'locks -A': [everywhere('list', ours('locks'))],
  who: [
    ...['get', 'list'].flatMap((verb) => ['pods', ours('iplocks')].map((resource) => everywhere(verb, resource))),
    ...['nodes', ours('hostpools'), ours('nodenetworks')].map((resource) => everywhere('list', resource)),
  ],
  ips: ['iplocks', 'hostpools', 'nodenetworks'].map((plural) => everywhere('list', ours(plural))),
  'ips free': ['get', 'list', 'patch'].map((verb) => everywhere(verb, ours('iplocks'))),
  'ips move': [
    ...['get', 'list', 'patch'].map((verb) => everywhere(verb, ours('iplocks'))),
    ...['hostpools', 'nodenetworks'].map((plural) => everywhere('list', ours(plural))),
    everywhere('get', 'nodes'),
  ],
  'ips rebuild': [
    ...['list', 'patch'].map((verb) => everywhere(verb, ours('nodenetworks'))),
    ...['nodes', ours('iplocks'), ours('locks')].map((resource) => everywhere('list', resource)),
  ],
  fence: [
    ...['get', 'patch'].map((verb) => everywhere(verb, 'nodes')),
    ...['list', 'patch'].map((verb) => everywhere(verb, ours('iplocks'))),
  ],
  'cloud status': [...['configmaps', 'deployments.apps'].map((resource) => here('get', resource)), everywhere('list', ours('hostpools'))],
  doctor: [
    ...['nodes', 'customresourcedefinitions.apiextensions.k8s.io', ours('nodenetworks')].map((resource) => everywhere('list', resource)),
    { verb: 'list', resource: 'daemonsets.apps', of: 'system' },
  ],
  leaks: ['pods', 'nodes', 'statefulsets.apps', ...['locks', 'iplocks', 'nodenetworks'].map(ours)].map((resource) =>
    everywhere('list', resource),
  ),
} as const satisfies Readonly<Record<string, readonly Need[]>>;
export type Needing = keyof typeof NEEDS;

/**
 * The refusal that names all that the caller lacks for a command, where the API server has refused one thing of it.
 * @param command left out: only what was refused is known
 * @returns undefined: it refused for another reason than a right
 */
export async function refusedRights(api: Api, cause: ApiError, command?: Needing): Promise<Refused | undefined> {
  const first = lackingIn(cause.message);
  if (first === undefined) return undefined;
  const { user, ...refused } = first;
  const namespace = first.namespace ?? api.namespace;
  const needed: readonly Need[] = command === undefined ? [] : NEEDS[command];
  const needs = needed.map(
    ({ verb, resource, of }): Right => ({
      ...{ verb, resource },
      ...(of === 'cluster' ? {} : { namespace: of === 'system' ? SYSTEM_NAMESPACE : namespace }),
    }),
  );
  const served = needs.length === 0 ? undefined : await ourResources(api);
  const isThere = ({ resource }: Right) => !resource.endsWith(ours('')) || (served?.has(resource) ?? true);
  const same = (right: Right) =>
    right.verb === refused.verb && right.resource === refused.resource && right.namespace === refused.namespace;
  const others = await Promise.all(
    needs.filter((right) => isThere(right) && !same(right)).map(async (right) => ((await mayNot(api, right)) ? [right] : [])),
  );
  const rights = [refused, ...others.flat()];
  const more = rights.length === 1 ? [] : [`For gala ${command} ${lackSentence(user, rights)}`];
  return new Refused([`${cause.message}.`, ...more, grantsOf(user, rights)].join('\n'), { cause });
}

/** Of Gala's kinds those that this cluster has: no role can be made of the others. Undefined: that is not known. */
async function ourResources(api: Api): Promise<ReadonlySet<string> | undefined> {
  try {
    const { body } = await api.request({ method: 'GET', path: `/apis/${GROUP}/${VERSION}` });
    return new Set((body.resources as { name: string }[]).map(({ name }) => ours(name)));
  } catch (error) {
    return isNotFound(error) ? new Set() : undefined;
  }
}

/** Whether one surely may not. Anybody may ask that of himself (`system:basic-user`), unless somebody took it away. */
async function mayNot(api: Api, { verb, resource: named, namespace }: Right): Promise<boolean> {
  const [resource, ...group] = named.split('.');
  const resourceAttributes = { verb, resource, group: group.join('.'), ...(namespace === undefined ? {} : { namespace }) };
  try {
    return (await api.create(SELFSUBJECTACCESSREVIEWS, { metadata: {}, spec: { resourceAttributes } })).status?.allowed === false;
  } catch {
    return false;
  }
}
