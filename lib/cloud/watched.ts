/** What `gala cloud` looks at, reflected from the API server: Nodes, HostPools, NodeNetworks with their slots, and who has addresses. */
import type { HostPool, NodeNetwork } from '../api/kinds.ts';
import { toAddress } from '../api/range.ts';
import type { Api } from '../kube/client.ts';
import type { Stored } from '../kube/kinds.ts';
import { NODES } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import { type Reflector, reflect } from '../kube/reflector.ts';
import { type Address, addressOf } from '../network/address.ts';
import { type Host, hostOf } from '../network/host.ts';
import { HOST_POOLS, IP_LOCKS, NODE_NETWORKS } from '../network/watched.ts';
import { instanceIdOf } from './pod-instance.ts';
import type { Look, PodNode } from './region-plan.ts';
import type { EniSlot } from './slots.ts';

/** A NodeNetwork as far as its slots go. */
export interface SlotsOf {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly providerID: string | undefined;
  readonly slots: readonly EniSlot[];
}

export interface CloudWatched {
  readonly hosts: Reflector<Host>;
  readonly pools: Reflector<Stored<HostPool>>;
  readonly networks: Reflector<SlotsOf>;
  readonly addresses: Reflector<Address>;
  unread(): string[];
  readonly stopped: Promise<void>;
}

/** Begins at once; ends with `signal`. */
export function watchCloud(api: Api, { signal, log }: { readonly signal: AbortSignal; readonly log?: Log }): CloudWatched {
  const common = { signal, log };
  const hosts = reflect(api, NODES, { ...common, keep: hostOf });
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
