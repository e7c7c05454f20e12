/**
 * Finding: what the answers say of an address, as the condition `Probed` of its IPLock. Pure.
 *
 * A message is a clause: whoever shows it puts the address before it and what follows from it after it.
 */
import type { IPLock } from '../../api/kinds.ts';
import { PROBED, PROBED_REASONS } from '../../api/network.ts';
import { type Condition, type Finding as ConditionFinding, settled } from '../pool-conditions.ts';
import type { Answer, Ask, Asked, Outcome, ProbedLock } from './ask.ts';

export interface Finding {
  readonly ip: string;
  /** Where it was asked for. */
  readonly vlan?: number;
  readonly condition: ConditionFinding & { readonly message: string };
  /** Who answers for it. */
  readonly conflict?: string;
  /** Who answers for it, as for every other address. */
  readonly everybody?: string;
}

/** What there is to say of an address. `again`: nothing yet; somebody else is asking for it too, or it was not asked for. */
export type Verdict = Finding | 'again';

const { free, conflict, gatewaySilent, answeredForAll } = PROBED_REASONS;

function finding({ vlan }: Pick<Ask, 'vlan'>, ip: string, reason: string, message: string): Finding {
  const status = reason === free ? 'True' : reason === answeredForAll ? 'Unknown' : 'False';
  return { ip, vlan, condition: { type: PROBED, status, reason, message } };
}

/** Nobody but one who answers for every address, and of whom therefore nothing follows. */
export const answeredForAllBy = (mac: string, ask: Ask, ip: string): Finding => ({
  ...finding(ask, ip, answeredForAll, `${mac} answers for it on ${ask.link}, as it does for every other address; nobody else does`),
  everybody: mac,
});

/** Each address with what is to be said of it. */
export function verdicts(ask: Ask, outcome: Heeded): Map<Asked, Verdict> {
  const macs = (answers: readonly Answer[]) => new Map(answers.map(({ ip, mac }) => [ip, mac]));
  const heard = { answered: macs(outcome.answered), probing: macs(outcome.probing), silent: new Set(outcome.silent) };
  return new Map(ask.addresses.map((address) => [address, verdict(ask, address, heard)]));
}

/** What it says where it could ask. */
export type Heeded = Exclude<Outcome, { failed: string }>;

interface Heard {
  readonly answered: ReadonlyMap<string, string>;
  readonly probing: ReadonlyMap<string, string>;
  readonly silent: ReadonlySet<string>;
}

function verdict(ask: Ask, { ip, ipv6, mac }: Asked, { answered, probing, silent }: Heard): Verdict {
  const { link, gateway, gatewayIPv6 } = ask;
  const own = ipv6 === undefined ? [ip] : [ip, ipv6];
  const taken = own.find((one) => answered.has(one));
  if (taken !== undefined) {
    const who = answered.get(taken)!;
    const what = taken === ip ? 'it' : `its IPv6 address ${taken}`;
    return { ...finding(ask, ip, conflict, `${who} answers for ${what} on ${link}${who === mac ? OURS : ''}`), conflict: who };
  }
  // Whoever asks at the same moment may be another agent, done with the address a moment ago: after a while one of both has it or none.
  if (own.some((one) => probing.has(one) || !silent.has(one))) return 'again';
  const gateways = gatewayIPv6 === undefined ? [gateway] : [gateway, gatewayIPv6];
  const mute = gateways.filter((one) => !answered.has(one));
  // Where the gateway is not heard either, silence says nothing of the address.
  if (mute.length > 0)
    return finding(ask, ip, gatewaySilent, `nobody answers for it on ${link}, and neither does the gateway for ${mute.join(' and ')}`);
  return finding(ask, ip, free, `nobody answers for it on ${link}, and the gateway ${gateway} is there`);
}

/** Only Gala gives out such a MAC. */
const OURS = ', with the MAC that Gala gives it: an older sandbox still has it, here or on another node';

/** On EC2 nothing is asked: the VPC answers ARP for every address of the subnet, by itself. */
export const onEc2 = (ip: string): Finding => ({
  ip,
  condition: {
    ...{ type: PROBED, status: 'True', reason: free },
    message: 'nothing was asked: an ENI of this instance has it, EC2 gives it to no other, and a VPC answers ARP for every address',
  },
});

/** The conditions of an IPLock with what was found out; undefined: they say so already. */
export function statusProbed({ status }: Pick<ProbedLock, 'status'>, { condition }: Finding, now: Date): IPLock['status'] | undefined {
  const before = status?.conditions?.find(({ type }) => type === PROBED);
  if (
    before !== undefined &&
    before.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message
  )
    return undefined;
  // The API server takes it without fractions (RFC 3339).
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const conditions: Condition[] = settled([condition], status?.conditions, at);
  return { ...status, conditions };
}
