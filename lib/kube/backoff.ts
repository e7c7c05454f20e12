/** Waiting longer after each failure, and never all at the same moment. Pure. */

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after so many failures in a row: doubling from `firstMs` to `maxMs`, of which a random half to all.
 * @param failures 1 or more
 * @param random in [0, 1)
 */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff, random: () => number = Math.random): number {
  // 2^30: beyond it any doubling has reached maxMs, and Infinity must not.
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return full * (0.5 + random() / 2);
}
