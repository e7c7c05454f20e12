/** The control plane's components as the bed runs them: which arguments, and when each counts as started. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from '../kube/an-authority.ts';
import { aClient, type Client, healthy } from './client.ts';
import { loopback, type Network } from './network.ts';
import type { PartName } from './parts.ts';
import { type Started, until } from './process.ts';

/** Where components are started. */
export interface Site {
  readonly folder: string;
  readonly network: Network;
  run(name: PartName, args: readonly string[]): Started;
  /** Has something done when the bed ends, or when its start fails. */
  atEnd(act: () => void): void;
}

export interface ApiServer {
  readonly client: Client;
  readonly url: string;
  readonly token: string;
  readonly kubeconfig: string;
}

const READY_SECONDS = 60;
/** The defaults (20 and 50 requests/s) spare a shared API server; this one has nobody else, and a start waits for them. */
const UNTHROTTLED = ['--kube-api-qps', '1000', '--kube-api-burst', '2000'];

/** Etcd and the API server in front of it; resolves when it is ready. `authority`: whose certificates it takes. */
export async function startApiServer(site: Site, authority?: Authority): Promise<ApiServer> {
  const { folder, network, run } = site;
  const within = (name: string) => join(folder, name);
  const etcdUrl = `http://127.0.0.1:${await network.port(2379)}`;
  const peerUrl = `http://127.0.0.1:${await network.port(2380)}`;
  const etcd = run('etcd', [
    // A crash of the machine may cost a test its data; an fsync per write costs every test its time.
    ...['--data-dir', within('etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
  ]);

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeSecret(serviceAccountKey(folder), privateKey.export({ type: 'pkcs1', format: 'pem' }) as string);
  const token = randomBytes(24).toString('hex');
  writeSecret(within('tokens.csv'), `${token},bed-admin,bed-admin,system:masters\n`);
  const port = await network.port(6443);
  const apiServer = run('kube-apiserver', [
    ...['--etcd-servers', etcdUrl, '--bind-address', network.host, '--secure-port', `${port}`, '--advertise-address', network.address],
    // The server makes its own authority and certificate there; apiserver.crt holds both, the authority last.
    ...['--cert-dir', within('certificates'), '--token-auth-file', within('tokens.csv'), '--authorization-mode', 'Node,RBAC'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', serviceAccountKey(folder)],
    ...['--service-account-signing-key-file', serviceAccountKey(folder), '--service-cluster-ip-range', '10.96.0.0/16'],
    ...['--allow-privileged', '--kubelet-preferred-address-types', 'InternalIP'],
    // An Endpoints object may not hold a loopback address.
    ...(network === loopback ? ['--endpoint-reconciler-type', 'none'] : []),
    ...(authority === undefined ? [] : await forNodes(folder, authority)),
  ]);

  const chain = within('certificates/apiserver.crt');
  // The key is written after the certificate.
  const certified = async () => existsSync(chain.replace('.crt', '.key'));
  await until('having its certificate', [apiServer, etcd], READY_SECONDS, certified);
  const ca = authorityOf(readFileSync(chain, 'utf8'));
  writeFileSync(authorityFile(folder), ca);
  const url = `https://${network.address}:${port}`;
  const kubeconfig = within('kubeconfig');
  writeSecret(kubeconfig, JSON.stringify(aKubeconfig(url, ca, token), undefined, 2));
  const client = aClient(url, ca, token);
  site.atEnd(client.close);
  await until('ready', [apiServer, etcd], READY_SECONDS, async () => (await client.request('GET', '/readyz')).status === 200);
  return { client, url, token, kubeconfig };
}

/** As kubeadm has it: kubelets are known by certificates, write of their own node only, and know the API server by one. */
async function forNodes(folder: string, authority: Authority): Promise<string[]> {
  const within = (name: string) => join(folder, name);
  const { cert, key } = await authority.signClient('CN=kube-apiserver-kubelet-client, O=system:masters');
  writeFileSync(within('nodes-ca.crt'), authority.cert);
  writeFileSync(within('kubelet-client.crt'), cert);
  writeSecret(within('kubelet-client.key'), key);
  return [
    ...['--client-ca-file', within('nodes-ca.crt'), '--enable-admission-plugins', 'NodeRestriction'],
    ...['--kubelet-client-certificate', within('kubelet-client.crt'), '--kubelet-client-key', within('kubelet-client.key')],
  ];
}

/** Resolves when pods can be made in the namespace `default`, which takes a ServiceAccount. */
export async function startControllers(site: Site, { client, kubeconfig }: ApiServer): Promise<void> {
  const controllers = site.run('kube-controller-manager', [
    ...(await common(site, kubeconfig, 10257)).args,
    ...['--use-service-account-credentials', '--service-account-private-key-file', serviceAccountKey(site.folder)],
    ...['--root-ca-file', authorityFile(site.folder)],
  ]);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until('making service accounts', controllers, READY_SECONDS, async () => (await client.request('GET', account)).status === 200);
}

/** Resolves when it schedules. */
export async function startScheduler(site: Site, { kubeconfig }: ApiServer): Promise<void> {
  const { args, url } = await common(site, kubeconfig, 10259);
  const scheduler = site.run('kube-scheduler', args);
  await until('ready', scheduler, READY_SECONDS, () => healthy(`${url}/readyz`));
}

async function common({ network }: Site, kubeconfig: string, usualPort: number): Promise<{ args: string[]; url: string }> {
  const port = await network.port(usualPort);
  const listening = ['--bind-address', network.host, '--secure-port', `${port}`];
  return {
    args: ['--kubeconfig', kubeconfig, '--leader-elect=false', ...listening, ...UNTHROTTLED],
    url: `https://${network.address}:${port}`,
  };
}

const serviceAccountKey = (folder: string) => join(folder, 'service-accounts.key');
const authorityFile = (folder: string) => join(folder, 'ca.crt');
const writeSecret = (file: string, text: string) => writeFileSync(file, text, { mode: 0o600 });

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
