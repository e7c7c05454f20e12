/**
 * Planned: the inventory of a cluster definition alone, before a host is racked or an instance is launched. Pure. Hosts are as their
 * rendered files make them: allocatable by machine and kubelet settings, labels, the taint of hard locks.
 *
 * EC2 pools have `size.max` instances; those beyond `size.min` are marked as not launched. Where a definition doesn't describe the
 * machine, CPU and memory are not limited; disk never is.
 */
import { allocatableOf, KUBELET_MAX_PODS, OTHER_PODS, wirablePods } from '../api/allocatable.ts';
import type { Cluster, Ec2Pool, IntranetPool, Pool } from '../api/cluster.ts';
import { hostPoolSpec } from '../api/host-pool-spec.ts';
import { didYouMean } from '../api/issue.ts';
import type { HostPool, NodeNetwork } from '../api/kinds.ts';
import { POOL_LABEL, RACK_LABEL } from '../api/model.ts';
import { toAddress } from '../api/range.ts';
import { GROUP, VERSION } from '../api/resource.ts';
import { POOL_TAINT, storageClassOf } from '../api/scheduling.ts';
import { type Inventory, inventory } from './inventory.ts';
import type { NodeFacts } from './node.ts';
import { canonical } from './requirement.ts';
import type { Terrain } from './types.ts';

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
const INSTANCE_TYPE = 'node.kubernetes.io/instance-type';

export interface PlannedOptions {
  /** The maxPods of a pool's kubelets, of the hosts of a rack. @default what can be wired, and `kubelet.otherPods` */
  readonly maxPods?: (pool: Pool, rack?: string) => number;
}

/** A Terrain, to be asked as any other. */
export interface Planned extends Terrain {
  readonly inventory: Inventory;
  /** Instances that are there only when the pool is scaled up, by node. */
  readonly notLaunched: ReadonlySet<string>;
  /** Pools whose machine nobody describes: their CPU and memory are not limited. */
  readonly undescribed: readonly string[];
  /** The same without the instances that are not launched. */
  launched(): Planned;
  /**
   * The same without some nodes: `rack=r14`, `pool=ml`, `zone=bj-a`, `datacenter=bj-a`, `node=r14-01`, or a label by its key.
   * @throws {RangeError} when there is no such node
   * @example planned(cluster).without('rack=r14')
   */
  without(...what: string[]): Planned;
}

export function planned(cluster: Cluster, options: PlannedOptions = {}): Planned {
  return plannedOf(
    cluster,
    cluster.pools.flatMap((pool) => hostsOf(pool, cluster, options)),
  );
}

interface Host {
  readonly node: NodeFacts;
  readonly launched: boolean;
  /** Of an instance: the addresses of its pod ENIs, which EC2 gives it when it is launched. */
  readonly enis?: readonly string[];
}

function plannedOf(cluster: Cluster, hosts: readonly Host[]): Planned {
  const all = inventory();
  for (const pool of cluster.pools) {
    all.set('HostPool', pool.name, hostPoolOf(pool));
    for (const { name, sizeBytes, overcommit } of pool.volumes) {
      const nodeTopology = canonical([{ key: POOL_LABEL, operator: 'In', values: [pool.name] }]);
      const capacity = Math.floor(sizeBytes * overcommit);
      all.set('CSIStorageCapacity', `${pool.name}/${name}`, { storageClassName: storageClassOf(name), nodeTopology, capacity });
    }
  }
  for (const { node, enis } of hosts) {
    all.set('Node', node.name, node);
    if (enis !== undefined) all.set('NodeNetwork', node.name, networkOf(node, enis));
  }
  const described = ({ name }: Pool) => hosts.every(({ node }) => node.labels[POOL_LABEL] !== name || node.allocatable.cpu !== undefined);
  const more = {
    inventory: all,
    notLaunched: new Set(hosts.filter(({ launched }) => !launched).map(({ node }) => node.name)),
    undescribed: cluster.pools.filter((pool) => !described(pool)).map(({ name }) => name),
    launched: () =>
      plannedOf(
        cluster,
        hosts.filter(({ launched }) => launched),
      ),
    without: (...what: string[]) =>
      plannedOf(
        cluster,
        what.reduce((left, one) => leftWithout(left, all, one), hosts),
      ),
  };
  return Object.create(all, Object.getOwnPropertyDescriptors(more)) as Planned;
}

function hostsOf(pool: Pool, cluster: Cluster, options: PlannedOptions): Host[] {
  return pool.shape === 'intranet' ? rackedHosts(pool, cluster, options) : instances(pool, cluster, options);
}

function rackedHosts(pool: IntranetPool, cluster: Cluster, options: PlannedOptions): Host[] {
  return pool.racks.flatMap(({ name: rack, hosts }) => {
    const labels = { [RACK_LABEL]: rack, ...(pool.datacenter === undefined ? {} : { [ZONE]: pool.datacenter }) };
    const allocatable = allocatableIn(pool, options, rack);
    return hosts.map((name) => ({ node: nodeOf(name, pool, cluster, labels, allocatable), launched: true }));
  });
}

/** Over the zones in turn, as EC2 Fleet and gala cloud spread them; of the type that is asked for first. */
function instances(pool: Ec2Pool, cluster: Cluster, options: PlannedOptions): Host[] {
  const allocatable = allocatableIn(pool, options);
  const width = String(pool.size.max).length;
  return Array.from({ length: pool.size.max }, (_, index) => {
    const name = `${pool.name}-${String(index + 1).padStart(width, '0')}`;
    const [type] = pool.instanceTypes;
    const labels = {
      [REGION]: pool.region,
      [ZONE]: pool.zones[index % pool.zones.length]!.name,
      ...(type === undefined ? {} : { [INSTANCE_TYPE]: type }),
    };
    const at = cluster.pools.indexOf(pool) * 2 ** 20 + index * 2 ** 7;
    const enis = Array.from({ length: pool.warmEnis }, (_, eni) => placeholder(at + eni));
    return { node: nodeOf(name, pool, cluster, labels, allocatable), launched: index < pool.size.min, enis };
  });
}

/** Addresses that no VPC has (240.0.0.0/4, RFC 1112, section 4): EC2 gives the true ones. At most 127 a node, 5,000 nodes a pool. */
const placeholder = (number: number): string => toAddress(240 * 2 ** 24 + number);

function nodeOf(
  name: string,
  pool: Pool,
  cluster: Cluster,
  labels: Record<string, string>,
  allocatable: NodeFacts['allocatable'],
): NodeFacts {
  // As the host files have it: nothing tolerates the taint where nobody writes locks.
  const isTainted = pool.locks === 'hard' && cluster.concerns.includes('scheduling');
  return {
    name,
    uid: '',
    labels: { 'kubernetes.io/hostname': name, ...pool.nodeSelector, ...labels },
    taints: isTainted ? [{ key: POOL_TAINT, value: pool.name, effect: 'NoSchedule' }] : [],
    unschedulable: false,
    ready: true,
    allocatable,
  };
}

/** Places for pods on the host's network are taken by those: what pods that are wired may have is what can be wired. */
function allocatableIn(pool: Pool, options: PlannedOptions, rack?: string): NodeFacts['allocatable'] {
  const wirable = wirablePods(pool, rack);
  const othersWire = pool.cni !== undefined;
  const counted = options.maxPods?.(pool, rack) ?? wirable + (pool.checked.kubelet?.otherPods ?? OTHER_PODS);
  return allocatableOf(
    pool,
    othersWire ? { maxPods: KUBELET_MAX_PODS, pods: KUBELET_MAX_PODS } : { maxPods: counted, pods: wirable },
  ) as NodeFacts['allocatable'];
}

function hostPoolOf(pool: Pool): HostPool {
  const spec = { ...hostPoolSpec(pool.checked), cni: pool.cni };
  return { apiVersion: `${GROUP}/${VERSION}`, kind: 'HostPool', metadata: { name: pool.name }, spec };
}

function networkOf({ name, labels }: NodeFacts, enis: readonly string[]): NodeNetwork {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: 'NodeNetwork',
    metadata: { name },
    spec: {
      pool: labels[POOL_LABEL]!,
      eniSlots: enis.map((ip, index) => ({
        ...{ networkCardIndex: 0, deviceIndex: index + 1, eniId: `eni-${index + 1}`, mac: '02:00:00:00:00:00', ip, subnetId: 'subnet-0' },
      })),
    },
  };
}

const LEVELS = ['node', 'rack', 'zone', 'datacenter'] as const;

function leftWithout(hosts: readonly Host[], all: Terrain, what: string): readonly Host[] {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(what) ?? [];
  if (key === undefined || value === undefined)
    throw new RangeError(`without '${what}': it is <level>=<name> or <label>=<value>. For example rack=r14.`);
  const placeOf = ({ node }: Host): string | undefined => {
    if (key === 'pool') return node.labels[POOL_LABEL];
    const level = LEVELS.find((it) => it === key);
    if (level === undefined) return node.labels[key];
    const { of, names } = all.level(level);
    return names[of[all.row(node.name)]!];
  };
  const left = hosts.filter((host) => placeOf(host) !== value);
  if (left.length < hosts.length) return left;
  const known = [...new Set(hosts.map(placeOf))].filter((it) => it !== undefined).sort();
  throw new RangeError(
    `without '${what}': no node is there. ${didYouMean(value, known, `There are ${known.slice(0, 8).join(', ') || 'none with such a name'}.`)}`,
  );
}
