/**
 * One unary call of gRPC over a socket file, and as much of protocol buffers as its messages need (protobuf.dev, "Encoding"; gRPC's
 * PROTOCOL-HTTP2.md). A connection each: calls are made once a minute, and a server that was restarted is found again.
 */
import { connect as connectTo } from 'node:http2';
import { connect } from 'node:net';

/** By number; of a field that is there more than once all values, in their order. */
export type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

/** A node has some hundreds of sandboxes of less than a KiB. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Before each message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;

/** @returns the message that answers; rejects with what the server or the socket says */
export function called(socket: string, path: string, request: Buffer, deadlineMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connectTo('http://localhost', { createConnection: () => connect(socket) });
    const timer = setTimeout(() => over(new Error(`no answer within ${deadlineMs / 1000} s`)), deadlineMs);
    const over = (error: Error | undefined, answer?: Buffer) => {
      clearTimeout(timer);
      session.destroy();
      if (error === undefined) resolve(answer!);
      else reject(error);
    };
    session.on('error', over);
    const stream = session.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      'grpc-timeout': `${deadlineMs}m`,
    });
    const parts: Buffer[] = [];
    let [size, status, said] = [0, '', ''];
    // Where it can't be done at all, the status comes with the headers.
    const note = (headers: Readonly<Record<string, unknown>>) => {
      status = String(headers['grpc-status'] ?? status);
      said = String(headers['grpc-message'] ?? said);
      if (Number(headers[':status'] ?? 200) !== 200) over(new Error(`HTTP ${headers[':status']}`));
    };
    stream.on('response', note).on('trailers', note).on('error', over);
    stream.on('data', (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size > MOST_BYTES) over(new Error(`its answer has more than ${MOST_BYTES} bytes`));
    });
    stream.on('close', () => {
      if (status !== '0') return over(new Error(decodeURIComponent(said) || `it ended with status ${status || 'unknown'}`));
      const all = Buffer.concat(parts);
      const isWhole = all.length >= PREFIX_BYTES && all[0] === 0 && all.readUInt32BE(1) === all.length - PREFIX_BYTES;
      if (isWhole) over(undefined, all.subarray(PREFIX_BYTES));
      else over(new Error('its answer is no whole message'));
    });
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([prefix, request]));
  });
}

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** Texts, truths and messages, by number. */
export function message(fields: Readonly<Record<number, string | boolean | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([number, value]) => {
      if (typeof value === 'boolean') return Buffer.from([...varint(Number(number) * 8 + VARINT), value ? 1 : 0]);
      const bytes = Buffer.from(value as string);
      return Buffer.concat([Buffer.from([...varint(Number(number) * 8 + BYTES), ...varint(bytes.length)]), bytes]);
    }),
  );
}

/** @throws {Error} when it is cut off, or holds what protocol buffers do not have any more (groups) */
export function fieldsOf(bytes: Buffer): Fields {
  const all = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error('a message that is cut off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const some = (size: number): Buffer => {
    if (size > bytes.length - at) throw new Error('a message that is cut off');
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.length) {
    const tag = Number(number());
    const kind = tag & 7;
    if (![VARINT, FIXED64, BYTES, FIXED32].includes(kind)) throw new Error(`a field of kind ${kind}`);
    const value = kind === VARINT ? number() : some(kind === BYTES ? Number(number()) : kind === FIXED64 ? 8 : 4);
    const values = all.get(tag >>> 3);
    if (values === undefined) all.set(tag >>> 3, [value]);
    else values.push(value);
  }
  return all;
}

/** Of a field that is left out: its default, nothing. */
export function bytesOf(fields: Fields, number: number): Buffer {
  const value = fields.get(number)?.at(-1);
  return typeof value === 'object' ? value : Buffer.alloc(0);
}

export const textOf = (fields: Fields, number: number): string => bytesOf(fields, number).toString();

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
