/** The hosts of a definition's intranet pools as Nodes, labelled and tainted as their kubelets would register them. */
import { nodeLabels } from '../../constructs/host-files/labels.ts';
import type { Cluster, IntranetPool } from '../../lib/api/cluster.ts';
import { POOL_TAINT } from '../../lib/api/scheduling.ts';
import type { NodeMade } from '../bed/hosts.ts';

/** @param machineID by host; others get one of their own each */
export function rackedHosts(cluster: Cluster, machineID: (host: string) => string = idOf): NodeMade[] {
  return cluster.intranetPools.flatMap((pool) =>
    pool.racks.flatMap((rack) => rack.hosts.map((host) => aRackedHost(pool, rack.name, host, machineID(host)))),
  );
}

/** A machine id that tells hosts apart: the name in hexadecimal digits. */
const idOf = (host: string) => Buffer.from(host).toString('hex').slice(-32);

function aRackedHost(pool: IntranetPool, rack: string, name: string, machineID: string): NodeMade {
  const now = new Date().toISOString();
  const { cpu = 8, memoryBytes = 2 ** 35 } = pool.machine ?? {};
  const resources = { cpu: String(cpu), memory: String(memoryBytes), 'ephemeral-storage': '1Ti', pods: '110' };
  const labels = { 'kubernetes.io/hostname': name, ...nodeLabels({ pool: pool.name, datacenter: pool.datacenter } as never, rack) };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: { taints: pool.locks === 'hard' ? [{ key: POOL_TAINT, value: pool.name, effect: 'NoSchedule' }] : [] },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Simulated', lastHeartbeatTime: now, lastTransitionTime: now }],
      nodeInfo: { ...Object.fromEntries(INFO.map((key) => [key, 'simulated'])), machineID },
    },
  };
  return node;
}

const INFO = [
  ...['architecture', 'bootID', 'containerRuntimeVersion', 'kernelVersion', 'kubeProxyVersion'],
  ...['kubeletVersion', 'operatingSystem', 'osImage', 'systemUUID'],
];
