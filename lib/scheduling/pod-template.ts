/** The pod template that `podFrom` of a Lock or of a question names, as it is now. */
import type { Lock } from '../api/kinds.ts';
import { GROUP, VERSION } from '../api/resource.ts';
import type { Api, CallOptions } from '../kube/client.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { type AnyObject, DEPLOYMENTS, JOBS, type Kind, PODS, PODTEMPLATES, REPLICASETS, STATEFULSETS } from '../kube/kinds.ts';
import { unpinned } from './pin.ts';

export type PodFrom = NonNullable<Lock['spec']['podFrom']>;

const KINDS: Readonly<Record<PodFrom['kind'], Kind>> = {
  ...{ Pod: PODS, PodTemplate: PODTEMPLATES, Deployment: DEPLOYMENTS, StatefulSet: STATEFULSETS, ReplicaSet: REPLICASETS, Job: JOBS },
  ServicePool: { apiVersion: `${GROUP}/${VERSION}`, kind: 'ServicePool', plural: 'servicepools', namespaced: true },
};

/**
 * @returns undefined: there is no such object, or no such kind
 * @throws what the call throws
 */
export async function podTemplateOf(api: Api, namespace: string, { kind, name }: PodFrom, options: CallOptions = {}): Promise<unknown> {
  const found = await api
    .get(KINDS[kind], { namespace, name }, options)
    .catch((error: unknown) => (isNotFound(error) || isNotThereYet(kind, error) ? undefined : Promise.reject(error)));
  return found && templateIn(found);
}

/** ServicePools come with releases. Rights are asked for before kinds are, so a kind without both is forbidden, not missing. */
const isNotThereYet = (kind: PodFrom['kind'], error: unknown): boolean =>
  kind === 'ServicePool' && error instanceof ApiError && error.status === 403;

function templateIn(object: AnyObject & { readonly template?: unknown; readonly spec?: { readonly template?: unknown } }): unknown {
  if (object.kind === 'PodTemplate') return object.template;
  if (object.kind !== 'Pod') return object.spec?.template;
  const { labels, annotations } = object.metadata;
  // The node is where this one is; the ones to come are neither bound nor pinned to it.
  const { nodeName: _, affinity, ...spec } = (object.spec ?? {}) as { readonly nodeName?: string; readonly affinity?: unknown };
  return { metadata: { labels, annotations }, spec: { ...spec, ...(affinity !== undefined && { affinity: unpinned(affinity).affinity }) } };
}
