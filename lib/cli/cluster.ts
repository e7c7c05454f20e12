/** The cluster that a command speaks to: named as kubectl names it. */
import type { Command } from 'commander';
import type { Api } from '../kube/client.ts';
import { ApiError } from '../kube/error.ts';
import { reasonOf } from '../kube/log.ts';
import { BadInput, NotNow } from './output.ts';
import type { Needing } from './rights.ts';

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Adds `--kubeconfig` and `--context`. */
export const serverOptions = (command: Command): Command =>
  command
    .option('--kubeconfig <file>', 'as kubectl has it; else $KUBECONFIG, else ~/.kube/config')
    .option('--context <name>', 'of the kubeconfig; else its current one');

/** The same, and `-n`. */
export const clusterOptions = (command: Command): Command =>
  serverOptions(command).option('-n, --namespace <name>', "else the context's, else default");

/** Adds `--lease-namespace`: where Gala's programs run. */
export const leaseOptions = (command: Command): Command =>
  command.option('--lease-namespace <name>', "where Gala's programs and their Leases are", 'gala-system');

export interface Cluster {
  readonly api: Api;
  /** What was asked for, or the context's. */
  readonly namespace: string;
}

const WITHOUT_CLUSTER =
  'No cluster is asked by gala stock and ips with --definition <name>, nor by gala stock, explain pod, who, ips, locks and leaks with --snapshot <file>, which gala snapshot saves.';

interface Asking extends ClusterOptions {
  /** Where the API server refuses a right, all are named that this needs and the caller lacks. */
  readonly command?: Needing;
}

/** Runs with a client of the cluster; its connections end with it. */
export async function inCluster<T>(options: Asking, run: (cluster: Cluster) => Promise<T>): Promise<T> {
  const { connect } = await import('../kube/client.ts');
  const api = await connect({ kubeconfig: options.kubeconfig, context: options.context, userAgent: 'gala-cli' }).catch((cause: unknown) => {
    // By name, as fault.ts has it.
    const without = (cause as Error).name === 'NoKubeconfig' ? ` ${WITHOUT_CLUSTER}` : '';
    throw new BadInput(`${reasonOf(cause)}.${without}`, { cause });
  });
  try {
    return await run({ api, namespace: options.namespace ?? api.namespace });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    const { refusedRights } = await import('./rights.ts');
    throw (await refusedRights(api, error, options.command)) ?? error;
  } finally {
    api.close();
  }
}

/**
 * The namespace of pods from a file: what -n says, what the file says, or the context's.
 * @throws {BadInput} when the first two differ, as kubectl does
 */
export function namespaceOf({ namespace }: ClusterOptions, pods: { readonly namespace?: string } | undefined, here: string): string {
  const said = pods?.namespace;
  if (namespace !== undefined && said !== undefined && namespace !== said)
    throw new BadInput(`-n ${namespace}: the file says namespace ${said}. Leave -n out, or change the file.`);
  return namespace ?? said ?? here;
}

/** The cluster has no such kind: its CRD is not installed, and what needs it is off. */
export function isNoSuchKind(error: unknown): error is ApiError {
  // A missing object is named in the details; a path that nothing serves is answered without.
  return error instanceof ApiError && error.status === 404 && error.details?.name === undefined;
}

/** Ends what is about Locks in a cluster that has none; anything else is thrown on. */
export function unlessOff(error: unknown): never {
  if (!isNoSuchKind(error)) throw error;
  throw new NotNow(
    'locks are off in this cluster: it has no kind Lock (locks.gala.internal). Install the concern scheduling; gala stock works without.',
    { cause: error },
  );
}

/** Ends what is about addresses in a cluster that has none; anything else is thrown on. */
export function unlessNoAddresses(error: unknown): never {
  if (!isNoSuchKind(error)) throw error;
  throw new NotNow(
    'addresses are off in this cluster: it has no kind IPLock (iplocks.gala.internal). Install the concern scheduling; gala ips --definition works without.',
    { cause: error },
  );
}

/** All of a kind; none in a cluster without the kind. */
export const listed = <T>(call: Promise<{ readonly items: T[] }>): Promise<T[]> =>
  call.then(
    ({ items }) => items,
    (error: unknown) => (isNoSuchKind(error) ? [] : Promise.reject(error)),
  );
