/**
 * ClusterNetwork: pods of Gala's pools on the physical network, each with the address that was locked for it. One DaemonSet on
 * the nodes of the pools whose pods Gala wires; everything else of it is on the hosts (docs/wiring.md) and in the IPLocks.
 */
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { Cluster } from '../../lib/api/cluster.ts';
import { POOL_LABEL } from '../../lib/api/model.ts';
import { CNI_NAME, CNI_PORT } from '../../lib/api/network.ts';
import { hasNodeLocalDns, kubernetesServiceIP } from '../../lib/api/node-local.ts';
import { type LabelDemand, NodeAgent } from '../node-agent.ts';
import { refuse } from '../nonsense.ts';
import { Platform } from '../platform.ts';
import { CNI_NEEDS, NODE_LOCAL_NEEDS, PROC_SYS } from './needs.ts';
import { addNodeLocalDns } from './node-local-dns.ts';
import { CNI_MAY } from './permissions.ts';

/** What a definition says under `network`: nothing so far. */
// biome-ignore lint/suspicious/noEmptyInterface: options come here
export interface NetworkOptions {}

export interface ClusterNetworkProps extends NetworkOptions {
  /** @default '160Mi' */
  readonly memory?: string;
  /** @default '50m' */
  readonly cpu?: string;
  /** How many nodes may be without it at a time while it is rolled. @default '10%' */
  readonly maxUnavailable?: number | string;
  /** How long a new one must be ready before the next node's turn. @default 5 */
  readonly minReadySeconds?: number;
}

// Typed here, in a file that the package's index reaches: who compiles against the published types has it.
declare module '../../lib/api/definition.ts' {
  interface ConcernOptions {
    readonly network?: NetworkOptions;
  }
}

/**
 * @example
 * new ClusterNetwork(scope, 'network'); // on the nodes of every pool that no other CNI wires
 */
export class ClusterNetwork extends Construct {
  readonly daemonSet: ApiObject;

  constructor(scope: Construct, id: string, props: ClusterNetworkProps = {}) {
    super(scope, id);
    const { cluster } = Platform.of(this);
    refuse(this, nonsense(cluster));
    const probe = { port: CNI_PORT, timeoutSeconds: 5 };
    const agent = new NodeAgent(this, 'agent', {
      program: 'cni',
      name: CNI_NAME,
      args: [`--proc-sys=${PROC_SYS}`, ...throughNode(cluster), ...forwards(cluster)],
      env: { NODE_NAME: { fieldPath: 'spec.nodeName' } },
      memory: props.memory ?? '160Mi',
      // Pods start in bursts, and each waits for it.
      cpu: props.cpu ?? '50m',
      needs: cluster.services === 'none' ? [...CNI_NEEDS, ...NODE_LOCAL_NEEDS] : CNI_NEEDS,
      may: CNI_MAY,
      matchExpressions: nodesOf(cluster),
      maxUnavailable: props.maxUnavailable,
      minReadySeconds: props.minReadySeconds ?? 5,
      livenessProbe: { httpGet: '/livez', ...probe },
      // Read from the API server, installed, nothing in its way: a rollout stops at the first node where that does not come.
      readinessProbe: { httpGet: '/readyz', ...probe },
      startupProbe: { httpGet: '/livez', ...probe, failureThreshold: 24 },
    });
    this.daemonSet = agent.daemonSet;
    if (hasNodeLocalDns(cluster)) addNodeLocalDns(this, nodesOf(cluster));
  }
}

/** Whether Gala wires the pods of any pool: without one there is nothing to render. */
export const hasNetwork = ({ pools }: Pick<Cluster, 'pools'>): boolean => pools.some(({ cni }) => cni === undefined);

/**
 * By the label alone: to put a host under Gala is to label it, and the way back is to take the label off. The pools that another
 * CNI wires are named, not those that Gala does, so that a new pool does not roll the agents of all others.
 */
function nodesOf({ pools }: Pick<Cluster, 'pools'>): readonly LabelDemand[] {
  const others = pools.flatMap(({ name, cni }) => (cni === undefined ? [] : [name]));
  return [
    { key: POOL_LABEL, operator: 'Exists' },
    ...(others.length === 0 ? [] : [{ key: POOL_LABEL, operator: 'NotIn', values: others } as const]),
  ];
}

/** Pods have their own way to the network, past the node: what kube-proxy on the node is to see must be sent there. */
function throughNode({ services, serviceCidr }: Pick<Cluster, 'services' | 'serviceCidr'>): readonly string[] {
  return services === 'kube-proxy' && serviceCidr !== undefined ? [`--through-node=${serviceCidr}`] : [];
}

/** Without kube-proxy it is the agent that makes the ClusterIP of `kubernetes` work, alone; which that is the kubelet tells it where the definition doesn't. */
function forwards(cluster: Pick<Cluster, 'services' | 'serviceCidr' | 'apiServer'>): readonly string[] {
  if (cluster.services !== 'none') return [];
  const ip = kubernetesServiceIP(cluster);
  return [
    `--api-server=${cluster.apiServer.host}:${cluster.apiServer.port}`,
    ...(ip === undefined ? [] : [`--kubernetes-service-ip=${ip}`]),
  ];
}

/** For those who use the construct without the concern, whose check says the same of the definition. */
function nonsense(cluster: Cluster) {
  return lacksServiceCidr(cluster) ? [{ path: 'serviceCidr', ...NO_SERVICE_CIDR }] : [];
}

export const lacksServiceCidr = (cluster: Pick<Cluster, 'pools' | 'services' | 'serviceCidr'>): boolean =>
  cluster.services === 'kube-proxy' && cluster.serviceCidr === undefined && hasNetwork(cluster);

/** Said of `serviceCidr`. There is no default: kubeadm's would hide a VLAN in 10.96 to 10.111, and be wrong on EKS. */
export const NO_SERVICE_CIDR = {
  what: 'is missing from the definition, and pods that Gala wires beside kube-proxy would reach no Service',
  allowed: "the API server's --service-cluster-ip-range",
  remedy:
    "Look it up (`kubectl get servicecidr`) and write it: serviceCidr: '10.96.0.0/12' is kubeadm's default, 10.100.0.0/16 or 172.20.0.0/16 EKS'.",
} as const;
