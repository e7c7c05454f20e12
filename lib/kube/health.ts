/** /livez, /readyz and /metrics on loopback: what the kubelet asks and Prometheus reads. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** Says what is wrong, or nothing. */
export type Check = () => string | undefined;

export interface HealthOptions {
  /** 0: any free one. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** By name. @default always alive */
  readonly live?: Readonly<Record<string, Check>>;
  /** By name. @default always ready */
  readonly ready?: Readonly<Record<string, Check>>;
  /** @default no /metrics */
  readonly registry?: Pick<Registry, 'metrics' | 'contentType'>;
  /** Asked first, so that a program's own loopback endpoint needs no second port: true when it answers. @default nothing more is served */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Of idle connections. @default Node's 5 s */
  readonly keepAliveMs?: number;
}

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

export async function serveHealth(_options: HealthOptions): Promise<Health> {
  throw new Error('not yet');
}
