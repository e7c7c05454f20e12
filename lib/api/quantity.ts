/** Kubernetes quantities as numbers, in every form that the API server takes (apimachinery, pkg/api/resource/quantity.go). */

/** By suffix: the power of ten. */
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
/** By suffix: the power of two. */
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

const FORM = /^\+?([0-9]+\.?[0-9]*|\.[0-9]+)(?:([numkMGTPE]?|[KMGTPE]i)|[eE]([+-]?[0-9]{1,3}))$/;

/**
 * @param quantity `64`, `'500m'`, `'256Gi'`, `'1e3'`
 * @returns cores, bytes or bits a second: the quantity's own unit, unscaled
 * @throws {RangeError} when it is no quantity, or a negative one
 * @example toNumber('256Gi') // 274877906944
 */
export function toNumber(quantity: number | string): number {
  return parse(quantity, 0);
}

/**
 * Thousandths, rounded up: the finest the API server keeps of a resource (SetDefaults_ResourceList), and how kube-scheduler
 * counts CPUs. Whole numbers, so that sums of them are exact.
 * @throws {RangeError} as `toNumber`
 * @example toMilli('1.1') // 1100
 */
export function toMilli(quantity: number | string): number {
  return Math.ceil(parse(quantity, 3));
}

/** `decimals`: shifted to the left so many places. Decimal forms are read as they are written, so 1.1 is 1100 thousandths. */
function parse(quantity: number | string, decimals: number): number {
  const [, amount, suffix = '', exponent] = FORM.exec(String(quantity)) ?? [];
  if (amount === undefined) throw new RangeError(`${quantity} is no quantity; write 64, '500m' or '256Gi'`);
  const binary = BINARY[suffix];
  if (binary !== undefined) return Number(amount) * 2 ** binary * 10 ** decimals;
  return Number(`${amount}e${(exponent === undefined ? DECIMAL[suffix]! : Number(exponent)) + decimals}`);
}
