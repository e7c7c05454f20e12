/** EC2's Query protocol over HTTP: bodies of calls in, XML out. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Ec2Error } from './error.ts';
import { type Element, element, writeXml } from './xml.ts';

/** `cut`: the connection is reset in place of an answer. */
export type Reply = { readonly status: number; readonly xml: string } | 'cut';

export interface Received {
  readonly body: string;
  readonly authorization: string | undefined;
}

export interface Listening {
  readonly endpoint: string;
  /** Listens on a Unix socket as well. */
  alsoOn(path: string): Promise<void>;
  close(): Promise<void>;
}

/** @param reply never rejects */
export async function listen(host: string, reply: (received: Received) => Promise<Reply>): Promise<Listening> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const serve = async (...at: [number, string] | [string]) => {
    const server = createServer((request, response) => void respond(request, response, reply));
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
    });
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (at.length === 1) server.listen(at[0], resolve);
      else server.listen(at[0], at[1], resolve);
    });
    return server;
  };
  const first = await serve(0, host);
  return {
    endpoint: `http://${host}:${(first.address() as AddressInfo).port}`,
    alsoOn: async (path) => void (await serve(path)),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, reply: (received: Received) => Promise<Reply>): Promise<void> {
  const body: Buffer[] = [];
  try {
    for await (const chunk of request) body.push(chunk as Buffer);
  } catch {
    // Whoever asked is gone.
    return;
  }
  const answer = await reply({ body: Buffer.concat(body).toString(), authorization: request.headers.authorization });
  if (answer === 'cut') return void request.socket.destroy();
  response.writeHead(answer.status, { 'content-type': 'text/xml;charset=UTF-8' });
  response.end(answer.xml);
}

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

export const success = (action: string, content: readonly Element[]): Reply => ({
  status: 200,
  xml: writeXml(element(`${action}Response`, [element('requestId', requestId()), ...content]), NAMESPACE),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, "Example error response". */
export function failure({ code, message, status }: Ec2Error): Reply {
  const errors = element('Errors', [element('Error', [element('Code', code), element('Message', message)])]);
  return { status, xml: writeXml(element('Response', [errors, element('RequestID', requestId())])) };
}

let requests = 0;
const requestId = () => `00000000-0000-4000-8000-${(++requests).toString(16).padStart(12, '0')}`;
