/**
 * Keeps the pod ENIs of each region: a round when something changed and whenever the last round says that there is something to see,
 * and writes what came of it into NodeNetworks and the status of ec2 HostPools.
 *
 * Two keepers for a moment do no harm: an ENI is made by a token that both have, and what is written carries the version that was seen.
 */
import type { Api } from '../kube/client.ts';
import { type Clock, monotonic } from '../kube/clock.ts';
import { type Controller, controller, source } from '../kube/controller.ts';
import { isConflict, isNotFound, unlessMissing } from '../kube/error.ts';
import type { Log } from '../kube/log.ts';
import { sameHost } from '../network/host.ts';
import { IP_LOCKS, NODE_NETWORKS } from '../network/watched.ts';
import type { Ec2 } from './ec2.ts';
import { eniPart } from './pool-status.ts';
import type { NodePlan } from './region-plan.ts';
import { type Round, type RoundOptions, rounds, type Taken } from './round.ts';
import { sameSlots } from './slots.ts';
import type { StatusMap } from './status-map.ts';
import type { StatusWriter } from './status-writer.ts';
import type { ClusterTags } from './tags.ts';
import { type CloudWatched, clusterOf, regionsOf } from './watched.ts';

export interface KeeperOptions extends Pick<RoundOptions, 'dryRun' | 'orphans' | 'mayWrite'> {
  readonly api: Api;
  readonly watched: CloudWatched;
  readonly tags: ClusterTags;
  readonly ec2Of: (region: string) => Promise<Ec2>;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
  readonly status: StatusWriter;
  /** Where it says how far it is, and which regions it has been in. */
  readonly told: StatusMap;
  readonly onRound?: (region: string, round: Round) => void;
}

/** Nodes become ready one by one: not a look for each. */
const LEAST_MS_BETWEEN_LOOKS = 1_000;

export function keepEnis(options: KeeperOptions): Controller {
  const { api, watched, log, clock = monotonic } = options;
  const { hosts, pools, networks } = watched;
  const kept = new Map<string, ReturnType<typeof rounds>>();
  const lastAt = new Map<string, number>();

  async function keptOf(region: string) {
    const before = kept.get(region);
    if (before !== undefined) return before;
    const made = rounds({
      ec2: await options.ec2Of(region),
      cluster: () => ({ tags: options.tags, ...clusterOf(watched, region) }),
      isTaken: async (ip) => (await unlessMissing(api.get(IP_LOCKS, { name: ip }))) !== undefined,
      writeSlots,
      ...{ mayWrite: options.mayWrite, dryRun: options.dryRun, orphans: options.orphans },
      now: () => clock.now(),
      onStep: (did) => tell(region, did),
    });
    kept.set(region, made);
    return made;
  }

  async function writeSlots({ name, instanceId, slots }: Extract<NodePlan, { state: 'planned' }>): Promise<void> {
    const network = networks.get(name);
    // `gala controller` makes it, for this machine: until then there is nothing to write to.
    if (network === undefined || !network.providerID?.endsWith(`/${instanceId}`) || sameSlots(network.slots, slots)) return;
    const { uid, resourceVersion } = network;
    try {
      await api.patch(NODE_NETWORKS, { name }, { metadata: { uid, resourceVersion }, spec: { eniSlots: slots } });
      log.info('pod ENIs of a node changed', { node: name, instance: instanceId, enis: slots.length });
    } catch (error) {
      // The watch brings what it is now, and the next round writes.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }

  async function writeStatus(region: string, { plan, taken }: Round): Promise<void> {
    for (const { metadata, spec } of pools.list())
      if (spec.ec2?.region === region && spec.cni === undefined)
        await options.status.tell(metadata.name, { enis: eniPart(metadata.name, plan.nodes, taken, hosts) });
  }

  function tell(region: string, { what, not, because, ...about }: Taken): void {
    const fields = { region, step: what, ...about, ...(because === undefined ? {} : { because }) };
    if (not === undefined) log.info('step taken', fields);
    else if (not === 'dry run') log.info('step that would be taken', fields);
    else if (not === 'refused' || not === 'no answer') log.warn('step not taken', { ...fields, not });
    else log.debug('step not taken', { ...fields, not });
  }

  const { told } = options;
  /** With its last pool a region leaves the HostPools, and its ENIs do not leave the region. */
  const here = (): readonly string[] => [...new Set([...regionsOf(watched), ...told.regions()])];
  const keeping = controller({
    name: 'enis',
    for: [],
    also: [
      source(pools, here, (a, b) => a.metadata.generation === b.metadata.generation),
      source(hosts, here, sameHost),
      // Its slots are written here; that it is there, and for which machine, is news.
      source(networks, here, (a, b) => a.uid === b.uid && a.providerID === b.providerID),
      source(
        watched.addresses,
        () => [],
        () => true,
      ),
    ],
    reconcile: async (region) => {
      if (!here().includes(region)) return void kept.delete(region);
      const wait = LEAST_MS_BETWEEN_LOOKS - (clock.now() - (lastAt.get(region) ?? Number.NEGATIVE_INFINITY));
      if (wait > 0) return { againInMs: wait };
      await told.note(region);
      const round = await keptOf(region)
        .then((it) => it.round())
        .catch(async (error: unknown) => {
          await told.failure(region, error);
          throw error;
        });
      lastAt.set(region, clock.now());
      options.onRound?.(region, round);
      await writeStatus(region, round);
      await told.round(region, round);
      if (!regionsOf(watched).includes(region) && round.plan.ours === 0) {
        await told.forget(region);
        return void kept.delete(region);
      }
      return { againInMs: round.nextInMs };
    },
    // EC2 that does not answer, and credentials that are not there, are asked every minute.
    backoff: { firstMs: 1_000, maxMs: 60_000 },
    ...{ signal: options.signal, log, clock },
  });
  // Nothing of the cluster may name these any more.
  for (const region of told.regions()) keeping.queue.add(region);
  return keeping;
}
