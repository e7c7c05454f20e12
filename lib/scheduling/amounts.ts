/** Amounts of supplies as people of the field write them. Pure. */

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'];

/**
 * An amount of a supply, with three digits that count.
 * @param supply `cpu` (cores), `egress` (bits a second), `memory`, `storage/…` (bytes), or an extended resource
 * @example amountOf('memory', 4 * 2 ** 30) // '4Gi'
 * @example amountOf('cpu', 0.5) // '500m'
 */
export function amountOf(supply: string, amount: number): string {
  if (supply === 'cpu') return amount >= 1 || amount === 0 ? short(amount) : `${short(amount * 1000)}m`;
  if (supply === 'egress' || supply === 'ingress') return scaled(amount, 1000, DECIMAL);
  return isBytes(supply) ? scaled(amount, 1024, BINARY) : short(amount);
}

/** A supply as people call it: `storage/gala-log` is the volume `log`. */
export const supplyName = (supply: string): string => supply.replace(/^storage\/(gala-)?/, '');

const isBytes = (supply: string): boolean => /^(memory|ephemeral-storage|hugepages-.*|storage\/.*)$/.test(supply);

function scaled(amount: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let left = amount;
  while (left >= step && unit < units.length - 1) {
    left /= step;
    unit++;
  }
  return `${short(left)}${units[unit]}`;
}

/** Three digits that count; a whole number as it is. */
const short = (value: number): string => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3))));
