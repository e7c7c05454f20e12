/**
 * Keeps a NodeNetwork for each node that has Gala's addresses: looks, asks node-network.ts for the step, takes it.
 *
 * What is watched may lag behind what a leader before this one wrote, so before anything is deleted it is all read anew and
 * decided again. Two keepers for a moment do no harm: an object is created once, deleted by its UID, changed by its version.
 */
import type { HostPool } from '../api/kinds.ts';
import { PART_OF } from '../api/resource.ts';
import type { Api } from '../kube/client.ts';
import { type Clock, monotonic } from '../kube/clock.ts';
import { type Controller, controller, source } from '../kube/controller.ts';
import { isAlreadyExists, isConflict, isNotFound, unlessMissing } from '../kube/error.ts';
import type { Recorder, Regarding } from '../kube/events.ts';
import { NODES, type Stored } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import type { Result } from '../kube/queue.ts';
import { sameAddress } from './address.ts';
import { hostOf, sameHost } from './host.ts';
import { type Network, type Notice, nodeNetworkStep, type Seen, type Step } from './node-network.ts';
import { HOST_POOLS, NODE_NETWORKS, networkOf, type Watched } from './watched.ts';

export interface KeeperOptions {
  readonly api: Api;
  readonly watched: Watched;
  readonly recorder: Recorder;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Told of each step that was taken, for metrics. */
  readonly onStep?: (did: 'create' | 'update' | 'replace' | 'delete') => void;
}

/** 5,000 nodes at once after an outage, beside whatever else the API server has to do. */
const AT_ONCE = 8;
/** The watch brings the news sooner; this is for when it does not. */
const SOON: Result = { againInMs: 1_000 };

export function keepNodeNetworks(options: KeeperOptions): Controller {
  const { api, watched, clock = monotonic, onStep = () => {} } = options;
  const { hosts, pools, networks, addresses } = watched;
  const replacedAt = new Map<string, number>();
  const told = new Map<string, string>();

  const around = (name: string) => ({
    taken: watched.takenOn(name),
    msSinceReplaced: clock.now() - (replacedAt.get(name) ?? -Infinity),
  });

  async function readAnew(name: string): Promise<Seen> {
    const node = await unlessMissing(api.get(NODES, { name }));
    const host = node && hostOf(node);
    const pool = host?.pool === undefined ? undefined : await unlessMissing(api.get(HOST_POOLS, { name: host.pool }));
    const existing = await unlessMissing(api.get(NODE_NETWORKS, { name }));
    return {
      ...around(name),
      ...{ host, existing: existing && networkOf(existing) },
      pools: { get: (asked) => (asked === host?.pool ? pool : pools.get(asked)), keys: () => pools.keys() },
    };
  }

  async function take(name: string, step: Step, existing: Network | undefined): Promise<Result | undefined> {
    if (step.do === 'nothing') return undefined;
    if (step.do === 'wait') return { againInMs: step.ms };
    if (!options.mayWrite()) throw new Error(`another leads: ${step.do} of NodeNetwork ${name} is left to it`);
    const metadata = { name, labels: PART_OF };
    try {
      if (step.do === 'update') {
        const { uid, resourceVersion } = existing!;
        await api.patch(NODE_NETWORKS, { name }, { metadata: { uid, resourceVersion }, spec: step.spec });
      } else {
        if (step.do !== 'create') await api.delete(NODE_NETWORKS, { name }, { preconditions: { uid: existing!.uid } });
        if (step.do !== 'delete') await api.create(NODE_NETWORKS, { metadata, spec: step.spec });
      }
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) return SOON;
      throw error;
    }
    onStep(step.do);
    if (step.do === 'replace') replacedAt.set(name, clock.now());
    return undefined;
  }

  /** Says a thing once, until something else is to be said: events repeat themselves in `kubectl describe`. */
  function tell(name: string, notice: Notice | undefined, regarding: Regarding | undefined): void {
    if (notice === undefined || regarding === undefined) return void told.delete(name);
    if (told.get(name) === notice.message) return;
    told.set(name, notice.message);
    options.recorder.event(regarding, notice.reason, notice.message, 'Warning', { action: 'KeepingNodeNetwork' });
  }

  return controller({
    name: 'node-networks',
    for: networks,
    also: [
      source(hosts, (host) => [host.name], sameHost),
      source(pools, ({ metadata }) => nodesOf(metadata.name, watched), sameSpec),
      // What kept a NodeNetwork may be gone.
      source(addresses, ({ node }) => (networks.get(node) === undefined ? [] : [node]), sameAddress),
    ],
    concurrency: AT_ONCE,
    reconcile: async (name, { log }) => {
      let seen: Seen = { host: hosts.get(name), pools, existing: networks.get(name), ...around(name) };
      let step = nodeNetworkStep(name, seen);
      if (step.do === 'delete' || step.do === 'replace') {
        seen = await readAnew(name);
        step = nodeNetworkStep(name, seen);
      }
      const result = await take(name, step, seen.existing);
      tell(name, step.tell, regardingOf(name, seen));
      if (step.do !== 'nothing' && result === undefined)
        log.info('NodeNetwork changed', { node: name, did: step.do, because: becauseOf(step) });
      if (seen.host === undefined && seen.existing === undefined) replacedAt.delete(name);
      return result;
    },
    ...{ signal: options.signal, log: options.log, clock },
  });
}

const sameSpec = (a: Stored<HostPool>, b: Stored<HostPool>) => a.metadata.generation === b.metadata.generation;

/** Nodes that say they are of the pool, and those that were. */
function* nodesOf(pool: string, { hosts, networks }: Watched): Iterable<string> {
  for (const host of hosts.values()) if (host.pool === pool) yield host.name;
  for (const name of networks.keys()) if (networks.get(name)?.pool === pool) yield name;
}

const becauseOf = (step: Step) => ('because' in step ? step.because : step.tell?.message);

/** The Node, or its NodeNetwork where the Node is gone. */
function regardingOf(name: string, { host, existing }: Seen): Regarding | undefined {
  if (host !== undefined) return { apiVersion: NODES.apiVersion, kind: NODES.kind, metadata: { name, uid: host.uid } };
  if (existing === undefined) return undefined;
  return { apiVersion: NODE_NETWORKS.apiVersion, kind: NODE_NETWORKS.kind, metadata: { name, uid: existing.uid } };
}
