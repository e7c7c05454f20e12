/**
 * Order of resourceVersions: they are decimal numbers that grow, within a kind, for everything that the API server itself
 * stores (KEP-5504). Others, of aggregated servers, have no order that a client may rely on. Pure.
 */

const DECIMAL = /^[1-9]\d*$/;

/** Whether `a` is surely not newer than `b`: no when either is no number. */
export function isKnown(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  return a.length === b.length ? a <= b : a.length < b.length;
}
