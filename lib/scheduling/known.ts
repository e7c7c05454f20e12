/** What verifying a pod has to know, from the caches at once, or from the API server itself before a pod is refused. */
import { HostPool, IPLock, Lock } from '../api/kinds.ts';
import { POOL_LABEL } from '../api/model.ts';
import type { Api, CallOptions } from '../kube/client.ts';
import { isNotFound } from '../kube/error.ts';
import { kindOf, NODES, PODS } from '../kube/kinds.ts';
import type { Holdings } from './holdings.ts';
import type { AddressLock, Known, ScheduledPod } from './verify.ts';
import { slotOf } from './verify.ts';
import type { World } from './world.ts';

const LOCKS = kindOf(Lock);
const IPLOCKS = kindOf(IPLock);
const HOSTPOOLS = kindOf(HostPool);

type Caches = Pick<World, 'pods' | 'nodes' | 'hostPools' | 'locks' | 'ipLocks'>;

export function fromCaches(pod: ScheduledPod, world: Caches, held: Holdings): Known {
  const lock = pod.lock === undefined ? undefined : world.locks.get(`${pod.namespace}/${pod.lock}`);
  const planned = slotOf(lock, pod.slot)?.address;
  const names = new Set([...held.addressesOf(pod.uid), ...(planned === undefined ? [] : [planned])]);
  return {
    uid: world.pods.get(`${pod.namespace}/${pod.name}`)?.uid,
    lock,
    rivals: rivals(pod, held),
    addressFromGala: (node) => {
      const found = world.nodes.get(node);
      if (found === undefined) return undefined;
      const pool = found.labels[POOL_LABEL];
      return pool === undefined ? false : wiredByGala(world.hostPools.get(pool));
    },
    addresses: [...names].flatMap((name) => world.ipLocks.get(name) ?? []),
  };
}

/**
 * The same, read anew for the nodes in question. Only rivals stay those of the cache: a rival is another pod's refusal too.
 * @throws what a call throws: then nothing is known, and the pod is neither let through nor refused
 */
export async function fromServer(
  pod: ScheduledPod,
  nodes: readonly string[],
  api: Api,
  held: Holdings,
  options: CallOptions,
): Promise<Known> {
  const found = <T>(call: Promise<T>) => call.catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
  const [now, lock, mine, wired] = await Promise.all([
    found(api.get(PODS, pod, options)),
    pod.lock === undefined ? undefined : found(api.get(LOCKS, { namespace: pod.namespace, name: pod.lock }, options)),
    Promise.all(nodes.map((node) => api.list(IPLOCKS, { fieldSelector: `spec.node=${node}`, ...options }))),
    Promise.all(nodes.map(async (node) => [node, await wiring(node, api, options)] as const)),
  ]);
  const planned = slotOf(lock, pod.slot)?.address;
  const addresses: AddressLock[] = mine.flatMap(({ items }) => items.filter(({ spec }) => spec.podUID === pod.uid));
  if (planned !== undefined && !addresses.some(({ metadata }) => metadata.name === planned)) {
    const ipLock = await found(api.get(IPLOCKS, { name: planned }, options));
    if (ipLock !== undefined) addresses.push(ipLock);
  }
  const byNode = new Map(wired);
  return { uid: now?.metadata.uid, lock, rivals: rivals(pod, held), addressFromGala: (node) => byNode.get(node), addresses };

  async function wiring(name: string, api: Api, options: CallOptions): Promise<boolean | undefined> {
    const node = await found(api.get(NODES, { name }, options));
    if (node === undefined) return undefined;
    const pool = node.metadata.labels?.[POOL_LABEL];
    return pool === undefined ? false : wiredByGala(await found(api.get(HOSTPOOLS, { name: pool }, options)));
  }
}

/** A pool that says who else wires its pods needs no addresses of Gala's; a label that names no pool is somebody else's. */
const wiredByGala = (pool: { readonly spec: { readonly cni?: string } } | undefined) => pool !== undefined && pool.spec.cni === undefined;

/** A name is one pod's at a time: what the cache still has under this one is its predecessor. */
function rivals({ namespace, lock, slot, name }: ScheduledPod, held: Holdings) {
  return lock === undefined || slot === undefined ? [] : held.podsOf(`${namespace}/${lock}`, slot).filter((other) => other.name !== name);
}
