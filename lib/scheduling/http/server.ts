/**
 * The HTTPS server under the API: its certificate, which changes while it runs, and the bounds that one connection has: so long
 * for the handshake, the headers, the body; so many connections.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Log, reasonOf, silent } from '../../kube/log.ts';
import type { Pair } from './authority.ts';

export interface HttpsOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly certificate: Pick<Pair, 'cert' | 'key'>;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly log?: Log;
  readonly limits?: Partial<typeof LIMITS>;
}

export interface HttpsServer {
  readonly port: number;
  /** New connections get it; those that are there go on. */
  setCertificate(certificate: Pick<Pair, 'cert' | 'key'>): void;
  /** Takes no more, lets what runs end within `graceMs`, then ends it. */
  close(graceMs?: number): Promise<void>;
}

/** Who is slower or more than this holds places that others need. */
export const LIMITS = {
  /** A connection takes some 50 KB with its TLS state. */
  connections: 1_000,
  handshakeMs: 5_000,
  /** From the request's first byte to its last header, and to the end of its body. */
  headersMs: 5_000,
  requestMs: 10_000,
  /** Between two requests of a connection. */
  keepAliveMs: 30_000,
  /** Then the client connects anew: replicas get their share, and a new certificate is seen. */
  requestsPerConnection: 1_000,
  headerBytes: 32_768,
};

/** Listens; rejects when it can't. */
export async function serveHttps({ host, port, certificate, handle, log = silent, limits = {} }: HttpsOptions): Promise<HttpsServer> {
  const { connections, handshakeMs, headersMs, requestMs, keepAliveMs, requestsPerConnection, headerBytes } = { ...LIMITS, ...limits };
  const server = createServer({
    ...secure(certificate),
    ...{ handshakeTimeout: handshakeMs, headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: keepAliveMs },
    ...{ maxHeaderSize: headerBytes, connectionsCheckingInterval: 1_000, noDelay: true },
  });
  server.maxConnections = connections;
  server.maxRequestsPerSocket = requestsPerConnection;
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    void handle(request, response).catch((error: unknown) => {
      // The handler answers its own failures: this one is about writing the answer.
      log.warn('an answer was not sent', { error: reasonOf(error) });
      response.destroy();
    });
  server.on('request', answer);
  // Who asks before sending a long body hears what is wrong with it first; 100 follows when the body is read.
  server.on('checkContinue', (request, response) => {
    request.once('resume', () => {
      if (!response.headersSent) response.writeContinue();
    });
    answer(request, response);
  });
  server.on('tlsClientError', (error) => log.debug('a handshake failed', { error: reasonOf(error) }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`listening on ${host}:${port}`, { cause })));
    server.listen({ host, port }, resolve);
  });
  server.on('error', (error) => log.error('the API server failed', { error: reasonOf(error) }));

  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: (certificate) => server.setSecureContext(secure(certificate)),
    async close(graceMs = 5_000) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

const secure = ({ cert, key }: Pick<Pair, 'cert' | 'key'>) => ({ cert, key, minVersion: 'TLSv1.2' as const });
