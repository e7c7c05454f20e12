/** Kubernetes quantities as numbers. */

const FACTOR: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * @param quantity `64`, `'500m'`, `'256Gi'`
 * @returns cores, bytes or bits a second: the quantity's own unit, unscaled
 * @throws {RangeError} when it is no quantity
 * @example toNumber('256Gi') // 274877906944
 */
export function toNumber(quantity: number | string): number {
  const [, amount, unit] = /^([0-9.]+)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  const factor = unit === undefined ? undefined : FACTOR[unit];
  if (amount === undefined || factor === undefined) throw new RangeError(`${quantity} is no quantity; write 64, '500m' or '256Gi'`);
  return Number(amount) * factor;
}
