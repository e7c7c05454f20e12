/** How many pods the instances take that a HostPool may still launch: planned from its spec, as from a definition. Pure. */
import type { HostPool } from '../api/kinds.ts';
import { parseCluster } from '../api/parse.ts';
import { planned } from '../scheduling/planned.ts';
import { stock } from '../scheduling/stock.ts';
import type { Demand } from '../scheduling/types.ts';
import { CONCERNS } from './definition.ts';

/**
 * Caps are of the whole number and not counted here; nor is what a definition says of kubelets, which a HostPool does not have.
 * @returns undefined: the spec is not one that this version can plan
 */
export function launchesFit(pool: string, { ec2, machine, volumes, locks, cni }: HostPool['spec'], instances: number, demand: Demand) {
  if (ec2 === undefined) return undefined;
  const { zones, ...shape } = ec2;
  const definition = {
    // Only what the parser wants to have: no instance is told of it.
    ...{ name: 'planned', kubernetes: '1.37', apiServer: 'https://planned.invalid', existing: cni === undefined ? undefined : { cni } },
    pools: {
      [pool]: {
        ...{ shape: 'ec2', ...shape, machine, locks },
        zones: byName(zones),
        volumes: volumes && byName(volumes),
        size: { min: instances, max: instances },
      },
    },
  };
  const { cluster } = parseCluster(JSON.parse(JSON.stringify(definition)), CONCERNS);
  return cluster && stock(planned(cluster), { demand, strategy: 'spread' }).count;
}

const byName = <T extends { readonly name: string }>(list: readonly T[]): Record<string, Omit<T, 'name'>> =>
  Object.fromEntries(list.map(({ name, ...rest }) => [name, rest]));
