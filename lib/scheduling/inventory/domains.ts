/**
 * Domains: by row, to which of the values of a label its node belongs; a table for each topology key that was asked for lately,
 * and for racks, zones and datacenters always. A domain that no node is in keeps an empty place until the next value takes it.
 */
import type { Column, Rows } from './rows.ts';

export interface Domains {
  /** -1: in none. */
  readonly of: Int32Array;
  readonly names: readonly string[];
}

/** Rows by the value that each belongs to. */
export interface DomainTable extends Domains {
  /** `name`: what people are told, the value itself where it is left out. */
  set(row: number, value: string | undefined, name?: string): void;
  readonly column: Column;
}

export function domainTable(rows: Rows): DomainTable {
  const of = rows.ints(-1);
  const ids = new Map<string, number>();
  const values: (string | undefined)[] = [];
  const names: string[] = [];
  const members: number[] = [];
  const free: number[] = [];

  function leave(id: number): void {
    members[id]! -= 1;
    if (members[id] !== 0) return;
    ids.delete(values[id]!);
    values[id] = undefined;
    names[id] = '';
    free.push(id);
  }

  function idOf(value: string, name: string): number {
    const known = ids.get(value);
    if (known !== undefined) return known;
    const id = free.pop() ?? values.length;
    ids.set(value, id);
    values[id] = value;
    names[id] = name;
    members[id] = 0;
    return id;
  }

  return {
    get of() {
      return of.data;
    },
    names,
    column: of,
    set(row, value, name = value) {
      const before = of.data[row]!;
      if (before !== -1 && values[before] === value) return;
      if (before !== -1) leave(before);
      const id = value === undefined ? -1 : idOf(value, name!);
      of.data[row] = id;
      if (id !== -1) members[id]! += 1;
    },
  };
}

/** The topology key whose domains are the nodes themselves. */
export const HOSTNAME = 'kubernetes.io/hostname';

/** Keys come with what people ask: so many are kept. */
const MOST_TABLES = 64;

export interface LabelDomains {
  get(key: string): Domains;
  /** The labels of a node; undefined: it is gone. */
  set(row: number, labels: Readonly<Record<string, string>> | undefined): void;
}

/** @param labelsOf of the node of a row */
export function labelDomains(rows: Rows, labelsOf: (row: number) => Readonly<Record<string, string>> | undefined): LabelDomains {
  const tables = new Map<string, DomainTable>();
  const itself = rows.ints(-1);
  const nodes: Domains = {
    get of() {
      return itself.data;
    },
    // A hole is in no domain, so nobody asks for its name.
    names: rows.names as readonly string[],
  };

  return {
    get(key) {
      if (key === HOSTNAME) return nodes;
      const known = tables.get(key);
      const table = known ?? domainTable(rows);
      if (known === undefined) for (let row = 0; row < rows.count; row++) table.set(row, labelsOf(row)?.[key]);
      // Last asked, last in the order of the map.
      tables.delete(key);
      tables.set(key, table);
      if (tables.size > MOST_TABLES) {
        const [oldest, { column }] = tables.entries().next().value!;
        tables.delete(oldest);
        rows.drop(column);
      }
      return table;
    },
    set(row, labels) {
      itself.data[row] = labels === undefined ? -1 : row;
      for (const [key, table] of tables) table.set(row, labels?.[key]);
    },
  };
}
