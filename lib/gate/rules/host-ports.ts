/** Ports of hosts: two workloads that can't both have one, and those that the node's own programs listen on. */
import type { ClusterView } from '../cluster-view.ts';
import { ANY, clashes, type HostPort, hostPorts } from '../host-port.ts';
import { mayMeet, onControlPlane } from '../placement.ts';
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { text, within } from '../shape.ts';

export const hostPortRules = family({
  name: 'host ports',
  rules: {
    'host-port-collision': {
      severity: 'error',
      server: 'accepts',
      reason:
        'Two workloads that want the same port of the same host: the scheduler starts only one of them there. A warning where neither is a DaemonSet: they may find hosts of their own.',
      remedy: 'Give one another port, or keep them on different hosts by nodeSelector.',
    },
    'host-port-taken': {
      severity: 'error',
      server: 'accepts',
      reason:
        "The kubelet, kube-proxy and the control plane listen on ports of their own, which the scheduler knows nothing of: the pod starts and can't listen. A warning where it is not sure that the cluster has such nodes.",
      remedy: "Use another port: the node's own are 10248 to 10250, 10256, 10257, 10259, 6443, 2379 and 2380.",
    },
  },
  pod(pod, cluster, found) {
    if (!KINDS.has(pod.owner.kind) || within(pod.owner, 'spec').replicas === 0) return;
    const mine = hostPorts(pod);
    if (mine.length === 0) return;
    collisions(pod, mine, cluster, found);
    for (const port of mine) taken(pod, port, cluster, found);
  },
});

type HostPortRule = 'host-port-collision' | 'host-port-taken';

/** Workloads that keep pods running. */
const KINDS: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet', 'ReplicaSet']);

interface Holder {
  readonly pod: Pod;
  readonly ports: readonly HostPort[];
}
const HOLDERS = new WeakMap<ClusterView, readonly Holder[]>();

/** Who holds ports of hosts, in the order of the inputs; made once a cluster, since most pods hold none. */
function holdersIn(cluster: ClusterView): readonly Holder[] {
  const known = HOLDERS.get(cluster);
  if (known !== undefined) return known;
  const made = cluster.pods
    .filter(({ owner }) => KINDS.has(owner.kind) && within(owner, 'spec').replicas !== 0)
    .map((pod) => ({ pod, ports: hostPorts(pod) }))
    .filter(({ ports }) => ports.length > 0);
  HOLDERS.set(cluster, made);
  return made;
}

/** Each pair is reported once, at the later one. */
function collisions(pod: Pod, mine: readonly HostPort[], cluster: ClusterView, found: Found<HostPortRule>): void {
  for (const other of holdersIn(cluster)) {
    if (other.pod === pod) return;
    for (const theirs of other.ports) {
      const clash = mine.find((port) => clashes(port, theirs));
      if (clash === undefined || !mayMeet(pod, other.pod)) continue;
      const { kind, metadata } = other.pod.owner;
      const onEveryHost = kind === 'DaemonSet' || pod.owner.kind === 'DaemonSet';
      found(
        'host-port-collision',
        clash.path,
        `host port ${clash.port}/${clash.protocol} is also wanted by ${kind} ${other.pod.namespace}/${metadata.name}`,
        onEveryHost ? {} : { severity: 'warning' },
      );
    }
  }
}

interface Taken {
  readonly port: number;
  readonly ip: string;
  readonly by: string;
  readonly on: 'nodes' | 'nodes with kube-proxy' | 'control plane';
}
const LOOPBACK = '127.0.0.1';
/**
 * Defaults of Kubernetes 1.37 (pkg/cluster/ports, cmd/kubeadm/app/constants) with kubeadm's addresses: schedulers and
 * controller managers, probes of the kubelet and metrics of kube-proxy are on loopback.
 */
const TAKEN: readonly Taken[] = [
  { port: 10250, ip: ANY, by: 'kubelet', on: 'nodes' },
  { port: 10248, ip: LOOPBACK, by: 'kubelet', on: 'nodes' },
  { port: 10249, ip: LOOPBACK, by: 'kube-proxy', on: 'nodes with kube-proxy' },
  { port: 10256, ip: ANY, by: 'kube-proxy', on: 'nodes with kube-proxy' },
  { port: 10257, ip: LOOPBACK, by: 'kube-controller-manager', on: 'control plane' },
  { port: 10259, ip: LOOPBACK, by: 'kube-scheduler', on: 'control plane' },
  { port: 6443, ip: ANY, by: 'kube-apiserver', on: 'control plane' },
  { port: 2379, ip: ANY, by: 'etcd', on: 'control plane' },
  { port: 2380, ip: ANY, by: 'etcd', on: 'control plane' },
];

function taken(pod: Pod, mine: HostPort, cluster: ClusterView, found: Found<HostPortRule>): void {
  for (const theirs of TAKEN) {
    if (!clashes(mine, { ...theirs, protocol: 'TCP' }) || isProgram(pod, theirs.by)) continue;
    if (theirs.on === 'nodes with kube-proxy' && cluster.context.services !== 'kube-proxy') continue;
    const there = theirs.on === 'control plane' ? onControlPlane(pod) : 'named';
    if (there === 'no') continue;
    found(
      'host-port-taken',
      mine.path,
      `host port ${mine.port}/${mine.protocol} is ${theirs.by}'s own${theirs.on === 'control plane' ? ' on nodes of the control plane' : ''}`,
      there === 'named' ? {} : { severity: 'warning' },
    );
  }
}

/** Whether the pod is that program itself: kube-proxy is often a DaemonSet. */
function isProgram(pod: Pod, program: string): boolean {
  return pod.containers.some(
    ({ name, spec }) => name === program || text(spec.image)?.split('@')[0]?.split('/').at(-1)?.split(':')[0] === program,
  );
}
