/**
 * NodeLocal DNSCache on the nodes whose pods Gala wires: CoreDNS, as upstream's program of that name is without its links and iptables.
 * The agent puts its address on the node (lib/network/node-local), pods reach it through their veth, and what it does not know it asks
 * cluster DNS for, at the addresses that the definition names: no Service is in the way.
 */
import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { CLUSTER_DOMAIN, NODE_LOCAL_DNS } from '../../lib/api/node-local.ts';
import { COREDNS, GALA, imageOf } from '../image.ts';
import { type LabelDemand, NodeAgent } from '../node-agent.ts';
import { Platform } from '../platform.ts';

/** Plain HTTP on loopback: its plugin `health`. */
const HEALTH_PORT = 10_276;
/** Plain HTTP on loopback: its plugin `prometheus`. */
const METRICS_PORT = 10_277;
const COREFILE = '/etc/coredns/Corefile';

/** Without its address CoreDNS ends at once, and the kubelet waits longer each time: after a boot it may be here before the agent is. */
const ADDRESS_IS_THERE = `trap exit TERM; until [ -n "$(ip -oneline address show to ${NODE_LOCAL_DNS})" ]; do sleep 1; done`;

/** Zones that cluster DNS alone knows: names, and those of pods' addresses. */
const CLUSTER_ZONES = [CLUSTER_DOMAIN, 'in-addr.arpa', 'ip6.arpa'];

/** @param nodes those of the agent */
export function addNodeLocalDns(scope: Construct, nodes: readonly LabelDemand[]): ApiObject {
  const { cluster } = Platform.of(scope);
  return new NodeAgent(scope, 'dns', {
    name: 'gala-node-dns',
    image: imageOf(cluster, COREDNS),
    args: ['-conf', COREFILE],
    config: { Corefile: corefile(cluster.dns?.upstream ?? []) },
    configPath: '/etc/coredns',
    before: { address: { image: imageOf(cluster, GALA), command: ['sh', '-c', ADDRESS_IS_THERE], memory: '16Mi' } },
    // Upstream's manifest asks for 5Mi and sets no limit; a cache of 10,000 answers is about 30 MB (its documentation).
    memory: '128Mi',
    cpu: '25m',
    needs: [
      { hostNetwork: true, because: `it answers on ${NODE_LOCAL_DNS}, an address of the node` },
      { capability: 'NET_BIND_SERVICE', because: 'DNS is port 53' },
      { hostPort: HEALTH_PORT, hostIP: '127.0.0.1', because: 'the kubelet probes it' },
      { hostPort: METRICS_PORT, hostIP: '127.0.0.1', because: 'a collector on the same host reads its metrics' },
    ],
    matchExpressions: nodes,
    livenessProbe: { httpGet: '/health', port: HEALTH_PORT, timeoutSeconds: 5, failureThreshold: 5 },
    readinessProbe: { httpGet: '/health', port: HEALTH_PORT, timeoutSeconds: 5 },
  }).daemonSet;
}

/** As NodeLocal DNSCache has it, with the addresses of the definition where it has a Service. */
export function corefile(upstream: readonly string[]): string {
  const zone = (name: string, lines: readonly string[]) => `${name}:53 {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`;
  const all = (cached: readonly string[], forward: readonly string[]) => [
    'errors',
    ...cached,
    'reload',
    'loop',
    `bind ${NODE_LOCAL_DNS}`,
    ...forward,
    `prometheus 127.0.0.1:${METRICS_PORT}`,
  ];
  // By TCP: a connection is kept, and an answer that is lost is asked for again by the kernel, in milliseconds.
  const ask = [`forward . ${upstream.join(' ')} {`, '    force_tcp', '}'];
  // Names of pods that start are asked for before they are there: what is not is asked for again soon.
  const cluster = ['cache {', '    success 9984 30', '    denial 9984 5', '}'];
  return [
    ...CLUSTER_ZONES.map((name) => {
      const isFirst = name === CLUSTER_ZONES[0];
      return zone(name, [...all(isFirst ? cluster : ['cache 30'], ask), ...(isFirst ? [`health 127.0.0.1:${HEALTH_PORT}`] : [])]);
    }),
    // What is not the cluster's is asked of whom the host asks.
    zone('.', all(['cache 30'], ['forward . /etc/resolv.conf'])),
  ].join('');
}
