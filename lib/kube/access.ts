/**
 * Access: where an API server is and who one is to it. What can change while a program runs (tokens, certificates, the
 * authority) is asked for before each call, so that a rotated token needs no restart. Kubeconfigs are read by kubeconfig.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { monotonic } from './clock.ts';

/** Who one is, as of now. All PEM; another one than before makes new connections. */
export interface Identity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The header's value: `Bearer …`. */
  readonly authorization?: string;
}

export interface Access {
  /** `https://host:port`, without a path. */
  readonly url: string;
  /** What stands before `/api` in each path, for API servers behind a proxy that serves several. @default none */
  readonly basePath?: string;
  readonly namespace: string;
  /** What the server's certificate must be for. @default the URL's host */
  readonly serverName?: string;
  readonly insecure?: boolean;
  readonly proxyUrl?: string;
  /** Sent with each call: whom one acts for. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Asked before each call: cheap unless something has run out. */
  identity(): Identity | Promise<Identity>;
  /** After a 401: reads or makes everything anew; the call is tried once more when that changed anything. */
  renew?(): Identity | Promise<Identity>;
}

/** The kubelet puts it into each pod (kubernetes.io, "Accessing the API from a Pod"). */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A token is renewed by the kubelet at 80 % of its life, an hour at least: a minute's delay is early enough. client-go reads as often. */
const REREAD_MS = 60_000;

/** Whether this process has a ServiceAccount's token. */
export const hasServiceAccount = (folder = SERVICE_ACCOUNT) => existsSync(join(folder, 'token'));

/** The access that a pod has by its ServiceAccount. */
export function inCluster(folder = SERVICE_ACCOUNT, env: NodeJS.ProcessEnv = process.env, clock: Clock = monotonic): Access {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host)
    throw new Error(
      'KUBERNETES_SERVICE_HOST is not set, so the API server is not known. In a pod the kubelet sets it; elsewhere give a kubeconfig',
    );
  const file = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  const namespace = existsSync(join(folder, 'namespace')) ? file('namespace') : 'default';
  const read = (): Identity => ({ ca: file('ca.crt'), authorization: `Bearer ${file('token')}` });
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, namespace, ...reread(read, clock) };
}

/** An identity read from files, anew when it is older than a minute. Files that are gone for a moment leave the old one. */
export function reread(read: () => Identity, clock: Clock = monotonic): Required<Pick<Access, 'identity' | 'renew'>> {
  let known = read();
  let readAt = clock.now();
  const renew = () => {
    try {
      known = read();
    } catch {
      // The kubelet swaps the folder by renaming a link: whoever comes in between reads again in a minute, or after a 401.
    }
    readAt = clock.now();
    return known;
  };
  return { renew, identity: () => (clock.now() - readAt < REREAD_MS ? known : renew()) };
}

/** @throws when the URL is no place to send a token to */
export function assertSafe(url: string): URL {
  const parsed = URL.parse(url);
  if (!parsed || !['https:', 'http:'].includes(parsed.protocol))
    throw new Error(`API server ${JSON.stringify(url)}: not a URL of the form https://host:port`);
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname))
    throw new Error(
      `API server ${url}: plain HTTP would show the token to the network. Use https://, or http:// on loopback (kubectl proxy)`,
    );
  return parsed;
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
