/**
 * Space: what CSIStorageCapacity objects say that a node has left of a class. An object counts for each node that its topology selects,
 * as kube-scheduler's VolumeBinding has it (hasEnoughCapacity): of several the largest. Where a class has objects, nodes that none
 * of them selects have no space; a class without objects is not limited.
 */
import { selects } from '../requirement.ts';
import type { StorageCapacityFacts } from '../storage.ts';
import { storageSupply } from '../volumes.ts';

type Labels = Readonly<Record<string, string>>;

export interface Space {
  /** @returns the nodes that have it now, or had it */
  set(key: string, facts: StorageCapacityFacts | undefined): 'all' | readonly Label[];
  isReported(supply: string): boolean;
  /** Bytes by supply, for the classes that something says of a node with these labels. */
  of(labels: Labels): readonly (readonly [string, number])[];
}

interface Label {
  readonly key: string;
  readonly value: string;
}

const ANY = '';

export function space(): Space {
  const objects = new Map<string, StorageCapacityFacts>();
  const count = new Map<string, number>();
  /** Objects by a label that they ask for: nearly all ask for the one node they are on. */
  const byLabel = new Map<string, Map<string, StorageCapacityFacts>>();

  function add(key: string, facts: StorageCapacityFacts, sign: 1 | -1): void {
    const supply = storageSupply(facts.storageClassName);
    const left = (count.get(supply) ?? 0) + sign;
    if (left === 0) count.delete(supply);
    else count.set(supply, left);
    for (const label of labelsOf(facts)?.map(spell) ?? [ANY]) {
      const members = byLabel.get(label) ?? new Map<string, StorageCapacityFacts>();
      if (sign === 1) byLabel.set(label, members.set(key, facts));
      else if (members.delete(key) && members.size === 0) byLabel.delete(label);
    }
  }

  return {
    set(key, facts) {
      const before = objects.get(key);
      if (before !== undefined) add(key, before, -1);
      if (facts !== undefined) add(key, facts, 1);
      if (facts === undefined) objects.delete(key);
      else objects.set(key, facts);
      const touched = [before, facts].filter((it) => it !== undefined);
      // The first object of a class makes it limited everywhere, the last one lets it go.
      const isFirst = (it: StorageCapacityFacts) => (count.get(storageSupply(it.storageClassName)) ?? 0) < 2;
      if (before?.storageClassName !== facts?.storageClassName && touched.some(isFirst)) return 'all';
      return touched.some((it) => labelsOf(it) === undefined) ? 'all' : touched.flatMap((it) => labelsOf(it)!);
    },
    isReported: (supply) => count.has(supply),
    of(labels) {
      const most = new Map<string, number>();
      const look = (members: ReadonlyMap<string, StorageCapacityFacts> | undefined) => {
        for (const { storageClassName, nodeTopology, capacity } of members?.values() ?? []) {
          const supply = storageSupply(storageClassName);
          if (capacity > (most.get(supply) ?? -1) && selects(nodeTopology, labels)) most.set(supply, capacity);
        }
      };
      if (byLabel.size === 0) return [];
      look(byLabel.get(ANY));
      for (const [key, value] of Object.entries(labels)) look(byLabel.get(spell({ key, value })));
      return [...most];
    },
  };
}

const spell = ({ key, value }: Label): string => `${key}=${value}`;

/** The labels of which a node must have one; undefined where there is no such list. */
function labelsOf({ nodeTopology }: StorageCapacityFacts): readonly Label[] | undefined {
  const one = nodeTopology.find(({ operator }) => operator === 'In');
  return one?.values.map((value) => ({ key: one.key, value }));
}
