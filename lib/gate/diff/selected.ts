/**
 * How many hosts a DaemonSet runs on, counted from the pools of the same synth. Only where that is sure: racked pools, chosen
 * by pool and rack alone. Instances come and go, and who has another label is known to the cluster only.
 */
import type { KubeObject } from '../../api/manifest.ts';
import { expand } from '../../api/nodeset.ts';
import { tolerates } from '../placement.ts';
import { type Pod, podOf } from '../pod.ts';
import { entries, fields, items, text, texts, within } from '../shape.ts';

// As in lib/api/model.ts, which would load the whole definition (a test compares).
export const POOL = 'gala.internal/pool';
export const RACK = 'gala.internal/rack';

/** @returns `undefined` where it can't be told */
export type HostCount = (daemonSet: KubeObject) => number | undefined;

/** Counts by the HostPools among these objects. */
export function hostsSelected(objects: readonly KubeObject[]): HostCount {
  const pools = objects.filter(({ kind, apiVersion }) => kind === 'HostPool' && apiVersion.startsWith('gala.internal/'));
  return (daemonSet) => {
    const pod = podOf(daemonSet);
    const demands = pod === undefined ? undefined : demandsOf(pod);
    if (pod === undefined || pools.length === 0 || demands === undefined) return undefined;
    const chosen = pools.filter(({ metadata }) => meets(demands, POOL, metadata.name));
    if (!chosen.every((pool) => isCountable(pool) && (within(pool, 'spec').locks !== 'hard' || tolerates(pod, POOL)))) return undefined;
    return chosen
      .flatMap((pool) => items(within(pool, 'spec', 'intranet').racks))
      .filter(({ item }) => meets(demands, RACK, text(item.name) ?? ''))
      .reduce((sum, { item }) => sum + expand(text(item.hosts) ?? '').length, 0);
  };
}

interface Demand {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** What the labels of a node must be, where all of it is about pools and racks; undefined where something else is asked too. */
function demandsOf({ spec }: Pod): Demand[] | undefined {
  const affinity = within(spec, 'affinity').nodeAffinity;
  const terms = items(within(fields(affinity), 'requiredDuringSchedulingIgnoredDuringExecution').nodeSelectorTerms);
  if (affinity !== undefined && (terms.length !== 1 || terms[0]!.item.matchFields !== undefined)) return undefined;
  const demands = [
    ...entries(spec.nodeSelector).map(([key, value]): Demand => ({ key, operator: 'In', values: [value] })),
    ...terms
      .flatMap(({ item }) => items(item.matchExpressions))
      .map(({ item }): Demand => ({ key: text(item.key) ?? '', operator: text(item.operator) ?? '', values: texts(item.values) })),
  ];
  const sure = demands.every(({ key, operator }) => (key === POOL || key === RACK) && ['In', 'NotIn', 'Exists'].includes(operator));
  return sure ? demands : undefined;
}

/** Whether a node whose label is `value` has what is asked of that label. */
function meets(demands: readonly Demand[], label: string, value: string): boolean {
  return demands.every(
    ({ key, operator, values }) => key !== label || operator === 'Exists' || values.includes(value) === (operator === 'In'),
  );
}

function isCountable(pool: KubeObject): boolean {
  return Array.isArray(within(pool, 'spec', 'intranet').racks);
}
