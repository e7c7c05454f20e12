/** Puts an entry last into a map of at most so many; the one that was put first goes where there are more. Pure but for the map. */
export function putLast<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as string);
}
