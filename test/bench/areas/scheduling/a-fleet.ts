/**
 * A fleet for the figures of scheduling: racked pools with VLANs of all kinds, EC2 with its ENIs, nodes of no pool; pods of some
 * hundred workloads, Locks that wait, live samples, local volumes. The same objects in each run.
 */
import { RACK_LABEL } from '../../../../lib/api/model.ts';
import { toAddress } from '../../../../lib/api/range.ts';
import { type Inventory, inventory } from '../../../../lib/scheduling/inventory.ts';
import type { Demand } from '../../../../lib/scheduling/types.ts';
import {
  aDemand,
  aLock,
  aNode,
  aNodeNetwork,
  anEc2Pool,
  anIPLock,
  aPod,
  aPool,
  aStorageCapacity,
  aTemplate,
  aVlan,
} from '../../../scheduling/builders.ts';
import { dice } from '../../../scheduling/dice.ts';

const HOSTS_PER_RACK = 20;
const ZONES = 4;
const NOW_MS = 1_800_000_000_000;
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';

export interface FleetSize {
  readonly nodes: number;
  readonly pods: number;
}

/** Seven of ten nodes are racked (pools web and ml), two are instances, one is of no pool. */
export function aFleet({ nodes, pods }: FleetSize): Inventory {
  const roll = dice(4);
  const fleet = inventory();
  const racks = Math.ceil(nodes / HOSTS_PER_RACK);
  for (const namespace of ['feed', 'ads']) fleet.set('Namespace', namespace, { 'kubernetes.io/metadata.name': namespace });
  const rackNames = Array.from({ length: racks }, (_, rack) => `r${rack}`);
  // Enough for a part of the hosts only: addresses are short in some racks, and not in others.
  const vlans = [
    aVlan(110, nodes),
    aVlan(120, nodes >> 3, { namespaces: ['feed'] }),
    aVlan(130, nodes >> 2, { racks: rackNames.filter((_, at) => at % 3 === 0) }),
    aVlan(140, nodes >> 2, { racks: rackNames.filter((_, at) => at % 5 < 2) }),
  ];
  fleet.set('HostPool', 'web', aPool('web', { datacenter: 'bj-a', vlans, bandwidth: '25G', locks: 'advisory' }));
  const more = [aVlan(150, nodes >> 1), aVlan(160, nodes >> 3, { racks: rackNames.filter((_, at) => at % 2 === 0) })];
  fleet.set('HostPool', 'ml', aPool('ml', { datacenter: 'bj-b', vlans: more, bandwidth: '25G', locks: 'advisory' }));
  fleet.set('HostPool', 'burst', anEc2Pool('burst', { bandwidth: '10G' }));
  fleet.set('CSIStorageCapacity', 'kube-system/log', aStorageCapacity('gala-log', '1Ti', { disk: 'ssd' }));
  const names = Array.from({ length: nodes }, (_, at) => addNode(fleet, at, racks));
  const workloads = Array.from({ length: 200 }, (_, at) => aWorkload(at));
  for (let at = 0; at < pods; at++) {
    const demand = workloads[at % workloads.length]!;
    const name = `pod-${at}`;
    fleet.set('Pod', `${demand.namespace}/${name}`, aPod({ namespace: demand.namespace, name, demand, node: names[roll.upTo(nodes)]! }));
  }
  // An address of VLAN 110 for one host in three.
  for (let at = 0; at < nodes / 3; at++) {
    const ip = toAddress(0x0a6e000a + at);
    fleet.set(
      'IPLock',
      ip,
      anIPLock(ip, { phase: roll.chance(0.1) ? 'Held' : 'Bound', node: names[roll.upTo(nodes)]!, owner: 'ads/ads-api' }),
    );
  }
  addLocks(fleet, names);
  for (const name of names) {
    const used = { egress: roll.upTo(12) * 1e9, ingress: roll.upTo(8) * 1e9, cpu: roll.upTo(40), memory: roll.upTo(100) * 2 ** 30 };
    if (roll.chance(0.95)) fleet.sample(name, { ...used, ephemeralStorage: roll.upTo(500) * 2 ** 30, atMs: NOW_MS });
  }
  fleet.tick(NOW_MS + 5000);
  return fleet;
}

function addNode(fleet: Inventory, at: number, racks: number): string {
  const rack = Math.floor(at / HOSTS_PER_RACK);
  const share = rack % 10;
  const pool = share < 5 ? 'web' : share < 7 ? 'ml' : share < 9 ? 'burst' : undefined;
  const name = `node-${String(at).padStart(5, '0')}`;
  const zone = `z${Math.floor((rack * ZONES) / racks)}`;
  fleet.set(
    'Node',
    name,
    aNode(name, {
      ...{ cpu: 64, memory: '256Gi', ephemeral: '2Ti', pool, zone },
      labels: { disk: at % 4 === 0 ? 'hdd' : 'ssd', 'power/feed': `f${at % 2}`, ...(pool === 'burst' ? {} : { [RACK_LABEL]: `r${rack}` }) },
      taints: at % 50 === 7 ? [{ key: 'dedicated', value: 'ml', effect: 'NoSchedule' }] : [],
      unschedulable: at % 100 === 13,
      ready: at % 100 !== 31,
    }),
  );
  if (pool === 'burst') {
    const addresses = Array.from({ length: 7 }, (_, eni) => toAddress(0x0ac80000 + at * 8 + eni));
    fleet.set('NodeNetwork', name, aNodeNetwork(name, addresses));
  }
  return name;
}

/** One in ten repels its own kind, so that such pods are everywhere. */
function aWorkload(at: number): Demand {
  const app = `app-${at}`;
  const term = { topologyKey: HOSTNAME, labelSelector: { matchLabels: { app } } };
  const repels = at % 10 === 0 ? { affinity: { podAntiAffinity: { [REQUIRED]: [term] } } } : {};
  return aDemand({
    namespace: at % 2 === 0 ? 'feed' : 'ads',
    cpu: `${250 * (1 + (at % 8))}m`,
    memory: `${1 + (at % 6)}Gi`,
    ephemeral: '4Gi',
    egress: `${50 * (1 + (at % 4))}M`,
    labels: { app },
    spec: { hostNetwork: true, ...repels },
  });
}

function addLocks(fleet: Inventory, names: readonly string[]): void {
  for (let lock = 0; lock < 20; lock++) {
    const slots = Array.from({ length: 50 }, (_, slot) => ({ slot, node: names[(lock * 131 + slot * 17) % names.length]! }));
    fleet.set(
      'Lock',
      `ads/lock-${lock}`,
      aLock(`lock-${lock}`, { namespace: 'ads', slots, template: aTemplate({ cpu: 2, labels: { app: 'app-1' } }) }),
    );
  }
}

const volume = { volumeClaimTemplate: { spec: { storageClassName: 'gala-log', resources: { requests: { storage: '20Gi' } } } } };

/** A pod that asks for all there is to ask: every supply, an address, a volume, nodes, tolerations, distance from its own kind. */
export function aDemandForAll(spread: readonly object[] = [], owner = 'feed/feed-api'): Demand {
  return aDemand({
    ...{ namespace: 'feed', owner, cpu: '2', memory: '4Gi', ephemeral: '10Gi', egress: '200M', labels: { app: 'feed-api' } },
    annotations: { 'kubernetes.io/ingress-bandwidth': '100M' },
    spec: {
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      affinity: {
        nodeAffinity: {
          [REQUIRED]: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'power/feed', operator: 'In', values: ['f0', 'f1'] }] }] },
        },
        podAntiAffinity: { [REQUIRED]: [{ topologyKey: HOSTNAME, labelSelector: { matchLabels: { app: 'app-20' } } }] },
      },
      topologySpreadConstraints: spread as never,
      volumes: [{ name: 'log', ephemeral: volume as never }],
    },
  });
}

/** At most so much more in one domain than in another. */
export const spreadBy = (topologyKey: string, maxSkew: number) => ({
  ...{ topologyKey, maxSkew, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'feed-api' } } },
});
export { HOSTNAME, ZONE };
