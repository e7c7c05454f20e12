/**
 * Matching: how many pods of some namespaces a selector finds, by row. A count that was asked for is kept, and follows the pods that
 * come and go; those of one namespace are looked for among the counts of that namespace alone.
 */
import { selects } from '../requirement.ts';
import type { Demand, Selector } from '../types.ts';
import type { Column, Rows } from './rows.ts';

/** What is counted: where, of which kind. */
export interface Counted {
  readonly row: number;
  readonly demand: Demand;
  readonly deleting: boolean;
}

export interface Matching {
  /** `deleting: false`: without those whose deletion has begun. */
  count(namespaces: readonly string[] | 'all', selector: Selector, deleting: boolean): Int32Array;
  change(counted: Counted, sign: 1 | -1): void;
  empty(row: number): void;
}

interface Count {
  readonly key: string;
  readonly namespaces: readonly string[] | 'all';
  readonly selector: Selector;
  readonly deleting: boolean;
  readonly column: Column<Int32Array<ArrayBuffer>>;
}

/** Counts that are kept: those asked for last. */
const MOST_COUNTS = 256;
/** No namespace is called so. */
const ALL = ' all';

/** @param everything all that counts now, for a count that is new */
export function matching(rows: Rows, everything: () => Iterable<Counted>): Matching {
  const counts = new Map<string, Count>();
  const byNamespace = new Map<string, Set<Count>>();

  function index(count: Count, add: boolean): void {
    for (const namespace of count.namespaces === 'all' ? [ALL] : new Set(count.namespaces)) {
      const members = byNamespace.get(namespace) ?? new Set<Count>();
      if (add) byNamespace.set(namespace, members.add(count));
      else if (members.delete(count) && members.size === 0) byNamespace.delete(namespace);
    }
  }

  function make(key: string, namespaces: Count['namespaces'], selector: Selector, deleting: boolean): Count {
    const count: Count = { key, namespaces, selector, deleting, column: rows.ints() };
    const among = namespaces === 'all' ? undefined : new Set(namespaces);
    for (const it of everything()) if (among?.has(it.demand.namespace) ?? true) tally(count, it, 1);
    return count;
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
    change(counted, sign) {
      for (const count of byNamespace.get(counted.demand.namespace) ?? []) tally(count, counted, sign);
      for (const count of byNamespace.get(ALL) ?? []) tally(count, counted, sign);
    },
    empty(row) {
      for (const { column } of counts.values()) column.data[row] = 0;
    },
  };
}

function tally({ selector, deleting, column }: Count, counted: Counted, sign: 1 | -1): void {
  if ((deleting || !counted.deleting) && selects(selector, counted.demand.labels)) column.data[counted.row]! += sign;
}
