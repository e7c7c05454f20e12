/** What HostPools declare and the cluster doesn't have: racked pools that no Node is labelled for, instances not launched. Pure. */
import type { HostPool } from '../api/kinds.ts';
import { POOL_LABEL } from '../api/model.ts';
import type { Demand, PoolFit } from '../scheduling/types.ts';

export interface NotThere {
  readonly pool: string;
  /** Instances that may still be launched; left out for a racked pool without a single Node. */
  readonly instances?: number;
  /** Of those: the type that is asked for first. */
  readonly instanceType?: string;
  /** How many of the pods these would take. */
  readonly fit?: number;
}

/** HostPools as they are listed. */
export type HostPools = Iterable<{ readonly metadata: { readonly name: string }; readonly spec: HostPool['spec'] }>;

export function notThere(pools: readonly Pick<PoolFit, 'pool' | 'hosts'>[], hostPools: HostPools): NotThere[] {
  const there = new Map(pools.map(({ pool, hosts }) => [pool, hosts]));
  return [...hostPools].flatMap(({ metadata: { name: pool }, spec }): NotThere[] => {
    const hosts = there.get(pool);
    // Not asked about.
    if (hosts === undefined) return [];
    if (spec.ec2 === undefined) return hosts === 0 ? [{ pool }] : [];
    const instances = spec.ec2.size.max - hosts;
    const [instanceType] = spec.ec2.instanceTypes;
    return instances > 0 ? [{ pool, instances, ...(instanceType === undefined ? {} : { instanceType }) }] : [];
  });
}

/** The same with how many pods fit on the instances. */
export async function withLaunches(absent: readonly NotThere[], hostPools: HostPools, demand: Demand): Promise<NotThere[]> {
  const specs = new Map([...hostPools].map(({ metadata, spec }) => [metadata.name, spec]));
  return Promise.all(
    absent.map(async (one) => {
      const spec = specs.get(one.pool);
      if (one.instances === undefined || spec === undefined) return one;
      // Reads the schemas of definitions, which nobody without EC2 should wait for.
      const fit = (await import('./launches.ts')).launchesFit(one.pool, spec, one.instances, demand);
      return fit === undefined ? one : { ...one, fit };
    }),
  );
}

/** `not launched: 60 × c5.4xlarge`, among what limits a pool */
export function notThereLimit({ instances, instanceType }: NotThere): string {
  return instances === undefined ? 'no hosts' : `not launched: ${instances}${instanceType === undefined ? '' : ` × ${instanceType}`}`;
}

/** What to do about those that only lack a label. */
export function notThereNotes(absent: readonly NotThere[]): string[] {
  return absent
    .filter(({ instances }) => instances === undefined)
    .map(
      ({ pool }) =>
        `${pool} has no hosts: no Node is labelled ${POOL_LABEL}=${pool}. kubectl label node <node> ${POOL_LABEL}=${pool} gives a host to it, with its addresses.`,
    );
}
