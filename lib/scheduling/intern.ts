/**
 * Interning: equal values are kept once. 50,000 pods of 200 templates share 200 demands; each pod's own copy of its node's name
 * or its controller is dropped. What has not been asked for lately is forgotten, so that pods which come and go leave nothing:
 * forgetting costs a second copy and nothing else, equal values are equal with or without it.
 */

export interface Intern {
  /** The value of a key; made when it isn't known. */
  keep<T>(kind: string, key: string, make: () => T): T;
  text<T extends string | undefined>(text: T): T;
}

/** @param most values of each kind that were asked for last are kept; up to twice as many are. */
export function interning(most = 20_000): Intern {
  const kinds = new Map<string, Recent>();
  const kindOf = (kind: string): Recent => {
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    const made = recent(most);
    kinds.set(kind, made);
    return made;
  };
  const texts = kindOf('text');
  return {
    keep: <T>(kind: string, key: string, make: () => T): T => kindOf(kind).get(key, make) as T,
    text: <T extends string | undefined>(text: T): T => (text === undefined ? text : (texts.get(text, () => text) as T)),
  };
}

interface Recent {
  get(key: string, make: () => unknown): unknown;
}

/** Two generations: what is asked for moves to the young one; when that is full, it becomes the old one and the old is dropped. */
function recent(most: number): Recent {
  let young = new Map<string, unknown>();
  let old = new Map<string, unknown>();
  return {
    get(key, make) {
      const known = young.get(key);
      if (known !== undefined) return known;
      const value = old.get(key) ?? make();
      if (young.size >= most) [old, young] = [young, new Map()];
      young.set(key, value);
      return value;
    },
  };
}
