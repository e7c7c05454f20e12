/** Recent answers: kept for a while, so many at most; the oldest go first. */

export interface Recent<T> {
  get(key: string): T | undefined;
  set(key: string, value: T, forMs: number): void;
  delete(key: string): void;
}

/** @param now milliseconds on a clock that never goes back */
export function recent<T>(most: number, now: () => number): Recent<T> {
  const kept = new Map<string, { readonly value: T; readonly untilMs: number }>();
  return {
    get(key) {
      const found = kept.get(key);
      if (found === undefined || found.untilMs > now()) return found?.value;
      kept.delete(key);
      return undefined;
    },
    set(key, value, forMs) {
      kept.delete(key);
      kept.set(key, { value, untilMs: now() + forMs });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    delete: (key) => void kept.delete(key),
  };
}
