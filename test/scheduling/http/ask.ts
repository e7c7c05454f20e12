/** Asks an HTTPS API as any client would: whole answers, headers included, and bodies however wrong. */

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API has
  readonly body: any;
}

export interface Question {
  readonly token?: string;
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Ask = (method: string, path: string, question?: Question) => Promise<Answer>;

export function asker(port: number, ca: string): { ask: Ask; agent: Agent } {
  const agent = new Agent({ keepAlive: true, ca });
  const ask: Ask = (method, path, { token, body, headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const raw = typeof body === 'string' || Buffer.isBuffer(body);
      const sent = {
        ...(body !== undefined ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      };
      const asked = request({ host: 'localhost', port, path, method, agent, headers: sent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = /json/.test(answer.headers['content-type'] ?? '');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: json && text !== '' ? JSON.parse(text) : text });
        });
      });
      asked.on('error', reject);
      asked.end(body === undefined || raw ? body : JSON.stringify(body));
    });
  return { ask, agent };
}
