/**
 * EC2's token buckets, one per API, account and region: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html.
 * Pure. "A set number of tokens is added back to it every second until it reaches its maximum capacity."
 */
import { type Call, grouped, listed } from './query.ts';

export interface Bucket {
  readonly size: number;
  readonly perSecond: number;
}

export interface Level {
  readonly tokens: number;
  /** Virtual milliseconds of the last whole second that was added. */
  readonly at: number;
}

/** Levels of the buckets that are not full. */
export type Levels = Readonly<Record<string, Level>>;

/** "Request token bucket sizes and refill rates" of that page, as of 2026-10. */
export const BUCKETS: Readonly<Record<string, Bucket>> = {
  // By kind, for those that the page does not name.
  'non-mutating': { size: 100, perSecond: 20 },
  'unfiltered and unpaginated': { size: 50, perSecond: 10 },
  mutating: { size: 50, perSecond: 5 },
  CreateNetworkInterface: { size: 100, perSecond: 5 },
  DeleteNetworkInterface: { size: 100, perSecond: 5 },
  CreateTags: { size: 100, perSecond: 10 },
  DeleteTags: { size: 100, perSecond: 10 },
  RunInstances: { size: 5, perSecond: 2 },
  TerminateInstances: { size: 100, perSecond: 5 },
  // "Resource token bucket sizes and refill rates": one token per instance.
  'RunInstances resources': { size: 1000, perSecond: 2 },
  'TerminateInstances resources': { size: 1000, perSecond: 20 },
};

export const isMutating = (action: string): boolean => !/^(Describe|Get|List|Search)/.test(action);

/** "Unfiltered and unpaginated": those calls of these APIs have a bucket of their own. */
const LARGE = ['DescribeInstances', 'DescribeInstanceStatus', 'DescribeNetworkInterfaces', 'DescribeSecurityGroups', 'DescribeVolumes'];

/** The tokens that a call takes, by bucket. */
export function costOf({ action, params }: Call): { readonly bucket: string; readonly kind: string; readonly tokens: number }[] {
  if (!isMutating(action)) {
    const narrowed =
      grouped(params, 'Filter').length > 0 || 'MaxResults' in params || Object.keys(params).some((name) => /Id\.1$/.test(name));
    const kind = LARGE.includes(action) && !narrowed ? 'unfiltered and unpaginated' : 'non-mutating';
    return [{ bucket: kind === 'non-mutating' ? action : `${action}, ${kind}`, kind, tokens: 1 }];
  }
  const resources = action === 'RunInstances' ? Number(params.MaxCount ?? 1) : listed(params, 'InstanceId').length;
  return [
    { bucket: action, kind: 'mutating', tokens: 1 },
    ...(`${action} resources` in BUCKETS ? [{ bucket: `${action} resources`, kind: 'mutating', tokens: resources }] : []),
  ];
}

/** The levels after a call; undefined: it is throttled, and takes nothing. */
export function take(levels: Levels, call: Call, now: number, buckets: Readonly<Record<string, Bucket>>): Levels | undefined {
  let after = levels;
  for (const { bucket, kind, tokens } of costOf(call)) {
    const { size, perSecond } = (buckets[bucket] ?? buckets[kind]) as Bucket;
    const { tokens: before, at } = levels[bucket] ?? { tokens: size, at: now };
    const seconds = Math.floor((now - at) / 1000);
    const level = Math.min(size, before + seconds * perSecond);
    if (level < tokens) return undefined;
    after = { ...after, [bucket]: { tokens: level - tokens, at: at + seconds * 1000 } };
  }
  return after;
}
