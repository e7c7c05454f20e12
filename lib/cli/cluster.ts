/** The cluster that a command speaks to: named as kubectl names it. */
import type { Command } from 'commander';
import type { Api } from '../kube/client.ts';

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Adds `--kubeconfig`, `--context` and `-n`. */
export const clusterOptions = (command: Command): Command =>
  command
    .option('--kubeconfig <file>', 'as kubectl has it; else $KUBECONFIG, else ~/.kube/config')
    .option('--context <name>', 'of the kubeconfig; else its current one')
    .option('-n, --namespace <name>', "else the context's, else default");

export interface Cluster {
  readonly api: Api;
  /** What was asked for, or the context's. */
  readonly namespace: string;
}

/** Runs with a client of the cluster; its connections end with it. */
export async function inCluster<T>(options: ClusterOptions, run: (cluster: Cluster) => Promise<T>): Promise<T> {
  const { connect } = await import('../kube/client.ts');
  const api = await connect({ kubeconfig: options.kubeconfig, context: options.context, userAgent: 'gala-cli' });
  try {
    return await run({ api, namespace: options.namespace ?? api.namespace });
  } finally {
    api.close();
  }
}
