/**
 * Hosts: the files of each pool's machines, `dist/<cluster>/hosts/<pool>/…`, for configuration management, cloud-init or
 * EC2 user data. Never applied to the API.
 */
import type { V1DaemonSet } from '@kubernetes/client-node';
import type { Cluster, Pool } from '../lib/api/cluster.ts';
import type { KubeObject, Manifest } from '../lib/api/manifest.ts';
import { POOL_LABEL, RACK_LABEL } from '../lib/api/model.ts';
import type { Problem } from '../lib/api/problem.ts';
import type { HostFile } from './host-files/host-file.ts';
import { kubeletProfile } from './kubelet-profile.ts';

/** Pods on the host's network that other people bring (node-exporter, kube-proxy, a log collector), before anybody counts them. */
const HEADROOM = 5;

/** The host files of all pools; `objects`: what the cluster rendered, whose agents run on the hosts too. */
export function hostFiles(cluster: Cluster, objects: readonly KubeObject[]): HostFile[] {
  return cluster.pools.flatMap((pool) =>
    profileOf(cluster, pool, objects).files.map(({ path, text }) => ({ path: `hosts/${pool.name}/${path}`, text })),
  );
}

/** What is wrong with the profiles of a cluster's pools, before anything is rendered. */
export function profileProblems(cluster: Cluster): Problem[] {
  return cluster.pools.flatMap((pool) => profileOf(cluster, pool, []).problems);
}

/** The most pods a node of the pool runs: what it can wire, its pods on the host's network, and headroom. */
export function maxPods(pool: Pool, objects: readonly KubeObject[]): number {
  return pool.wirablePods + hostNetworkAgents(pool, objects) + HEADROOM;
}

function hostNetworkAgents(pool: Pool, objects: readonly KubeObject[]): number {
  return objects.filter(({ kind, spec }) => {
    if (kind !== 'DaemonSet') return false;
    const pod = (spec as Manifest<V1DaemonSet>['spec'])?.template.spec;
    return pod?.hostNetwork === true && Object.entries(pod.nodeSelector ?? {}).every(([key, value]) => mayHave(pool, key, value));
  }).length;
}

/** Whether some node of the pool may carry a label; what isn't ours to know counts as yes. */
function mayHave(pool: Pool, key: string, value: string): boolean {
  if (key === POOL_LABEL) return value === pool.name;
  if (key === RACK_LABEL) return pool.shape === 'intranet' && pool.racks.some(({ name }) => name === value);
  return true;
}

function profileOf(cluster: Cluster, pool: Pool, objects: readonly KubeObject[]) {
  const racked =
    pool.shape === 'intranet'
      ? { datacenter: pool.datacenter, racks: Object.fromEntries(pool.racks.map(({ name, hosts }) => [name, hosts])) }
      : {};
  const launched = pool.shape === 'ec2' ? { join: pool.join, instanceTypes: pool.instanceTypes } : {};
  return kubeletProfile({
    kubernetes: cluster.kubernetes,
    cluster: cluster.name,
    pool: pool.name,
    shape: pool.shape,
    services: cluster.services,
    apiServer: cluster.apiServer.url,
    maxPods: maxPods(pool, objects),
    machine: pool.machine,
    swap: pool.checked.swap,
    swapOn: pool.checked.swapOn,
    kubelet: pool.checked.kubelet,
    taints: pool.locks === 'hard' ? [{ key: POOL_LABEL, value: pool.name, effect: 'NoSchedule' }] : [],
    ...racked,
    ...launched,
  });
}
