/**
 * Hosts: the files of each pool's machines, `dist/<cluster>/hosts/<pool>/…`, for configuration management, cloud-init or
 * EC2 user data. Never applied to the API.
 */
import type { V1DaemonSet, V1PodSpec } from '@kubernetes/client-node';
import { OTHER_PODS, wirablePods } from '../lib/api/allocatable.ts';
import type { Cluster, IntranetPool, Pool } from '../lib/api/cluster.ts';
import type { KubeObject, Manifest } from '../lib/api/manifest.ts';
import { POOL_LABEL, RACK_LABEL } from '../lib/api/model.ts';
import { hasNodeLocalDns } from '../lib/api/node-local.ts';
import type { Problem } from '../lib/api/problem.ts';
import type { HostFile } from './host-files/host-file.ts';
import { kubeletProfile } from './kubelet-profile.ts';

/** The host files of all pools; `objects`: what the cluster rendered, whose agents run on the hosts too. */
export function hostFiles(cluster: Cluster, objects: readonly KubeObject[]): HostFile[] {
  return cluster.pools.flatMap((pool) =>
    profileOf(cluster, pool, objects).files.map(({ path, text }) => ({ path: `hosts/${pool.name}/${path}`, text })),
  );
}

/** The user data of each EC2 pool by its name, with its launch values open: what `gala cloud` launches with. */
export function userData(cluster: Cluster, objects: readonly KubeObject[]): Record<string, string> {
  const texts = cluster.ec2Pools.flatMap((pool) =>
    profileOf(cluster, pool, objects).files.flatMap(({ path, text }) =>
      path.startsWith('user-data/') ? [[pool.name, text] as const] : [],
    ),
  );
  return Object.fromEntries(texts);
}

/** What is wrong with the profiles of a cluster's pools, before anything is rendered. */
export function profileProblems(cluster: Cluster): Problem[] {
  return cluster.pools.flatMap((pool) => profileOf(cluster, pool, []).problems);
}

/**
 * The most pods a node runs: what it can wire, its pods on the host's network that are rendered here, and those that
 * other people bring (`kubelet.otherPods`). With `rack`, of the hosts of that rack: only the VLANs trunked to it count.
 */
export function maxPods(pool: Pool, objects: readonly KubeObject[], rack?: string): number {
  return wirablePods(pool, rack) + hostNetworkAgents(pool, objects, rack) + (pool.checked.kubelet?.otherPods ?? OTHER_PODS);
}

/** The racks whose hosts run another number of pods than the pool's. */
function maxPodsByRack(pool: IntranetPool, objects: readonly KubeObject[]): Record<string, number> {
  const all = pool.racks.map(({ name }) => [name, maxPods(pool, objects, name)] as const);
  return Object.fromEntries(all.filter(([, most]) => most !== maxPods(pool, objects)));
}

function hostNetworkAgents(pool: Pool, objects: readonly KubeObject[], rack?: string): number {
  return objects.filter(({ kind, spec }) => {
    if (kind !== 'DaemonSet') return false;
    const pod = (spec as Manifest<V1DaemonSet>['spec'])?.template.spec;
    return pod?.hostNetwork === true && selectors(pod).some((demands) => demands.every((demand) => mayMeet(pool, demand, rack)));
  }).length;
}

interface Demand {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** What a node's labels must be: the node selector, and one of the terms of node affinity. */
function selectors({ nodeSelector = {}, affinity }: Manifest<V1PodSpec>): readonly (readonly Demand[])[] {
  const own = Object.entries(nodeSelector).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  return terms.map(({ matchExpressions = [] }) => [...own, ...matchExpressions]);
}

function mayMeet(pool: Pool, { key, operator, values = [] }: Demand, rack?: string): boolean {
  if (operator === 'In') return values.some((value) => mayHave(pool, key, value, rack));
  // Of a pool's own label it is sure what a node has; of others nothing is.
  if (key === POOL_LABEL) return operator === 'Exists' || (operator === 'NotIn' && !values.includes(pool.name));
  return true;
}

/** Whether some node of the pool may carry a label; what isn't ours to know counts as yes. */
function mayHave(pool: Pool, key: string, value: string, rack?: string): boolean {
  if (key === POOL_LABEL) return value === pool.name;
  if (key === RACK_LABEL && rack !== undefined) return value === rack;
  if (key === RACK_LABEL) return pool.shape === 'intranet' && pool.racks.some(({ name }) => name === value);
  return true;
}

/** Whether the concern `network` is installed, and the pool's pods are its to wire. */
export const wiredByGala = ({ concerns }: Pick<Cluster, 'concerns'>, { cni }: Pick<Pool, 'cni'>): boolean =>
  concerns.includes('network') && cni === undefined;

function profileOf(cluster: Cluster, pool: Pool, objects: readonly KubeObject[]) {
  const racked =
    pool.shape === 'intranet'
      ? { datacenter: pool.datacenter, racks: Object.fromEntries(pool.racks.map(({ name, hosts }) => [name, hosts])) }
      : {};
  // Another CNI wires the pods, and knows how many.
  const counted =
    pool.cni !== undefined
      ? {}
      : {
          maxPods: maxPods(pool, objects),
          ...(pool.shape === 'intranet' ? { maxPodsByRack: maxPodsByRack(pool, objects) } : {}),
        };
  const launched = pool.shape === 'ec2' ? { join: pool.join, instanceTypes: pool.instanceTypes } : {};
  return kubeletProfile({
    kubernetes: cluster.kubernetes,
    cluster: cluster.name,
    pool: pool.name,
    shape: pool.shape,
    services: cluster.services,
    apiServer: cluster.apiServer.url,
    machine: pool.machine,
    swap: pool.checked.swap,
    swapOn: pool.checked.swapOn,
    kubelet: pool.checked.kubelet,
    // Told before the agent is there, a node would wire no pod, and have no iptables chains for whoever wires them now.
    wiredBy: wiredByGala(cluster, pool) ? 'gala' : 'others',
    nodeLocalDns: wiredByGala(cluster, pool) && hasNodeLocalDns(cluster),
    // Pods tolerate the taint of a pool with hard locks by the word of a policy, which comes with the lock writer.
    ...(pool.locks === 'hard' ? { locks: cluster.concerns.includes('scheduling') ? 'enforced' : 'unenforced' } : {}),
    ...counted,
    ...racked,
    ...launched,
  });
}
