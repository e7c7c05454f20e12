/**
 * `gala scheduler`: beside the kube-scheduler of its pod, the extender on loopback and the stock and lock API; one of its replicas
 * leads and is the lock writer. Everything it decides is in the files beside this one; here it is put together.
 *
 * When it is told to stop, the lock writer ends first and lets go of the Lease, so that another leads at once; the extender ends
 * last, so that kube-scheduler gets its answers as long as there is somebody to give them.
 */
import type { Command } from 'commander';
import { Option } from 'commander';
import { API_PORT, EXTENDER_PORT, SCHEDULER_NAME, WRITER_ACCOUNT, WRITER_LEASE, WRITER_POLICY } from '../api/scheduling.ts';
import { accountOf } from '../kube/account.ts';
import type { Api } from '../kube/client.ts';
import { aborted, sleep } from '../kube/clock.ts';
import { elect } from '../kube/election.ts';
import { recorder } from '../kube/events.ts';
import { port, runs, seconds } from '../kube/flags.ts';
import { serveHealth } from '../kube/health.ts';
import type { Log } from '../kube/log.ts';
import { metrics } from '../kube/metrics.ts';
import { packageVersion } from '../kube/package-version.ts';
import { extender } from './extender.ts';
import { type RunningStockApi, runStockApi } from './http/run.ts';
import type { InventoryOptions } from './inventory.ts';
import { schedulerMetrics } from './metrics.ts';
import { podTemplateOf } from './pod-template.ts';
import { pollSamples } from './poll-samples.ts';
import { score } from './score.ts';
import { watchWorld } from './world.ts';
import { writerGauges } from './writer/gauges.ts';
import { runWriter } from './writer/run.ts';

export interface SchedulerOptions {
  readonly leaseNamespace: string;
  /** Of the API; the extender is on loopback. */
  readonly bindAddress: string;
  readonly apiPort: number;
  readonly extenderPort: number;
  readonly servingSecret?: string;
  readonly prometheusUrl?: string;
  readonly missingSamples: NonNullable<InventoryOptions['missingSamples']>;
  /** Seconds. */
  readonly sampleMaxAge: number;
  readonly unlockedPods: 'refuse' | 'score';
}

/** kube-scheduler's Go client keeps idle connections for 90 s (net/http, DefaultTransport): it must be the one that ends them. */
const KEEP_ALIVE_MS = 120_000;

/** An API server that is away must not keep a program that was told to stop. */
const FLUSH_MS = 2_000;

/** Its arguments, and what happens when it is asked for: the program runs until it is told to stop. */
export const declare = (command: Command): Command =>
  runs<SchedulerOptions>(
    command
      .option('--lease-namespace <namespace>', `where the Lease ${WRITER_LEASE}, the API's authority and its Service are`, 'gala-system')
      .option('--bind-address <ip>', 'address that the API listens on', '0.0.0.0')
      .option('--api-port <port>', 'HTTPS: the stock and lock API', port, API_PORT)
      .option('--extender-port <port>', 'plain HTTP on 127.0.0.1: the extender, /livez, /readyz, /metrics', port, EXTENDER_PORT)
      .option('--serving-secret <name>', 'a Secret in the lease namespace that the API serves with; an authority of its own when left out')
      .option('--prometheus-url <url>', 'where live use of nodes is asked; none is when left out')
      .addOption(
        new Option('--missing-samples <policy>', 'a node without a fresh sample')
          .choices(['assume-requested', 'refuse'])
          .default('assume-requested'),
      )
      .option('--sample-max-age <seconds>', 'an older sample is none', seconds, 60)
      .addOption(
        new Option('--unlocked-pods <policy>', `pods of ${SCHEDULER_NAME} that hold no slot`)
          .choices(['refuse', 'score'])
          .default('refuse'),
      ),
    SCHEDULER_NAME,
    schedulerProgram,
  );

/** Runs until `signal` aborts, then stops leading and returns. Throws when it can't go on. */
export async function schedulerProgram(bare: Api, options: SchedulerOptions, signal: AbortSignal, log: Log): Promise<void> {
  /** What is to be done at the end, in the order that it is to be done in: whatever began last. */
  const ends: (() => Promise<unknown>)[] = [];
  try {
    await run(bare, options, log, (end) => ends.unshift(end), aborted(signal));
  } finally {
    for (const end of ends) await end();
    bare.close();
  }
}

async function run(
  bare: Api,
  options: SchedulerOptions,
  log: Log,
  atEnd: (end: () => Promise<unknown>) => void,
  stopping: Promise<void>,
): Promise<void> {
  const { leaseNamespace: namespace, prometheusUrl: url } = options;
  const measured = await metrics();
  const counted = await schedulerMetrics(measured.registry);
  const api = measured.api(bare);

  const knowing = new AbortController();
  const world = watchWorld(api, {
    ...{ signal: knowing.signal, log, missingSamples: options.missingSamples, sampleMaxAgeMs: options.sampleMaxAge * 1000 },
  });
  const account = accountOf(api, { account: WRITER_ACCOUNT, policy: WRITER_POLICY, signal: knowing.signal, log });
  const samples = url === undefined ? undefined : pollSamples({ url, inventory: world.inventory, signal: knowing.signal, log });
  atEnd(() => {
    knowing.abort();
    return Promise.all([world.stopped, samples?.stopped, account.settled]);
  });
  const { nodes, pods, locks, ipLocks, hostPools, nodeNetworks, statefulSets } = world;
  for (const one of [nodes, pods, locks, ipLocks, hostPools, nodeNetworks, statefulSets]) measured.reflector(one.kind.plural, one);
  const ages = () => ({ snapshotMs: world.staleMs(), samplesMs: samples?.ageMs() });
  counted.ages(ages);

  const verifying = extender({
    ...{ world, api, log, onAnswer: counted.onVerified },
    ...(options.unlockedPods === 'score' ? { unlocked: (pod, ns, nodes) => score(world.inventory, pod, ns, nodes) } : {}),
  });
  let stockApi: RunningStockApi | undefined;
  const health = await serveHealth({
    ...{ port: options.extenderPort, registry: measured.registry, handle: verifying.handle, keepAliveMs: KEEP_ALIVE_MS },
    ready: {
      account: account.wrong,
      caches: () => (world.hasSynced() ? undefined : 'not everything was read yet'),
      api: () => (stockApi === undefined ? 'not begun' : stockApi.wrong()),
    },
  });
  atEnd(health.close);

  const asking = new AbortController();
  const answering = runStockApi({
    ...{ api, world, namespace, ages, log, version: packageVersion(), signal: asking.signal },
    templateOf: (ns, from, signal) => podTemplateOf(api, ns, from, { signal }),
    ...{ bindAddress: options.bindAddress, port: options.apiPort, servingSecret: options.servingSecret },
    ...{ onAnswer: counted.onAnswer, onCertificate: ({ untilMs }) => counted.certificateEnds(untilMs) },
  });
  stockApi = answering;
  // Waited for below: a port that is taken may be found out before that.
  answering.done.catch(() => {});
  atEnd(() => {
    asking.abort();
    return answering.done.catch(() => {});
  });

  const events = recorder(api, 'gala.internal/lock-writer', { log });
  atEnd(() => {
    const flushed = new AbortController();
    void events.flush().then(() => flushed.abort());
    return sleep(FLUSH_MS, flushed.signal);
  });
  const { onNote, onCall } = counted;
  const onWork = await writerGauges(measured.registry, world);
  const ending = Promise.race([stopping, answering.done]);
  // Who may not write must not lead: it would keep the Lease from one that may.
  await Promise.race([account.settled, ending]);
  if (account.wrong() !== undefined) return;
  const election = elect(api, {
    ...{ namespace, name: WRITER_LEASE, log },
    onLead: (leading) =>
      runWriter({ api, world, recorder: events, log, onNote, onCall, onWork, signal: leading, isLeader: () => election.isLeader() }),
  });
  atEnd(election.stop);
  measured.election(WRITER_LEASE, election);
  await Promise.race([ending, election.done]);
}
