/** A flag that names a host and a port, once or several times. */
import { InvalidArgumentError } from 'commander';

export interface Endpoint {
  /** An IPv4 address or a DNS name, which the node resolves. */
  readonly host: string;
  readonly port: number;
}

/** Adds what is said to those that were said before. */
export function endpoint(text: string, before: readonly Endpoint[] = []): readonly Endpoint[] {
  const [, host, port] = /^([a-z0-9]([-.a-z0-9]*[a-z0-9])?):([1-9][0-9]{0,4})$/.exec(text)?.toSpliced(2, 1) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new InvalidArgumentError('It is <host>:<port>, such as 10.8.0.10:6443.');
  return [...before, { host, port: Number(port) }];
}
