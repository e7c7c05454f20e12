/** `gala doctor`: what a cluster must bring for Gala's network, and whether it does, as far as the API tells. Pure. */
import { POOL_LABEL } from '../api/model.ts';
import { NODE_LOCAL_DNS } from '../api/node-local.ts';
import { MINORS } from '../api/pool.ts';

export interface NodeSeen {
  readonly name: string;
  /** The pool whose label it has. */
  readonly pool?: string;
  readonly podCIDR?: string;
  /** `v1.37.2` */
  readonly kubelet: string;
  /** `containerd://2.1.4` */
  readonly runtime: string;
  /** What its agent says of it. @default it said nothing yet */
  readonly wires?: { readonly status: string; readonly message?: string };
  /** What its kubelet says that it runs with. @default it was not asked, or did not answer */
  readonly kubeletConfig?: { readonly makeIPTablesUtilChains?: boolean; readonly clusterDNS?: readonly string[] };
}

export interface Seen {
  /** `v1.37.2` */
  readonly server: string;
  readonly kinds: readonly { readonly name: string; readonly there: boolean }[];
  readonly nodes: readonly NodeSeen[];
  /** Arguments of `gala-cni`. @default it is not there */
  readonly agent?: readonly string[];
  /** Whether `gala-node-dns` is there. */
  readonly hasNodeDns: boolean;
  /** Arguments of the API servers that run as pods, one list each; none: they can't be seen from here. */
  readonly apiServers: readonly (readonly string[])[];
}

export interface Finding {
  /** One word or two, the same in every version: `version-skew`. */
  readonly check: string;
  readonly verdict: 'ok' | 'wrong' | 'unknown';
  readonly what: string;
  /** Of what is wrong. */
  readonly remedy?: string;
  /** Those that it is about, where it is about nodes. */
  readonly nodes?: readonly string[];
}

/** A finding for each check; those that are about nothing here are left out. */
export function examine(seen: Seen): Finding[] {
  const ours = seen.nodes.filter(({ pool }) => pool !== undefined);
  return [kinds(seen), server(seen), skew(seen), ...(seen.agent === undefined ? [] : ofNetwork(seen, ours))];
}

function ofNetwork(seen: Seen, ours: readonly NodeSeen[]): Finding[] {
  const isWithoutProxy = (seen.agent ?? []).some((arg) => arg.startsWith('--api-server'));
  return [
    containerd(ours),
    ...wires(ours),
    ...(isWithoutProxy ? [nodeCidrs(seen, ours), ...chains(ours), clusterDns(seen, ours), aggregator(seen)] : []),
  ];
}

function kinds({ kinds }: Seen): Finding {
  const missing = kinds.filter(({ there }) => !there).map(({ name }) => name);
  if (missing.length === 0) return ok('kinds', 'all kinds of Gala are there');
  return wrong('kinds', `there is no ${missing.join(', ')}`, 'Apply 10-crds.yaml.');
}

function server({ server }: Seen): Finding {
  const minor = minorOf(server);
  const isKnown = MINORS.some((one) => minorOf(one) === minor);
  if (isKnown) return ok('kubernetes', `the API server is ${server}`);
  return wrong('kubernetes', `the API server is ${server}; Gala knows ${MINORS.join(', ')}`, 'Take a version of Gala that knows it.');
}

/** kubernetes.io/releases/version-skew-policy: a kubelet is never newer than the API server, and at most three minors older. */
function skew({ server, nodes }: Seen): Finding {
  const far = nodes.filter(({ kubelet }) => minorOf(kubelet) > minorOf(server) || minorOf(kubelet) < minorOf(server) - 3);
  if (far.length === 0) return ok('version-skew', `kubelets are not newer than ${server}, and at most three minors older`);
  return wrong(
    'version-skew',
    `the API server is ${server}, kubelets are ${[...new Set(far.map(({ kubelet }) => kubelet))].join(', ')}`,
    'Upgrade the older of the two.',
    far,
  );
}

function containerd(nodes: readonly NodeSeen[]): Finding {
  const bad = nodes.filter(({ runtime }) => {
    const [, major = 0, minor = 0] = /^containerd:\/\/v?(\d+)\.(\d+)/.exec(runtime) ?? [];
    return Number(major) < 2 || (Number(major) === 2 && Number(minor) < 1);
  });
  if (bad.length === 0) return ok('containerd', 'containerd is 2.1 or newer on all nodes of pools');
  const found = [...new Set(bad.map(({ runtime }) => runtime))].join(', ');
  return wrong('containerd', `the runtime is ${found}; containerd 2.1 or newer wires pods with Gala`, 'Upgrade containerd.', bad);
}

/** A foreign conflist, a pool that is not there: in the agent's own words, which end in what to do. */
function wires(nodes: readonly NodeSeen[]): Finding[] {
  const silent = nodes.filter(({ wires }) => wires === undefined);
  const bad = Map.groupBy(
    nodes.filter(({ wires }) => wires !== undefined && wires.status !== 'True'),
    ({ wires }) => wires?.message ?? 'the agent says no more',
  );
  const found = [...bad].map(([message, some]) => wrong('wires', message, 'See its NodeNetwork, condition Wires.', some));
  if (silent.length > 0) found.push(unknown('wires', 'the agent has said nothing of its node yet', silent));
  return found.length > 0 ? found : [ok('wires', 'the agents can wire pods on all nodes of pools')];
}

function nodeCidrs({ nodes }: Seen, ours: readonly NodeSeen[]): Finding {
  const given = ours.filter(({ podCIDR }) => podCIDR !== undefined);
  if (given.length === 0) return ok('node-cidrs', 'no node of a pool has a podCIDR');
  // Another CNI of the same cluster may need them; they are the controller manager's for all nodes or for none.
  if (ours.length < nodes.length) return ok('node-cidrs', 'nodes have a podCIDR, and some are not of Gala: another CNI may need them');
  return wrong(
    'node-cidrs',
    'nodes have a podCIDR, and nobody uses it',
    'Run kube-controller-manager with --allocate-node-cidrs=false.',
    given,
  );
}

function chains(nodes: readonly NodeSeen[]): Finding[] {
  const silent = nodes.filter(({ kubeletConfig }) => kubeletConfig === undefined);
  // Its default is true.
  const bad = nodes.filter(({ kubeletConfig }) => kubeletConfig !== undefined && kubeletConfig.makeIPTablesUtilChains !== false);
  const found = [
    ...(bad.length === 0
      ? []
      : [
          wrong(
            'iptables-chains',
            'kubelets make iptables chains that nobody needs',
            'Bring the host files of the pool, and restart the kubelet.',
            bad,
          ),
        ]),
    ...(silent.length === 0 ? [] : [unknown('iptables-chains', 'the kubelet did not tell its configuration', silent)]),
  ];
  return found.length > 0 ? found : [ok('iptables-chains', 'kubelets make no iptables chains')];
}

function clusterDns({ hasNodeDns }: Seen, nodes: readonly NodeSeen[]): Finding {
  const bad = hasNodeDns ? [] : nodes.filter(({ kubeletConfig }) => kubeletConfig?.clusterDNS?.includes(NODE_LOCAL_DNS));
  if (bad.length === 0)
    return ok('cluster-dns', hasNodeDns ? 'a DNS cache runs on the nodes of pools' : 'no kubelet points pods at a DNS cache');
  return wrong(
    'cluster-dns',
    `kubelets point pods at ${NODE_LOCAL_DNS}, and gala-node-dns is not there`,
    'Name dns.upstream in the definition, and apply it.',
    bad,
  );
}

function aggregator({ apiServers }: Seen): Finding {
  const flag = '--enable-aggregator-routing';
  if (apiServers.length === 0)
    return unknown('aggregator-routing', `the API server is no pod of kube-system: whether it has ${flag} can't be seen`);
  if (apiServers.every((args) => args.some((arg) => arg === flag || arg === `${flag}=true`)))
    return ok('aggregator-routing', 'the API server asks endpoints of aggregated APIs');
  return wrong(
    'aggregator-routing',
    `an API server runs without ${flag}: aggregated APIs are asked by a ClusterIP`,
    `Add ${flag}=true to it.`,
  );
}

const ok = (check: string, what: string): Finding => ({ check, verdict: 'ok', what });
const namesOf = (nodes: readonly NodeSeen[]) => nodes.map(({ name }) => name).sort();
const unknown = (check: string, what: string, nodes: readonly NodeSeen[] = []): Finding => ({
  ...{ check, verdict: 'unknown' as const, what },
  ...(nodes.length === 0 ? {} : { nodes: namesOf(nodes) }),
});
const wrong = (check: string, what: string, remedy: string, nodes: readonly NodeSeen[] = []): Finding => ({
  ...{ check, verdict: 'wrong' as const, what, remedy },
  ...(nodes.length === 0 ? {} : { nodes: namesOf(nodes) }),
});

/** `v1.37.2`, `1.37`, `v1.36.6-eks-…` → 37 */
const minorOf = (version: string): number => Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);

/** A line a finding, those that need somebody first. */
export function doctorText(findings: readonly Finding[]): string {
  const order = ['wrong', 'unknown', 'ok'] as const;
  const sorted = findings.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return sorted
    .map(
      ({ check, verdict, what, remedy, nodes }) =>
        `${verdict.padEnd(7)}  ${check}: ${what.replace(/\.$/, '')}${some(nodes)}.${remedy === undefined ? '' : ` ${remedy}`}`,
    )
    .join('\n');
}

const MOST_NAMED = 3;
function some(nodes: readonly string[] = []): string {
  if (nodes.length === 0) return '';
  const more = nodes.length - MOST_NAMED;
  return ` (${nodes.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}

/** The pool of a Node, by its labels. */
export const poolOf = (labels: Readonly<Record<string, string>> = {}): string | undefined => labels[POOL_LABEL];
