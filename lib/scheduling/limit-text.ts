/** Why nodes take no pod more, in sentences that name what is there and what is asked. Pure. */
import { POOL_TAINT } from '../api/scheduling.ts';
import { amountOf } from './amounts.ts';
import type { NodeFacts } from './node.ts';
import { untolerated } from './node.ts';
import type { Demand, Limit, Terrain } from './types.ts';
import { whyOf } from './why.ts';

export interface Around {
  readonly terrain: Terrain;
  readonly demand: Demand;
  readonly node: (name: string) => NodeFacts | undefined;
}

/**
 * What of these very nodes and this pod is behind a limit; where there is nothing more to name, the sentence of why.ts.
 * @param nodes the nodes that it holds for, by name
 * @example limitSentence('cpu', ['r12-01', 'r12-02'], around) // 'asks 2; the most free on one of these is 1.5 of 62'
 */
export function limitSentence(limit: Limit, nodes: readonly string[], around: Around): string {
  const { demand } = around;
  switch (limit) {
    case 'addresses':
      return addressSentence(nodes, around);
    case 'notReady':
      return `not Ready: ${some(nodes)}`;
    case 'cordoned':
      return `cordoned: ${some(nodes)}`;
    case 'taint':
      return taintSentence(nodes, around);
    case 'nodeSelector':
      return `not labelled ${Object.entries(demand.nodeSelector)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}`;
    case 'spread':
      return `one more would be over the maxSkew of ${[...new Set(demand.spread.map(({ topologyKey }) => topologyKey))].join(', ')}`;
    case 'hostPorts':
      return `ports of the host are taken: ${demand.hostPorts.join(', ')}`;
    default:
      return demand.requests.has(limit) ? supplySentence(limit, nodes, around) : whyOf(limit).sentence;
  }
}

function addressSentence(nodes: readonly string[], { terrain, demand }: Around): string {
  const { group, sources, names } = terrain.addresses(demand);
  const from = new Set(nodes.flatMap((node) => [...(sources[group[terrain.row(node)] ?? -1] ?? [])]));
  const said = [...from].map((source) => names[source] ?? '');
  if (said.length === 0) return `no VLAN is trunked to these for namespace ${demand.namespace}`;
  const vlans = said.flatMap((name) => (name.startsWith('vlan ') ? name.slice(5) : []));
  if (vlans.length === 0) return 'every ENI slot of these is taken';
  return `VLAN${vlans.length === 1 ? '' : 's'} ${vlans.join(', ')}: none free on these`;
}

function taintSentence(nodes: readonly string[], { node, demand }: Around): string {
  const taints = nodes.flatMap((name) => {
    const found = node(name);
    const taint = found === undefined ? undefined : untolerated(found.taints, demand.tolerations);
    return taint === undefined ? [] : [`${taint.key}${taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`];
  });
  const distinct = [...new Set(taints)];
  const ours = distinct.some((taint) => taint.startsWith(POOL_TAINT))
    ? '; pods of schedulerName gala-scheduler get that toleration with their gate'
    : '';
  return `taints that the pod does not tolerate: ${some(distinct)}${ours}`;
}

function supplySentence(supply: string, nodes: readonly string[], { terrain, demand }: Around): string {
  const asked = demand.requests.get(supply);
  const column = terrain.supply(supply);
  if (asked === undefined || column === undefined) return whyOf(supply).sentence;
  let [free, of] = [Number.NEGATIVE_INFINITY, 0];
  for (const name of nodes) {
    const row = terrain.row(name);
    const left = column.capacity[row]! - column.used[row]!;
    if (left > free) [free, of] = [left, column.capacity[row]!];
  }
  const text = (amount: number) => amountOf(supply, amount);
  if (of === 0) return `asks ${text(asked)}; none of these has any`;
  return `asks ${text(asked)}; the most free on one of these is ${text(Math.max(0, free))} of ${text(of)}`;
}

const FEW = 3;
const some = (names: readonly string[]): string =>
  names.length <= FEW ? names.join(', ') : `${names.slice(0, FEW).join(', ')} and ${names.length - FEW} more`;
