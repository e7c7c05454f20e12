/**
 * `gala cni`: on each node of a pool, on the host's network, the agent behind the CNI shim. It needs the API server, and neither
 * Service nor cluster DNS; what it decides is in the files beside this one, and here it is put together.
 *
 * The order of its start is that of a host: first what is known (journal), then what may ask (socket), then who is told (conflist).
 * At its end nothing is taken down: pods run on, the shim waits for the next agent, and DELs leave tombstones.
 */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { NodeNetwork } from '../../api/kinds.ts';
import { ANSWERED_FOR_ALL, CNI_ACCOUNT, CNI_NAME, CNI_PORT, CNI_SOCKET, RUN_FOLDER } from '../../api/network.ts';
import { accountOf } from '../../kube/account.ts';
import type { Api } from '../../kube/client.ts';
import { aborted, monotonic, sleep } from '../../kube/clock.ts';
import { unlessMissing } from '../../kube/error.ts';
import { recorder } from '../../kube/events.ts';
import { port, runs } from '../../kube/flags.ts';
import { serveHealth } from '../../kube/health.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import { metrics } from '../../kube/metrics.ts';
import { workQueue } from '../../kube/queue.ts';
import { type Endpoint, endpoint } from '../node-local/endpoint.ts';
import { nodeLocal } from '../node-local/node-local.ts';
import { PROGRAM, probe } from '../probing/probe.ts';
import { prober } from '../probing/prober.ts';
import { type Agent, agent, subnetsOf } from './agent.ts';
import { criOf } from './cri.ts';
import { everybody } from './everybody.ts';
import { foreignConflist, install, uninstall } from './install.ts';
import { keyOf, openJournal } from './journal.ts';
import { kernel } from './kernel.ts';
import { leaked } from './leaked.ts';
import { METADATA_ENDPOINT, subnetOfMac, subnetsBy } from './metadata.ts';
import { cniMetrics } from './metrics.ts';
import { nodeStatus, whoAnswers } from './node-status.ts';
import { type Lock, NODE_NETWORKS, type NodeView, viewNode } from './node-view.ts';
import { round } from './round.ts';
import { saying } from './saying.ts';
import { serve } from './server.ts';
import { bury } from './tombstones.ts';
import { damped, toStatus, troubleOf } from './trouble.ts';
import { unlocked, type Wired } from './unlocked.ts';
import { PROGRAM as WIRE } from './wire.ts';

export interface CniOptions {
  readonly nodeName: string;
  readonly healthPort: number;
  readonly socket: string;
  readonly runFolder: string;
  readonly shim: string;
  readonly probe: string;
  readonly wire: string;
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly criSocket: string;
  readonly procSys: string;
  readonly metadataEndpoint: string;
  readonly throughNode: readonly string[];
  readonly apiServer: readonly Endpoint[];
  readonly kubernetesServiceIp?: string;
}

const ROUND_MS = 60_000;
/** Where containerd mounts the network namespaces of pods (internal/cri/server, netns). */
const NETNS_FOLDER = '/run/netns';
/** Somebody may wait for the address. Where nobody does it is a look at what is in memory. */
const ANSWER_MS = 2_000;
/** A release is one call; one that is not done by then is the next agent's. */
const RELEASE_MS = 3_000;
/** A pod start that waits for it is tried again about as often. */
const SUBNETS_MS = 2_000;
/** Nobody waits for it: people read it, and `gala leaks`. */
const STATUS_MS = 10_000;

/** Its arguments, and what happens when it is asked for: the program runs until it is told to stop. */
export const declare = (command: Command): Command =>
  runs<CniOptions>(
    command
      .addOption(new Option('--node-name <name>', 'the Node that it runs on').env('NODE_NAME').makeOptionMandatory())
      .option('--health-port <port>', 'plain HTTP on 127.0.0.1: /livez, /readyz, /metrics', port, CNI_PORT)
      .option('--socket <path>', 'where the shim finds it', CNI_SOCKET)
      .option('--run-folder <path>', 'on tmpfs: the journal, and what the shim leaves while the agent is away', RUN_FOLDER)
      .option('--shim <path>', 'the shim that is put on the host', '/opt/gala/cni/gala')
      .option('--probe <path>', 'the program that asks who answers for an address', PROGRAM)
      .option('--wire <path>', 'the program that starts ip and tc', WIRE)
      .option('--cni-bin-dir <path>', 'where the runtime looks for plugins', '/opt/cni/bin')
      .option('--cni-conf-dir <path>', 'where the runtime looks for network configurations', '/etc/cni/net.d')
      .option('--cri-socket <path>', 'of the container runtime: which sandboxes it has', '/run/containerd/containerd.sock')
      .option('--proc-sys <path>', "where the host's /proc/sys can be written", '/proc/sys')
      .option('--metadata-endpoint <url>', 'on EC2: who says the network of an ENI that the definition does not', METADATA_ENDPOINT)
      .option('--through-node <cidr...>', 'what pods reach by way of the node: the service range', [])
      .option(
        '--api-server <host:port>',
        'without kube-proxy: where it forwards to what pods ask the ClusterIP of kubernetes; repeatable',
        endpoint,
        [],
      )
      // What the kubelet tells each container of the Service kubernetes: known without asking, and with the API server away.
      .addOption(new Option('--kubernetes-service-ip <ip>', 'the ClusterIP of kubernetes').env('KUBERNETES_PORT_443_TCP_ADDR')),
    CNI_NAME,
    cniProgram,
  );

/** Runs until `signal` aborts. Throws when it can't begin. */
export async function cniProgram(bare: Api, options: CniOptions, signal: AbortSignal, log: Log): Promise<void> {
  const measured = await metrics();
  const api = measured.api(bare);
  const journal = openJournal(join(options.runFolder, 'journal'), log);
  const counted = await cniMetrics(measured.registry, () => journal.size);
  const view = viewNode(api, { node: options.nodeName, signal, log });
  for (const one of view.reflectors) measured.reflector(one.kind.plural, one);
  const cri = criOf(options.criSocket);
  const host = kernel({ program: options.wire, procSys: options.procSys });
  const local = nodeLocal({ serviceIP: options.kubernetesServiceIp, apiServers: options.apiServer, kernel: host, log });

  const releases = workQueue({
    ...{ name: 'releases', log, concurrency: 4, backoff: { firstMs: 20, maxMs: 10_000 } },
    work: async (key) => {
      const [ip = '', podUID = ''] = key.split(' ');
      await rounds.release(ip, podUID);
    },
  });
  /** By UID of its pod, which lives still: the address that was taken down last. */
  const down = new Map<string, string>();
  const limits = workQueue({ name: 'limits', log, work: async (key) => void (await agents.reshape(key)) });
  measured.queue('releases', releases);
  measured.queue('limits', limits);
  const subnets = subnetsBy((mac) => subnetOfMac(options.metadataEndpoint, mac), log);
  const agents = agent({
    subnets: subnets.known,
    ...{ view, journal, kernel: host, sandboxes: cri.sandboxes, clock: monotonic, log, probes: true },
    throughNode: [...options.throughNode, ...local.throughNode],
    onDown: (ip, podUID) => {
      releases.add(`${ip} ${podUID}`);
      // A pod's object goes after its sandbox.
      if (view.pod(podUID) !== undefined) down.set(podUID, ip);
    },
    onUp: (ip) => said.up(ip),
  });
  const said = saying({ view, journal, adding: agents.adding, clock: monotonic, log });
  measured.queue('saying', said.queue);
  view.onPodEnd((uid) => {
    const ip = down.get(uid);
    if (ip !== undefined) releases.add(`${ip} ${uid}`);
    down.delete(uid);
  });
  const tombstones = join(options.runFolder, 'tombstones');
  const leaks = leaked({
    ...{ folder: NETNS_FOLDER, kernel: host, journal, cri, clock: monotonic, log, onStep: counted.step },
    slots: () => view.network()?.eniSlots ?? [],
  });
  const rounds = round({
    ...{ agent: agents, view, journal, kernel: host, cri, tombstones, clock: monotonic, log, onStep: counted.step },
    leaked: leaks,
  });
  const conflicts = new Map<string, NonNullable<NonNullable<NodeNetwork['status']>['conflicts']>[number]>();
  const events = recorder(api, 'gala.internal/cni', { log });
  const all = everybody((...answerer) => {
    const message = whoAnswers(answerer);
    log.warn('a machine answers for every address', { message });
    void unlessMissing(api.get(NODE_NETWORKS, { name: options.nodeName })).then(
      (network) => network && events.event(network, ANSWERED_FOR_ALL, message, 'Warning', { action: 'Probing' }),
      // The condition says so too.
      (error: unknown) => log.warn('no event was written', { because: reasonOf(error) }),
    );
  });
  const probing = prober<Lock>({
    seen: () => probed(view, agents),
    ask: (ask) => probe(ask, { gala: [options.probe], signal }),
    write: (lock, status) => view.patchLock(lock, { status }),
    ...{ signal, log },
    onFinding: (finding) => {
      const { ip, conflict: mac } = finding;
      all.note(finding);
      if (mac === undefined) conflicts.delete(ip);
      else conflicts.set(ip, { ip, mac, seen: new Date().toISOString().replace(/\.\d+Z$/, 'Z') });
    },
  });
  view.onChange(probing.touch);
  view.onPodChange((uid) => {
    for (const { pod, sandbox } of journal.values()) if (pod.uid === uid) limits.add(keyOf(sandbox));
  });

  const trouble = () => troubleOf({ view, foreign: foreignConflist(options.cniConfDir), confDir: options.cniConfDir });
  const lasting = damped(trouble, monotonic);
  const account = accountOf(api, { account: CNI_ACCOUNT, policy: 'gala-ip-locks', signal, log });
  const health = await serveHealth({
    ...{ port: options.healthPort, registry: measured.registry },
    ready: { account: account.wrong, node: trouble, wire: () => host.stuck?.() },
  });

  await bury(tombstones, agents, log);
  const serving = await serve({
    socket: options.socket,
    agent: agents,
    trouble: () => toStatus(lasting(), view, journal.size),
    log,
    onCall: counted.call,
  });
  const place = { shim: options.shim, binDir: options.cniBinDir, confDir: options.cniConfDir, socket: options.socket };
  const put = install(place);
  if (put.length > 0) log.info('installed on the host', { put, binDir: place.binDir, confDir: place.confDir });

  /** What is watched may be from before etcd was restored: each IPLock is asked for. Rejects unless all were answered. */
  async function readAnew(): Promise<Wired[]> {
    const found = new Map<string, Lock | undefined>();
    for (const { ip } of [...journal.values()]) found.set(ip, await view.readLock(ip));
    return unlocked(journal.values(), (ip) => {
      const lock = found.has(ip) ? found.get(ip) : view.lockAt(ip);
      return lock?.spec.node === options.nodeName ? lock : undefined;
    });
  }

  /** What is said of an address that is locked no more is said no more. */
  async function tell(): Promise<void> {
    const now = view.status();
    if (now === undefined) return;
    const locked = new Set([...view.locks()].flatMap(({ metadata, spec }) => (spec.phase === 'Bound' ? [] : [metadata.name])));
    for (const ip of conflicts.keys()) if (!locked.has(ip)) conflicts.delete(ip);
    const isAsked = now.rebuild !== undefined && now.rebuild !== now.status?.rebuilt && view.hasSynced();
    const [wired, rebuilt] = isAsked
      ? [await readAnew(), now.rebuild]
      : [view.hasSynced() ? unlocked(journal.values(), view.lockAt) : (now.status?.wired ?? []), now.status?.rebuilt];
    const status = nodeStatus({
      ...{ trunk: view.trunk(), links: host.hostLinks(), attachments: journal.values(), conflicts: [...conflicts.values()] },
      everybody: all.byVlan,
      ...{ wired, rebuilt },
      ...{ trouble: lasting(), generation: now.generation, before: now.status, now: new Date() },
    });
    if (status !== undefined) await view.writeStatus(status);
  }
  const telling = every(STATUS_MS, signal, log, 'the status of the NodeNetwork was not written', tell);
  const learning = every(SUBNETS_MS, signal, log, 'the networks of subnets were not asked for', async () => {
    const network = view.network();
    const pool = network && view.pool(network.pool);
    if (network?.eniSlots !== undefined && pool !== undefined) await subnets.learn(network.eniSlots, subnetsOf(pool));
  });
  const going = every(ROUND_MS, signal, log, 'a round failed', async () => {
    await rounds.run();
    // What an agent before this one has wired and not said.
    for (const { ip } of journal.values()) said.queue.add(ip);
  });
  const answering = every(ANSWER_MS, signal, log, 'addresses of pods that never came are not given back', rounds.answer);
  const keeping = every(ROUND_MS, signal, log, 'node-local addresses were not put right', local.ensure);
  await aborted(signal);
  // Its node is none of Gala's any more: the runtime goes on with what it had before.
  if (view.hasSynced() && view.facts() !== undefined && view.facts()?.pool === undefined) {
    uninstall(place);
    log.info('the node has no pool any more: the conflist is taken away', { confDir: place.confDir });
    const left = [...journal.values()].map(({ pod, ip }) => `${pod.namespace}/${pod.name} ${ip}`);
    if (left.length > 0)
      log.error('pods are still wired, and nobody will say when they are gone: drain the node, with its label on', { left });
  }
  await serving.close();
  await Promise.all([going, answering, learning, telling, keeping]);
  await local.close();
  // What has been taken down already is said, if the API server is there.
  await Promise.race([releases.idle(), sleep(RELEASE_MS)]);
  await Promise.all([releases.stop(), limits.stop(), said.queue.stop()]);
  await health.close();
  await view.stopped;
  api.close();
}

/** At once and then so often, until the signal; a failure is told, and tried again the next time. */
async function every(ms: number, signal: AbortSignal, log: Log, failed: string, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await act();
    } catch (error) {
      log.warn(failed, { because: reasonOf(error) });
    }
    await sleep(ms, signal);
  }
}

/** What the prober decides by. */
function probed(view: NodeView, { holds }: Pick<Agent, 'holds'>) {
  const network = view.network();
  const pool = network && view.pool(network.pool);
  if (!view.hasSynced() || network === undefined || pool === undefined) return undefined;
  // What a link may have is past asking for, and a word on it would be too late.
  const locks = [...view.locks()].filter(({ metadata, spec }) => !holds(metadata.name, spec.podUID));
  return { node: view.node, rack: view.facts()?.rack, network, pool, locks };
}
