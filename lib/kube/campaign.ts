/**
 * The rules of a lease election, by client-go's (tools/leaderelection): pure. Nobody's wall clock counts: a lease has run out
 * when it has not changed for its duration on the looker's own monotonic clock, and a leader stops earlier than that on its
 * own. So two clocks may disagree about the time as they like, and about how fast it passes by `leaseMs` / `renewMs`.
 *
 * R1 a lease is as old as the moment it was last seen to change
 * R2 it is taken when there is none, when nobody holds it, or when it is older than its duration
 * R3 it is renewed by its holder, and left alone by everybody else
 * R4 a leader may act until `renewMs` after the beginning of its last renewal that worked, and no longer
 */
import { microTime } from './clock.ts';

export interface Rules {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly retryMs: number;
}

/** client-go's and Kubernetes' own: component-base/config/v1alpha1/defaults.go. */
export const RULES: Rules = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };
const JITTER = 1.2;

/** `spec` of a Lease (coordination.k8s.io/v1). Times are for people to read. */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** A lease, and when it was seen to change. */
export interface Sight {
  readonly spec: LeaseSpec;
  /** On the looker's monotonic clock. */
  readonly changedAt: number;
}

export type Move =
  | { readonly do: 'create' | 'take' | 'renew'; readonly spec: LeaseSpec }
  | { readonly do: 'wait'; readonly leader: string };

/** @throws {RangeError} when a leader could still act as another one begins, or could not renew in time */
export function assertRules({ leaseMs, renewMs, retryMs }: Rules): void {
  if (leaseMs <= renewMs)
    throw new RangeError(`leaseMs is ${leaseMs}, renewMs ${renewMs}: a lease must outlast its leader's renewal deadline`);
  if (renewMs <= retryMs * JITTER)
    throw new RangeError(`renewMs is ${renewMs}, retryMs ${retryMs}: a deadline must leave time for a second try (${JITTER} × retryMs)`);
}

/** R1 */
export function look(before: Sight | undefined, spec: LeaseSpec, now: number): Sight {
  return before && same(before.spec, spec) ? before : { spec, changedAt: now };
}

/**
 * R2, R3
 * @param seen nothing: there is no Lease
 * @param wallTime to be written, never compared
 */
export function move(seen: Sight | undefined, identity: string, { leaseMs }: Rules, now: number, wallTime: Date): Move {
  const time = microTime(wallTime);
  const mine = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime: time };
  if (!seen) return { do: 'create', spec: { ...mine, acquireTime: time, leaseTransitions: 0 } };
  const { holderIdentity: holder = '', leaseDurationSeconds = 0, leaseTransitions = 0, acquireTime = time } = seen.spec;
  if (holder === identity) return { do: 'renew', spec: { ...mine, acquireTime, leaseTransitions } };
  const runOut = now >= seen.changedAt + leaseDurationSeconds * 1000;
  if (holder !== '' && !runOut) return { do: 'wait', leader: holder };
  return { do: 'take', spec: { ...mine, acquireTime: time, leaseTransitions: leaseTransitions + 1 } };
}

/** R4 @param renewalBegan when the last renewal that worked was begun */
export const leadsUntil = (renewalBegan: number, { renewMs }: Rules): number => renewalBegan + renewMs;

/** What a leader leaves behind, so that the next need not wait. */
export function released(spec: LeaseSpec, wallTime: Date): LeaseSpec {
  const time = microTime(wallTime);
  return { leaseDurationSeconds: 1, renewTime: time, acquireTime: time, leaseTransitions: spec.leaseTransitions ?? 0 };
}

/** Until the next try of a candidate: `retryMs`, and up to 1.2 times as much again, so that candidates don't go in step. */
export const retryInMs = ({ retryMs }: Rules, random: () => number): number => retryMs * (1 + JITTER * random());

const same = (a: LeaseSpec, b: LeaseSpec) =>
  (['holderIdentity', 'leaseDurationSeconds', 'acquireTime', 'renewTime', 'leaseTransitions'] as const).every(
    (field) => a[field] === b[field],
  );
