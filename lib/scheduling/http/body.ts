/** Reading a request's body: all of it, or a reason why not; never more than was agreed, never longer than the signal. */
import type { IncomingMessage } from 'node:http';

export type Refused = { readonly refused: 'tooLong' | 'tooSlow' | 'brokenOff' | 'notUtf8'; readonly because: string };

export interface BodyOptions {
  /** Bytes. */
  readonly longest: number;
  readonly signal: AbortSignal;
}

/** The text of the body. After a refusal the connection is of no further use: the rest of the body is still on its way. */
export async function readBody(request: IncomingMessage, { longest, signal }: BodyOptions): Promise<string | Refused> {
  const tooLong: Refused = { refused: 'tooLong', because: `the body is longer than ${longest} bytes` };
  if (Number(request.headers['content-length'] ?? 0) > longest) return tooLong;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (answer: string | Refused) => {
      signal.removeEventListener('abort', late);
      request.off('data', take).off('end', all).off('close', brokenOff).off('error', brokenOff);
      // A request without listeners must not throw what its socket still has to say.
      request.on('error', () => {});
      if (typeof answer !== 'string') request.pause();
      resolve(answer);
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > longest) return end(tooLong);
      chunks.push(chunk);
    };
    const all = () => end(decoded(Buffer.concat(chunks, length)));
    const brokenOff = () => end({ refused: 'brokenOff', because: 'the body broke off' });
    const late = () => end({ refused: 'tooSlow', because: `after ${length} bytes the body was not there in time` });
    if (signal.aborted) return late();
    signal.addEventListener('abort', late, { once: true });
    request.on('data', take).once('end', all).once('close', brokenOff).once('error', brokenOff);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decoded(bytes: Buffer): string | Refused {
  try {
    return utf8.decode(bytes);
  } catch {
    return { refused: 'notUtf8', because: 'the body is not UTF-8' };
  }
}

/** As much as is read of a body that nobody wants. */
const MOST_DISCARDED = 16 * 2 ** 20;

/**
 * Reads on after the answer, for nothing: a connection that is closed with something unread is reset, and the answer with it
 * (RFC 9112, 9.6). Who sends on and on is cut off; the server's own time limit for a request ends who does so slowly.
 */
export function discard(request: IncomingMessage): void {
  if (request.complete) return;
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_DISCARDED) request.destroy();
  });
  request.resume();
}
