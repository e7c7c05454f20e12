/** `gala status`: Gala's programs, who leads, the last error, which kinds are there and how many objects; on one page. */
import { HostPool, IPLock, KINDS, Lock } from '../api/kinds.ts';
import { PART_OF, type Resource } from '../api/resource.ts';
import { GATE, SCHEDULER_NAME } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { type AnyObject, DAEMONSETS, DEPLOYMENTS, type Kind, kindOf, LEASES, NODES, PODS, pathOf, type Stored } from '../kube/kinds.ts';
import { type ClusterOptions, clusterOptions, inCluster, isNoSuchKind, leaseOptions } from './cluster.ts';
import { endedBy } from './fault.ts';
import { distinct, grantsOf, lackingIn, lackSentence } from './grants.ts';
import { type LeaseSeen, leadersOf } from './leader.ts';
import type { Declare } from './main.ts';
import { type ExitCode, type Format, outputOption, print } from './output.ts';
import { poolsAmiss } from './pools-amiss.ts';
import { exitCodeOf, type KindSeen, type ProgramSeen, type Status, statusText, wrongWith } from './status-text.ts';

interface Options extends ClusterOptions {
  readonly leaseNamespace: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  leaseOptions(clusterOptions(command))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExit code 4: something that is installed does not work now; 3: not everything could be seen, or pools are amiss.',
    )
    .action(async (options) => end(await status(options)));
};

async function status(options: Options): Promise<ExitCode> {
  return inCluster(options, async ({ api }): Promise<ExitCode> => {
    const seen = await look(api, options.leaseNamespace);
    await print(options.output, seen, () => statusText(seen));
    return exitCodeOf(seen);
  });
}

type Seeing = <T>(what: Promise<T>) => Promise<T | undefined>;

async function look(api: Api, namespace: string): Promise<Status> {
  const refused: ApiError[] = [];
  /** What we may not see is said, once; what isn't there is none. The server not answering ends it all. */
  const see: Seeing = (what) =>
    what.catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      if (!isNotFound(error)) refused.push(error);
      return undefined;
    });
  const at = new Date();
  const [version, programs, leases, listedKinds, nodes, pods] = await Promise.all([
    see(api.request({ method: 'GET', path: '/version' })),
    programsIn(api, namespace, see),
    see(api.list(LEASES, { namespace })),
    Promise.all(KINDS.map((kind) => listedOf(api, kind, see))),
    see(countOf(api, NODES)),
    // Those without a node only: of all there may be tens of thousands.
    see(api.list(PODS, { fieldSelector: `spec.schedulerName=${SCHEDULER_NAME},spec.nodeName=` })),
  ]);
  const names = programs.map(({ name }) => name);
  const seen = {
    programs,
    leaders: leases === undefined ? [] : leadersOf(names, leases.items as readonly LeaseSeen[], version?.atMs ?? at.getTime()),
    kinds: listedKinds.map(kindSeen),
  };
  const hostPools = listedKinds.find(({ resource }) => resource.kind === HostPool.kind)?.items ?? [];
  const gitVersion: string | undefined = version?.body?.gitVersion;
  return {
    server: api.url,
    ...(gitVersion === undefined ? {} : { kubernetes: gitVersion.replace(/^v/, '') }),
    at: at.toISOString(),
    ...seen,
    pools: poolsAmiss(hostPools as readonly Stored<HostPool>[]),
    ...(nodes === undefined ? {} : { nodes }),
    ...(pods === undefined ? {} : { podsWaiting: pods.items.filter(waits).length }),
    unseen: unseenBy(refused),
    wrong: wrongWith(seen),
  };
}

/** Rights that are lacking are told together, with what grants them all. */
function unseenBy(refused: readonly ApiError[]): string[] {
  const lacking = distinct(refused.flatMap(({ message }) => lackingIn(message) ?? []));
  const others = refused.filter(({ message }) => lackingIn(message) === undefined).map((error) => endedBy(error)?.message ?? error.message);
  const [first] = lacking;
  const rights = first === undefined ? [] : [`${lackSentence(first.user, lacking)}\n${grantsOf(first.user, lacking)}`];
  return [...new Set([...rights, ...others])];
}

/** How many there are, without reading them. */
async function countOf(api: Api, kind: Kind): Promise<number> {
  const { body } = await api.request({ method: 'GET', path: pathOf(kind, {}), query: { limit: 1 } });
  return body.items.length + (body.metadata.remainingItemCount ?? 0);
}

const waits = ({ spec }: { readonly spec?: { readonly schedulingGates?: readonly { readonly name: string }[] } }): boolean =>
  (spec?.schedulingGates ?? []).some(({ name }) => name === GATE);

interface ListedKind {
  readonly resource: Resource;
  readonly there: boolean;
  /** Undefined: not there, or not for us to see. */
  readonly items?: readonly AnyObject[];
}

async function listedOf(api: Api, resource: Resource, see: Seeing): Promise<ListedKind> {
  let there = true;
  const listed = await see(
    api.list(kindOf(resource)).catch((error: unknown) => {
      if (!isNoSuchKind(error)) throw error;
      there = false;
      return undefined;
    }),
  );
  return { resource, there, ...(listed === undefined ? {} : { items: listed.items }) };
}

function kindSeen({ resource, there, items }: ListedKind): KindSeen {
  const phases = new Map<string, number>();
  for (const object of items ?? []) {
    const phase = phaseOf(resource, object);
    if (phase !== undefined) phases.set(phase, (phases.get(phase) ?? 0) + 1);
  }
  return {
    name: resource.crdName,
    there,
    ...(items === undefined ? {} : { objects: items.length }),
    ...(phases.size === 0 ? {} : { phases: Object.fromEntries([...phases].sort(([a], [b]) => (a < b ? -1 : 1))) }),
  };
}

function phaseOf(resource: Resource, object: unknown): string | undefined {
  if (resource.kind === IPLock.kind) return (object as IPLock).spec.phase;
  return resource.kind === Lock.kind ? ((object as Lock).status?.phase ?? 'Asked') : undefined;
}

const NAME_LABEL = 'app.kubernetes.io/name';

async function programsIn(api: Api, namespace: string, see: Seeing): Promise<ProgramSeen[]> {
  const labelSelector = Object.entries(PART_OF)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const [deployments, daemonSets, pods] = await Promise.all([
    see(api.list(DEPLOYMENTS, { namespace, labelSelector })),
    see(api.list(DAEMONSETS, { namespace, labelSelector })),
    see(api.list(PODS, { namespace })),
  ]);
  const byName = Map.groupBy(pods?.items ?? [], ({ metadata }) => metadata.labels?.[NAME_LABEL] ?? '');
  const program = (kind: ProgramSeen['kind'], name: string, wanted: number, ready: number): ProgramSeen => {
    const containers = (byName.get(name) ?? []).flatMap(({ status }) => status?.containerStatuses ?? []);
    const lastError = newestError(containers);
    return {
      ...{ kind, name, wanted, ready, restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0) },
      ...(lastError === undefined ? {} : { lastError }),
    };
  };
  return [
    ...(deployments?.items ?? []).map(({ metadata, spec, status }) =>
      program('Deployment', metadata.name, spec?.replicas ?? 1, status?.readyReplicas ?? 0),
    ),
    ...(daemonSets?.items ?? []).map(({ metadata, status }) =>
      program('DaemonSet', metadata.name, status?.desiredNumberScheduled ?? 0, status?.numberReady ?? 0),
    ),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface ContainerSeen {
  readonly name: string;
  readonly lastState?: {
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string; readonly finishedAt?: string };
  };
}

/** What ended a container last, by itself. */
function newestError(containers: readonly ContainerSeen[]): ProgramSeen['lastError'] {
  const errors = containers.flatMap(({ name, lastState }) => {
    const { exitCode = 0, reason, message, finishedAt } = lastState?.terminated ?? {};
    if (exitCode === 0 || finishedAt === undefined) return [];
    const [line] = (message ?? '').trim().split('\n').slice(-1);
    return [{ at: finishedAt, message: `${name} ended with ${exitCode} (${reason ?? 'no reason given'})${line ? `: ${line}` : ''}` }];
  });
  return errors.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
}
