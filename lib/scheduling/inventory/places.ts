/**
 * Places: nodes by name, whether their Node objects are there or not. What counts on a node whose Node has not been seen yet
 * waits in its place, so that the order in which objects arrive makes no difference.
 */
import type { NodeNetwork } from '../../api/kinds.ts';
import type { Sample } from '../inventory.ts';
import type { NodeFacts } from '../node.ts';
import type { Claim } from './claims.ts';

export interface Place {
  readonly name: string;
  /** -1: there is no Node. */
  row: number;
  node: NodeFacts | undefined;
  /** What counts here. */
  readonly claims: Set<Claim>;
  sample: Sample | undefined;
  network: NodeNetwork | undefined;
  /** Addresses whose MAC its switch port shows, or will. */
  macs: number;
}

export interface Places {
  get(name: string): Place | undefined;
  /** Made where there is none. */
  at(name: string): Place;
  /** Forgets it if nothing is known of it any more. */
  tidy(place: Place): void;
  byRow(row: number): Place | undefined;
  values(): IterableIterator<Place>;
}

export function places(names: readonly (string | undefined)[]): Places {
  const all = new Map<string, Place>();
  return {
    get: (name) => all.get(name),
    at(name) {
      const known = all.get(name);
      if (known !== undefined) return known;
      const made: Place = { name, row: -1, node: undefined, claims: new Set(), sample: undefined, network: undefined, macs: 0 };
      all.set(name, made);
      return made;
    },
    tidy(place) {
      const { row, claims, sample, network, macs } = place;
      if (row === -1 && claims.size === 0 && sample === undefined && network === undefined && macs === 0) all.delete(place.name);
    },
    byRow: (row) => (names[row] === undefined ? undefined : all.get(names[row])),
    values: () => all.values(),
  };
}
