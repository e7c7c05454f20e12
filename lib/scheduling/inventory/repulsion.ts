/**
 * Repulsion: pods that are there and want none of some kind near them (required anti-affinity). kube-scheduler keeps to it both ways
 * (plugins/interpodaffinity, satisfyExistingPodsAntiAffinity). Pods with the same term are counted together, by row.
 */
import { selects } from '../requirement.ts';
import type { Demand, PodTerm } from '../types.ts';
import type { Domains } from './domains.ts';

interface Repelling {
  readonly term: PodTerm;
  /** Pods by row. */
  readonly rows: Map<number, number>;
  version: number;
}

export interface Repulsion {
  /** A pod with this demand counts on a row now, or no longer. */
  change(row: number, demand: Demand, sign: 1 | -1): void;
  /** Undefined: nobody is against the demand. `version` changes whenever the rows may. */
  against(demand: Demand): { readonly version: string; readonly rows: () => ReadonlySet<number> } | undefined;
  /** Labels of namespaces have changed. */
  forget(): void;
}

export interface RepulsionOptions {
  readonly domains: (topologyKey: string) => Domains;
  readonly rowCount: () => number;
  readonly inNamespace: (term: PodTerm, namespace: string) => boolean;
}

export function repulsion({ domains, rowCount, inNamespace }: RepulsionOptions): Repulsion {
  const all = new Map<string, Repelling>();
  /** Counts terms that come and go: who is against whom is looked up again then. */
  let generation = 0;
  let found = new WeakMap<Demand, { readonly generation: number; readonly repelling: readonly Repelling[] }>();

  function repellingOf(demand: Demand): readonly Repelling[] {
    const known = found.get(demand);
    if (known?.generation === generation) return known.repelling;
    const repelling = [...all.values()].filter(({ term }) => selects(term.selector, demand.labels) && inNamespace(term, demand.namespace));
    found.set(demand, { generation, repelling });
    return repelling;
  }

  /** All rows in a domain where one of them is. */
  function rowsOf(repelling: readonly Repelling[]): ReadonlySet<number> {
    const result = new Set<number>();
    for (const { term, rows } of repelling) {
      const { of } = domains(term.topologyKey);
      const near = new Set<number>();
      for (const row of rows.keys()) if (of[row] !== -1) near.add(of[row]!);
      for (let row = 0; row < rowCount(); row++) if (near.has(of[row]!)) result.add(row);
    }
    return result;
  }

  return {
    change(row, demand, sign) {
      for (const term of demand.antiAffinity) {
        const key = keyOf(term);
        let repelling = all.get(key);
        if (repelling === undefined) {
          repelling = { term, rows: new Map(), version: 0 };
          all.set(key, repelling);
          generation++;
        }
        const left = (repelling.rows.get(row) ?? 0) + sign;
        if (left === 0) repelling.rows.delete(row);
        else repelling.rows.set(row, left);
        // One more where there is one changes nothing.
        if (left === 0 || (left === 1 && sign === 1)) repelling.version++;
        if (repelling.rows.size > 0) continue;
        all.delete(key);
        generation++;
      }
    },
    against(demand) {
      if (all.size === 0) return undefined;
      const repelling = repellingOf(demand);
      if (repelling.length === 0) return undefined;
      // Within a generation they are the same terms, and their versions only grow.
      const version = `${generation}:${repelling.reduce((sum, it) => sum + it.version, 0)}`;
      return { version, rows: () => rowsOf(repelling) };
    },
    forget() {
      generation++;
      found = new WeakMap();
    },
  };
}

const keys = new WeakMap<PodTerm, string>();

function keyOf(term: PodTerm): string {
  const known = keys.get(term);
  if (known !== undefined) return known;
  const { topologyKey, selector, namespaces, namespaceSelector } = term;
  const made = JSON.stringify([topologyKey, selector, namespaces, namespaceSelector]);
  keys.set(term, made);
  return made;
}
