/** /livez, /readyz and /metrics on loopback: what the kubelet asks and Prometheus reads. */
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
}

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

export async function serveHealth(_options: HealthOptions): Promise<Health> {
  throw new Error('not yet');
}
