/** Agents that answer the CNI shim as a test wants it: what `gala cni` decides is not what is tested. */
import { chmodSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';

/** What the shim posted. */
export interface Posted {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came. */
  readonly text: string;
  readonly document: { readonly protocol: number; readonly env: Readonly<Record<string, string>>; readonly config: unknown };
}

export interface Agent {
  readonly posted: readonly Posted[];
  stop(): Promise<void>;
}

export interface Answer {
  readonly status?: number;
  readonly body?: string;
}

/** Node's own HTTP server, which the agent of a node is too. */
export async function anAgent(path: string, answer: (posted: Posted) => Answer | Promise<Answer>, backlog = 511): Promise<Agent> {
  const posted: Posted[] = [];
  const server = createHttpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', async () => {
      const text = Buffer.concat(parts).toString();
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, text, document: JSON.parse(text) as Posted['document'] };
      posted.push(one);
      const { status = 200, body = '' } = await answer(one);
      response.writeHead(status, status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }).end(body);
    });
  });
  await listening(server, path, backlog);
  return { posted, stop: () => stopped(server) };
}

/** One that does with a connection what it likes. */
export async function anyAgent(path: string, act: (socket: Socket) => void): Promise<Agent> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    act(socket);
  });
  await listening(server, path);
  return {
    posted: [],
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return stopped(server);
    },
  };
}

/** One that says these pieces, a turn of the event loop apart, when the whole call is there, and hangs up. */
export function aSpeaker(path: string, ...pieces: readonly (string | Buffer)[]): Promise<Agent> {
  return anyAgent(path, (socket) => {
    let text = '';
    socket.on('data', async (part) => {
      text += part.toString('latin1');
      if (!isWhole(text)) return;
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
      socket.end();
    });
  });
}

/** An answer as text. */
export const said = (status: number, body: string, ...headers: string[]): string =>
  [`HTTP/1.1 ${status} Some`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n');

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  const size = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
  return head >= 0 && text.length >= head + 4 + size;
}

/** The socket is its owner's alone, as the agent makes it. */
function listening(server: Server, path: string, backlog = 511): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    // A test that fails half-way leaves it open; the run ends all the same.
    server.unref();
    server.listen({ path, backlog }, () => {
      chmodSync(path, 0o600);
      resolve();
    });
  });
}

const stopped = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
