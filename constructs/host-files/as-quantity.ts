/** Numbers as Kubernetes quantities, in the largest unit that says them exactly. */

const UNITS = [
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
] as const;

/** @example bytesAsQuantity(8 * 2 ** 30) // '8Gi' */
export function bytesAsQuantity(bytes: number): string {
  const whole = Math.floor(bytes);
  const [unit, size] = UNITS.find(([, factor]) => whole > 0 && whole % factor === 0) ?? ['', 1];
  return `${whole / size}${unit}`;
}

/** Milli-cores are the finest the kubelet keeps. @example coresAsQuantity(1.5) // '1500m' */
export function coresAsQuantity(cores: number): string {
  const milli = Math.round(cores * 1000);
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}
