/** Found out: what the agent of a node, or a person, says of an address on its IPLock. Pure; lib/api/network.ts has the words. */
import { FENCED_ANNOTATION, FREE_ANNOTATION, MOVE_ANNOTATION, PROBED, PROBED_REASONS, WIRED } from '../../api/network.ts';
import type { IPLockObject } from './books.ts';

type Conditions = NonNullable<NonNullable<IPLockObject['status']>['conditions']>;
export type Condition = Conditions[number];

export const conditionOf = ({ status }: Pick<IPLockObject, 'status'>, type: string): Condition | undefined =>
  status?.conditions?.find((one) => one.type === type);

/**
 * Whether something of it may be wired on its node: the agent said so, and hasn't taken it back. `unsaid`: no agent that says so has had
 * it in hand.
 */
export function wiredBy(ipLock: IPLockObject): 'may be' | 'no' | 'unsaid' {
  const said = conditionOf(ipLock, WIRED);
  if (said === undefined) return 'unsaid';
  return said.status === 'False' ? 'no' : 'may be';
}

/** What the agent saw of whoever else answers for the address; once it is Bound, it is its pod's own affair. */
export function conflictOn(ipLock: IPLockObject): Condition | undefined {
  const { phase } = ipLock.spec;
  const said = phase === 'Locked' || phase === 'Held' ? conditionOf(ipLock, PROBED) : undefined;
  return said?.status === 'False' && said.reason === PROBED_REASONS.conflict ? said : undefined;
}

/** Nobody answered for it, and something else is amiss: its gateway is silent. */
export function amissOn(ipLock: IPLockObject): Condition | undefined {
  const said = ipLock.spec.phase === 'Locked' ? conditionOf(ipLock, PROBED) : undefined;
  return said?.status === 'False' && said.reason !== PROBED_REASONS.conflict ? said : undefined;
}

/** Nobody is to be given it: it is Quarantined, or about to be. */
export const isShut = (ipLock: IPLockObject): boolean => ipLock.spec.phase === 'Quarantined' || conflictOn(ipLock) !== undefined;

/** A person says that nobody uses it. */
export const isLetGo = ({ metadata }: IPLockObject): boolean => metadata.annotations?.[FREE_ANNOTATION] === 'true';

/** Where a person wants its slot, if somebody does: a node, or `*`. */
export const isAskedTo = ({ metadata }: IPLockObject): string | undefined => metadata.annotations?.[MOVE_ANNOTATION];

/** A person says that the machine of the pod that it names is off. */
export function isFenced({ metadata, spec }: IPLockObject): boolean {
  return spec.podUID !== undefined && metadata.annotations?.[FENCED_ANNOTATION] === spec.podUID;
}

/** Its status without what is no longer so. */
export function statusWithout({ status }: IPLockObject, types: readonly string[]): Pick<IPLockObject, 'status'> {
  if (status?.conditions === undefined) return status === undefined ? {} : { status };
  return { status: { ...status, conditions: status.conditions.filter(({ type }) => !types.includes(type)) } };
}
