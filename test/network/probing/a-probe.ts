/** Builders: locked addresses of h-r12-01 and what the wire answers, of which a test says only what matters. */
import { type Ask, type Outcome, type ProbedLock, questionsOf, type Seen } from '../../../lib/network/probing/ask.ts';
import { INTRANET, type Intranet } from '../a-pool.ts';

type Spec = ProbedLock['spec'];
type Conditions = NonNullable<NonNullable<ProbedLock['status']>['conditions']>;

export const macOf = (ip: string): string =>
  `02:67:${ip
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join(':')}`;

export const aLock = (over: Partial<Spec> & { ip?: string; uid?: string; conditions?: Conditions } = {}): ProbedLock => {
  const { ip = '10.110.0.130', uid = `uid-of-${ip}`, conditions, ...spec } = over;
  return {
    metadata: { name: ip, uid },
    spec: { phase: 'Locked', node: 'h-r12-01', mac: macOf(ip), owner: 'feed/feed-api', ...spec },
    ...(conditions && { status: { conditions } }),
  };
};

export const aCondition = (over: Partial<Conditions[number]> = {}): Conditions[number] => ({
  ...{ type: 'Probed', status: 'True', reason: 'Free', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ...over,
});

export const seenWith = (
  locks: readonly ProbedLock[],
  over: Partial<Omit<Seen, 'locks'>> & { intranet?: Partial<Intranet> } = {},
): Seen => {
  const { intranet, ...rest } = over;
  return {
    node: 'h-r12-01',
    network: { pool: 'web', trunk: 'bond0' },
    pool: { shape: 'intranet', intranet: { ...INTRANET, ...intranet } },
    locks,
    ...rest,
  };
};

/** VLAN 110 with IPv6 too. */
export const DUAL: Partial<Intranet> = { vlans: INTRANET.vlans.map((vlan) => ({ ...vlan, ipv6Prefix: 'fd00:110::/96' })) };

export const STRANGER = '3c:fd:fe:11:22:33';
export const ROUTER = '00:00:5e:00:01:6e';

/** What the wire says to an ask: the gateway answers, and nobody else, except for what is given here, by address. */
export function heardFor(
  ask: Ask,
  over: {
    answered?: Record<string, string>;
    /** Who answers for every address, but for those that another does. */
    everybody?: string;
    probing?: Record<string, string>;
    mute?: readonly string[];
  } = {},
) {
  const { answered = {}, everybody, probing = {}, mute = [] } = over;
  const gateways = [ask.gateway, ask.gatewayIPv6].filter((ip) => ip !== undefined && !mute.includes(ip));
  const macs: Record<string, string> = {};
  const all = questionsOf(ask).map((question) => {
    const [, ip = '', option, who] = /^(?:free|answers):([^,]+)(?:,(not|only):(.+))?$/.exec(question)!;
    const of = [everybody, answered[ip], gateways.includes(ip) ? ROUTER : undefined].filter((mac) => mac !== undefined);
    const [mac] = of.filter((mac) => option === undefined || (mac === who) === (option === 'only'));
    if (mac !== undefined) macs[ip] = mac;
    return ip;
  });
  const listed = (record: Record<string, string>) => all.flatMap((ip) => (record[ip] === undefined ? [] : [{ ip, mac: record[ip] }]));
  const heard = {
    answered: listed(macs),
    probing: listed(probing),
    silent: all.filter((ip) => macs[ip] === undefined && probing[ip] === undefined),
  };
  return heard satisfies Outcome;
}
