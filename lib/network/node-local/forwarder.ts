/**
 * A TCP forwarder: takes connections on one address of this host and hands them on, byte for byte, to the first of several others
 * that takes them. TLS goes through it untouched: who is asked proves itself to who asks, and the other way round.
 *
 * Each direction ends by itself (half-close), waits for its reader (backpressure), and an error on one side ends the other.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Endpoint } from './endpoint.ts';

export interface ForwarderOptions {
  readonly listen: Endpoint;
  /** Asked in turn, so that each has its share; one that does not take a connection is passed over. */
  readonly to: readonly Endpoint[];
  /** Further ones are ended as they come. @default 512: two for each of 250 pods */
  readonly mostConnections?: number;
  /** How long one of `to` has for its answer. @default 3000 */
  readonly connectMs?: number;
  /** How long connections may take to end by themselves when it closes. @default 2000 */
  readonly graceMs?: number;
  readonly log: Log;
}

export interface Forwarder {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Takes no more, and ends those that are there: at once what waits, after a while the rest. */
  close(): Promise<void>;
}

/** What is silent for longer is asked by the kernel whether it is there: a pod that went without a word keeps nothing open. */
const KEEP_ALIVE_MS = 60_000;

/** @throws {Error} when it can't listen there */
export async function forwarder(options: ForwarderOptions): Promise<Forwarder> {
  const { listen, to, mostConnections = 512, connectMs = 3000, graceMs = 2000, log } = options;
  const sockets = new Set<Socket>();
  let next = 0;

  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Told by who waits for it; without a listener it would end the process.
    socket.on('error', () => {});
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  };

  async function reach(client: Socket): Promise<Socket | undefined> {
    const first = next++;
    const failed: string[] = [];
    for (let nth = 0; nth < to.length && !client.destroyed; nth++) {
      const one = to[(first + nth) % to.length]!;
      const server = keep(connect({ ...one, allowHalfOpen: true }));
      try {
        await once(server, 'connect', { signal: AbortSignal.timeout(connectMs) });
        return server;
      } catch (error) {
        server.destroy();
        failed.push(`${one.host}:${one.port}: ${error instanceof Error && error.name === 'AbortError' ? 'no answer' : reasonOf(error)}`);
      }
    }
    if (!client.destroyed) log.warn('nobody takes a connection that is to be forwarded', { tried: failed });
    return undefined;
  }

  async function forward(client: Socket): Promise<void> {
    const server = await reach(client);
    if (server === undefined) return void client.resetAndDestroy();
    if (client.destroyed) return void server.destroy();
    const ways = [pipeline(client, server), pipeline(server, client)];
    await Promise.all(ways).catch(() => {
      // Either way may have failed; what is cut off on one side is cut off on the other.
      client.destroy();
      server.destroy();
    });
    await Promise.allSettled(ways);
  }

  const forwarding = new Set<Promise<void>>();
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const done = forward(keep(client)).finally(() => forwarding.delete(done));
    forwarding.add(done);
  });
  listener.maxConnections = mostConnections;
  listener.on('drop', (dropped) => log.warn('too many connections to forward', { most: mostConnections, from: dropped?.remoteAddress }));
  listener.listen({ host: listen.host, port: listen.port });
  await once(listener, 'listening');
  const address = listener.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    open: () => forwarding.size,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      const late = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(late);
      await Promise.all(forwarding);
    },
  };
}
