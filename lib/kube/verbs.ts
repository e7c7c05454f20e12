/** The typed verbs, over calls: what each sends where. */
import type { Api, Call, ListOptions, WriteOptions } from './client.ts';
import { isGone, NoAnswer } from './error.ts';
import { type AnyObject, type Draft, type Id, type Kind, pathOf } from './kinds.ts';
import { TooLarge } from './transport.ts';

type Calls = Pick<Api, 'request' | 'userAgent'>;
type Verbs = Pick<Api, 'get' | 'list' | 'create' | 'update' | 'updateStatus' | 'patch' | 'apply' | 'delete'>;

const PAGE = 500;
const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

export function verbs({ request, userAgent }: Calls): Verbs {
  const ask = async (verb: string, kind: Kind, call: Call) => (await request({ ...call, verb, kind: kind.plural })).body;
  const writing = ({ dryRun, fieldManager = userAgent.split('/')[0] }: WriteOptions) => ({
    fieldManager,
    dryRun: dryRun ? 'All' : undefined,
  });
  const filled = (kind: Kind, object: object) => ({ ...object, apiVersion: kind.apiVersion, kind: kind.kind });
  const put = async (kind: Kind, object: Draft<AnyObject>, options: WriteOptions, subresource?: string) =>
    await ask('update', kind, {
      ...{ method: 'PUT', path: pathIn(kind, object.metadata as Id, subresource), query: writing(options), body: filled(kind, object) },
      ...limits(options),
    });

  return {
    get: async (kind, id, options = {}) => await ask('get', kind, { method: 'GET', path: pathIn(kind, id), ...limits(options) }),
    async list<T extends AnyObject>(kind: Kind<T>, options: ListOptions = {}) {
      const items: T[] = [];
      const resourceVersion = await eachPage<T>(
        { request },
        kind,
        options,
        (page) => {
          for (const item of page) items.push(item);
        },
        () => items.splice(0),
      );
      return { items, resourceVersion };
    },
    create: async (kind, object, options = {}) =>
      await ask('create', kind, {
        ...{ method: 'POST', path: pathIn(kind, { ...(object.metadata as Partial<Id>), name: undefined }) },
        ...{ query: writing(options), body: filled(kind, object), ...limits(options) },
      }),
    update: async (kind, object, options = {}) => await put(kind, object as Draft<AnyObject>, options),
    updateStatus: async (kind, object, options = {}) => await put(kind, object as Draft<AnyObject>, options, 'status'),
    patch: async (kind, id, patch, options = {}) =>
      await ask('patch', kind, {
        ...{ method: 'PATCH', path: pathIn(kind, id, options.subresource), query: writing(options), body: patch },
        ...{ contentType: PATCH_TYPES[options.type ?? 'merge'], ...limits(options) },
      }),
    apply: async (kind, object, options = {}) =>
      await ask('apply', kind, {
        ...{ method: 'PATCH', path: pathIn(kind, object.metadata as Id, options.subresource), body: filled(kind, object) },
        // JSON is YAML.
        ...{ query: { ...writing(options), force: options.force }, contentType: 'application/apply-patch+yaml', ...limits(options) },
      }),
    async delete(kind, id, options = {}) {
      const { dryRun, preconditions, propagationPolicy, gracePeriodSeconds } = options;
      const wish = { preconditions, propagationPolicy, gracePeriodSeconds, ...(dryRun ? { dryRun: ['All'] } : {}) };
      await ask('delete', kind, {
        ...{ method: 'DELETE', path: pathIn(kind, id), body: { apiVersion: 'v1', kind: 'DeleteOptions', ...wish } },
        ...limits(options),
      });
    },
  };
}

/**
 * Lists page by page, so that nobody holds more than one. All pages are of one moment: when the server no longer has it
 * (410), `restart` is told and the list starts anew. Pages too large for an answer are asked for smaller.
 * @returns the resourceVersion to watch from
 */
export async function eachPage<T extends AnyObject>(
  { request }: Pick<Api, 'request'>,
  kind: Kind<T>,
  { namespace, labelSelector, fieldSelector, limit = PAGE, ...options }: ListOptions,
  page: (items: T[]) => void,
  restart: () => void,
): Promise<string> {
  let size = limit;
  let next: string | undefined;
  for (let expired = 0; ; ) {
    const query = { labelSelector, fieldSelector, limit: size, continue: next };
    const call: Call = { method: 'GET', path: pathOf(kind, { namespace }), query, verb: 'list', kind: kind.plural, ...limits(options) };
    let body: { items?: Record<string, unknown>[] | null; metadata: { continue?: string; resourceVersion: string } };
    try {
      ({ body } = await request(call));
    } catch (error) {
      if (error instanceof NoAnswer && error.cause instanceof TooLarge && size > 1) {
        size = Math.ceil(size / 4);
        continue;
      }
      // Thrice: a server whose pages expire faster than it answers them is in trouble, and whoever asked waits longer then.
      if (!isGone(error) || next === undefined || ++expired > 3) throw error;
      next = undefined;
      restart();
      continue;
    }
    const { apiVersion, kind: name } = kind;
    // Items of a list have no kind of their own, unlike every other answer.
    page((body.items ?? []).map((item) => Object.assign(item, { apiVersion, kind: name })) as unknown as T[]);
    next = body.metadata.continue || undefined;
    if (next === undefined) return body.metadata.resourceVersion;
  }
}

/** The path of an object; naming one of a namespaced kind without its namespace is the caller's mistake. */
function pathIn(kind: Kind, id: Partial<Id>, subresource?: string): string {
  if (kind.namespaced && !id.namespace) throw new TypeError(`${kind.kind} ${id.name ?? ''}: has no namespace; a ${kind.kind} is in one`);
  return pathOf(kind, id, subresource);
}

const limits = ({ signal, timeoutMs }: { signal?: AbortSignal; timeoutMs?: number }) => ({
  ...(signal ? { signal } : {}),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});
