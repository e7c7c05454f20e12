/**
 * Transport: a call over HTTPS and its answer, with a deadline and a bound. Connections are kept alive and shared, 64 at most;
 * each stream has one of its own, so that no call waits behind a watch, and Leases have one, so that no leader loses its Lease
 * behind its own work. What goes wrong is an ApiError or a NoAnswer.
 */
import { type Agent, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type Access, assertSafe, type Identity } from './access.ts';
import type { Answer, Call } from './client.ts';
import { ApiError, NoAnswer, type StatusDetails } from './error.ts';
import { LEASES } from './kinds.ts';

export interface Transport {
  request(call: Call): Promise<Answer>;
  stream(call: Call): Promise<IncomingMessage>;
  close(): void;
}

const CONNECTIONS = 64;
/** The API server ends idle connections after 90 s (apiserver/pkg/server/secure_serving.go): leave before it hangs up on us. */
const IDLE_MS = 30_000;
const TIMEOUT_MS = 30_000;
/** A page of 500 objects of the largest size that etcd takes (1.5 MiB) would be more: whoever lists asks for a smaller page then. */
export const LARGEST_ANSWER = 64 * 2 ** 20;
/** What is read of the answer that says no. */
const LARGEST_REFUSAL = 2 ** 20;

export function transport(access: Access, userAgent: string): Transport {
  const { protocol } = assertSafe(access.url);
  const secure = protocol === 'https:';
  let closed = false;
  let current: { identity: Identity; calls: Agent; leases: Agent; streams: Agent } | undefined;

  /** Connections made with another certificate or authority are not used again. */
  function agents(identity: Identity) {
    const same = current && (['ca', 'cert', 'key'] as const).every((part) => current!.identity[part] === identity[part]);
    if (!current || !same) {
      const kept = (maxSockets: number) => {
        const options = { keepAlive: true, keepAliveMsecs: 15_000, maxSockets, timeout: IDLE_MS };
        return secure ? new HttpsAgent({ ...options, ...tlsOf(identity, access) }) : new HttpAgent(options);
      };
      const streams = secure ? new HttpsAgent(tlsOf(identity, access)) : new HttpAgent();
      retire(current?.calls);
      retire(current?.leases);
      current = { identity, calls: kept(CONNECTIONS), leases: kept(1), streams };
    }
    return current;
  }

  /** Resolves with the answer's headers, whatever the status; `end` must be called when the call is over. */
  async function open(call: Call, identity: Identity, stream: boolean): Promise<Opened> {
    const what = `${call.method} ${access.url}${call.path}`;
    if (closed) throw new NoAnswer(`${what}: the client is closed`, { maybeDone: false, aborted: true });
    if (call.signal?.aborted) throw new NoAnswer(`${what}: given up`, { maybeDone: false, aborted: true, cause: call.signal.reason });
    const payload =
      call.body === undefined ? undefined : Buffer.from(typeof call.body === 'string' ? call.body : JSON.stringify(call.body));
    const { calls, leases, streams } = agents(identity);
    const agent = stream ? streams : call.kind === LEASES.plural ? leases : calls;
    const outgoing = (secure ? httpsRequest : httpRequest)(`${access.url}${access.basePath ?? ''}${call.path}${queryOf(call)}`, {
      method: call.method,
      agent,
      headers: {
        ...access.headers,
        accept: 'application/json',
        'user-agent': userAgent,
        ...(identity.authorization === undefined ? {} : { authorization: identity.authorization }),
        ...(payload ? { 'content-type': call.contentType ?? 'application/json', 'content-length': payload.length } : {}),
      },
    });

    // Only what has surely not left this process counts as surely not done.
    let left = false;
    let ended: { why: string; aborted: boolean; cause?: unknown } | undefined;
    const giveUp = (why: string, aborted: boolean, cause?: unknown) => {
      ended ??= { why, aborted, cause };
      outgoing.destroy();
    };
    const timeoutMs = call.timeoutMs ?? TIMEOUT_MS;
    const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs / 1000} s`, false), timeoutMs);
    const onAbort = () => giveUp('given up', true, call.signal?.reason);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    const end = () => {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', onAbort);
    };
    const failed = (cause?: unknown) => {
      const { why, aborted } = ended ?? { why: reasonOfSocket(cause), aborted: closed };
      return new NoAnswer(`${what}: ${why}`, { maybeDone: left, aborted, cause: ended ? ended.cause : cause });
    };
    outgoing.on('socket', (socket) => {
      if (stream) socket.setKeepAlive(true, 15_000);
      const tls = socket as TLSSocket & { secureConnecting?: boolean };
      if (socket.connecting || tls.secureConnecting) socket.once(secure ? 'secureConnect' : 'connect', () => (left = true));
      else left = true;
    });

    return new Promise<Opened>((resolve, reject) => {
      outgoing.on('error', (cause) => {
        end();
        reject(Object.assign(failed(cause), { stale: outgoing.reusedSocket && isReset(cause) && !ended }));
      });
      outgoing.on('response', (response) => {
        // A stream's deadline is for its first byte; the signal holds to its end.
        if (stream) clearTimeout(timer);
        response.once('close', end);
        resolve({ response, failed, what });
      });
      outgoing.end(payload);
    });
  }

  /** Opens, once more when a connection that had waited turns out dead, or when a renewed identity may be let in. */
  async function opened(call: Call, stream: boolean): Promise<Opened> {
    const identity = await access.identity();
    let first: Opened;
    try {
      first = await open(call, identity, stream);
    } catch (error) {
      if (!(error as { stale?: boolean }).stale || call.method !== 'GET') throw error;
      first = await open(call, identity, stream);
    }
    if (first.response.statusCode !== 401 || !access.renew) return first;
    const renewed = await access.renew();
    if (renewed.authorization === identity.authorization && renewed.cert === identity.cert) return first;
    first.response.resume();
    return await open(call, renewed, stream);
  }

  return {
    async request(call) {
      const at = await opened(call, false);
      const { response } = at;
      const bytes = await read(at, isNo(response) ? LARGEST_REFUSAL : LARGEST_ANSWER);
      if (isNo(response)) throw refusalOf(call, response, bytes);
      const atMs = Date.parse(response.headers.date ?? '');
      return { status: response.statusCode!, body: parse(response, bytes, at), ...(Number.isNaN(atMs) ? {} : { atMs }) };
    },
    async stream(call) {
      const at = await opened(call, true);
      if (isNo(at.response)) throw refusalOf(call, at.response, await read(at, LARGEST_REFUSAL));
      return at.response;
    },
    close() {
      closed = true;
      current?.calls.destroy();
      current?.leases.destroy();
      current?.streams.destroy();
    },
  };
}

interface Opened {
  readonly response: IncomingMessage;
  readonly what: string;
  failed(cause?: unknown): NoAnswer;
}

/** An answer that was larger than its bound. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

async function read({ response, failed, what }: Opened, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw failed(cause);
  }
  if (bytes <= most) return Buffer.concat(chunks);
  const cause = new TooLarge(`an answer of more than ${most / 2 ** 20} MiB`);
  throw new NoAnswer(`${what}: ${cause.message}. Ask for less: smaller pages, a selector`, { maybeDone: true, cause });
}

const isNo = ({ statusCode = 0 }: IncomingMessage) => statusCode < 200 || statusCode > 299;

function parse(response: IncomingMessage, bytes: Buffer, { failed }: Opened): unknown {
  const text = bytes.toString('utf8');
  if (!(response.headers['content-type'] ?? '').includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failed(cause);
  }
}

/** The words that the API server has for a status, for answers that something in between gave. */
const REASONS: Readonly<Record<number, string>> = {
  ...{ 400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 406: 'NotAcceptable' },
  ...{ 409: 'Conflict', 410: 'Expired', 413: 'RequestEntityTooLarge', 415: 'UnsupportedMediaType', 422: 'Invalid' },
  ...{ 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout' },
};

function refusalOf(call: Call, response: IncomingMessage, bytes: Buffer): ApiError {
  const status = response.statusCode ?? 0;
  const text = bytes.toString('utf8');
  return apiErrorOf(
    `${call.method} ${call.path}`,
    status,
    statusOf(text) ?? { message: text.trim().slice(0, 500) },
    response.headers['retry-after'],
  );
}

/** An error from a Status object: an answer's body, or what a watch tells instead of an event. */
export function apiErrorOf(what: string, status: number, said: StatusObject, retryAfter?: string): ApiError {
  const seconds = Number(retryAfter ?? said.details?.retryAfterSeconds);
  return new ApiError(what, {
    status,
    reason: said.reason || (REASONS[status] ?? 'Unknown'),
    message: said.message || 'the answer does not say why',
    ...(said.details ? { details: said.details } : {}),
    ...(Number.isFinite(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {}),
  });
}

export interface StatusObject {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: StatusDetails;
}

function statusOf(text: string): StatusObject | undefined {
  try {
    const body = JSON.parse(text);
    return body?.kind === 'Status' ? body : undefined;
  } catch {
    return undefined;
  }
}

function queryOf({ query = {} }: Call): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.append(name, String(value));
  return search.size === 0 ? '' : `?${search}`;
}

const isReset = (cause: unknown) => ['ECONNRESET', 'EPIPE'].includes((cause as NodeJS.ErrnoException).code ?? '');

function reasonOfSocket(cause: unknown): string {
  const { code = '', message = 'the connection broke off' } = (cause ?? {}) as NodeJS.ErrnoException;
  if (message === 'aborted') return 'the answer broke off';
  return /CERT|ISSUER|ALTNAME|SELF_SIGNED/.test(code) ? `${message}. Is the kubeconfig's certificate authority this server's?` : message;
}

/** Lets what is under way end, and closes what waits for use. */
function retire(agent: Agent | undefined): void {
  if (!agent) return;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  agent.maxFreeSockets = 0;
}

const tlsOf = ({ ca, cert, key }: Identity, { serverName, insecure, proxyUrl }: Access) => ({
  ...(ca === undefined ? {} : { ca }),
  ...(cert === undefined ? {} : { cert, key }),
  ...(serverName === undefined ? {} : { servername: serverName }),
  ...(insecure ? { rejectUnauthorized: false } : {}),
  ...(proxyUrl === undefined ? {} : { proxyEnv: { HTTPS_PROXY: proxyUrl } }),
});
