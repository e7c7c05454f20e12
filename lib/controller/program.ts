/**
 * `gala controller`: one of its replicas leads and keeps NodeNetworks and the status of intranet HostPools; the others watch the
 * same objects and take over when it does not renew its Lease. What is decided is in lib/network; this puts it together.
 */
import type { Command } from 'commander';
import { CONTROLLER_ACCOUNT, CONTROLLER_LEASE, CONTROLLER_POLICY, CONTROLLER_PORT } from '../api/scheduling.ts';
import { accountOf } from '../kube/account.ts';
import type { Api } from '../kube/client.ts';
import { aborted, sleep } from '../kube/clock.ts';
import { type Election, elect } from '../kube/election.ts';
import { recorder } from '../kube/events.ts';
import { port, runs } from '../kube/flags.ts';
import { serveHealth } from '../kube/health.ts';
import type { Log } from '../kube/log.ts';
import { metrics } from '../kube/metrics.ts';
import { keepNodeNetworks } from '../network/node-network-keeper.ts';
import { writePoolStatus } from '../network/pool-status-writer.ts';
import { watchNetwork } from '../network/watched.ts';
import { controllerMetrics } from './metrics.ts';

export interface ControllerOptions {
  readonly leaseNamespace: string;
  /** Of probes and metrics. */
  readonly bindAddress: string;
  readonly healthPort: number;
}

/** What is recorded and not written yet may be written at the end; no event is worth a stop that takes longer. */
const FLUSH_MS = 5_000;

/** Its arguments, and what happens when it is asked for: the program runs until it is told to stop. */
export const declare = (command: Command): Command =>
  runs<ControllerOptions>(
    command
      .option('--lease-namespace <namespace>', `where the Lease ${CONTROLLER_LEASE} is, by which one replica leads`, 'gala-system')
      .option('--bind-address <ip>', 'address of probes and metrics', '127.0.0.1')
      .option('--health-port <port>', 'plain HTTP: /livez, /readyz, /metrics', port, CONTROLLER_PORT),
    CONTROLLER_LEASE,
    runController,
  );

/** Runs until `signal` aborts, then stops leading and returns. Throws when it can't go on. */
export async function runController(bare: Api, options: ControllerOptions, signal: AbortSignal, log: Log): Promise<void> {
  const measured = await metrics();
  const counted = await controllerMetrics(measured.registry);
  const api = measured.api(bare);
  const watched = watchNetwork(api, { signal, log });
  for (const one of [watched.hosts, watched.pools, watched.networks, watched.addresses]) measured.reflector(one.kind.plural, one);
  const account = accountOf(api, { account: CONTROLLER_ACCOUNT, policy: CONTROLLER_POLICY, signal, log });
  const events = recorder(api, 'gala.internal/controller', { log });
  const health = await serveHealth({
    ...{ host: options.bindAddress, port: options.healthPort, registry: measured.registry },
    ready: {
      account: account.wrong,
      caches: () => (watched.unread().length === 0 ? undefined : `not read yet: ${watched.unread().join(', ')}`),
    },
  });

  let election: Election | undefined;
  try {
    await account.settled;
    // Who may not write must not lead: it would keep the Lease from one that may.
    if (account.wrong() === undefined) await lead();
  } finally {
    await election?.stop();
    await Promise.race([events.flush(), sleep(FLUSH_MS)]);
    await health.close();
  }
  await watched.stopped;
  api.close();

  async function lead(): Promise<void> {
    const leader = elect(api, {
      namespace: options.leaseNamespace,
      name: CONTROLLER_LEASE,
      log,
      onLead: async (leading) => {
        const common = { api, watched, signal: leading, log, mayWrite: () => leader.isLeader() };
        const keeping = keepNodeNetworks({ ...common, recorder: events, onStep: counted.step });
        const writing = writePoolStatus({ ...common, onStatus: counted.pool });
        measured.queue('node-networks', keeping.queue);
        measured.queue('pool-status', writing.queue);
        await Promise.all([keeping.stopped, writing.stopped]);
        counted.forgetPools();
      },
    });
    election = leader;
    measured.election(CONTROLLER_LEASE, leader);
    await Promise.race([aborted(signal), leader.done]);
  }
}
