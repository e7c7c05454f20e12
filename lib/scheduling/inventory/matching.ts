/**
 * Matching: how many pods of some namespaces a selector finds, by row. A count that was asked for is kept, and follows the pods that
 * come and go; those of one namespace are looked for among the counts of that namespace alone.
 */
import { selects } from '../requirement.ts';
import type { Demand, Selector } from '../types.ts';
import type { Column, Rows } from './rows.ts';

export interface Matching {
  /** `deleting: false`: without those whose deletion has begun. */
  count(namespaces: readonly string[] | 'all', selector: Selector, deleting: boolean): Int32Array;
  /** A pod of the demand counts on a row now, or no longer. */
  change(row: number, demand: Demand, deleting: boolean, sign: 1 | -1): void;
}

interface Count {
  readonly key: string;
  readonly namespaces: readonly string[] | 'all';
  readonly selector: Selector;
  readonly deleting: boolean;
  readonly column: Column<Int32Array<ArrayBuffer>>;
}

/** Pods of one demand, by row: a new count asks each demand for its labels, and not each pod. */
interface Alike {
  readonly staying: Map<number, number>;
  readonly deleting: Map<number, number>;
}

/** Counts that are kept: those asked for last. */
const MOST_COUNTS = 256;
/** No namespace is called so. */
const ALL = ' all';

export function matching(rows: Rows): Matching {
  const counts = new Map<string, Count>();
  const countsOf = new Map<string, Set<Count>>();
  const pods = new Map<string, Map<Demand, Alike>>();

  function index(count: Count, add: boolean): void {
    for (const namespace of count.namespaces === 'all' ? [ALL] : new Set(count.namespaces)) {
      const members = countsOf.get(namespace) ?? new Set<Count>();
      if (add) countsOf.set(namespace, members.add(count));
      else if (members.delete(count) && members.size === 0) countsOf.delete(namespace);
    }
  }

  function make(key: string, namespaces: Count['namespaces'], selector: Selector, deleting: boolean): Count {
    const column = rows.ints();
    for (const namespace of namespaces === 'all' ? pods.keys() : new Set(namespaces))
      for (const [demand, alike] of pods.get(namespace) ?? []) {
        if (!selects(selector, demand.labels)) continue;
        for (const [row, number] of alike.staying) column.data[row]! += number;
        if (deleting) for (const [row, number] of alike.deleting) column.data[row]! += number;
      }
    return { key, namespaces, selector, deleting, column };
  }

  return {
    count(namespaces, selector, deleting) {
      const key = JSON.stringify([namespaces, selector, deleting]);
      const known = counts.get(key);
      const count = known ?? make(key, namespaces, selector, deleting);
      if (known === undefined) index(count, true);
      // Last asked, last in the order of the map.
      counts.delete(key);
      counts.set(key, count);
      if (counts.size > MOST_COUNTS) {
        const oldest = counts.values().next().value!;
        counts.delete(oldest.key);
        index(oldest, false);
        rows.drop(oldest.column);
      }
      return count.column.data;
    },
    change(row, demand, deleting, sign) {
      const { namespace } = demand;
      const demands = pods.get(namespace) ?? new Map<Demand, Alike>();
      const alike = demands.get(demand) ?? { staying: new Map(), deleting: new Map() };
      const some = deleting ? alike.deleting : alike.staying;
      const left = (some.get(row) ?? 0) + sign;
      if (left === 0) some.delete(row);
      else some.set(row, left);
      if (alike.staying.size + alike.deleting.size === 0) demands.delete(demand);
      else demands.set(demand, alike);
      if (demands.size === 0) pods.delete(namespace);
      else pods.set(namespace, demands);

      for (const count of countsOf.get(namespace) ?? []) tally(count, row, demand, deleting, sign);
      for (const count of countsOf.get(ALL) ?? []) tally(count, row, demand, deleting, sign);
    },
  };
}

function tally({ selector, deleting: counts, column }: Count, row: number, demand: Demand, deleting: boolean, sign: 1 | -1): void {
  if ((counts || !deleting) && selects(selector, demand.labels)) column.data[row]! += sign;
}
