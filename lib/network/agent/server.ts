/**
 * The agent's end of the shim's socket: root's alone, by its mode; every answer is whole or is none, and has its length. What a verb
 * does is agent.ts's.
 */

import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { type Log, reasonOf } from '../../kube/log.ts';
import { isRefusal } from '../wiring/refusal.ts';
import type { Agent, Reply } from './agent.ts';
import { type Call, type CniError, callOf, isCniError } from './call.ts';

export interface ServeOptions {
  readonly socket: string;
  readonly agent: Agent;
  /** Why no pod can be wired now; undefined: one can. */
  readonly trouble: () => string | undefined;
  readonly log: Log;
  /** Told of each call that was answered; `code` 0: done. */
  readonly onCall?: (verb: string, code: number, ms: number) => void;
}

export interface Serving {
  close(): Promise<void>;
}

/** The shim hands on at most 1 MiB of configuration, and some variables of at most 16 KiB. */
const LONGEST_BODY = 2 * 1024 * 1024;
/**
 * What was asked may still be answered: a pod start that is half done. One that waits longer, for its lock or another sandbox, asks the next
 * agent, which has to be there before the shim gives up (shim.c, AGENT_BACK_MS, 10 s); its end leaves a tombstone.
 */
const CLOSE_MS = 3_000;

/** "The plugin is not available (i.e. cannot service ADD requests)." */
const NOT_AVAILABLE = 50;
const IO_FAILURE = 5;

/** @throws {Error} when nothing can listen there */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { socket, log } = options;
  const server = createServer((request, response) => {
    void answer(request, response, options).catch((error: unknown) => {
      log.warn('a call was not answered', { because: reasonOf(error) });
      response.destroy();
    });
  });
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const mine = `${socket}.${process.pid}`;
  rmSync(mine, { force: true });
  // As it is made: a socket that others might open for a moment is one too many.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(mine, resolve);
    });
  } finally {
    process.umask(before);
  }
  chmodSync(mine, 0o600);
  // Whole or not at all; what an agent before this one left is gone with it.
  renameSync(mine, socket);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ServeOptions): Promise<void> {
  const began = performance.now();
  const text = request.method === 'POST' && request.url === '/cni' ? await bodyOf(request) : undefined;
  if (text === undefined) {
    const sentence = 'POST /cni with at most 2 MiB of JSON is answered here; the shim sends that.';
    return reply(response, 400, { code: 7, msg: 'Invalid network config', details: sentence }, '1.1.0');
  }
  const call = callOf(text);
  if (isCniError(call)) return reply(response, 400, call, versionIn(text));
  const done = await tried(call, options);
  options.onCall?.(call.verb, done !== undefined && 'code' in done ? done.code : 0, performance.now() - began);
  if (done === undefined) return void response.writeHead(204).end();
  if ('code' in done) return reply(response, 500, done, call.cniVersion);
  send(response, 200, done);
}

async function tried(call: Call, options: ServeOptions): Promise<Exclude<Reply, undefined> | CniError | undefined> {
  try {
    return await done(call, options);
  } catch (error) {
    options.log.error('a call failed', { verb: call.verb, container: call.sandbox?.containerId, because: reasonOf(error) });
    return { code: IO_FAILURE, msg: 'I/O failure', details: `${reasonOf(error)} It is tried again; see the log of gala cni on this node.` };
  }
}

async function done(call: Call, { agent, trouble }: ServeOptions): Promise<Exclude<Reply, undefined> | CniError | undefined> {
  const { sandbox, pod, valid } = call;
  switch (call.verb) {
    case 'ADD':
      return await agent.add({ ...call, sandbox: sandbox!, pod: pod! });
    case 'DEL':
      return void (await agent.del(sandbox!));
    case 'CHECK':
      return await agent.check({ ...call, sandbox: sandbox! });
    case 'GC':
      return void (await agent.gc({ ...call, valid: valid! }));
    case 'STATUS': {
      const why = trouble();
      return why === undefined ? undefined : { code: NOT_AVAILABLE, msg: 'The plugin is not available', details: why };
    }
    default:
      return call.verb satisfies never;
  }
}

/** @returns undefined: it is longer than any that the shim sends */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    // Read to its end all the same: whoever writes would otherwise not read the answer.
    if (size <= LONGEST_BODY) parts.push(part);
    else parts.length = 0;
    if (size > 16 * LONGEST_BODY) request.destroy();
  }
  return size > LONGEST_BODY ? undefined : Buffer.concat(parts).toString();
}

function reply(response: ServerResponse, status: number, error: CniError, cniVersion: string): void {
  const { code, msg, details } = error;
  send(response, status, { cniVersion, code, msg: isRefusal(error) ? `${msg} (${error.refused})` : msg, details });
}

function send(response: ServerResponse, status: number, value: object): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

/** What the caller reads, as far as it says so: an error has the version of the configuration. */
function versionIn(text: string): string {
  return /"cniVersion"\s*:\s*"([0-9.]{1,20})"/.exec(text)?.[1] ?? '1.1.0';
}
