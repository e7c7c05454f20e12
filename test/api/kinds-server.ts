/** The API server as a judge: is this object right? Every question is a dry run, so nothing is left behind. */
import { annotated } from '../../lib/api/json-schema.ts';
import type { Resource } from '../../lib/api/resource.ts';
import type { Answer, Client } from '../bed/client.ts';

type Request = Client['request'];

export interface Judgement {
  readonly accepted: boolean;
  /** The object as the API server would keep it. */
  readonly kept: Record<string, unknown>;
  /** Why not, in the API server's words. */
  readonly message: string;
}

const judgement = ({ status, body }: Answer): Judgement => {
  // 400: strict field validation; 422: the schema or a rule. Everything else says nothing about the object.
  if (![200, 201, 400, 422].includes(status)) throw new Error(`the API server answers ${status}: ${JSON.stringify(body).slice(0, 500)}`);
  return { accepted: status < 300, kept: body, message: status < 300 ? '' : String(body.message) };
};

export const objectOf = (resource: Resource, spec: unknown, name = nameOf(resource)) => ({
  apiVersion: `${resource.group}/${resource.version}`,
  kind: resource.kind,
  metadata: { name, ...(resource.scope === 'Namespaced' ? { namespace: 'default' } : {}) },
  spec,
});

/** The example name of the kind. */
export const nameOf = (resource: Resource): string => String(annotated(resource.name).examples?.[0]);

export const pathOf = ({ group, version, scope, plural }: Resource): string =>
  `/apis/${group}/${version}/${scope === 'Namespaced' ? 'namespaces/default/' : ''}${plural}`;

const STRICT = 'dryRun=All&fieldValidation=Strict';

export async function judgeSpec(request: Request, resource: Resource, spec: unknown, name?: string): Promise<Judgement> {
  return judgement(await request('POST', `${pathOf(resource)}?${STRICT}`, objectOf(resource, spec, name)));
}

/** `live`: an object of the kind as the API server has it. */
export async function judgeStatus(
  request: Request,
  resource: Resource,
  live: Record<string, unknown>,
  status: unknown,
): Promise<Judgement> {
  const endpoint = resource.statusSubresource === false ? '' : '/status';
  const path = `${pathOf(resource)}/${(live.metadata as { name: string }).name}${endpoint}?${STRICT}`;
  return judgement(await request('PUT', path, { ...live, status }));
}

/** Creates it for good. */
export async function create(request: Request, resource: Resource, spec: unknown, name?: string): Promise<Record<string, unknown>> {
  const { status, body } = await request('POST', pathOf(resource), objectOf(resource, spec, name));
  if (status !== 201) throw new Error(`creating ${resource.kind}: ${status} ${JSON.stringify(body.message)}`);
  return body;
}

/** Merges `change` into a live object without keeping it. `endpoint`: `status`, `scale`. */
export async function judgeChange(request: Request, resource: Resource, name: string, change: object, endpoint = ''): Promise<Judgement> {
  const path = `${pathOf(resource)}/${name}${endpoint === '' ? '' : `/${endpoint}`}?${STRICT}`;
  return judgement(await request('PATCH', path, change, { 'content-type': 'application/merge-patch+json' }));
}
