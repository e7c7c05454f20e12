/** Namespaces and their labels: which of them a term of pod affinity means. */
import { type Labels, selects } from '../requirement.ts';
import type { PodTerm } from '../types.ts';

export interface Namespaces {
  set(name: string, labels: Labels | undefined): void;
  /** Names, in their order, with those that its selector finds. */
  of(term: PodTerm): readonly string[] | 'all';
  has(term: PodTerm, namespace: string): boolean;
}

export function namespaces(): Namespaces {
  const known = new Map<string, Labels>();
  // Every namespace has this label (SetDefaults_Namespace), also one that nobody has told of.
  const labelsOf = (name: string): Labels => ({ ...known.get(name), 'kubernetes.io/metadata.name': name });

  return {
    set(name, labels) {
      if (labels === undefined) known.delete(name);
      else known.set(name, labels);
    },
    of({ namespaces, namespaceSelector }) {
      if (namespaceSelector === undefined) return namespaces;
      if (namespaceSelector.length === 0) return 'all';
      const found = [...known.keys()].filter((name) => selects(namespaceSelector, labelsOf(name)));
      return [...new Set([...namespaces, ...found])].sort();
    },
    has: ({ namespaces, namespaceSelector }, name) =>
      namespaces.includes(name) || (namespaceSelector !== undefined && selects(namespaceSelector, labelsOf(name))),
  };
}
