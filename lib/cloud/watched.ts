/** What `gala cloud` looks at, reflected from the API server: Nodes, HostPools, NodeNetworks with their slots, and who has addresses. */

import { LEAVING_ANNOTATION } from '../api/cloud.ts';
import type { HostPool, NodeNetwork } from '../api/kinds.ts';
import { toAddress } from '../api/range.ts';
import type { Api } from '../kube/client.ts';
import type { Stored } from '../kube/kinds.ts';
import { type Kind, NODES } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import { type Reflector, reflect } from '../kube/reflector.ts';
import { type Address, addressOf, isOnNode } from '../network/address.ts';
import { type Host, hostOf } from '../network/host.ts';
import { HOST_POOLS, IP_LOCKS, NODE_NETWORKS } from '../network/watched.ts';
import type { InstanceNode } from './instance-plan.ts';
import type { FleetPool } from './instance-round.ts';
import { instanceIdOf } from './pod-instance.ts';
import type { Look, PodNode } from './region-plan.ts';
import type { EniSlot } from './slots.ts';

type StoredNode = typeof NODES extends Kind<infer T> ? T : never;

/** A NodeNetwork as far as its slots go. */
export interface SlotsOf {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly providerID: string | undefined;
  readonly slots: readonly EniSlot[];
}

/** A Node as an instance. */
export interface CloudHost extends Host {
  /** Wall clock, milliseconds. */
  readonly createdMs: number;
  readonly unschedulable: boolean;
  /** What it says of an instance that is to go. */
  readonly leaving?: string;
}

export interface CloudWatched {
  readonly hosts: Reflector<CloudHost>;
  readonly pools: Reflector<Stored<HostPool>>;
  readonly networks: Reflector<SlotsOf>;
  readonly addresses: Reflector<Address>;
  unread(): string[];
  readonly stopped: Promise<void>;
}

/** Begins at once; ends with `signal`. */
export function watchCloud(api: Api, { signal, log }: { readonly signal: AbortSignal; readonly log?: Log }): CloudWatched {
  const common = { signal, log };
  const hosts = reflect(api, NODES, { ...common, keep: cloudHostOf });
  const pools = reflect(api, HOST_POOLS, common);
  const networks = reflect(api, NODE_NETWORKS, { ...common, keep: slotsOf });
  const addresses = reflect(api, IP_LOCKS, { ...common, keep: addressOf });
  const all: readonly Reflector<unknown>[] = [hosts, pools, networks, addresses];
  return {
    ...{ hosts, pools, networks, addresses },
    unread: () => all.filter((one) => !one.hasSynced()).map(({ kind }) => kind.plural),
    stopped: Promise.all(all.map(({ stopped }) => stopped)).then(() => {}),
  };
}

function cloudHostOf(node: Parameters<typeof hostOf>[0] & StoredNode): CloudHost {
  const { creationTimestamp, annotations } = node.metadata;
  return {
    ...hostOf(node),
    createdMs: creationTimestamp === undefined ? 0 : Date.parse(String(creationTimestamp)),
    unschedulable: node.spec?.unschedulable ?? false,
    leaving: annotations?.[LEAVING_ANNOTATION],
  };
}

function slotsOf({ metadata, spec }: Stored<NodeNetwork>): SlotsOf {
  const { uid, resourceVersion } = metadata;
  return { uid, resourceVersion, providerID: spec.providerID, slots: spec.eniSlots ?? [] };
}

/** Regions of pools whose pods Gala wires. */
export const regionsOf = ({ pools }: CloudWatched): readonly string[] =>
  [...new Set(pools.list().flatMap(({ spec }) => (spec.cni === undefined && spec.ec2 ? [spec.ec2.region] : [])))].sort();

/** What the cluster says of a region now. */
export function clusterOf(
  { hosts, pools, networks, addresses }: CloudWatched,
  region: string,
): Omit<Look, 'tags' | 'instances' | 'types' | 'enis'> {
  const nodes = [...hosts.values()].flatMap((host): PodNode[] => {
    const spec = pools.get(host.pool ?? '')?.spec;
    const instanceId = instanceIdOf(host.providerID);
    if (spec?.ec2?.region !== region || spec.cni !== undefined || host.pool === undefined || instanceId === undefined) return [];
    return [{ name: host.name, pool: host.pool, spec, instanceId }];
  });
  const listed = new Map<string, readonly EniSlot[]>();
  for (const { providerID, slots } of networks.values()) {
    const id = instanceIdOf(providerID);
    if (id !== undefined) listed.set(id, slots);
  }
  return { nodes, listed, taken: new Set(addresses.list().map(({ number }) => toAddress(number))) };
}

/** Regions of all ec2 pools, whoever wires their pods. */
export const launchRegionsOf = ({ pools }: CloudWatched): readonly string[] =>
  [...new Set(pools.list().flatMap(({ spec }) => spec.ec2?.region ?? []))].sort();

/** The ec2 pools of a region, as instances. */
export function fleetOf({ hosts, pools, addresses }: CloudWatched, region: string): readonly FleetPool[] {
  const busy = new Map<string, number>();
  for (const address of addresses.values()) if (isOnNode(address)) busy.set(address.node, (busy.get(address.node) ?? 0) + 1);
  return pools.list().flatMap(({ metadata: { name: pool }, spec: { ec2, replicas } }): FleetPool[] => {
    if (ec2?.region !== region) return [];
    const { min, max } = ec2.size;
    const nodes = [...hosts.values()].flatMap((host): InstanceNode[] => {
      const instanceId = instanceIdOf(host.providerID);
      if (host.pool !== pool || instanceId === undefined) return [];
      const { name, uid, ready, createdMs } = host;
      return [{ name, uid, instanceId, ready, createdMs, leaving: leavesAs(host, instanceId), busy: busy.get(name) ?? 0 }];
    });
    const elsewhere = new Set([...hosts.values()].flatMap((host) => (host.pool === pool ? [] : (instanceIdOf(host.providerID) ?? []))));
    // Whoever scales may say what size does not allow any more, or nothing yet.
    return [{ pool, ec2, desired: Math.min(max, Math.max(min, replicas ?? min)), nodes, elsewhere, tokens: ec2.join.bootstrap === true }];
  });
}

/** A machine that came under an old name is not the one that was to go. */
const leavesAs = ({ leaving }: CloudHost, instanceId: string): boolean => leaving?.split(' ')[0] === instanceId;
