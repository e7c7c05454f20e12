/** `gala explain pod`: why a pod waits, host by host. Reads the cluster once, with the rights of whoever asks, or a snapshot. */
import { Argument } from 'commander';
import { SCHEDULER_NAME, WRITER_LEASE } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { ApiError } from '../kube/error.ts';
import { EVENTS } from '../kube/kinds.ts';
import { type EventSeen, explainPod, type Known } from '../scheduling/explain-pod.ts';
import type { PodFacts } from '../scheduling/facts.ts';
import type { Inventory } from '../scheduling/inventory.ts';
import { readWorld } from '../scheduling/read-world.ts';
import { stock } from '../scheduling/stock.ts';
import { readClaims } from './claims-read.ts';
import { type ClusterOptions, clusterOptions, inCluster, leaseOptions } from './cluster.ts';
import { type ExplainedPod, explainText } from './explain-text.ts';
import { tellUnread } from './facts.ts';
import { booksOf, factsOf } from './facts-of.ts';
import { leaderBy, leading } from './leader.ts';
import type { Declare } from './main.ts';
import { moreOf } from './more.ts';
import { assertNamespace } from './namespace.ts';
import { BadInput, type ExitCode, type Format, outputOption, print } from './output.ts';
import { readSnapshotFile } from './snapshot-file.ts';

interface Options extends ClusterOptions {
  readonly snapshot?: string;
  readonly leaseNamespace: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .addArgument(new Argument('<kind>', 'what to explain').choices(['pod']))
    .argument('<name>', 'its name, or <namespace>/<name>')
    .option('--snapshot <file>', 'as it was in what gala snapshot saved: no cluster is asked');
  leaseOptions(clusterOptions(command))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  gala explain pod feed/feed-api-0611')
    .action(async (_kind, name, options) => end(await explain(name, options)));
};

async function explain(asked: string, options: Options): Promise<ExitCode> {
  if (options.snapshot !== undefined) {
    const { inventory, readAtMs } = readSnapshotFile(options.snapshot);
    const claims = { unread: 'they are not in snapshots' };
    return tell(podIn(inventory, keyOf(asked, options.namespace ?? 'default')), { inventory, nowMs: readAtMs, claims }, [], options.output);
  }
  return inCluster({ ...options, command: 'explain pod' }, async ({ api, namespace }): Promise<ExitCode> => {
    const world = await readWorld(api);
    tellUnread(world);
    const key = keyOf(asked, namespace);
    if (!world.inventory.objects('Pod').has(key)) await assertNamespace(api, key.split('/')[0] as string);
    const pod = podIn(world.inventory, key);
    const [events, claims, writer, binder] = await Promise.all([
      eventsOf(api, pod),
      readClaims(api, pod),
      leaderBy(WRITER_LEASE, api, options.leaseNamespace),
      leaderBy(SCHEDULER_NAME, api, options.leaseNamespace),
    ]);
    return tell(
      pod,
      { inventory: world.inventory, nowMs: Date.now(), writer: leading(writer), binder: leading(binder), claims },
      events,
      options.output,
    );
  });
}

const keyOf = (asked: string, namespace: string): string => (asked.includes('/') ? asked : `${namespace}/${asked}`);

function podIn(inventory: Inventory, key: string): PodFacts {
  const pod = inventory.objects('Pod').get(key);
  if (pod === undefined) throw new BadInput(`${key}: there is no such pod. kubectl get pods -n ${key.split('/')[0]} lists them.`);
  return pod;
}

async function tell(pod: PodFacts, known: Omit<Known, 'books'>, events: readonly EventSeen[], output: Format): Promise<ExitCode> {
  const { inventory, nowMs } = known;
  const explained: ExplainedPod = {
    ...explainPod(pod, { ...known, events, books: booksOf(inventory) }),
    more: moreFor(pod, inventory),
    events,
  };
  await print(output, explained, () => explainText(explained, nowMs));
  return 0;
}

/** Addresses that others hold, of a pod that waits for one. */
function moreFor(pod: PodFacts, inventory: Inventory): ExplainedPod['more'] {
  if (pod.node !== undefined || pod.done || !pod.demand.address || pod.lock !== undefined) return [];
  const { terrain, hostPools, nodeNetworks, ipLocks } = factsOf(inventory);
  const { namespace, owner } = pod.demand;
  const pools = stock(terrain, { demand: pod.demand, strategy: 'spread' }).pools;
  return moreOf({ namespace, ...(owner && { owner }), pools }, ipLocks, hostPools, nodeNetworks);
}

async function eventsOf(api: Api, { namespace, uid }: PodFacts): Promise<EventSeen[]> {
  try {
    const { items } = await api.list(EVENTS, { namespace, fieldSelector: `regarding.uid=${uid}` });
    return items
      .map(({ metadata, reason = '', note = '', series, eventTime, deprecatedLastTimestamp, deprecatedCount }) => ({
        reason,
        message: note,
        at: String(series?.lastObservedTime ?? eventTime ?? deprecatedLastTimestamp ?? metadata.creationTimestamp),
        count: series?.count ?? deprecatedCount ?? 1,
      }))
      .sort((a, b) => (a.at < b.at ? 1 : -1));
  } catch (error) {
    // Not everybody may read events; the facts are told without.
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}
