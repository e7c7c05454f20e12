/**
 * A cluster as constructs and programs see it: a definition that has been checked, with its nodesets written out, its
 * ranges as numbers, its defaults filled in and its lists in a fixed order, so that the order a person typed things in
 * never reaches a manifest. Made by `parseCluster`; plain data, no cdk8s.
 */
import type { CheckedPool } from './definition.ts';
import type { Minor } from './pool.ts';
import type { Range } from './range.ts';

export type Services = 'none' | 'kube-proxy';

/** What is there already and stays its owner's. */
export interface Existing {
  /** Another CNI, `calico`, of all pools that do not say otherwise. */
  readonly cni?: string;
  readonly monitoring?: string;
  readonly nodes?: string;
  readonly gitops?: string;
}

export interface Machine {
  /** Logical CPUs. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Bits a second, each direction. */
  readonly bandwidth?: number;
  readonly swapBytes?: number;
  readonly reserved?: { readonly cpu: number; readonly memoryBytes: number };
}

export interface Volume {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly overcommit: number;
  readonly maxQuotaBytes?: number;
}

export interface Vlan {
  readonly id: number;
  readonly subnet: string;
  readonly gateway: string;
  readonly addresses: string;
  /** `addresses` as numbers. */
  readonly range: Range;
  /** The racks it is trunked to; all of the pool's where the definition names none. */
  readonly racks: readonly string[];
  /** The namespaces that may use it; empty: all. */
  readonly namespaces: readonly string[];
  /** Of the pods' links. @default the trunk's */
  readonly mtu?: number;
  /** By the networks they lead to. */
  readonly routes: readonly Route[];
  /** A /96 that the pods' IPv4 addresses are put into. @default IPv4 only */
  readonly ipv6Prefix?: string;
}

export interface Route {
  readonly to: string;
  /** @default the gateway */
  readonly via?: string;
}

interface PoolBase {
  readonly name: string;
  /** As it was typed, with defaults: quantities are still text. */
  readonly checked: CheckedPool;
  readonly machine?: Machine;
  readonly volumes: readonly Volume[];
  readonly locks: 'hard' | 'advisory';
  /** Another CNI that wires its pods, and owns their addresses. @default Gala does */
  readonly cni?: string;
  readonly lends?: { readonly upTo: string; readonly reclaimMinutes: number; readonly windows?: readonly string[] };
  /** Selects the pool's nodes: `{ 'gala.internal/pool': 'web' }`. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** What its nodes can wire, before host-network pods and headroom are added. */
  readonly wirablePods: number;
}

export interface IntranetPool extends PoolBase {
  readonly shape: 'intranet';
  readonly datacenter?: string;
  readonly racks: readonly { readonly name: string; readonly nodeset: string; readonly hosts: readonly string[] }[];
  readonly trunk: string;
  readonly vlans: readonly Vlan[];
  readonly macsPerPort: number;
}

export interface Zone {
  readonly name: string;
  readonly nodeSubnetId: string;
  readonly podSubnetId: string;
  /** @default asked of the instance metadata service, on the node */
  readonly podSubnetCidr?: string;
  /** By the networks they lead to. */
  readonly routes: readonly Route[];
}

export interface Ec2Pool extends PoolBase {
  readonly shape: 'ec2';
  readonly region: string;
  readonly instanceTypes: readonly string[];
  readonly zones: readonly Zone[];
  readonly securityGroupIds: { readonly node: readonly string[]; readonly pod: readonly string[] };
  readonly imageId: string;
  readonly instanceProfile: string;
  readonly join: { readonly eks?: string; readonly bootstrap?: boolean };
  readonly size: { readonly min: number; readonly max: number };
  /** Of the pods' interfaces. @default as they come */
  readonly mtu?: number;
  readonly warmEnis: number;
  readonly capacityReservationIds: readonly string[];
}

export type Pool = IntranetPool | Ec2Pool;

export interface Cluster {
  readonly name: string;
  readonly kubernetes: Minor;
  /** As programs on the host network reach it: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly apiServer: { readonly url: string; readonly host: string; readonly port: number };
  readonly services: Services;
  /** The range of the ClusterIPs. @default not said */
  readonly serviceCidr?: string;
  /** Whom the DNS caches on the nodes ask for names of the cluster. @default nobody, and there are no caches */
  readonly dns?: { readonly upstream: readonly string[] };
  /** One mirror for all images, without a trailing slash. */
  readonly registry?: string;
  readonly metrics?: { readonly remoteWrite?: string };
  readonly existing: Existing;
  /** Names of the concerns to install, in the order they were declared to need each other. */
  readonly concerns: readonly string[];
  /** Options of concerns by name, as given; each concern parses its own. */
  readonly options: Readonly<Record<string, unknown>>;
  /** By name. */
  readonly pools: readonly Pool[];
  readonly intranetPools: readonly IntranetPool[];
  readonly ec2Pools: readonly Ec2Pool[];
  /** Which pool is asked for capacity first. */
  readonly capacityOrder: readonly string[];
}
