/** Nodes by a label, for the few keys that somebody looks nodes up by. */
import type { Place, Places } from './places.ts';

export interface LabelIndex {
  /** Places that have their node, and it this label. */
  find(key: string, value: string): Iterable<Place>;
  /** The place's node is new, has changed or is gone. */
  set(place: Place): void;
}

interface Index {
  readonly byValue: Map<string, Set<Place>>;
  readonly values: Map<Place, string>;
}

export function labelIndex(places: Places): LabelIndex {
  const indexes = new Map<string, Index>();

  function put({ byValue, values }: Index, key: string, place: Place): void {
    const before = values.get(place);
    const value = place.row === -1 ? undefined : place.node?.labels[key];
    if (value === before) return;
    if (before !== undefined) {
      const members = byValue.get(before)!;
      members.delete(place);
      if (members.size === 0) byValue.delete(before);
    }
    if (value === undefined) values.delete(place);
    else {
      values.set(place, value);
      byValue.set(value, (byValue.get(value) ?? new Set<Place>()).add(place));
    }
  }

  return {
    find(key, value) {
      let index = indexes.get(key);
      if (index === undefined) {
        index = { byValue: new Map(), values: new Map() };
        indexes.set(key, index);
        for (const place of places.values()) put(index, key, place);
      }
      return index.byValue.get(value) ?? [];
    },
    set(place) {
      for (const [key, index] of indexes) put(index, key, place);
    },
  };
}
