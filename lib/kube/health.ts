/** /livez, /readyz and /metrics on loopback: what the kubelet asks and Prometheus reads. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { reasonOf } from './log.ts';

/** Says what is wrong, or nothing. */
export type Check = () => string | undefined;

export interface HealthOptions {
  /** 0: any free one. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** By name. @default always alive */
  readonly live?: Readonly<Record<string, Check>>;
  /** By name. @default always ready */
  readonly ready?: Readonly<Record<string, Check>>;
  /** @default no /metrics */
  readonly registry?: Pick<Registry, 'metrics' | 'contentType'>;
  /** Asked first, so that a program's own loopback endpoint needs no second port: true when it answers. @default nothing more is served */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Of idle connections. @default Node's 5 s */
  readonly keepAliveMs?: number;
}

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/livez` and `/readyz` as the API server does: 200 `ok`, or 500 and which checks fail; `?verbose` lists them all, and
 * `/readyz/<check>` is one of them. `/metrics` is what Prometheus reads. The kubelet asks on the node's loopback
 * (`host: 127.0.0.1` in the probe) where a pod is on the host's network.
 * @throws {Error} when the port is taken
 */
export async function serveHealth(options: HealthOptions): Promise<Health> {
  const { port, host = '127.0.0.1', live = {}, ready = {}, registry, handle, keepAliveMs } = options;
  const server = createServer((request, response) => {
    if (handle?.(request, response)) return;
    answer(request).then(
      ({ status, type = 'text/plain; charset=utf-8', body }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache, private', 'x-content-type-options': 'nosniff' });
        response.end(request.method === 'HEAD' ? undefined : body);
      },
      () => response.destroy(),
    );
  });
  if (keepAliveMs !== undefined) server.keepAliveTimeout = keepAliveMs;

  async function answer({ method, url = '/' }: IncomingMessage): Promise<Page> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'GET or HEAD\n' };
    const { pathname, searchParams } = new URL(url, 'http://loopback');
    const [, first, name, ...more] = pathname.split('/').map(decoded);
    const checks = { livez: live, readyz: ready }[first ?? ''];
    if (checks && more.length === 0 && (name === undefined || Object.hasOwn(checks, name)))
      return verdict(first!, name === undefined ? checks : { [name]: checks[name]! }, searchParams.has('verbose'));
    if (pathname === '/metrics' && registry) return { status: 200, type: registry.contentType, body: await registry.metrics() };
    return { status: 404, body: 'not found\n' };
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE' ? ': another program has it. End that one, or choose another port' : `: ${cause.message}`;
      reject(new Error(`listening on ${host}:${port}${taken}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

interface Page {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

/** Answers that are being written may end; a scraper that does not read must not keep the program. */
const CLOSE_MS = 2_000;

function verdict(path: string, checks: Readonly<Record<string, Check>>, verbose: boolean): Page {
  const said = Object.entries(checks).map(([name, check]) => ({ name, wrong: asked(check) }));
  const failed = said.some(({ wrong }) => wrong !== undefined);
  if (!failed && !verbose) return { status: 200, body: 'ok' };
  const lines = said.map(({ name, wrong }) => (wrong === undefined ? `[+]${name} ok` : `[-]${name} failed: ${wrong}`));
  return { status: failed ? 500 : 200, body: [...lines, `${path} check ${failed ? 'failed' : 'passed'}`, ''].join('\n') };
}

/** A check that fails to check has failed. */
function asked(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return reasonOf(error);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
