/**
 * `40-gala-network.conf`: how many pods, which DNS, no iptables where nobody needs them, and the taints a node registers with; where racks
 * differ in how many pods, the number stands in the racks' own `41-gala-rack.conf` instead.
 */
import { OTHER_PODS } from '../../lib/api/allocatable.ts';
import { POOL_LABEL } from '../../lib/api/model.ts';
import { CLUSTER_DOMAIN, NODE_LOCAL_DNS } from '../../lib/api/node-local.ts';
import type { Problem } from '../../lib/api/problem.ts';
import type { HostFile } from './host-file.ts';
import { type DropIn, dropInFile, type KubeletConfiguration, type Taint } from './kubelet-configuration.ts';
import { rackNames } from './kubelet-service.ts';
import { byKey } from './labels.ts';
import { type KubeletProfileProps, type Part, problemOf } from './profile.ts';

export function network(props: KubeletProfileProps): Part {
  const taints = taintsOf(props);
  const dns = isNodeLocal(props) ? [NODE_LOCAL_DNS] : props.kubelet?.clusterDNS;
  const perRack = differsByRack(props);
  const config: KubeletConfiguration = {
    ...(props.maxPods === undefined || perRack ? {} : { maxPods: props.maxPods }),
    ...(dns === undefined ? {} : { clusterDNS: dns }),
    ...(isNodeLocal(props) ? { clusterDomain: CLUSTER_DOMAIN } : {}),
    ...(needsNoChains(props) ? { makeIPTablesUtilChains: false } : {}),
    ...(taints.length === 0
      ? {}
      : { registerWithTaints: taints.map(({ key, value, effect }) => (value === undefined ? { key, effect } : { key, value, effect })) }),
  };
  const because = [
    props.maxPods === undefined
      ? 'maxPods is left to the base configuration: another CNI wires the pods.'
      : perRack
        ? 'maxPods differs by rack: 41-gala-rack.conf.'
        : counted(props),
  ];
  if (needsNoChains(props)) because.push('No kube-proxy, and pods are wired without iptables: nobody needs the chains of the kubelet.');
  if (isNodeLocal(props))
    because.push(
      'clusterDNS: the DNS cache on each node (gala-node-dns). Pods that run keep what they have; those that start ask it.',
      'clusterDomain: what the cache asks cluster DNS for; without it a pod finds no Service by its short name.',
    );
  if (taints.length > 0) because.push('Taints count when a node registers; on a node that is there already, use `kubectl taint`.');
  return { dropIn: { name: '40-gala-network.conf', because, config }, problems: check(props) };
}

const isNodeLocal = ({ nodeLocalDns, kubelet }: KubeletProfileProps): boolean => nodeLocalDns === true && kubelet?.clusterDNS === undefined;

/** kube-proxy and other CNIs may mark packets by them (KEP-3178); Gala's pods have no packet that goes by iptables. */
const needsNoChains = ({ services, wiredBy }: KubeletProfileProps): boolean => services === 'none' && wiredBy === 'gala';

/** Of every rack once one differs: so each host has the number once, and the same files whatever its rack. */
export function rackNetworkFiles(props: KubeletProfileProps): readonly HostFile[] {
  if (!differsByRack(props)) return [];
  return rackNames(props).map((rack) => {
    const { path, text } = dropInFile(props, rackDropIn(props, rack));
    return { path: `racks/${rack}/${path}`, text };
  });
}

function rackDropIn(props: KubeletProfileProps, rack: string): DropIn {
  const maxPods = props.maxPodsByRack?.[rack] ?? props.maxPods;
  return { name: '41-gala-rack.conf', because: [counted(props)], config: maxPods === undefined ? {} : { maxPods } };
}

function counted({ kubelet }: KubeletProfileProps): string {
  return `maxPods: the pods this node can wire, its host-network pods, and ${kubelet?.otherPods ?? OTHER_PODS} that others bring.`;
}

function differsByRack({ maxPods, maxPodsByRack }: KubeletProfileProps): boolean {
  return maxPods !== undefined && Object.keys(maxPodsByRack ?? {}).length > 0;
}

/** Nothing tolerates the pool's taint before locks are written: a node that registers with it would stay empty. */
function taintsOf({ pool, locks, taints = [] }: KubeletProfileProps): readonly Taint[] {
  const own: readonly Taint[] = locks === 'enforced' ? [{ key: POOL_LABEL, value: pool, effect: 'NoSchedule' }] : [];
  return [...own, ...taints].sort((a, b) => byKey(a.key, b.key) || byKey(a.effect, b.effect));
}

/** What the definition asks for and these files leave out until its programs are there; as lines of a page. */
export function leftOut(props: KubeletProfileProps): readonly string[] {
  const { services, wiredBy, kubelet, locks, pool, maxPods, nodeLocalDns } = props;
  return [
    ...(services === 'none' && wiredBy !== 'gala'
      ? ['Left out where Gala does not wire the pods: `makeIPTablesUtilChains: false`; whoever does may need the chains.']
      : []),
    ...(services === 'none' && nodeLocalDns !== true && kubelet?.clusterDNS === undefined
      ? [
          `Left out: \`clusterDNS: ${NODE_LOCAL_DNS}\`; nobody answers there. Where Gala wires the pods, \`dns.upstream\` of the definition brings NodeLocal DNSCache. Until then the base configuration says whom pods ask, or \`kubelet.clusterDNS\` of the pool: a resolver that is no Service.`,
        ]
      : []),
    ...(locks === 'unenforced'
      ? [
          `Left out until the concern \`scheduling\` is installed: the taint \`${POOL_LABEL}=${pool}:NoSchedule\`; no pod would tolerate it.`,
        ]
      : []),
    ...(maxPods === undefined ? ['Left out: `maxPods`; another CNI wires the pods, so the base configuration says how many.'] : []),
  ];
}

function check(props: KubeletProfileProps): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const numbers = props.maxPods === undefined ? [] : [props.maxPods, ...Object.values(props.maxPodsByRack ?? {})];
  const wrong = numbers.find((number) => !Number.isInteger(number) || number < 1 || number > INT32_MAX);
  if (wrong !== undefined)
    problems.push(
      problem(
        'maxPods',
        wrong,
        `maxPods comes out as ${wrong}`,
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
