/**
 * Budget: how many EC2 calls Gala allows itself, by API, so that the account's other programs are never throttled for its sake. Pure.
 *
 * EC2 gives an account and region a token bucket per API (ec2/latest/devguide/ec2-api-throttling.html). Gala takes a part of each;
 * calls beyond it wait here and not at EC2, where every program's calls would be refused.
 */
export interface Bucket {
  readonly size: number;
  readonly perSecond: number;
}

/** EC2's own, "Request token bucket sizes and refill rates", as of 2026-10. */
const MUTATING: Bucket = { size: 50, perSecond: 5 };
const DESCRIBE: Bucket = { size: 100, perSecond: 20 };
const OF_EC2: Readonly<Record<string, Bucket>> = {
  CreateNetworkInterface: { size: 100, perSecond: 5 },
  DeleteNetworkInterface: { size: 100, perSecond: 5 },
  CreateTags: { size: 100, perSecond: 10 },
  RunInstances: { size: 5, perSecond: 2 },
  TerminateInstances: { size: 100, perSecond: 5 },
};

export const DEFAULT_PART = 0.6;

const ROUNDING = 1e-9;

/** Tokens that are left, by API; of those that are not full. */
export type Budget = Readonly<Record<string, { readonly tokens: number; readonly at: number }>>;

export type Spent = { readonly budget: Budget } | { readonly waitMs: number };

/**
 * Spends one call, or says how long to wait for it.
 * @param part of EC2's bucket, above 0 and at most 1
 * @param now monotonic milliseconds of this process
 * @throws {RangeError} when `part` is no part
 * @example spend({}, 'RunInstances', 0) // { budget: { RunInstances: { tokens: 2, at: 0 } } }: 3 of EC2's 5 at first
 */
export function spend(budget: Budget, api: string, now: number, part = DEFAULT_PART): Spent {
  const { size, perSecond } = bucketOf(api, part);
  const { tokens, at } = budget[api] ?? { tokens: size, at: now };
  const left = Math.min(size, tokens + ((now - at) / 1000) * perSecond);
  // What was waited for to the millisecond may be a rounding short of one.
  if (left > 1 - ROUNDING) return { budget: { ...budget, [api]: { tokens: Math.max(0, left - 1), at: now } } };
  return { waitMs: Math.ceil(((1 - left) / perSecond) * 1000) };
}

export interface Left {
  readonly left: number;
  readonly of: number;
  readonly perSecond: number;
}

/** What people ask about when it goes slowly. */
export const OF_INTEREST = [
  'CreateNetworkInterface',
  'AttachNetworkInterface',
  'ModifyNetworkInterfaceAttribute',
  'DetachNetworkInterface',
  'DeleteNetworkInterface',
];

/** Whole calls that are left now. */
export function leftOf(budget: Budget, api: string, now: number, part = DEFAULT_PART): Left {
  const { size, perSecond } = bucketOf(api, part);
  const { tokens, at } = budget[api] ?? { tokens: size, at: now };
  return { left: Math.floor(Math.min(size, tokens + ((now - at) / 1000) * perSecond)), of: Math.floor(size), perSecond };
}

/** After EC2 throttled a call all the same: the bucket is empty, for others spend it too, and fills as it does. */
export const drained = (budget: Budget, api: string, now: number): Budget => ({ ...budget, [api]: { tokens: 0, at: now } });

/** What Gala allows itself of an API. At least one call: a bucket that holds less would never let one through. */
export function bucketOf(api: string, part = DEFAULT_PART): Bucket {
  if (!(part > 0 && part <= 1)) throw new RangeError(`a part of ${part} of EC2's buckets; it is above 0 and at most 1`);
  const { size, perSecond } = OF_EC2[api] ?? (/^(Describe|Get)/.test(api) ? DESCRIBE : MUTATING);
  return { size: Math.max(1, size * part), perSecond: perSecond * part };
}
