/** `40-gala-network.conf`: how many pods, which DNS, whose iptables, and the taints a node registers with. */
import type { Problem } from '../../lib/api/problem.ts';
import type { KubeletConfiguration } from './kubelet-configuration.ts';
import { byKey } from './labels.ts';
import { type KubeletProfileProps, type Part, problemOf } from './profile.ts';

/** Where NodeLocal DNSCache answers on every node; its own default (169.254.0.0/16 is never routed). */
export const NODE_LOCAL_DNS = '169.254.20.10';

export function network(props: KubeletProfileProps): Part {
  const taints = [...(props.taints ?? [])].sort((a, b) => byKey(a.key, b.key) || byKey(a.effect, b.effect));
  const dns = props.kubelet?.clusterDNS ?? (props.services === 'none' ? [NODE_LOCAL_DNS] : undefined);
  const config: KubeletConfiguration = {
    maxPods: props.maxPods,
    ...(dns === undefined ? {} : { clusterDNS: dns }),
    ...(props.services === 'none' ? { makeIPTablesUtilChains: false } : {}),
    ...(taints.length === 0
      ? {}
      : { registerWithTaints: taints.map(({ key, value, effect }) => (value === undefined ? { key, effect } : { key, value, effect })) }),
  };
  const because = ['maxPods: the pods this node can wire, its host-network pods and 5 for those that are ending.'];
  if (props.services === 'none')
    because.push('No kube-proxy: DNS is the node-local cache, and nobody needs iptables chains of the kubelet.');
  if (taints.length > 0) because.push('Taints count when a node registers; on a node that is there already, use `kubectl taint`.');
  return { dropIn: { name: '40-gala-network.conf', because, config }, problems: check(props) };
}

function check(props: KubeletProfileProps): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  if (!Number.isInteger(props.maxPods) || props.maxPods < 1 || props.maxPods > INT32_MAX)
    problems.push(
      problem(
        'maxPods',
        props.maxPods,
        `maxPods comes out as ${props.maxPods}`,
        `a whole number of 1 to ${INT32_MAX}`,
        'Give the pool addresses or ENIs for at least one pod.',
      ),
    );
  if (props.join?.bootstrap === true && props.services === 'kube-proxy' && props.kubelet?.clusterDNS === undefined)
    problems.push(
      problem(
        'kubelet.clusterDNS',
        undefined,
        'pods of instances that join by a bootstrap token get no cluster DNS',
        'the ClusterIP of the DNS Service',
        "Name it: `clusterDNS: ['10.96.0.10']`.",
        'warning',
      ),
    );
  return problems;
}

/** maxPods is an int32 in KubeletConfiguration. */
const INT32_MAX = 2 ** 31 - 1;
