/**
 * How many hosts a DaemonSet runs on, counted from the pools of the same synth. Only where that is sure: racked pools, chosen
 * by pool and rack alone. Instances come and go, and who has another label is known to the cluster only.
 */
import type { KubeObject } from '../../api/manifest.ts';
import { expand } from '../../api/nodeset.ts';
import { tolerates } from '../placement.ts';
import { podOf } from '../pod.ts';
import { entries, items, text, within } from '../shape.ts';

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
    if (pod === undefined || pools.length === 0 || within(pod.spec, 'affinity').nodeAffinity !== undefined) return undefined;
    const selector = new Map(entries(pod.spec.nodeSelector));
    if ([...selector.keys()].some((key) => key !== POOL && key !== RACK)) return undefined;
    const [ofPool, ofRack] = [selector.get(POOL), selector.get(RACK)];
    const chosen = pools.filter(({ metadata }) => ofPool === undefined || metadata.name === ofPool);
    if (!chosen.every((pool) => isCountable(pool) && (within(pool, 'spec').locks !== 'hard' || tolerates(pod, POOL)))) return undefined;
    return chosen
      .flatMap((pool) => items(within(pool, 'spec', 'intranet').racks))
      .filter(({ item }) => ofRack === undefined || item.name === ofRack)
      .reduce((sum, { item }) => sum + expand(text(item.hosts) ?? '').length, 0);
  };
}

function isCountable(pool: KubeObject): boolean {
  return Array.isArray(within(pool, 'spec', 'intranet').racks);
}
