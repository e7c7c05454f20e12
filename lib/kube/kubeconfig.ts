/**
 * Kubeconfigs, as kubectl reads them: several files merged, paths relative to their file, certificates and tokens from files
 * read anew as they rotate, exec plugins (exec-plugin.ts). Only the old `auth-provider` needs @kubernetes/client-node.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type Access, assertSafe, type Identity, reread } from './access.ts';
import type { ConnectOptions } from './client.ts';
import { type Exec, execIdentity } from './exec-plugin.ts';

export interface KubeconfigOptions extends Pick<ConnectOptions, 'kubeconfig' | 'context'> {
  /** @default the process' own */
  readonly env?: NodeJS.ProcessEnv;
}

/** None of the files is there that it was looked for in. */
export class NoKubeconfig extends Error {
  override readonly name = 'NoKubeconfig';
}

/** @throws {NoKubeconfig} @throws {Error} with the file and the field, when there is no way in by it */
export async function kubeconfigAccess({ kubeconfig, context, env = process.env }: KubeconfigOptions): Promise<Access> {
  const files = kubeconfig ? [kubeconfig] : (env.KUBECONFIG || join(homedir(), '.kube', 'config')).split(delimiter).filter(Boolean);
  // kubectl passes over files of $KUBECONFIG that are not there, and not over one that was asked for.
  const present = files.filter((file) => existsSync(file));
  if (present.length === 0)
    throw new NoKubeconfig(
      `no kubeconfig: there is no ${files.join(', no ')}. Give --kubeconfig or set KUBECONFIG; in a pod, mount its ServiceAccount's token`,
    );
  const configs = present.map(read);
  const named = context ?? configs.map((config) => config['current-context']).find(Boolean);
  const where = present.join(delimiter);
  if (!named) throw new Error(`${where}: no current-context. Name one of the contexts: ${namesOf(configs, 'contexts')}`);
  const at = pick(configs, 'contexts', named, where).context ?? {};
  const { cluster = {} } = pick(configs, 'clusters', at.cluster ?? '', where);
  const { user = {} } = at.user ? pick(configs, 'users', at.user, where) : { user: {} };
  const { origin, pathname } = assertSafe(cluster.server ?? '');
  return {
    url: origin,
    basePath: pathname.replace(/\/+$/, ''),
    namespace: at.namespace || 'default',
    ...(cluster['tls-server-name'] ? { serverName: cluster['tls-server-name'] } : {}),
    ...(cluster['insecure-skip-tls-verify'] ? { insecure: true } : {}),
    ...(cluster['proxy-url'] ? { proxyUrl: cluster['proxy-url'] } : {}),
    headers: impersonation(user),
    ...(await identityOf(cluster, user, { env, files: present, context: named })),
  };
}

interface Cluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly exec?: Exec;
  readonly 'auth-provider'?: { readonly name?: string };
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
}

interface Named {
  readonly name?: string;
  readonly cluster?: Cluster;
  readonly user?: User;
  readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
}

type Section = 'clusters' | 'users' | 'contexts';
type Config = Readonly<Partial<Record<Section, readonly Named[] | null>>> & { readonly 'current-context'?: string };

async function identityOf(
  cluster: Cluster,
  user: User,
  { env, files, context }: { env: NodeJS.ProcessEnv; files: readonly string[]; context: string },
): Promise<Pick<Access, 'identity' | 'renew'>> {
  const fixed = (): Identity => {
    const token = user.tokenFile ? readFileSync(user.tokenFile, 'utf8').trim() : user.token;
    const basic = user.username === undefined ? undefined : `Basic ${base64(`${user.username}:${user.password ?? ''}`)}`;
    return {
      ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
      cert: pem(user['client-certificate-data'], user['client-certificate']),
      key: pem(user['client-key-data'], user['client-key']),
      authorization: token ? `Bearer ${token}` : basic,
    };
  };
  const own = reread(fixed);
  if (user.exec) return execIdentity(user.exec, own.identity as () => Identity, clusterInfo(cluster, own.identity() as Identity), env);
  return user['auth-provider'] ? await providerIdentity(own.identity as () => Identity, files, context) : own;
}

/** What a plugin that asks for it is told of the cluster (client.authentication.k8s.io/v1, Cluster). */
const clusterInfo = (cluster: Cluster, { ca }: Identity) => ({
  server: cluster.server,
  ...(cluster['tls-server-name'] ? { 'tls-server-name': cluster['tls-server-name'] } : {}),
  ...(cluster['insecure-skip-tls-verify'] ? { 'insecure-skip-tls-verify': true } : {}),
  ...(cluster['proxy-url'] ? { 'proxy-url': cluster['proxy-url'] } : {}),
  ...(ca ? { 'certificate-authority-data': base64(ca) } : {}),
});

/** Providers (`oidc`) write new tokens into the kubeconfig and know how: the client's own code does it, when it is there. */
async function providerIdentity(
  own: () => Identity,
  files: readonly string[],
  context: string,
): Promise<Pick<Access, 'identity' | 'renew'>> {
  const { KubeConfig } = await import('@kubernetes/client-node').catch((cause) => {
    throw new Error(
      `context ${context}: its user has an auth-provider, which needs @kubernetes/client-node. Install it, or use an exec plugin`,
      { cause },
    );
  });
  const config = new KubeConfig();
  config.loadFromFile(files[0]!);
  config.setCurrentContext(context);
  const identity = async (): Promise<Identity> => {
    const options: { headers?: Record<string, unknown> } = {};
    await config.applyToHTTPSOptions(options);
    const { Authorization: authorization } = options.headers ?? {};
    return { ...own(), ...(typeof authorization === 'string' ? { authorization } : {}) };
  };
  return { identity };
}

function read(file: string): Config {
  let config: Config | null;
  try {
    config = parse(readFileSync(file, 'utf8')) as Config | null;
  } catch (cause) {
    throw new Error(`kubeconfig ${file}: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
  if (config === null || typeof config !== 'object') throw new Error(`kubeconfig ${file}: holds no clusters, users and contexts`);
  return { ...config, clusters: absolute(config.clusters, file), users: absolute(config.users, file) };
}

/** Paths are relative to the file they stand in; a command only when it has a slash (client-go, ResolveLocalPaths). */
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];
function absolute(entries: readonly Named[] | null | undefined, file: string): Named[] {
  const from = (path: string) => resolve(dirname(file), path);
  const resolved = (part: object) =>
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, PATHS.includes(key) && value ? from(value) : value]));
  return (entries ?? []).map((entry) => {
    const { cluster, user } = entry;
    if (cluster) return { ...entry, cluster: resolved(cluster) };
    if (!user?.exec) return { ...entry, user: resolved(user ?? {}) };
    const { command = '' } = user.exec;
    return { ...entry, user: { ...resolved(user), exec: { ...user.exec, command: command.includes('/') ? from(command) : command } } };
  });
}

/** The first file that has an entry wins. */
function pick(configs: readonly Config[], section: Section, name: string, where: string): Named {
  const found = configs.flatMap((config) => config[section] ?? []).find((entry) => entry.name === name);
  if (!found) throw new Error(`${where}: ${section}: there is no ${JSON.stringify(name)}. There are: ${namesOf(configs, section)}`);
  return found;
}

const namesOf = (configs: readonly Config[], section: Section) =>
  configs.flatMap((config) => (config[section] ?? []).map((entry) => entry.name)).join(', ') || 'none';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pem = (data: string | undefined, file: string | undefined) =>
  data ? Buffer.from(data, 'base64').toString('utf8') : file ? readFileSync(file, 'utf8') : undefined;

function impersonation(user: User): Record<string, string | readonly string[]> {
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(
    ([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, values] as const,
  );
  return {
    ...(user.as ? { 'impersonate-user': user.as } : {}),
    ...(user['as-uid'] ? { 'impersonate-uid': user['as-uid'] } : {}),
    ...(user['as-groups']?.length ? { 'impersonate-group': user['as-groups'] } : {}),
    ...Object.fromEntries(extra),
  };
}
