/** Typos: which of the known names was probably meant. */
import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant: two letters off at most, a third of a short word. */
export function resembling(key: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const sameLetters = known.find((name) => name.toLowerCase() === key.toLowerCase());
  if (sameLetters !== undefined) return sameLetters;
  const nearest = closest(key, known as string[]);
  return distance(key, nearest) <= Math.min(2, Math.floor(key.length / 3)) ? nearest : undefined;
}
