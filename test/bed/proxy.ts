/**
 * A proxy that misbehaves, between a program and the API server: connections cut before, within and after, answers held back,
 * 429s and 500s, watches that go stale, mute or end in 410. What it does to a request is the plan's answer, so that a test
 * says it and a soak draws it from its seed. It listens on plain HTTP, which programs accept on loopback.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { Bed } from './control-plane.ts';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly watch: boolean;
  /** The how manyth it is, from 1. */
  readonly number: number;
}

export type Fault =
  /** Answered here, with a Status; nothing is done. */
  | { readonly do: 'answer'; readonly status: number; readonly retryAfterSeconds?: number }
  /** The connection is reset; nothing is done. */
  | { readonly do: 'cut before' }
  /** It is done, and the connection is reset instead of an answer. */
  | { readonly do: 'cut after' }
  /** The connection is reset after so many bytes of the answer, wherever that is. */
  | { readonly do: 'cut within'; readonly bytes: number }
  /** It is done so much later. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Each part of the answer comes so much later than it was said: what a watch tells is old. */
  | { readonly do: 'stale'; readonly ms: number }
  /** After so many bytes nothing more is heard, and the connection stays open. */
  | { readonly do: 'mute'; readonly bytes: number }
  /** After so many bytes, at the end of a line, a watch is told an error and ended. */
  | { readonly do: 'tell'; readonly bytes: number; readonly status: number };

/** What becomes of a request; nothing: it passes. */
export type Plan = (asked: Asked) => Fault | undefined;

export interface FaultProxy {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Path of a kubeconfig that goes through the proxy. */
  readonly kubeconfig: string;
  /** Requests that came, and how many of them were done something to. */
  readonly counts: { readonly requests: number; readonly faults: number };
  setPlan(plan: Plan): void;
  /** Resets every connection there is. */
  cut(): void;
  /** Away: resets every connection, and each that comes. */
  down(): void;
  up(): void;
  stop(): Promise<void>;
}

/** @param bed whose API server it stands before, and with which it ends */
export async function startFaultProxy(
  bed: Pick<Bed, 'kubeconfig' | 'folder' | 'atEnd'>,
  plan: Plan = () => undefined,
): Promise<FaultProxy> {
  const config = JSON.parse(readFileSync(bed.kubeconfig, 'utf8'));
  const { server: target, 'certificate-authority-data': authority } = config.clusters[0].cluster;
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(authority, 'base64') });
  const counts = { requests: 0, faults: 0 };
  let away = false;

  const server = createServer((incoming, outgoing) => {
    const path = incoming.url!;
    const watch = new URL(path, target).searchParams.get('watch') === 'true';
    const fault = plan({ method: incoming.method!, path, watch, number: ++counts.requests });
    if (fault) counts.faults++;
    void pass(incoming, outgoing, fault);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (away) socket.resetAndDestroy();
  });

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): Promise<void> {
    const reset = () => incoming.socket.resetAndDestroy();
    const body: Buffer[] = [];
    // Read whole before anything is done: a request that is cut on its way here was never made.
    for await (const chunk of incoming) body.push(chunk as Buffer);
    if (fault?.do === 'cut before') return void reset();
    if (fault?.do === 'answer') return refuse(outgoing, fault);
    if (fault?.do === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const { host: _host, ...headers } = incoming.headers;
    const forwarded = httpsRequest(`${target}${incoming.url}`, { method: incoming.method, headers, agent });
    outgoing.on('close', () => forwarded.destroy());
    forwarded.on('error', reset);
    forwarded.on('response', (answer) => {
      if (fault?.do === 'cut after') {
        answer.on('end', reset).resume();
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      outgoing.flushHeaders();
      const write = misbehaving(outgoing, reset, fault);
      answer.on('data', write);
      answer.on('end', () => setTimeout(() => outgoing.end(), fault?.do === 'stale' ? fault.ms : 0));
      answer.on('error', reset);
    });
    forwarded.end(Buffer.concat(body));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const kubeconfig = join(bed.folder, `proxied-${port}.kubeconfig`);
  config.clusters[0].cluster = { server: url };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const stop = async () => {
    cut();
    agent.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  bed.atEnd(stop);
  return {
    ...{ url, kubeconfig, counts, cut, stop },
    setPlan(next) {
      plan = next;
    },
    down() {
      away = true;
      cut();
    },
    up() {
      away = false;
    },
  };
}

/** Faults for a soak: each request is done something to with the probability `rate`, by `random`. */
export function randomFaults(random: () => number, rate: number): Plan {
  const upTo = (most: number) => Math.floor(random() * most);
  return ({ watch }) => {
    if (random() >= rate) return undefined;
    const any: Fault[] = [
      { do: 'answer', status: 429, retryAfterSeconds: 1 },
      ...[500, 503, 504].map((status) => ({ do: 'answer', status }) as const),
      ...[{ do: 'cut before' } as const, { do: 'cut within', bytes: upTo(4_000) } as const, { do: 'delay', ms: upTo(500) } as const],
    ];
    const ofWatches: Fault[] = [
      ...[410, 500, 504].map((status) => ({ do: 'tell', status, bytes: upTo(4_000) }) as const),
      ...[{ do: 'answer', status: 410 } as const, { do: 'stale', ms: upTo(1_000) } as const, { do: 'mute', bytes: upTo(4_000) } as const],
    ];
    const kinds = watch ? [...any, ...ofWatches] : [...any, { do: 'cut after' } as const];
    return kinds[upTo(kinds.length)];
  };
}

/** Writes the parts of an answer as the fault would have it. */
function misbehaving(outgoing: ServerResponse, reset: () => void, fault: Fault | undefined): (chunk: Buffer) => void {
  let passed = 0;
  let over = false;
  return (chunk) => {
    if (over) return;
    const before = passed;
    passed += chunk.length;
    if (fault?.do === 'stale') setTimeout(() => outgoing.write(chunk), fault.ms);
    else if (fault && 'bytes' in fault && passed > fault.bytes) {
      if (fault.do === 'tell') {
        const end = chunk.lastIndexOf(10);
        if (end === -1) return void outgoing.write(chunk);
        outgoing.end(Buffer.concat([chunk.subarray(0, end + 1), Buffer.from(`${JSON.stringify(errorEvent(fault.status))}\n`)]));
      } else {
        // Flushed first, so that the bytes before the cut arrive.
        outgoing.write(chunk.subarray(0, fault.bytes - before), () => fault.do === 'cut within' && reset());
      }
      over = true;
    } else outgoing.write(chunk);
  };
}

function refuse(outgoing: ServerResponse, { status, retryAfterSeconds }: Extract<Fault, { do: 'answer' }>): void {
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(JSON.stringify(statusOf(status)));
}

const errorEvent = (status: number) => ({ type: 'ERROR', object: statusOf(status) });
const REASONS: Record<number, string> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
const statusOf = (code: number) => ({
  ...{ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure' },
  ...{ code, reason: REASONS[code], message: 'by the fault proxy' },
});
