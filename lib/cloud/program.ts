/**
 * `gala cloud`: one of its replicas leads and keeps the pod ENIs of ec2 pools; the others watch the same objects and take over when
 * it does not renew its Lease. The only program with AWS credentials. What is decided is beside this; this puts it together.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CLOUD_ACCOUNT, CLOUD_LEASE, CLOUD_PORT } from '../api/cloud.ts';
import { CONTROLLER_POLICY } from '../api/scheduling.ts';
import { accountOf } from '../kube/account.ts';
import type { Api } from '../kube/client.ts';
import { aborted, type Clock, sleep } from '../kube/clock.ts';
import { type Election, elect } from '../kube/election.ts';
import { port, runs } from '../kube/flags.ts';
import { serveHealth } from '../kube/health.ts';
import { NAMESPACES } from '../kube/kinds.ts';
import { type Log, reasonOf } from '../kube/log.ts';
import { metrics } from '../kube/metrics.ts';
import { DEFAULT_PART } from './budget.ts';
import type { Ec2 } from './ec2.ts';
import { keepEnis } from './keeper.ts';
import { cloudMetrics } from './metrics.ts';
import { watchCloud } from './watched.ts';

export interface CloudOptions {
  /** As the definition names it: a tag of what is made. */
  readonly cluster: string;
  readonly dryRun?: boolean;
  readonly orphans: 'delete' | 'list';
  /** Of EC2's token buckets. */
  readonly part: number;
  readonly leaseNamespace: string;
  /** Of probes and metrics. */
  readonly bindAddress: string;
  readonly healthPort: number;
}

/** What a test puts in place of this machine's clock. */
export interface Instead {
  readonly clock?: Clock;
}

/** Its arguments, and what happens when it is asked for: the program runs until it is told to stop. */
export const declare = (command: Command): Command =>
  runs<CloudOptions>(
    command
      .requiredOption('--cluster <name>', "the cluster's name in its definition: a tag of each ENI")
      .option('--dry-run', 'looks, and tells the steps it would take; changes nothing, at EC2 or in the cluster')
      .addOption(new Option('--orphans <what>', 'what becomes of ENIs that nobody will use').choices(['delete', 'list']).default('delete'))
      .option('--part <part>', "of EC2's token buckets, above 0 and at most 1", part, DEFAULT_PART)
      .option('--lease-namespace <namespace>', `where the Lease ${CLOUD_LEASE} is, by which one replica leads`, 'gala-system')
      .option('--bind-address <ip>', 'address of probes and metrics', '127.0.0.1')
      .option('--health-port <port>', 'plain HTTP: /livez, /readyz, /metrics', port, CLOUD_PORT),
    CLOUD_LEASE,
    runCloud,
  );

function part(text: string): number {
  const number = Number(text);
  if (number > 0 && number <= 1) return number;
  throw new InvalidArgumentError('A part is above 0 and at most 1, such as 0.6.');
}

/** Runs until `signal` aborts, then stops leading and returns. Throws when it can't go on. */
export async function runCloud(bare: Api, options: CloudOptions, signal: AbortSignal, log: Log, { clock }: Instead = {}): Promise<void> {
  const measured = await metrics();
  const counted = await cloudMetrics(measured.registry);
  const { ec2Account } = await import('./account.ts');
  const api = measured.api(bare);
  const watched = watchCloud(api, { signal, log });
  for (const one of [watched.hosts, watched.pools, watched.networks, watched.addresses]) measured.reflector(one.kind.plural, one);
  const account = accountOf(api, { account: CLOUD_ACCOUNT, policy: CONTROLLER_POLICY, signal, log });
  const health = await serveHealth({
    ...{ host: options.bindAddress, port: options.healthPort, registry: measured.registry },
    ready: {
      account: account.wrong,
      caches: () => (watched.unread().length === 0 ? undefined : `not read yet: ${watched.unread().join(', ')}`),
    },
  });
  const accounts = new Map<string, Ec2 & { close(): void }>();

  let election: Election | undefined;
  try {
    await account.settled;
    const clusterUid = await uidOfCluster(api, signal, log);
    // Who may not write must not lead: it would keep the Lease from one that may.
    if (clusterUid !== undefined && account.wrong() === undefined) await lead(clusterUid);
  } finally {
    await election?.stop();
    for (const each of accounts.values()) each.close();
    await health.close();
  }
  await watched.stopped;
  api.close();

  async function lead(clusterUid: string): Promise<void> {
    const leader = elect(api, {
      namespace: options.leaseNamespace,
      name: CLOUD_LEASE,
      log,
      onLead: async (leading) => {
        const keeping = keepEnis({
          ...{ api, watched, log, clock, signal: leading, mayWrite: () => leader.isLeader() },
          ...{ tags: { cluster: options.cluster, clusterUid }, dryRun: options.dryRun ?? false, orphans: options.orphans },
          ec2Of: async (region) => {
            const onCall = (api: string, code: string | undefined) => counted.call(region, api, code);
            const made = accounts.get(region) ?? ec2Account({ region, part: options.part, signal, clock, onCall });
            accounts.set(region, made);
            return made;
          },
          onRound: counted.round,
        });
        measured.queue('enis', keeping.queue);
        await keeping.stopped;
        counted.forget();
      },
    });
    election = leader;
    measured.election(CLOUD_LEASE, leader);
    await Promise.race([aborted(signal), leader.done]);
  }
}

/** @returns undefined when it was told to stop before it knew */
async function uidOfCluster(api: Api, signal: AbortSignal, log: Log): Promise<string | undefined> {
  while (!signal.aborted) {
    try {
      return (await api.get(NAMESPACES, { name: 'kube-system' }, { signal })).metadata.uid;
    } catch (error) {
      log.warn('the UID of namespace kube-system, by which ENIs are known, is not to be had', { because: reasonOf(error) });
      await sleep(1_000, signal);
    }
  }
  return undefined;
}
