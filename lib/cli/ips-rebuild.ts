/**
 * `gala ips rebuild`: after etcd was restored from a backup. Asks the agent of each node, by an annotation of its NodeNetwork, what it has
 * wired; the lock writer makes the IPLocks that are missing, and gives nobody an address before that is done. Who breaks off here
 * stops nothing: asked again, it goes on where it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import { REBUILD_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { unlessMissing } from '../kube/error.ts';
import { kindOf, NODES, type Stored } from '../kube/kinds.ts';
import { nodeFacts } from '../scheduling/node.ts';
import { counted, secondsOf } from './amount.ts';
import { type ClusterOptions, inCluster, listed, unlessNoAddresses } from './cluster.ts';
import { each } from './ips-asking.ts';
import { type Before, isDone, type Rebuild, rebuildOf, rebuildText } from './ips-rebuilding.ts';
import { writerOf } from './leader.ts';
import { BadInput, type ExitCode, type Format, NotNow, print, Refused, say } from './output.ts';

export interface RebuildOptions extends ClusterOptions {
  readonly without?: readonly string[];
  readonly stop?: true;
  readonly timeout: string;
  readonly dryRun?: true;
  readonly leaseNamespace: string;
  readonly output: Format;
}

type Network = Stored<NodeNetwork>;

const NETWORKS = kindOf(NodeNetwork);
/** Agents look every 10 s. */
const LOOK_MS = 1_000;
/** More names are no help. */
const FEW_NAMES = 8;

export async function rebuild(options: RebuildOptions): Promise<ExitCode> {
  const timeoutSeconds = secondsOf(options.timeout);
  if (timeoutSeconds === undefined) throw new BadInput(`--timeout is '${options.timeout}'; it is a duration. For example 2m.`);
  return inCluster({ ...options, command: 'ips rebuild' }, async ({ api }): Promise<ExitCode> => {
    const { items: networks } = await api.list(NETWORKS).catch(unlessNoAddresses);
    const without = new Set(options.without ?? []);
    const unknown = [...without].filter((name) => !networks.some(({ metadata }) => metadata.name === name));
    if (unknown.length > 0)
      throw new BadInput(`--without ${unknown.join(', ')}: there is no such NodeNetwork. kubectl get nodenetworks lists them.`);
    if (options.stop) return stop(api, networks, options);
    if (networks.length === 0)
      throw new NotNow(
        'gala ips rebuild: there is no NodeNetwork, so no node says what is wired there. gala controller makes them; gala status.',
      );
    const away = await notReady(
      api,
      networks.filter(({ metadata }) => !without.has(metadata.name)),
    );
    if (away.length > 0) throw new Refused(awayText(away));
    const dryRun = options.dryRun ?? false;
    const name = dryRun ? undefined : (askedBefore(networks, without) ?? new Date().toISOString());
    await ask(api, networks, (network) => (without.has(network.metadata.name) ? null : (name ?? DRY_NAME)), dryRun);
    const answer = await watched(api, { name, without, dryRun, untilMs: performance.now() + timeoutSeconds * 1000 });
    await print(options.output, answer, () => rebuildText(answer));
    if (!dryRun && !isDone(answer)) throw new NotNow(await notYet(api, answer, options));
    return answer.addresses.some(({ ipLock }) => ipLock === 'disputed') ? 3 : 0;
  });
}

/** What a dry run has the API server check. */
const DRY_NAME = 'dry-run';

/** The one that goes on: some node has not answered it yet. Asked again, those that have need not look again. */
function askedBefore(networks: readonly Network[], without: ReadonlySet<string>): string | undefined {
  const open = networks.find(({ metadata, status }) => {
    const name = metadata.annotations?.[REBUILD_ANNOTATION];
    return name !== undefined && !without.has(metadata.name) && status?.rebuilt !== name;
  });
  return open?.metadata.annotations?.[REBUILD_ANNOTATION];
}

/** Nobody there would answer, and everybody would wait. */
async function notReady(api: Api, networks: readonly Network[]): Promise<string[]> {
  const ready = new Set((await api.list(NODES)).items.map(nodeFacts).flatMap((node) => (node.ready ? [node.name] : [])));
  return networks.flatMap(({ metadata: { name } }) => (ready.has(name) ? [] : [name])).sort();
}

function awayText(away: readonly string[]): string {
  const rest = away.length - FEW_NAMES;
  return (
    `gala ips rebuild: ${away.slice(0, FEW_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''} ${away.length === 1 ? 'is' : 'are'} not Ready, and can't say what is wired there. ` +
    'Bring them back first (a node that joined after the backup: restart its kubelet). One whose machine is surely off: gala fence <node>, then --without <node>.'
  );
}

/** @param nameFor null: it is asked no longer */
async function ask(api: Api, networks: readonly Network[], nameFor: (network: Network) => string | null, dryRun: boolean): Promise<number> {
  const others = networks.filter((network) => (network.metadata.annotations?.[REBUILD_ANNOTATION] ?? null) !== nameFor(network));
  await each(others, (network) => {
    const { name, uid } = network.metadata;
    const annotations = { [REBUILD_ANNOTATION]: nameFor(network) } as unknown as Record<string, string>;
    // Gone meanwhile: its node is none of Gala's any more.
    return unlessMissing(api.patch(NETWORKS, { name }, { metadata: { uid, annotations } }, { dryRun }));
  });
  return others.length;
}

interface Watching {
  readonly name: string | undefined;
  readonly without: ReadonlySet<string>;
  readonly dryRun: boolean;
  readonly untilMs: number;
}

async function watched(api: Api, { name, without, dryRun, untilMs }: Watching): Promise<Rebuild> {
  let before: Before = new Map();
  let said = '';
  for (;;) {
    const [{ items: networks }, ipLocks, locks] = await Promise.all([
      api.list(NETWORKS),
      listed(api.list(kindOf(IPLock))),
      listed(api.list(kindOf(Lock))),
    ]);
    const { answer, seen } = rebuildOf({ networks, ipLocks, locks }, { rebuild: name, without, dryRun, before });
    before = seen;
    if (dryRun || isDone(answer) || performance.now() >= untilMs) return answer;
    const missing = answer.addresses.filter(({ ipLock }) => ipLock === 'missing').length;
    const news = `${answer.nodes.answered} of ${counted(answer.nodes.asked, 'node')}${missing > 0 ? `, ${counted(missing, 'IPLock')} to be made` : ''}`;
    if (news !== said) say(news);
    said = news;
    await sleep(Math.max(1, Math.min(LOOK_MS, untilMs - performance.now())));
  }
}

async function notYet(api: Api, { nodes }: Rebuild, { timeout, leaseNamespace }: RebuildOptions): Promise<string> {
  const rest = nodes.silent.length - FEW_NAMES;
  const silent =
    nodes.silent.length === 0
      ? await writerOf(api, leaseNamespace)
      : `Silent: ${nodes.silent.slice(0, FEW_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}; see the log of gala-cni there.`;
  return `Not done after ${timeout}. ${silent} It goes on, and nobody is given an address meanwhile; ask again to see how far it is, or gala ips rebuild --stop.`;
}

async function stop(api: Api, networks: readonly Network[], { dryRun: asked, output }: RebuildOptions): Promise<ExitCode> {
  const dryRun = asked ?? false;
  const stopped = await ask(api, networks, () => null, dryRun);
  await print(output, { dryRun, stopped }, () =>
    stopped === 0
      ? 'No rebuild is asked for.'
      : `${counted(stopped, 'node')} ${dryRun ? 'would be' : stopped === 1 ? 'is' : 'are'} asked no longer: addresses are given out again. What is told as wired stays taken.`,
  );
  return 0;
}
