/**
 * A real control plane for a test: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, ready in seconds, in a
 * data folder and a network of its own, as many at once as there is memory for. It ends with `stop()`, or with the process
 * that started it.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aClient, type Client } from './client.ts';
import { aNetwork, loopback, type Network } from './network.ts';
import { command, type PartName } from './parts.ts';
import { type Started, start, until } from './process.ts';
import { newFolder, note, sweep } from './records.ts';

export interface BedOptions {
  /** Parts that this test does without. @default - all four run */
  readonly without?: readonly ('kube-controller-manager' | 'kube-scheduler')[];
  /** Further arguments per part. @default - none */
  readonly flags?: Partial<Record<PartName, readonly string[]>>;
  /** @default - a network namespace as root, loopback otherwise */
  readonly network?: 'loopback';
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bed extends Omit<Client, 'close'> {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  /** `https://…`, reachable from this process and its children. */
  readonly url: string;
  readonly token: string;
  /** The bed's data, kept until it is stopped. */
  readonly folder: string;
  readonly network: Network;
  kubectl(args: readonly string[], options?: { stdin?: string }): Promise<KubectlResult>;
  /** Starts another part in the bed's network; it ends with the bed. */
  run(name: PartName, args: readonly string[]): Started;
  /** What a part has said so far. */
  log(part: PartName): string;
  stop(): Promise<void>;
}

const READY_SECONDS = 60;
/** The defaults (20 and 50 requests/s) spare a shared API server; this one has nobody else, and a start waits for them. */
const UNTHROTTLED = ['--kube-api-qps', '1000', '--kube-api-burst', '2000'];

/** Starts a control plane and resolves when it serves and, with the controllers, when pods can be made in `default`. */
export async function startControlPlane(options: BedOptions = {}): Promise<Bed> {
  sweep();
  for (let tries = 1; ; tries++) {
    const folder = newFolder();
    const started: Started[] = [];
    const clear = async () => {
      await Promise.all(started.map((process) => process.kill()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    };
    try {
      return await startIn(folder, started, clear, options);
    } catch (error) {
      await clear();
      // Another program took a free port between the look and the use; in a namespace there is nobody else.
      if (tries < 3 && (error as Error).message.includes('address already in use')) continue;
      throw error;
    }
  }
}

async function startIn(folder: string, started: Started[], clear: () => Promise<void>, options: BedOptions): Promise<Bed> {
  const network = options.network === 'loopback' ? loopback : await aNetwork(folder);
  if (network.holder) started.push(network.holder);
  const within = (name: string) => join(folder, name);
  const secret = (name: string, text: string) => writeFileSync(within(name), text, { mode: 0o600 });
  const logFile = (part: PartName, run = 1) => within(run === 1 ? `${part}.log` : `${part}-${run}.log`);
  const runs = new Map<PartName, number>();

  const run = (name: PartName, args: readonly string[]) => {
    runs.set(name, (runs.get(name) ?? 0) + 1);
    const [program, ...first] = network.within(command(name));
    const process = start(name, [program, ...first, ...args], logFile(name, runs.get(name)));
    started.push(process);
    const pids = started.map((each) => each.pid);
    note(folder, pids);
    return process;
  };
  const runOwn = (name: PartName, args: readonly string[]) => run(name, [...args, ...(options.flags?.[name] ?? [])]);

  const etcdUrl = `http://127.0.0.1:${await network.port(2379)}`;
  const peerUrl = `http://127.0.0.1:${await network.port(2380)}`;
  // A crash of the machine may cost a test its data, an fsync per write costs every test its time.
  runOwn('etcd', [
    ...['--data-dir', within('etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
  ]);

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  secret('service-accounts.key', privateKey.export({ type: 'pkcs1', format: 'pem' }) as string);
  const token = randomBytes(24).toString('hex');
  secret('tokens.csv', `${token},bed-admin,bed-admin,system:masters\n`);
  const port = await network.port(6443);
  const apiServer = runOwn('kube-apiserver', [
    ...['--etcd-servers', etcdUrl, '--bind-address', network.host, '--secure-port', `${port}`, '--advertise-address', network.address],
    // The server makes its own authority and certificate there; apiserver.crt holds both, the authority last.
    ...['--cert-dir', within('certificates'), '--token-auth-file', within('tokens.csv'), '--authorization-mode', 'Node,RBAC'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', within('service-accounts.key')],
    ...['--service-account-signing-key-file', within('service-accounts.key'), '--service-cluster-ip-range', '10.96.0.0/16'],
    ...['--allow-privileged', '--kubelet-preferred-address-types', 'InternalIP'],
    // An Endpoints object may not hold a loopback address.
    ...(network === loopback ? ['--endpoint-reconciler-type', 'none'] : []),
  ]);

  const url = `https://${network.address}:${port}`;
  const chain = within('certificates/apiserver.crt');
  // The key is written after the certificate.
  await until('making its certificate', apiServer, READY_SECONDS, async () => existsSync(chain.replace('.crt', '.key')));
  const ca = authorityOf(readFileSync(chain, 'utf8'));
  writeFileSync(within('ca.crt'), ca);
  const client = aClient(url, ca, token);
  const kubeconfig = within('kubeconfig');
  secret('kubeconfig', JSON.stringify(aKubeconfig(url, ca, token), undefined, 2));
  const is = (path: string, expected: number) => async () => (await client.request('GET', path)).status === expected;
  await until('ready', apiServer, READY_SECONDS, is('/readyz', 200));

  const uses = (part: 'kube-controller-manager' | 'kube-scheduler') => !options.without?.includes(part);
  const common = ['--kubeconfig', kubeconfig, '--leader-elect=false', '--bind-address', '127.0.0.1', ...UNTHROTTLED];
  if (uses('kube-scheduler')) runOwn('kube-scheduler', [...common, '--secure-port', `${await network.port(10259)}`]);
  if (uses('kube-controller-manager')) {
    const controllers = runOwn('kube-controller-manager', [
      ...[...common, '--secure-port', `${await network.port(10257)}`, '--use-service-account-credentials'],
      ...['--service-account-private-key-file', within('service-accounts.key'), '--root-ca-file', within('ca.crt')],
    ]);
    await until('making service accounts', controllers, READY_SECONDS, is('/api/v1/namespaces/default/serviceaccounts/default', 200));
  }

  return {
    ...{ kubeconfig, url, token, folder, network, run },
    request: client.request,
    apply: client.apply,
    pathOf: client.pathOf,
    kubectl: (args, { stdin } = {}) => kubectl(kubeconfig, folder, args, stdin),
    log: (part) => readFileSync(logFile(part), 'utf8'),
    stop: async () => {
      client.close();
      await clear();
    },
  };
}

/** The last certificate of a chain. */
const authorityOf = (chain: string) => chain.slice(chain.lastIndexOf('-----BEGIN'));

const aKubeconfig = (url: string, ca: string, token: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'bed', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
  users: [{ name: 'bed-admin', user: { token } }],
  contexts: [{ name: 'bed', context: { cluster: 'bed', user: 'bed-admin' } }],
  'current-context': 'bed',
});

function kubectl(kubeconfig: string, folder: string, args: readonly string[], stdin?: string): Promise<KubectlResult> {
  const [program, ...first] = command('kubectl');
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...first, '--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl-cache'), ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.on('error', () => {}); // kubectl may end before it has read everything: its exit code says why
    child.stdin?.end(stdin ?? '');
  });
}
