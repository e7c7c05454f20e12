/** What the network's controllers look at, reflected from the API server: as much of each object as they decide by. */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { kindOf, NODES, type Stored } from '../kube/kinds.ts';
import type { Log } from '../kube/log.ts';
import { type Reflector, reflect } from '../kube/reflector.ts';
import { type Address, addressOf, isOnNode } from './address.ts';
import { type Host, hostOf } from './host.ts';
import type { Network } from './node-network.ts';

export const HOST_POOLS = kindOf(HostPool);
export const NODE_NETWORKS = kindOf(NodeNetwork);
export const IP_LOCKS = kindOf(IPLock);

export interface Watched {
  readonly hosts: Reflector<Host>;
  readonly pools: Reflector<Stored<HostPool>>;
  readonly networks: Reflector<Network>;
  readonly addresses: Reflector<Address>;
  /** How many addresses are Locked or Bound on a node. */
  takenOn(node: string): number;
  /** What has not been read yet; empty when all has. */
  unread(): string[];
  readonly stopped: Promise<void>;
}

/** Begins at once; ends with `signal`. */
export function watchNetwork(api: Api, { signal, log }: { readonly signal: AbortSignal; readonly log?: Log }): Watched {
  const common = { signal, log };
  const hosts = reflect(api, NODES, { ...common, keep: hostOf });
  const pools = reflect(api, HOST_POOLS, common);
  const networks = reflect(api, NODE_NETWORKS, { ...common, keep: networkOf });
  const addresses = reflect(api, IP_LOCKS, { ...common, keep: addressOf });
  const all: readonly Reflector<unknown>[] = [hosts, pools, networks, addresses];
  return {
    ...{ hosts, pools, networks, addresses },
    takenOn: countedByNode(addresses),
    unread: () => all.filter((one) => !one.hasSynced()).map(({ kind }) => kind.plural),
    stopped: Promise.all(all.map(({ stopped }) => stopped)).then(() => {}),
  };
}

export function networkOf({ metadata, spec }: Stored<NodeNetwork>): Network {
  const { machineID, providerID, pool, trunk } = spec;
  return { uid: metadata.uid, resourceVersion: metadata.resourceVersion, machineID, providerID, pool, trunk };
}

function countedByNode(addresses: Reflector<Address>): (node: string) => number {
  const counts = new Map<string, number>();
  const add = (address: Address, by: 1 | -1) => {
    if (!isOnNode(address)) return;
    const count = (counts.get(address.node) ?? 0) + by;
    if (count === 0) counts.delete(address.node);
    else counts.set(address.node, count);
  };
  addresses.on({
    added: (address) => add(address, 1),
    updated: (old, address) => {
      add(old, -1);
      add(address, 1);
    },
    deleted: (address) => add(address, -1),
  });
  return (node) => counts.get(node) ?? 0;
}
