/** A container runtime that a test plays: a server that speaks gRPC over HTTP/2 on a socket, as containerd does. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

export interface Runtime {
  /** Every connection too. */
  close(): Promise<void>;
}

/** @param answer with a message, or with a status and what is wrong */
export async function aRuntime(
  socket: string,
  answer: (path: string, request: Buffer) => Buffer | { status: number; message: string },
): Promise<Runtime> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', () => {});
    stream.on('end', () => {
      const said = answer(String(headers[':path']), Buffer.concat(parts).subarray(5));
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      if (!Buffer.isBuffer(said))
        return stream.respond(
          { ...head, 'grpc-status': said.status, 'grpc-message': encodeURIComponent(said.message) },
          { endStream: true },
        );
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(said.length, 1);
      stream.end(Buffer.concat([prefix, said]));
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
