/**
 * Keeps the instances of each region's ec2 pools: a round when something changed and whenever the last round says that there is
 * something to see. Drains by the Eviction API, deletes the Node of an instance that is gone, and tells of all that in status and events.
 *
 * Two keepers for a moment do no harm: a launch has a token that both have, and what is to go stands on its Node.
 */
import { CLOUD_LEASE, LEAVING_ANNOTATION } from '../api/cloud.ts';
import { FENCED_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { type Clock, monotonic } from '../kube/clock.ts';
import { type Controller, controller, source } from '../kube/controller.ts';
import { ApiError, isConflict, isNotFound, unlessMissing } from '../kube/error.ts';
import type { Recorder } from '../kube/events.ts';
import { NODES, PODS } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import { fencing } from '../network/fence.ts';
import { sameHost } from '../network/host.ts';
import { IP_LOCKS } from '../network/watched.ts';
import type { PodThere } from './drain.ts';
import type { Fleet } from './fleet.ts';
import type { InstanceStep } from './instance-plan.ts';
import { type InstanceRound, type InstanceRoundOptions, type InstanceTaken, instanceRounds } from './instance-round.ts';
import type { Launches } from './launches.ts';
import { instancePart } from './pool-status.ts';
import type { StatusWriter } from './status-writer.ts';
import { type CloudWatched, fleetOf, launchRegionsOf } from './watched.ts';

export interface InstanceKeeperOptions extends Pick<InstanceRoundOptions, 'dryRun' | 'mayWrite' | 'tags'> {
  readonly api: Api;
  readonly watched: CloudWatched;
  readonly fleetOf: (region: string) => Promise<Fleet>;
  readonly launches: Launches;
  readonly status: StatusWriter;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
  /** @default the wall clock */
  readonly wallMs?: () => number;
  readonly onRound?: (region: string, round: InstanceRound) => void;
}

/** Nodes become ready one by one: not a look for each. */
const LEAST_MS_BETWEEN_LOOKS = 1_000;

export function keepInstances(options: InstanceKeeperOptions): Controller {
  const { api, watched, log, recorder, launches, clock = monotonic, wallMs = Date.now } = options;
  const { hosts, pools } = watched;
  const kept = new Map<string, ReturnType<typeof instanceRounds>>();
  const lastAt = new Map<string, number>();

  async function keptOf(region: string) {
    const before = kept.get(region);
    if (before !== undefined) return before;
    const ec2 = await options.fleetOf(region);
    const made = instanceRounds({
      ...{ ec2, tags: options.tags, podsOn, leave, stay, evict, deleteNode },
      cluster: () => fleetOf(watched, region),
      prepare: async (launch) => {
        const pool = pools.get(launch.pool);
        if (pool?.spec.ec2 === undefined) throw new Error(`pool ${launch.pool} is gone`);
        return await launches.prepare(ec2, launch, pool.spec.ec2);
      },
      deleteToken: launches.deleteToken,
      ...{ mayWrite: options.mayWrite, dryRun: options.dryRun, wallMs },
      now: () => clock.now(),
      onStep: (did) => tell(region, did),
    });
    kept.set(region, made);
    return made;
  }

  async function podsOn(node: string): Promise<readonly PodThere[]> {
    const { items } = await api.list(PODS, { fieldSelector: `spec.nodeName=${node}` });
    return items.map(({ metadata, status }) => ({
      namespace: metadata.namespace ?? '',
      ...{ name: metadata.name, uid: metadata.uid, phase: status?.phase, annotations: metadata.annotations },
      ownedBy: metadata.ownerReferences?.map(({ kind }) => kind) ?? [],
      ...(metadata.deletionTimestamp === undefined ? {} : { deletedAt: Date.parse(String(metadata.deletionTimestamp)) }),
    }));
  }

  /** Says so and cordons in one patch: never one without the other. */
  async function leave({ node, uid, instanceId }: Extract<InstanceStep, { do: 'leave' }>): Promise<void> {
    const leaving = `${instanceId}${hosts.get(node)?.unschedulable ? CORDONED_BEFORE : ''}`;
    await unlessChanged(
      api.patch(
        NODES,
        { name: node },
        { metadata: { uid, annotations: { [LEAVING_ANNOTATION]: leaving } }, spec: { unschedulable: true } },
      ),
    );
  }

  async function stay({ node, uid }: Extract<InstanceStep, { do: 'stay' }>): Promise<void> {
    const spec = hosts.get(node)?.leaving?.endsWith(CORDONED_BEFORE) ? {} : { spec: { unschedulable: null } };
    await unlessChanged(api.patch(NODES, { name: node }, { metadata: { uid, annotations: { [LEAVING_ANNOTATION]: null } }, ...spec }));
  }

  async function evict({ namespace, name, uid }: PodThere): Promise<string | undefined> {
    const body = {
      ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } },
      deleteOptions: { preconditions: { uid } },
    };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
    try {
      await api.request({ method: 'POST', path, body, kind: 'pods/eviction', verb: 'create' });
      return undefined;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return undefined;
      // 429: "Cannot evict pod as it would violate the pod's disruption budget." (registry/core/pod/storage/eviction.go); 500: two budgets.
      if (error instanceof ApiError && (error.status === 429 || error.status === 500)) return error.message;
      throw error;
    }
  }

  /** The machine is off, which its addresses are told before the Node is gone: they would be kept back for want of anybody who says so. */
  async function deleteNode({ node, uid }: Extract<InstanceStep, { do: 'delete node' }>): Promise<void> {
    const { items } = await api.list(IP_LOCKS, { fieldSelector: `spec.node=${node}` });
    const off = fencing({ node: undefined, addresses: items }, false);
    if ('do' in off && off.do === 'note')
      for (const { address, podUID } of off.on)
        await unlessChanged(api.patch(IP_LOCKS, { name: address }, { metadata: { annotations: { [FENCED_ANNOTATION]: podUID } } }));
    await unlessChanged(api.delete(NODES, { name: node }, { preconditions: { uid } }));
  }

  function tell(region: string, { what, not, because, ...about }: InstanceTaken): void {
    const fields = { region, step: what, ...about, ...(because === undefined ? {} : { because }) };
    if (not === undefined) log.info('step taken', fields);
    else if (not === 'dry run') log.info('step that would be taken', fields);
    else if (not === 'refused' || not === 'no answer') log.warn('step not taken', { ...fields, not });
    else log.debug('step not taken', { ...fields, not });
    if (what === 'run' && not === 'refused') launches.forget(about.pool);
    const pool = pools.get(about.pool);
    const event = pool === undefined ? undefined : eventOf({ what, not, because, ...about });
    if (pool !== undefined && event !== undefined) recorder.event(pool, event.reason, event.message, event.type);
  }

  const here = (): readonly string[] => launchRegionsOf(watched);
  return controller({
    name: 'instances',
    for: [],
    also: [
      source(pools, here, (a, b) => a.metadata.generation === b.metadata.generation),
      source(hosts, here, sameHost),
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
      const round = await (await keptOf(region)).round();
      lastAt.set(region, clock.now());
      options.onRound?.(region, round);
      for (const pool of round.pools) await options.status.tell(pool.pool, { instances: instancePart(pool, hosts) });
      return { againInMs: round.nextInMs };
    },
    backoff: { firstMs: 1_000, maxMs: 60_000 },
    ...{ signal: options.signal, log, clock },
  });
}

const CORDONED_BEFORE = ' cordoned before';

/** Gone, or another machine under that name: the next round sees which. */
async function unlessChanged(act: Promise<unknown>): Promise<void> {
  try {
    await unlessMissing(act);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** Who speaks in events. */
export const CLOUD_COMPONENT = `gala.internal/${CLOUD_LEASE}`;

interface Told {
  readonly reason: string;
  readonly message: string;
  readonly type?: 'Warning';
}

/** What people who look at the pool should know of a step; undefined: nothing. Without what differs each time, so that it is counted as one. */
function eventOf({ what, not, because, instanceId, node, pod, offer }: Omit<InstanceTaken, 'pool'>): Told | undefined {
  if (not === 'no capacity')
    return { reason: 'NoCapacity', message: `${offer} is passed over for three minutes: ${because}`, type: 'Warning' };
  if (not === 'held') return { reason: 'DrainHeld', message: `${node} waits for ${pod}: ${because}`, type: 'Warning' };
  if (not === 'refused') return { reason: 'Ec2Refuses', message: because ?? '', type: 'Warning' };
  if (not !== undefined) return undefined;
  if (what === 'run') return { reason: 'Launched', message: `${instanceId}: ${offer}` };
  if (what === 'leave') return { reason: 'Draining', message: `${node} is cordoned: ${instanceId} is to go` };
  if (what === 'stay') return { reason: 'Kept', message: `${node} is taken back: ${instanceId} is wanted again` };
  if (what === 'terminate')
    return { reason: 'Terminated', message: `${instanceId}${node === undefined ? ', which was no Node' : ', whose pods have gone'}` };
  if (what === 'delete node') return { reason: 'NodeDeleted', message: `${node}: its instance ${instanceId} is gone` };
  return undefined;
}
