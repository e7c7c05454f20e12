/**
 * NodeLocal DNSCache on the nodes whose pods Gala wires: upstream's program, told to leave links and iptables alone. The agent has put
 * its address on the node (lib/network/node-local), pods reach it through their veth, and what it does not know it asks cluster DNS
 * for, at the addresses that the definition names: no Service is in the way.
 */
import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { NODE_LOCAL_DNS } from '../../lib/api/node-local.ts';
import { imageOf, NODE_CACHE } from '../image.ts';
import { type LabelDemand, NodeAgent } from '../node-agent.ts';
import { Platform } from '../platform.ts';

/** Plain HTTP on loopback: its plugin `health`. */
const HEALTH_PORT = 10_276;
/** Plain HTTP on loopback: metrics of CoreDNS, and of the program around it. */
const METRICS_PORT = 10_277;
const SETUP_METRICS_PORT = 10_278;
/** It makes its configuration of the file that is mounted, and writes it there. */
const WRITTEN = '/run/node-cache';

/** Zones that cluster DNS alone knows: names, and those of pods' addresses. */
const CLUSTER_ZONES = ['cluster.local', 'in-addr.arpa', 'ip6.arpa'];

/** @param nodes those of the agent */
export function addNodeLocalDns(scope: Construct, nodes: readonly LabelDemand[]): ApiObject {
  const { cluster } = Platform.of(scope);
  return new NodeAgent(scope, 'dns', {
    name: 'gala-node-dns',
    image: imageOf(cluster, NODE_CACHE),
    args: [
      `-localip=${NODE_LOCAL_DNS}`,
      `-conf=${WRITTEN}/Corefile`,
      '-setupinterface=false',
      '-setupiptables=false',
      `-health-port=${HEALTH_PORT}`,
      `-metrics-listen-address=127.0.0.1:${SETUP_METRICS_PORT}`,
    ],
    config: { 'Corefile.base': corefile(cluster.dns?.upstream ?? []) },
    configPath: '/etc/coredns',
    emptyDirs: { [WRITTEN]: '1Mi' },
    // Upstream's manifest asks for 5Mi and sets no limit; a cache of 10,000 answers is about 30 MB (its documentation).
    memory: '128Mi',
    cpu: '25m',
    needs: [
      { hostNetwork: true, because: `it answers on ${NODE_LOCAL_DNS}, an address of the node` },
      { capability: 'NET_BIND_SERVICE', because: 'DNS is port 53' },
      { hostPort: HEALTH_PORT, hostIP: '127.0.0.1', because: 'the kubelet probes it' },
      { hostPort: METRICS_PORT, hostIP: '127.0.0.1', because: 'a collector on the same host reads its metrics' },
      {
        hostPort: SETUP_METRICS_PORT,
        hostIP: '127.0.0.1',
        because: 'as before; without a port of loopback it would take one of all addresses',
      },
    ],
    matchExpressions: nodes,
    // Not on nodes that are not ready: there the agent may not have put the address on the node yet, without which this ends at once.
    tolerations: [{ key: 'gala.internal/pool', operator: 'Exists' }],
    livenessProbe: { httpGet: '/health', port: HEALTH_PORT, timeoutSeconds: 5, failureThreshold: 5 },
    readinessProbe: { httpGet: '/health', port: HEALTH_PORT, timeoutSeconds: 5 },
  }).daemonSet;
}

/** Upstream's own, with the addresses of the definition where it has a Service. */
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
