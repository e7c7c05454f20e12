/** Writes the status of ec2 HostPools: what the controllers of ENIs and of instances have to say, in one object. */
import { isDeepStrictEqual } from 'node:util';
import type { HostPool } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/error.ts';
import type { Stored } from '../kube/kinds.ts';
import type { Reflector } from '../kube/reflector.ts';
import { HOST_POOLS } from '../network/watched.ts';
import { ec2PoolStatus, OF_INSTANCES, type Part } from './pool-status.ts';

export interface StatusWriter {
  /** Of a pool; what the other one said last stays. */
  tell(pool: string, part: { readonly enis?: Part; readonly instances?: Part }): Promise<void>;
}

export interface StatusWriterOptions {
  readonly api: Api;
  readonly pools: Pick<Reflector<Stored<HostPool>>, 'get'>;
  readonly mayWrite: () => boolean;
  readonly dryRun: boolean;
  /** Nobody speaks of instances otherwise: what was said of them once is taken back. */
  readonly instances: boolean;
  /** For conditions that turn. @default the wall clock */
  readonly wallClock?: () => Date;
}

export function statusWriter({ api, pools, mayWrite, dryRun, instances, wallClock = () => new Date() }: StatusWriterOptions): StatusWriter {
  const said = new Map<string, { readonly enis?: Part; readonly instances?: Part }>();
  return {
    async tell(name, part) {
      const both = { ...said.get(name), ...part };
      said.set(name, both);
      const pool = pools.get(name);
      if (pool === undefined) return void said.delete(name);
      const conditions = instances ? pool.status?.conditions : pool.status?.conditions?.filter(({ type }) => !OF_INSTANCES.includes(type));
      const before = pool.status === undefined ? undefined : { ...pool.status, conditions };
      const status = ec2PoolStatus({ metadata: pool.metadata, status: before }, both, wallClock().toISOString());
      if (dryRun || isDeepStrictEqual(status, pool.status) || !mayWrite()) return;
      try {
        await api.updateStatus(HOST_POOLS, { ...pool, status });
      } catch (error) {
        // The watch brings what it is now, and whoever speaks next writes.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    },
  };
}
