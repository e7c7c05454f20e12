/**
 * `gala cloud`: one of its replicas leads and keeps the instances of ec2 pools and their pod ENIs; the others watch the same objects and take over when
 * it does not renew its Lease. The only program with AWS credentials. What is decided is beside this; this puts it together.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CLOUD_ACCOUNT, CLOUD_LEASE, CLOUD_PORT } from '../api/cloud.ts';
import { CONTROLLER_POLICY } from '../api/scheduling.ts';
import { accountOf } from '../kube/account.ts';
import type { Api } from '../kube/client.ts';
import { aborted, type Clock, sleep } from '../kube/clock.ts';
import type { Controller } from '../kube/controller.ts';
import { type Election, elect } from '../kube/election.ts';
import { recorder } from '../kube/events.ts';
import { port, runs } from '../kube/flags.ts';
import { serveHealth } from '../kube/health.ts';
import { NAMESPACES } from '../kube/kinds.ts';
import { type Log, reasonOf } from '../kube/log.ts';
import { metrics } from '../kube/metrics.ts';
import { DEFAULT_PART, type Left, leftOf } from './budget.ts';
import type { Asker } from './csr.ts';
import { approveCsrs } from './csr-approver.ts';
import type { Ec2 } from './ec2.ts';
import type { Fleet } from './fleet.ts';
import { CLOUD_COMPONENT, type InstanceKeeperOptions, keepInstances } from './instance-keeper.ts';
import type { InstanceRound } from './instance-round.ts';
import { keepEnis } from './keeper.ts';
import { launches } from './launches.ts';
import { cloudMetrics } from './metrics.ts';
import { statusMap } from './status-map.ts';
import { statusWriter } from './status-writer.ts';
import { watchCloud } from './watched.ts';

export interface CloudOptions {
  /** As the definition names it: a tag of what is made. */
  readonly cluster: string;
  readonly dryRun?: boolean;
  readonly orphans: 'delete' | 'list';
  /** `leave`: launches, drains and terminates nothing, and deletes no Node. */
  readonly instances: 'manage' | 'leave';
  /** Of EC2's token buckets. */
  readonly part: number;
  readonly leaseNamespace: string;
  /** Of probes and metrics. */
  readonly bindAddress: string;
  readonly healthPort: number;
}

/** What was recorded last is written when it ends, if the API server answers by then. */
const FLUSH_MS = 2_000;

/** What a test puts in place of this machine's clock. */
export interface Instead {
  readonly clock?: Clock;
}

/** Its arguments, and what happens when it is asked for: the program runs until it is told to stop. */
export const declare = (command: Command): Command =>
  runs<CloudOptions>(
    command
      .requiredOption('--cluster <name>', "the cluster's name in its definition: a tag of each ENI and instance")
      .option('--dry-run', 'looks, and tells the steps it would take; changes nothing, at EC2 or in the cluster')
      .addOption(new Option('--orphans <what>', 'what becomes of ENIs that nobody will use').choices(['delete', 'list']).default('delete'))
      .addOption(
        new Option('--instances <what>', 'whether it launches and ends instances of ec2 pools, or leaves that to others')
          .choices(['manage', 'leave'])
          .default('manage'),
      )
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
  const accounts = new Map<string, Ec2 & Fleet & { left(api: string): Left; close(): void }>();
  const events = recorder(api, CLOUD_COMPONENT, { log });

  let election: Election | undefined;
  try {
    await account.settled;
    const clusterUid = await uidOfCluster(api, signal, log);
    // Who may not write must not lead: it would keep the Lease from one that may.
    if (clusterUid !== undefined && account.wrong() === undefined) await lead(clusterUid);
  } finally {
    await election?.stop();
    await Promise.race([events.flush(), sleep(FLUSH_MS)]);
    for (const each of accounts.values()) each.close();
    await health.close();
  }
  await watched.stopped;
  api.close();

  async function accountOfRegion(region: string) {
    const onCall = (api: string, code: string | undefined) => counted.call(region, api, code);
    const made = accounts.get(region) ?? ec2Account({ region, part: options.part, signal, clock, onCall });
    accounts.set(region, made);
    return made;
  }

  /** The controllers of instances. */
  function manage(common: Omit<InstanceKeeperOptions, 'fleetOf' | 'launches' | 'recorder'>): Promise<void> {
    const making = launches({ api, tags: common.tags, namespace: options.leaseNamespace });
    const shown = new Map<string, InstanceRound['instances']>();
    let approving: Controller | undefined;
    const keeping = keepInstances({
      ...{ ...common, launches: making, recorder: events, fleetOf: accountOfRegion },
      onRound: (region, round) => {
        shown.set(region, round.instances);
        counted.instances(round);
        // Rights to certificate requests are rendered where pools join by tokens.
        if (approving === undefined && watched.pools.list().some(({ spec }) => spec.ec2?.join.bootstrap === true)) {
          approving = approveCsrs({ ...common, instance });
          measured.queue('csrs', approving.queue);
        }
      },
    });
    const instance = (id: string): Asker | undefined => {
      for (const instances of shown.values()) {
        const found = instances.get(id);
        if (found === undefined) continue;
        const joins = found.launch !== undefined && watched.pools.get(found.launch.pool)?.spec.ec2?.join.bootstrap === true;
        return { ...found, launched: joins, tokenId: found.launch && making.tokenIdOf(found.launch) };
      }
      return undefined;
    };
    measured.queue('instances', keeping.queue);
    return keeping.stopped.then(() => approving?.stopped);
  }

  async function lead(clusterUid: string): Promise<void> {
    const leader = elect(api, {
      namespace: options.leaseNamespace,
      name: CLOUD_LEASE,
      log,
      onLead: async (leading) => {
        const told = await statusMap({
          ...{ api, namespace: options.leaseNamespace, log, signal: leading, mayWrite: () => leader.isLeader() },
          ...{ dryRun: options.dryRun ?? false, orphans: options.orphans },
          left: (region, name) => accounts.get(region)?.left(name) ?? leftOf({}, name, 0, options.part),
        });
        const tags = { cluster: options.cluster, clusterUid };
        const common = {
          api,
          watched,
          log,
          clock,
          signal: leading,
          mayWrite: () => leader.isLeader(),
          tags,
          dryRun: options.dryRun ?? false,
        };
        const status = statusWriter({ ...common, pools: watched.pools, instances: options.instances === 'manage' });
        const keeping = keepEnis({ ...common, status, told, orphans: options.orphans, ec2Of: accountOfRegion, onRound: counted.round });
        measured.queue('enis', keeping.queue);
        await Promise.all([keeping.stopped, options.instances === 'manage' ? manage({ ...common, status }) : undefined]);
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
