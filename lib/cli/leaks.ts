/** `gala leaks`: what is taken and serves nobody: in hand, or leaked. Reads Locks, IPLocks, the pods of gala-scheduler, NodeNetworks and nodes. */
import { IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import { SCHEDULER_NAME } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { ApiError } from '../kube/error.ts';
import { keyOf, kindOf, NODES, PODS, STATEFULSETS } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { podFacts, statefulSetFacts } from '../scheduling/facts.ts';
import { interning } from '../scheduling/intern.ts';
import { isOff, nodeFacts } from '../scheduling/node.ts';
import { type Books, books } from '../scheduling/writer/books.ts';
import { type ClusterOptions, clusterOptions, inCluster, listed } from './cluster.ts';
import { type Conflict, type Leaks, leaksIn, leaksText, type Places } from './leaks-rows.ts';
import type { Declare } from './main.ts';
import { type ExitCode, type Format, outputOption, print } from './output.ts';

interface Options extends ClusterOptions {
  readonly snapshot?: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  clusterOptions(command.option('--snapshot <file>', 'as it was in what gala snapshot saved: no cluster is asked'))
    .addOption(outputOption())
    .addHelpText('after', '\nExit code 4: something is leaked.')
    .action(async (options) => end(await leaks(options)));
};

async function leaks(options: Options): Promise<ExitCode> {
  if (options.snapshot !== undefined) return tell((await import('./leaks-of-snapshot.ts')).leaksOfSnapshot(options.snapshot), options);
  return inCluster({ ...options, command: 'leaks' }, async ({ api }): Promise<ExitCode> => {
    const { book, readAtMs, ...places } = await read(api);
    return tell(leaksIn(book, places, readAtMs), options);
  });
}

async function tell(found: Leaks, { output }: Options): Promise<ExitCode> {
  await print(output, found, () => leaksText(found));
  return found.leaked === 0 ? 0 : 4;
}

interface Read extends Places {
  readonly book: Books;
  readonly readAtMs: number;
}

async function read(api: Api): Promise<Read> {
  // Addresses first, then who has them: a pod or Lock that came in between is there when it is looked for.
  const ipLocks = await listed(api.list(kindOf(IPLock)));
  const readAtMs = Date.now();
  const [locks, sets] = await Promise.all([listed(api.list(kindOf(Lock))), api.list(STATEFULSETS)]);
  const pods = await api.list(PODS, { fieldSelector: `spec.schedulerName=${SCHEDULER_NAME}` });
  const book = books();
  const intern = interning();
  for (const lock of locks) book.locks.put(keyOf(lock.metadata), lock, 'watch');
  for (const ipLock of ipLocks) book.ipLocks.put(ipLock.metadata.name, ipLock, 'watch');
  for (const pod of pods.items) book.pods.put(keyOf(pod.metadata), podFacts(pod, intern), 'watch');
  const statefulSets = new Map(sets.items.map(statefulSetFacts).map((set) => [set.key, set]));
  const [nodes, conflicts] = await Promise.all([ipLocks.length === 0 ? undefined : nodesBy(api), conflictsOf(api)]);
  return {
    ...{ book, statefulSets, readAtMs, conflicts },
    hasNode: (name) => nodes?.has(name) ?? true,
    isOff: (name) => nodes?.get(name)?.off ?? false,
    isReady: (name) => nodes?.get(name)?.ready ?? true,
  };
}

interface NodeSeen {
  readonly ready: boolean;
  readonly off: boolean;
}

/** What agents saw on the wire; nothing where the caller may not list NodeNetworks, or there is no such kind. */
async function conflictsOf(api: Api): Promise<readonly Conflict[]> {
  const networks = await listed(api.list(kindOf(NodeNetwork))).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  });
  return networks.flatMap(({ metadata: { name: node }, status }) => (status?.conflicts ?? []).map((conflict) => ({ ...conflict, node })));
}

/** By name. Undefined where the caller may not list them: each counts as there, and on, then. */
async function nodesBy(api: Api): Promise<ReadonlyMap<string, NodeSeen> | undefined> {
  const nodes = new Map<string, NodeSeen>();
  try {
    await eachPage(
      api,
      NODES,
      {},
      (page) => {
        for (const node of page) {
          const facts = nodeFacts(node);
          nodes.set(facts.name, { ready: facts.ready, off: isOff(facts) });
        }
      },
      () => nodes.clear(),
    );
    return nodes;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}
