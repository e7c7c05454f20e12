/** The planner that asks the inventory: what the stock API counts by, the lock writer places by. */
import type { HostPool, IPLock, Lock } from '../../api/kinds.ts';
import { POOL_LABEL } from '../../api/model.ts';
import { demandOf } from '../demand.ts';
import type { StatefulSetFacts } from '../facts.ts';
import type { Inventory } from '../inventory.ts';
import { place } from '../place.ts';
import type { Demand } from '../types.ts';
import type { IPLockObject } from './books.ts';
import { macFromIp } from './ip-lock.ts';
import type { Planner } from './planner.ts';
import { claimsOf, NO_CLAIMS, type VolumeClaims } from './volume-claims.ts';

export function inventoryPlanner(
  inventory: Inventory,
  statefulSet: (key: string) => StatefulSetFacts | undefined,
  volumes: VolumeClaims = NO_CLAIMS,
): Planner {
  const node = (name: string) => inventory.objects('Node').get(name);
  const poolOf = (name: string): HostPool | undefined => inventory.objects('HostPool').get(node(name)?.labels[POOL_LABEL] ?? '');
  return {
    ...{ node, statefulSet },
    demandOf: (template, namespace, owner) => demandOf(template, { namespace, owner }),
    place: (ask, count, allowPartial) => place(inventory, ask, count, { allowPartial }),
    another: (demand, name, not) => another(inventory, demand, name, not),
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
