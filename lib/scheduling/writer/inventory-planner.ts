/** The planner that asks the inventory: what the stock API counts by, the lock writer places by. */
import type { HostPool, IPLock, Lock } from '../../api/kinds.ts';
import { POOL_LABEL } from '../../api/model.ts';
import { demandOf } from '../demand.ts';
import type { StatefulSetFacts } from '../facts.ts';
import type { Inventory } from '../inventory.ts';
import { selectsNode } from '../node.ts';
import { both, onNode } from '../node-terms.ts';
import { place } from '../place.ts';
import { capAt, placesOf } from '../placing/caps.ts';
import { rowOrder } from '../placing/row-order.ts';
import type { Ask, Demand, PlacedSlot } from '../types.ts';
import type { IPLockObject } from './books.ts';
import { macFromIp } from './ip-lock.ts';
import type { Planner, Where } from './planner.ts';
import { NO_REPORTS, type Reports } from './reports.ts';
import { claimsOf, NO_CLAIMS, type VolumeClaims } from './volume-claims.ts';

export function inventoryPlanner(
  inventory: Inventory,
  statefulSet: (key: string) => StatefulSetFacts | undefined,
  volumes: VolumeClaims = NO_CLAIMS,
  told: Pick<Reports, 'at' | 'waitsFor' | 'releases'> = NO_REPORTS,
): Planner {
  const node = (name: string) => inventory.objects('Node').get(name);
  const poolOf = (name: string): HostPool | undefined => inventory.objects('HostPool').get(node(name)?.labels[POOL_LABEL] ?? '');
  return {
    ...{ node, statefulSet },
    demandOf: (template, namespace, owner) => demandOf(template, { namespace, owner }),
    place(ask, count, allowPartial, name) {
      const row = name === undefined ? -1 : inventory.row(name);
      // A pinned pod's own topology spread counts its node alone, by its affinity: so that has to say it.
      const isRow = row !== -1 && ask.demand.spread.length === 0 && ask.demand.affinity.length === 0;
      if (name === undefined || isRow) return place(inventory, ask, count, { allowPartial, ...(isRow && { rows: Int32Array.of(row) }) });
      const nodeTerms = both(ask.demand.nodeTerms, [onNode(name)]);
      return place(inventory, { ...ask, demand: { ...ask.demand, nodeTerms } }, count, { allowPartial });
    },
    mayFit(demand, name) {
      const [facts, row] = [node(name), inventory.row(name)];
      if (facts === undefined || row === -1 || selectsNode(demand, facts) !== 'yes') return false;
      for (const [supply, amount] of demand.requests) {
        const column = inventory.supply(supply);
        // A node that does not say what it has (NaN) may have it; sums of fractions are off by a little.
        if (column === undefined || column.capacity[row]! - column.used[row]! < amount * (1 - 1e-6) - 1e-3) return false;
      }
      return true;
    },
    another: (demand, name, not) => another(inventory, demand, name, not),
    beside: (ask, count, others, where = {}) => beside(inventory, ask, count, others, where),
    isOnVlan(demand, address) {
      const { names, has } = inventory.addresses(demand);
      return names.some((name, source) => name.startsWith('vlan ') && has(source, address));
    },
    rejects(demand) {
      const { why, limits } = inventory.eligible(demand);
      return (name) => {
        const row = inventory.row(name);
        return row === -1 ? 'noNode' : limits[(why[row] ?? 0) - 1];
      };
    },
    promise: inventory.promise,
    release: inventory.release,
    learn: (kind, key, object) => inventory.set(kind, key, object as IPLock & Lock),
    forget(address, uid) {
      const known = inventory.objects('IPLock').get(address) as IPLockObject | undefined;
      if (known?.metadata.uid === uid) inventory.unset('IPLock', address);
    },
    macOf(address, name) {
      const slots = inventory.objects('NodeNetwork').get(name)?.spec.eniSlots ?? [];
      return slots.find(({ ip }) => ip === address)?.mac ?? macFromIp(address);
    },
    rebuilding: () => told.waitsFor((ip) => inventory.objects('IPLock').has(ip)),
    wiredAt: told.at,
    releases: told.releases,
    claimsOf: (pod) => claimsOf(pod, volumes),
    // Without the pool's taint anybody's pods may come.
    open: (name) => poolOf(name)?.spec.locks !== 'hard',
  };
}

function another(inventory: Inventory, demand: Demand, node: string, not: ReadonlySet<string>): string | undefined {
  const row = inventory.row(node);
  const addresses = inventory.addresses(demand);
  for (const source of addresses.sources[addresses.group[row] ?? -1] ?? []) {
    const [address] = addresses.take(source, row, 1, not);
    if (address !== undefined) return address;
  }
  return undefined;
}

function beside(
  inventory: Inventory,
  { maxPer, demand, ...ask }: Ask,
  count: number,
  others: readonly string[],
  { address, node, not }: Where,
): PlacedSlot | undefined {
  const full = fullRows(inventory, maxPer, count, others);
  const reached = address === undefined ? undefined : reachedBy(inventory, demand, address);
  const rows = rowOrder(inventory.names).filter((row) => {
    const name = inventory.names[row];
    return name !== not && (node === undefined || name === node) && !full.has(row) && (reached?.(row) ?? true);
  });
  // Its own address is all that it needs: where none is free it may go all the same.
  const asked = address === undefined ? demand : { ...demand, address: false };
  const placement = place(inventory, { ...ask, demand: asked }, 1, { rows });
  const [slot] = 'slots' in placement ? placement.slots : [];
  return slot && address !== undefined ? { node: slot.node, address } : slot;
}

/** Whether the address can be on a node, and its switch port shows one MAC address more. */
function reachedBy(inventory: Inventory, demand: Demand, address: string): (row: number) => boolean {
  const { group, sources, macs, has } = inventory.addresses(demand);
  const groups = new Set(sources.flatMap((of, index) => (of.some((source) => has(source, address)) ? [index] : [])));
  return (row) => groups.has(group[row]!) && macs[row]! > 0;
}

/** Nodes on which, or in whose rack, zone or datacenter, there are as many already as may be. */
function fullRows(inventory: Inventory, maxPer: Ask['maxPer'] = {}, count: number, others: readonly string[]): ReadonlySet<number> {
  const rows = Int32Array.from(inventory.names.flatMap((name, row) => (name === undefined ? [] : [row])));
  const full = new Set<number>();
  const places = placesOf(inventory, rows);
  for (const level of ['node', 'rack', 'zone', 'datacenter'] as const) {
    const most = capAt(maxPer[level], count);
    if (most === Number.POSITIVE_INFINITY) continue;
    const placeOf = (row: number) => (level === 'node' ? row : places[level].of[row]!);
    const there = new Map<number, number>();
    for (const name of others) {
      const row = inventory.row(name);
      if (row !== -1) there.set(placeOf(row), (there.get(placeOf(row)) ?? 0) + 1);
    }
    for (const row of rows) if ((there.get(placeOf(row)) ?? 0) >= most) full.add(row);
  }
  return full;
}
