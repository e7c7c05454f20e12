/**
 * The API client: typed verbs over plain HTTPS. Every call has a deadline, every answer a bound, and what goes wrong is one
 * of two errors (error.ts). Calls share 64 kept-alive connections; each watch has one of its own, and so have Leases, so that none waits
 * for it.
 */
import type { IncomingMessage } from 'node:http';
import { type Access, assertSafe, hasServiceAccount, type Identity, inCluster } from './access.ts';
import type { AnyObject, Draft, Id, Kind } from './kinds.ts';
import { transport } from './transport.ts';
import { verbs } from './verbs.ts';

export interface Call {
  readonly method: string;
  /** With the leading `/`, without the query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** @default 'application/json' */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** From the call to the answer's last byte; for a stream to its first. @default 30_000 */
  readonly timeoutMs?: number;
  /** For metrics: plural of the kind. @default none */
  readonly kind?: string;
  /** For metrics. @default the method */
  readonly verb?: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed when it is JSON, text otherwise. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API server has
  readonly body: any;
  /** The server's clock at the answer, to the second (header Date); Unix milliseconds. */
  readonly atMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** Checked by the API server and not stored. */
  readonly dryRun?: boolean;
  /** Who owns the fields. @default the client's user agent up to its first `/` */
  readonly fieldManager?: string;
}

export interface ListOptions extends CallOptions {
  /** Left out: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page. @default 500 */
  readonly limit?: number;
}

export interface Listed<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export interface PatchOptions extends WriteOptions {
  /** @default 'merge' */
  readonly type?: 'merge' | 'json' | 'strategic';
  readonly subresource?: string;
}

export interface ApplyOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** Takes over fields that others own. @default false: a Conflict */
  readonly force?: boolean;
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean;
  /** Conflict, and nothing deleted, unless the object is still this one. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly gracePeriodSeconds?: number;
}

export interface Api {
  /** `https://…`, without a path. */
  readonly url: string;
  /** Namespace of the context, or of the pod in a cluster. */
  readonly namespace: string;
  readonly userAgent: string;
  /** @throws {ApiError} at a status of 400 or more @throws {NoAnswer} */
  request(call: Call): Promise<Answer>;
  /** Resolves with the answer's headers; the body is the caller's to read or destroy. */
  stream(call: Call): Promise<IncomingMessage>;
  get<T extends AnyObject>(kind: Kind<T>, id: Id, options?: CallOptions): Promise<T>;
  /** Every object, page by page; a list whose pages expire meanwhile starts anew. */
  list<T extends AnyObject>(kind: Kind<T>, options?: ListOptions): Promise<Listed<T>>;
  create<T extends AnyObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces; a `metadata.resourceVersion` that is no longer current is a Conflict. */
  update<T extends AnyObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  updateStatus<T extends AnyObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** `metadata.uid` and `metadata.resourceVersion` in a merge patch are preconditions. */
  patch<T extends AnyObject>(kind: Kind<T>, id: Id, patch: unknown, options?: PatchOptions): Promise<T>;
  /** Server-side apply. */
  apply<T extends AnyObject>(kind: Kind<T>, object: Draft<T>, options?: ApplyOptions): Promise<T>;
  delete<T extends AnyObject>(kind: Kind<T>, id: Id, options?: DeleteOptions): Promise<void>;
  /**
   * What one is known by, as the header's value: for a server that asks this one who that is (TokenReview). Undefined where it is
   * a client certificate, which can't be passed on.
   */
  authorization?(): Promise<string | undefined>;
  /** Ends the connections that wait for use, and those that wait for an answer. */
  close(): void;
}

export interface ConnectOptions {
  /** Path of a kubeconfig. @default in a cluster its own; else $KUBECONFIG, else ~/.kube/config */
  readonly kubeconfig?: string;
  /** @default the kubeconfig's current one */
  readonly context?: string;
  /** @default whether there is a service account's token, and no kubeconfig was asked for, by options or $KUBECONFIG */
  readonly inCluster?: boolean;
  /** `gala-scheduler/0.1.0`: what the audit log and the fields' managers are called. @default 'gala' */
  readonly userAgent?: string;
}

/**
 * A client of the cluster that this process is in, or that its kubeconfig names. Nothing is asked of the API server yet.
 * @throws {Error} when there is no way in: which files were looked for, or what is wrong in them
 */
export async function connect(options: ConnectOptions = {}): Promise<Api> {
  const asked = options.kubeconfig ?? options.context ?? (process.env.KUBECONFIG || undefined);
  if (options.inCluster ?? (asked === undefined && hasServiceAccount())) return apiOver(inCluster(), options.userAgent);
  // Loaded here: a program in a cluster reads no kubeconfig, and needs no YAML.
  const { kubeconfigAccess } = await import('./kubeconfig.ts');
  return apiOver(await kubeconfigAccess(options), options.userAgent);
}

export interface Server {
  /** `http://` on loopback only. */
  readonly url: string;
  /** PEM. */
  readonly ca?: string;
  readonly token?: string;
  /** PEM. */
  readonly cert?: string;
  /** PEM. */
  readonly key?: string;
  readonly namespace?: string;
  readonly userAgent?: string;
}

/** A client of the API server at a URL. */
export function apiOf({ url, ca, token, cert, key, namespace = 'default', userAgent }: Server): Api {
  const identity: Identity = { ca, cert, key, authorization: token === undefined ? undefined : `Bearer ${token}` };
  const { origin, pathname } = assertSafe(url);
  return apiOver({ url: origin, basePath: pathname.replace(/\/+$/, ''), namespace, identity: () => identity }, userAgent);
}

/** A client by any access: one's own credentials. */
export function apiOver(access: Access, userAgent = 'gala'): Api {
  const { request, stream, close } = transport(access, userAgent);
  const authorization = async () => (await access.identity()).authorization;
  return withVerbs({ url: access.url, namespace: access.namespace, userAgent, request, stream, authorization, close });
}

/** The whole client over its calls: what wraps `request` and `stream` gets every verb through them. */
export function withVerbs(calls: Pick<Api, 'url' | 'namespace' | 'userAgent' | 'request' | 'stream' | 'authorization' | 'close'>): Api {
  return { ...calls, ...verbs(calls) };
}
