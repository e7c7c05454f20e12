/**
 * Writes the status of intranet HostPools: looks, asks pool-status.ts what it should say, and writes it where it says something
 * else; at most once a second a pool, the first change at once.
 *
 * That second and the watch's delay are the window in which `taken` may lack an address that was just locked, and the API server
 * would let the spec pull its VLAN away. Such an address is then reported as cut off; docs/controller.md tells more.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/client.ts';
import { type Clock, monotonic } from '../kube/clock.ts';
import { type Controller, controller, source } from '../kube/controller.ts';
import { isConflict, isNotFound } from '../kube/error.ts';
import type { Log } from '../kube/log.ts';
import { sameAddress } from './address.ts';
import { sameHost } from './host.ts';
import { type PoolStatus, poolStatus } from './pool-status.ts';
import { HOST_POOLS, type Watched } from './watched.ts';

export interface WriterOptions {
  readonly api: Api;
  readonly watched: Watched;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  /** For conditions that turn. @default the wall clock */
  readonly now?: () => Date;
  /** Told what each pool's status should say now; undefined when it is no intranet pool any more. For metrics. */
  readonly onStatus?: (pool: string, status: PoolStatus | undefined) => void;
}

const LEAST_MS_BETWEEN_WRITES = 1_000;

/** The agent of each host follows its pool: the larger it is, the more read each write. 5,000 hosts hear of it every 10 s. */
export const betweenWritesMs = (hosts: number): number => Math.max(LEAST_MS_BETWEEN_WRITES, 2 * hosts);

export function writePoolStatus(options: WriterOptions): Controller {
  const { api, watched, clock = monotonic, now = () => new Date(), onStatus = () => {} } = options;
  const { hosts, pools, addresses } = watched;
  /** When a pool was last looked at, or its status written: a slow API server gets a second between writes too. */
  const lastAt = new Map<string, number>();
  return controller({
    name: 'pool-status',
    for: pools,
    also: [source(hosts, () => pools.keys(), sameHost), source(addresses, () => pools.keys(), sameAddress)],
    reconcile: async (name, { log }) => {
      const pool = pools.get(name);
      const intranet = pool?.spec.intranet;
      if (pool === undefined || intranet === undefined) {
        lastAt.delete(name);
        onStatus(name, undefined);
        return undefined;
      }
      const wait = betweenWritesMs(pool.status?.hosts?.known ?? 0) - (clock.now() - (lastAt.get(name) ?? -Infinity));
      if (wait > 0) return { againInMs: wait };
      lastAt.set(name, clock.now());
      const status = poolStatus({ pool, intranet, hosts, addresses: addresses.list() }, now().toISOString());
      onStatus(name, status);
      if (isDeepStrictEqual(status, pool.status)) return undefined;
      if (!options.mayWrite()) throw new Error(`another leads: the status of HostPool ${name} is left to it`);
      try {
        // With the version that was looked at: the spec that was counted by is the one that observedGeneration names.
        await api.updateStatus(HOST_POOLS, { ...pool, status });
      } catch (error) {
        if (isConflict(error)) return { againInMs: LEAST_MS_BETWEEN_WRITES };
        if (isNotFound(error)) return undefined;
        throw error;
      } finally {
        lastAt.set(name, clock.now());
      }
      log.debug('HostPool status written', { pool: name });
      return undefined;
    },
    ...{ signal: options.signal, log: options.log, clock },
  });
}
