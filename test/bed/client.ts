/**
 * The bed's API client: plain requests, and server-side apply as strict as it gets, with the server's warnings kept.
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, nameOf } from '../../lib/api/manifest.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed when it is JSON, text otherwise. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API server has
  readonly body: any;
  /** The texts of the answer's `Warning` headers. */
  readonly warnings: readonly string[];
}

export interface Applied {
  /** `Deployment/gala-system/gala-controller` */
  readonly object: string;
  readonly result: 'created' | 'changed' | 'unchanged' | 'refused';
  readonly status: number;
  /** Why it was refused. */
  readonly message?: string;
  readonly warnings: readonly string[];
  /** The object as the API server has it now. */
  readonly live?: KubeObject;
}

export interface Client {
  /** `body`: an object is sent as JSON, a text as it is. Rejects only when there is no answer at all. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /**
   * Applies the objects in their order (server-side, `fieldValidation=Strict`, forced). A new CustomResourceDefinition is
   * waited for until it is Established, so that objects of its kind may follow at once.
   */
  apply(objects: readonly KubeObject[], options?: { fieldManager?: string; dryRun?: boolean }): Promise<Applied[]>;
  /** The path of an object in the API, or undefined when the API server does not know its kind. */
  pathOf(object: KubeObject): Promise<string | undefined>;
  /** Ends requests that wait for their answer, and refuses others. */
  close(): void;
}

/** A client of the API server at `url`, whose certificate `ca` (PEM) has signed. */
export function aClient(url: string, ca: string | undefined, token: string): Client {
  const agent = url.startsWith('https:') ? new Agent({ keepAlive: true, maxSockets: 64, ca }) : undefined;
  const send = agent ? httpsRequest : httpRequest;
  let closed = false;

  const request: Client['request'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      // The network of a stopped bed is gone: nobody would refuse the connection, and the request would wait for minutes.
      if (closed) return reject(new Error(`${method} ${url}${path}: the client is closed`));
      const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const outgoing = send(new URL(path, url), {
        method,
        agent,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...headers,
        },
      });
      outgoing.on('error', (cause) => reject(new Error(`${method} ${url}${path}: ${cause.message}`, { cause })));
      outgoing.on('response', async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          const text = Buffer.concat(chunks).toString();
          const json = (response.headers['content-type'] ?? '').includes('json');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: json ? JSON.parse(text) : text,
            warnings: (response.headersDistinct.warning ?? []).map(warningText),
          });
        } catch (cause) {
          reject(new Error(`${method} ${url}${path}: the answer broke off`, { cause }));
        }
      });
      outgoing.end(payload);
    });

  const resources = new Map<string, Map<string, { name: string; namespaced: boolean }>>();
  async function resourceOf(apiVersion: string, kind: string) {
    const known = resources.get(apiVersion)?.get(kind);
    if (known) return known;
    const answer = await request('GET', apiRoot(apiVersion));
    if (answer.status !== 200) return undefined;
    const own = answer.body.resources.filter((resource: { name: string }) => !resource.name.includes('/'));
    resources.set(apiVersion, new Map(own.map((resource: { kind: string }) => [resource.kind, resource])));
    return resources.get(apiVersion)?.get(kind);
  }

  const pathOf: Client['pathOf'] = async (object) => {
    const resource = await resourceOf(object.apiVersion, object.kind);
    if (!resource) return undefined;
    const scope = resource.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : '';
    return `${apiRoot(object.apiVersion)}${scope}/${resource.name}/${encodeURIComponent(object.metadata.name)}`;
  };

  async function applyOne(object: KubeObject, fieldManager: string, dryRun: boolean): Promise<Applied> {
    const named = { object: nameOf(object) };
    const path = await pathOf(object);
    if (!path)
      return {
        ...named,
        result: 'refused',
        status: 404,
        warnings: [],
        message: `no kind ${object.kind} in ${object.apiVersion} on this server`,
      };
    const before = await request('GET', path);
    const query = `fieldManager=${fieldManager}&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
    const answer = await request('PATCH', `${path}?${query}`, object, { 'content-type': 'application/apply-patch+yaml' });
    const { status, body, warnings } = answer;
    if (status >= 300) return { ...named, result: 'refused', status, warnings, message: body?.message ?? String(body) };
    const result = status === 201 ? 'created' : sameWish(before.body, body) ? 'unchanged' : 'changed';
    return { ...named, result, status, warnings, live: body };
  }

  async function established(crd: KubeObject): Promise<void> {
    const path = (await pathOf(crd)) as string;
    for (let tries = 0; tries < 2400; tries++) {
      const { body } = await request('GET', path);
      const condition = body?.status?.conditions?.find((c: { type: string }) => c.type === 'Established');
      if (condition?.status === 'True') break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    // Established comes a moment before the kind is served: its discovery entry is the proof.
    const { group, names, versions } = (crd as unknown as { spec: CrdSpec }).spec;
    for (const { name } of versions.filter((version) => version.served))
      for (let tries = 0; tries < 2400 && !(await resourceOf(`${group}/${name}`, names.kind)); tries++)
        await new Promise((resolve) => setTimeout(resolve, 25));
  }

  return {
    request,
    pathOf,
    apply: async (objects, { fieldManager = 'gala-bed', dryRun = false } = {}) => {
      const applied: Applied[] = [];
      for (const object of objects) {
        const one = await applyOne(object, fieldManager, dryRun);
        if (object.kind === 'CustomResourceDefinition' && one.result !== 'refused' && !dryRun) await established(object);
        applied.push(one);
      }
      return applied;
    },
    close: () => {
      closed = true;
      agent?.destroy();
    },
  };
}

/** Whether a component answers 200 there. Its certificate is its own and made at its start: only its answer counts. */
export function healthy(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(url, { rejectUnauthorized: false, timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}

interface CrdSpec {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

const apiRoot = (apiVersion: string) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);

/** Whether nothing that a person wishes for changed: what the server and its controllers write by themselves doesn't count. */
function sameWish(before: Record<string, unknown>, after: Record<string, unknown>): boolean {
  const wish = ({ status: _status, metadata, ...rest }: Record<string, unknown>) => {
    const { resourceVersion: _version, managedFields: _fields, ...kept } = (metadata ?? {}) as Record<string, unknown>;
    return { ...rest, metadata: kept };
  };
  return isDeepStrictEqual(wish(before), wish(after));
}

/** `299 - "unknown field \"a\""` → `unknown field "a"` (RFC 7234, section 5.5). */
function warningText(header: string): string {
  const quoted = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replace(/\\(.)/g, '$1');
}
