/**
 * The API: from a request to its reply. Who asks, what, whether they may, the handler's answer; each step may end it with a
 * problem. Bounds are here too: so many at once, so long each. server.ts has those of connections.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, NoAnswer } from '../../kube/error.ts';
import { type Log, reasonOf, silent } from '../../kube/log.ts';
import { discard } from './body.ts';
import type { Access, Caller, Callers } from './caller.ts';
import { find, type Operation, type OperationId } from './operations.ts';
import { problem, type Reply } from './problem.ts';
import { type Question, questionOf } from './question.ts';

export interface Asked extends Question {
  readonly caller: Caller;
  /** Why the caller may not do a further thing, one that only the answer so far calls for; undefined: they may. */
  readonly mayNot: (access: Access) => Promise<string | undefined>;
  /** Aborts when the time is over or the caller has gone. */
  readonly signal: AbortSignal;
}

export interface Handler {
  /** What one must be allowed. @default nothing: the operation is open */
  readonly access?: (question: Question) => Access;
  /** How long it may take on top of the usual. @default 0 */
  readonly extraMs?: (question: Question) => number;
  readonly handle: (asked: Asked) => Promise<Reply>;
}

export interface HttpApiOptions {
  readonly handlers: Readonly<Record<OperationId, Handler>>;
  readonly callers: Callers;
  /** How old what is known is; in each answer's headers. */
  readonly ages: () => { readonly snapshotMs: number; readonly samplesMs?: number };
  /** From the first byte to the answer, waiting for a Lock aside. @default 10_000 */
  readonly deadlineMs?: number;
  /** Requests at once. @default 64 */
  readonly most?: number;
  /** Of those that wait for a Lock, on top. @default 512 */
  readonly mostWaiting?: number;
  readonly log?: Log;
  /** Told of each answer. */
  readonly onAnswer?: (answer: { readonly operation: OperationId | 'none'; readonly status: number; readonly seconds: number }) => void;
}

export type HttpApi = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function httpApi(options: HttpApiOptions): HttpApi {
  const { handlers, callers, ages, deadlineMs = 10_000, most = 64, mostWaiting = 512, log = silent, onAnswer = () => {} } = options;
  let running = 0;
  let waiting = 0;

  return async (request, response) => {
    const began = performance.now();
    const url = URL.parse(request.url ?? '', 'https://localhost');
    const found = url === null ? undefined : find(request.method ?? '', url.pathname);
    const operation = found !== undefined && 'operation' in found ? found.operation : undefined;
    const gone = new AbortController();
    // It closes after an answer too, when nothing waits any more: an abort makes an error with its stack.
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    let reply: Reply;
    if (running >= most) reply = problem('busy', `${running} requests are being answered.`, { headers: { 'retry-after': '1' } });
    else {
      running++;
      try {
        reply = await replyTo();
      } catch (error) {
        reply = failed(error);
      } finally {
        running--;
      }
    }
    send(request, response, reply, ages());
    onAnswer({ operation: operation?.id ?? 'none', status: reply.status, seconds: (performance.now() - began) / 1000 });

    async function replyTo(): Promise<Reply> {
      if (url === null || found === undefined) return notThere(request, request.url, []);
      if ('allowed' in found) return notThere(request, url.pathname, found.allowed);
      const { operation } = found;
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(deadlineMs)]);
      const who = operation.open ? { caller: NOBODY } : await callers.who(request.headers.authorization, signal);
      if ('unknown' in who) return problem('unauthenticated', who.unknown, { headers: { 'www-authenticate': 'Bearer realm="gala"' } });
      const { caller } = who;
      const read = await questionOf(request, found, url.searchParams, signal);
      if ('reply' in read) return read.reply;
      const { question } = read;
      const handler = handlers[operation.id];
      const access = handler.access?.(question);
      const mayNot = access && (await callers.mayNot(caller, access, signal));
      if (mayNot !== undefined) return problem('forbidden', mayNot);
      const extraMs = handler.extraMs?.(question) ?? 0;
      const may = { caller, mayNot: (more: Access) => callers.mayNot(caller, more, signal) };
      if (extraMs === 0) return handled(handler, operation, { ...question, ...may, signal });
      return waitingTurn(() =>
        handled(handler, operation, {
          ...question,
          ...may,
          signal: AbortSignal.any([gone.signal, AbortSignal.timeout(deadlineMs + extraMs)]),
        }),
      );
    }

    async function handled(handler: Handler, { id, method }: Operation, asked: Asked): Promise<Reply> {
      const reply = await handler.handle(asked);
      if (method !== 'GET' && id !== 'stock')
        log.info('answered', { operation: id, user: asked.caller.username, status: reply.status, ...asked.params, ...nameIn(asked.body) });
      return reply;
    }
  };

  /** Who waits for a Lock does nothing meanwhile, so it takes no place from those who ask. */
  async function waitingTurn(wait: () => Promise<Reply>): Promise<Reply> {
    if (waiting >= mostWaiting) return problem('busy', `${waiting} requests wait for a Lock already.`, { headers: { 'retry-after': '5' } });
    waiting++;
    running--;
    try {
      return await wait();
    } finally {
      running++;
      waiting--;
    }
  }

  function failed(error: unknown): Reply {
    const because = reasonOf(error);
    if (error instanceof NoAnswer || (error instanceof ApiError && (error.status >= 500 || error.status === 429))) {
      log.warn('the API server did not answer', { because });
      return problem('unavailable', `${because}.`, { headers: { 'retry-after': '2' } });
    }
    // 401 and 403 are about our own account, everything else is a mistake of ours: nothing the caller can mend.
    log.error('a request failed', { error: because, stack: (error as Error)?.stack });
    return problem('fault', `${because}.`);
  }
}

const NOBODY: Caller = { username: 'system:anonymous', groups: [] };

function notThere({ method = '' }: IncomingMessage, path = '', allowed: readonly string[]): Reply {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  if (allowed.length === 0) return problem('no-such-path', `There is no ${shown}.`);
  return problem('no-such-method', `${shown} has no ${method}; it has ${allowed.join(', ')}.`, { headers: { allow: allowed.join(', ') } });
}

function nameIn(body: unknown): { namespace?: string; name?: string } {
  const { namespace, name } = (body as { metadata?: { namespace?: string; name?: string } } | undefined)?.metadata ?? {};
  return { namespace, name };
}

const seconds = (ms: number) => (ms / 1000).toFixed(3);

function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  { snapshotMs, samplesMs }: ReturnType<HttpApiOptions['ages']>,
): void {
  if (response.destroyed) return;
  const { status, headers = {}, body, contentType = 'application/json' } = reply;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': bytes,
    'cache-control': 'no-store',
    ...(Number.isFinite(snapshotMs) ? { 'gala-snapshot-age': seconds(snapshotMs) } : {}),
    ...(samplesMs === undefined ? {} : { 'gala-samples-age': seconds(samplesMs) }),
    ...headers,
  });
  // ASCII is the same bytes in Latin-1, which is copied and not encoded: a fleet's answer has a quarter of a megabyte.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8');
  discard(request);
}
