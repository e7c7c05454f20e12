/** A Prometheus as far as its HTTP API goes: answers instant queries in the words of the real one (2.42), from numbers that a test sets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QUERIES, type Query } from '../../lib/scheduling/samples.ts';

/** By instance, as its series are labelled: `10.8.0.7:9100`. */
export type Numbers = Partial<Record<Query, Readonly<Record<string, number | string>>>>;

export interface Prometheus {
  readonly url: string;
  /** What it knows from now on. */
  knows(numbers: Numbers): void;
  /** What it does instead, with every question; undefined: it answers again. */
  instead(how: ((query: Query) => { status: number; body: string; lateMs?: number } | undefined) | undefined): void;
  /** Questions so far. */
  readonly asked: Query[];
  stop(): Promise<void>;
}

export async function aPrometheus(
  labelled: (instance: string) => Record<string, string> = (instance) => ({ instance }),
): Promise<Prometheus> {
  let numbers: Numbers = {};
  let other: Parameters<Prometheus['instead']>[0];
  const asked: Query[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const query = new URLSearchParams(text).get('query');
    const name = (Object.keys(QUERIES) as Query[]).find((it) => QUERIES[it] === query);
    if (request.url !== '/api/v1/query' || request.method !== 'POST' || name === undefined) {
      response.writeHead(404).end('404 page not found\n');
      return;
    }
    asked.push(name);
    const how = other?.(name);
    if (how !== undefined) {
      if (how.lateMs !== undefined) await new Promise((resolve) => setTimeout(resolve, how.lateMs));
      response.writeHead(how.status, { 'content-type': 'application/json' }).end(how.body);
      return;
    }
    const result = Object.entries(numbers[name] ?? {}).map(([instance, number]) => ({
      metric: labelled(instance),
      value: [1795723318.27, String(number)],
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    knows: (now) => {
      numbers = now;
    },
    instead: (how) => {
      other = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
