/** ServiceAccounts of a bed: what a program in a pod is known by, for one that runs beside the bed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './control-plane.ts';

/**
 * A kubeconfig by which one is that ServiceAccount, with exactly its rights.
 * @param server where the API server is reached; the bed's own URL when left out
 * @returns its path
 */
export async function kubeconfigOf(bed: Bed, namespace: string, account: string, server?: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status, body } = await bed.request('POST', path, asked);
  if (status !== 201) throw new Error(`a token of ServiceAccount ${namespace}/${account}: HTTP ${status}: ${body?.message ?? body}`);
  const config = JSON.parse(readFileSync(bed.kubeconfig, 'utf8'));
  const [{ cluster }] = config.clusters;
  const file = join(bed.folder, `${namespace}-${account}.kubeconfig`);
  const own = {
    ...config,
    clusters: [{ name: 'bed', cluster: { ...cluster, ...(server === undefined ? {} : { server }) } }],
    users: [{ name: account, user: { token: body.status.token } }],
    contexts: [{ name: 'bed', context: { cluster: 'bed', user: account, namespace } }],
    'current-context': 'bed',
  };
  writeFileSync(file, JSON.stringify(own, undefined, 2), { mode: 0o600 });
  return file;
}
