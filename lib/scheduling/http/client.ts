/**
 * A client of the stock and lock API, for terminals and pipelines in TypeScript: finds the replicas by their Service's
 * EndpointSlices, trusts what the ConfigMap has, and asks one after the other until one answers. That there is none is an
 * answer, not an error: whoever asks then uses the library with their own rights.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { API_CA, API_PORT_NAME, API_SERVICE } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { ApiError, unlessMissing } from '../../kube/error.ts';
import { CONFIGMAPS, ENDPOINTSLICES } from '../../kube/kinds.ts';
import { reasonOf } from '../../kube/log.ts';
import type { Found } from './operations.ts';
import type { ProblemDocument } from './problem.ts';

export interface StockApi {
  /** `host:port` of each replica, the ready ones first. */
  readonly replicas: readonly string[];
  /**
   * @param path `/v1/stock`, with its query
   * @returns what a replica answered; or, when none did, why
   */
  ask<T>(method: Found['operation']['method'], path: string, body?: unknown, options?: AskOptions): Promise<Answered<T> | Absent>;
  close(): void;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** For the whole answer, waiting for a Lock included. @default 15_000 */
  readonly timeoutMs?: number;
}

export type Answered<T> = Ages &
  ({ readonly status: number; readonly body: T } | { readonly status: number; readonly problem: ProblemDocument });

interface Ages {
  /** The replica that answered. */
  readonly replica: string;
  readonly snapshotAgeSeconds?: number;
  readonly samplesAgeSeconds?: number;
}

/** There is no API that could be asked. */
export interface Absent {
  readonly absent: string;
}

export interface FindOptions {
  /** Of Gala's own programs. @default 'gala-system' */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

const CONNECT_MS = 3_000;

/** @throws what reading the Service's EndpointSlices or the ConfigMap throws, unless they are not there or not ours to read */
export async function findStockApi(api: Api, { namespace = 'gala-system', signal }: FindOptions = {}): Promise<StockApi | Absent> {
  const authorization = await api.authorization?.();
  if (authorization === undefined || !/^Bearer /i.test(authorization))
    return { absent: 'you are not known by a token, which is what the API asks for' };
  try {
    const [{ items }, config] = await Promise.all([
      api.list(ENDPOINTSLICES, { namespace, labelSelector: `kubernetes.io/service-name=${API_SERVICE}`, signal }),
      unlessMissing(api.get(CONFIGMAPS, { namespace, name: API_CA }, { signal })),
    ]);
    const replicas = items.flatMap(replicasOf).sort((a, b) => Number(b.ready) - Number(a.ready));
    if (replicas.length === 0) return { absent: `the Service ${namespace}/${API_SERVICE} has no endpoints` };
    return stockApi({
      replicas: replicas.map(({ at }) => at),
      ca: config?.data?.['ca.crt'],
      serverName: `${API_SERVICE}.${namespace}.svc`,
      authorization: api.authorization!,
    });
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return { absent: reasonOf(error) };
    throw error;
  }
}

type Slice = NonNullable<(typeof ENDPOINTSLICES)['stored']>;

/** Of a Service without pods there is a slice whose lists are null. */
function replicasOf({ ports, endpoints, addressType }: Slice): { at: string; ready: boolean }[] {
  const port = ports?.find(({ name }) => name === API_PORT_NAME)?.port;
  if (port === undefined) return [];
  return (endpoints ?? []).flatMap(({ addresses, conditions }) => {
    const [address] = addresses;
    // Unknown means ready (discovery/v1, EndpointConditions).
    const ready = conditions?.ready ?? true;
    return address === undefined ? [] : [{ at: addressType === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, ready }];
  });
}

export interface StockApiAt {
  readonly replicas: readonly string[];
  /** PEM. @default whom Node trusts */
  readonly ca?: string;
  /** What the certificate must be for, whichever address it took. */
  readonly serverName: string;
  readonly authorization: () => Promise<string | undefined>;
}

/** A client of replicas that are known. */
export function stockApi({ replicas, ca, serverName, authorization }: StockApiAt): StockApi {
  const agent = new Agent({ keepAlive: true, servername: serverName, ...(ca === undefined ? {} : { ca }) });
  return {
    replicas,
    close: () => agent.destroy(),
    async ask<T>(method: string, path: string, body?: unknown, options: AskOptions = {}) {
      let why = 'there is no replica';
      let last: Answered<T> | undefined;
      for (const at of replicas) {
        try {
          const answer = await askOne<T>({ agent, at, method, path, body, options, authorization: await authorization() });
          // Too busy, or without a word from the API server for too long: another replica may be better off.
          if (answer.status !== 429 && answer.status !== 503) return answer;
          last = answer;
        } catch (error) {
          if (options.signal?.aborted) throw error;
          // Asking again is safe: a Lock's name is its idempotency key, and everything else changes nothing or the same thing.
          why = `${at}: ${saidOf(error, serverName)}`;
        }
      }
      return last ?? { absent: why };
    },
  };
}

/** Node's own words name every host that a wrong certificate is for. */
function saidOf(error: unknown, serverName: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `another server answers there, its certificate is not for ${serverName}`;
  if (code !== undefined && UNTRUSTED.includes(code))
    return `another server answers there, its certificate is not of the authority in ConfigMap ${API_CA}`;
  return reasonOf(error);
}
/** Of a chain that ends elsewhere (Node, "X509 certificate error codes"). */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

interface One {
  readonly agent: Agent;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly options: AskOptions;
  readonly authorization: string | undefined;
}

function askOne<T>({ agent, at, method, path, body, options, authorization }: One): Promise<Answered<T>> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  const time = AbortSignal.timeout(options.timeoutMs ?? 15_000);
  const signal = options.signal === undefined ? time : AbortSignal.any([options.signal, time]);
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(`https://${at}${path}`, { agent, method, headers, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        try {
          const said = JSON.parse(Buffer.concat(chunks).toString());
          const ages = {
            replica: at,
            ...age('snapshotAgeSeconds', answer.headers['gala-snapshot-age']),
            ...age('samplesAgeSeconds', answer.headers['gala-samples-age']),
          };
          const status = answer.statusCode ?? 0;
          resolve(status >= 400 ? { status, problem: said, ...ages } : { status, body: said, ...ages });
        } catch (cause) {
          reject(new Error('the answer is no JSON', { cause }));
        }
      });
    });
    // A host that is off does not even refuse.
    asked.on('socket', (socket) => {
      if (socket.connecting) {
        const timer = setTimeout(() => asked.destroy(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
        socket.once('secureConnect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
      }
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

const age = (name: 'snapshotAgeSeconds' | 'samplesAgeSeconds', header: string | string[] | undefined) =>
  header === undefined ? {} : { [name]: Number(header) };
