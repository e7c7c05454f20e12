/**
 * Random clusters, from a seed: Nodes, bound Pods, and where Gala owns the network its pools and addresses, as the API server
 * would store them. Small and crowded, so that whatever can be short is short somewhere.
 */
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { HostPool, IPLock, NodeNetwork } from '../../lib/api/kinds.ts';
import type { Manifest } from '../../lib/api/manifest.ts';
import { aNodeManifest, aNodeNetwork, anEc2Pool, anIPLock, aPodManifest, aPool, aVlan } from './builders.ts';
import { type Dice, dice } from './dice.ts';

export interface ClusterObjects {
  readonly nodes: readonly Manifest<V1Node>[];
  readonly pods: readonly Manifest<V1Pod>[];
  /** Labels by name. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly hostPools: readonly HostPool[];
  readonly nodeNetworks: readonly NodeNetwork[];
  readonly ipLocks: readonly IPLock[];
}

export interface RandomOptions {
  /** Only what kube-scheduler itself looks at. @default false */
  readonly native?: boolean;
  /** @default 2 to 5 */
  readonly nodes?: readonly [least: number, most: number];
  /** CPUs of a node. @default 1.2 to 2.5 */
  readonly cpus?: readonly [least: number, most: number];
  /** Bound pods. @default up to one a node */
  readonly pods?: number;
  /** How many zones, and racks in each at most. @default 3, 2 */
  readonly zones?: number;
  readonly racks?: number;
}

export const ZONE = 'topology.kubernetes.io/zone';
export const HOSTNAME = 'kubernetes.io/hostname';
/** A label by which no other is nested: racks of all zones share feeds. */
export const FEED = 'power/feed';
export const NAMESPACES = { feed: { team: 'media' }, ads: { team: 'ads' } } as const;
export const APPS = ['web', 'cache'] as const;
export const PORT = 8080;

export function randomCluster(seed: number, options: RandomOptions = {}): ClusterObjects {
  const roll = dice(seed);
  const names = nodeNames(roll, options);
  const wired = options.native !== true && roll.chance(0.7);
  const ec2 = wired && roll.chance(0.3) ? new Set(names.filter(() => roll.chance(0.4))) : new Set<string>();
  const inPool = new Set(names.filter(() => wired && roll.chance(0.9)));
  const nodes = names.map((name) => aRandomNode(roll, name, options, inPool.has(name) ? (ec2.has(name) ? 'burst' : 'web') : undefined));
  const most = options.pods ?? names.length;
  const pods = Array.from({ length: roll.upTo(most + 1) }, (_, at) => aRandomPod(roll, `there-${at}`, roll.pick(names), options));
  const network = wired
    ? aRandomNetwork(
        roll,
        nodes,
        [...ec2].filter((name) => inPool.has(name)),
      )
    : NO_NETWORK;
  return { nodes, pods, namespaces: NAMESPACES, ...network };
}

const NO_NETWORK = { hostPools: [], nodeNetworks: [], ipLocks: [] };

function nodeNames(roll: Dice, { nodes: [least, most] = [2, 5] }: RandomOptions): string[] {
  return Array.from({ length: roll.between(least, most) }, (_, at) => `n-${String(at + 1).padStart(3, '0')}`);
}

function aRandomNode(roll: Dice, name: string, options: RandomOptions, pool: string | undefined): Manifest<V1Node> {
  const { native = false, cpus: [least, most] = [1.2, 2.5], zones = 3, racks = 2 } = options;
  const zone = roll.chance(0.9) ? `z${roll.upTo(zones)}` : undefined;
  const taints = [
    ...(roll.chance(0.1) ? [{ key: 'dedicated', value: 'ml', effect: 'NoSchedule' }] : []),
    ...(roll.chance(0.1) ? [{ key: 'soft', value: '', effect: 'PreferNoSchedule' }] : []),
  ];
  return aNodeManifest(name, {
    // Tenths, so that sums of fractions must come out even.
    cpu: Math.round(roll.between(Math.round(least * 10), Math.round(most * 10))) / 10,
    memory: `${roll.between(2, 8)}Gi`,
    pods: roll.chance(0.2) ? roll.between(1, 4) : 110,
    zone,
    // The same names in every zone: r1 of z0 is not r1 of z1.
    rack: roll.chance(0.85) ? `r${roll.upTo(racks)}` : undefined,
    pool,
    taints,
    unschedulable: roll.chance(0.07),
    ready: native || !roll.chance(0.05),
    labels: {
      ...(roll.chance(0.5) ? { disk: 'ssd' } : {}),
      ...(roll.chance(0.9) ? { [FEED]: `f${roll.upTo(2)}` } : {}),
    },
    allocatable: roll.chance(0.3) ? { 'acme.example/gpu': roll.between(1, 2) } : {},
  });
}

function aRandomPod(roll: Dice, name: string, node: string, { native = false }: RandomOptions): Manifest<V1Pod> {
  const namespace = roll.pick(Object.keys(NAMESPACES));
  const app = roll.pick(APPS);
  const port = roll.chance(0.15);
  const repels = roll.chance(0.15);
  const pod = aPodManifest({
    ...{ namespace, name, node },
    cpu: roll.pick(['100m', '0.3', '500m']),
    memory: '256Mi',
    labels: { app },
    spec: {
      ...(port
        ? { containers: [{ name: 'main', image: 'registry.example/app:1', ports: [{ containerPort: PORT, hostPort: PORT }] }] }
        : {}),
      ...(repels ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [aTerm(roll)] } } } : {}),
    },
  });
  const deleting = !native && roll.chance(0.1);
  return deleting ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-11-01T00:00:00Z' } } : pod;
}

/** A term of pod affinity or anti-affinity. */
export function aTerm(roll: Dice, apps: readonly string[] = APPS, keys: readonly string[] = [HOSTNAME, ZONE, ZONE, FEED]) {
  return {
    topologyKey: roll.pick(keys),
    labelSelector: { matchLabels: { app: roll.pick(apps) } },
    ...(roll.chance(0.2)
      ? { namespaces: ['ads', 'feed'] }
      : roll.chance(0.2)
        ? { namespaceSelector: { matchLabels: { team: 'media' } } }
        : {}),
  };
}

/** VLANs of a few addresses, trunked to some racks each; instances with a few ENIs; some addresses taken or Held. */
function aRandomNetwork(roll: Dice, nodes: readonly Manifest<V1Node>[], ec2: readonly string[]) {
  const racks = ['r0', 'r1'];
  const vlans = Array.from({ length: roll.between(1, 3) }, (_, at) =>
    aVlan(110 + 10 * at, roll.between(0, 5) + 1, {
      ...(roll.chance(0.6) ? { racks: [roll.pick(racks)] } : {}),
      ...(roll.chance(0.1) ? { namespaces: [roll.pick(Object.keys(NAMESPACES))] } : {}),
    }),
  );
  const web = aPool('web', {
    racks: { r0: 'web-r0-[1-2]', r1: 'web-r1-[1-2]' },
    vlans,
    macsPerPort: roll.chance(0.2) ? roll.between(1, 3) : 64,
    cni: roll.chance(0.05) ? 'calico' : undefined,
  });
  const nodeNetworks = ec2.map((name, at) =>
    aNodeNetwork(
      name,
      Array.from({ length: roll.upTo(4) }, (_, eni) => `10.200.${at}.${10 + eni}`),
    ),
  );
  const ipLocks = vlans
    .flatMap((_, at) => Array.from({ length: 2 }, (_, host) => `10.${110 + 10 * at}.0.${10 + host}`))
    .filter(() => roll.chance(0.25))
    .map((ip) =>
      anIPLock(ip, {
        phase: roll.pick(['Bound', 'Held', 'Held', 'Quarantined']),
        node: roll.pick(nodes).metadata!.name!,
        owner: roll.pick(['feed/feed-api', 'ads/other']),
      }),
    );
  return { hostPools: [web, anEc2Pool('burst')], nodeNetworks, ipLocks };
}
