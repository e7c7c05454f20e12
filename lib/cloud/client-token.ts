/**
 * Client tokens of `gala cloud`: the same intent has the same token, whichever process has it and however often, so that an answer
 * that was lost makes no second ENI. Pure.
 */
import { createHash } from 'node:crypto';

export interface Intent {
  readonly instanceId: string;
  /** The number of the pod ENI on its instance. */
  readonly slot: number;
  /** How many ENIs of this slot are gone: EC2 answers the token of an ENI that was deleted with the ENI that is gone. */
  readonly generation: number;
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
}

/** Hex digits of the sum: two definitions of one pool at a time are few. */
const SUM_DIGITS = 12;

/**
 * The token of a CreateNetworkInterface. What the ENI is made of is in it: with another subnet or other groups it is another
 * intent, and EC2 would refuse the old token (IdempotentParameterMismatch).
 * @returns at most 64 ASCII characters, as EC2 takes them
 * @example clientToken({ instanceId: 'i-0123456789abcdef0', slot: 3, generation: 0, subnetId: 'subnet-0d1', securityGroupIds: ['sg-0p'] }) // 'i-0123456789abcdef0-3-0-5d9c…'
 */
export function clientToken({ instanceId, slot, generation, subnetId, securityGroupIds }: Intent): string {
  const made = JSON.stringify([subnetId, [...securityGroupIds].sort()]);
  return [instanceId, slot, generation, createHash('sha256').update(made).digest('hex').slice(0, SUM_DIGITS)].join('-');
}
