/**
 * Suspect: whether the machine that answers for an address has it, or answers for every address there is: proxy ARP on the VLAN's
 * router or in its switch, a pod that may send raw frames. If each of its answers were a conflict, each address that is looked for
 * would be taken out of use, until the VLAN has none left. So it is asked for decoys too, others of the subnet, picked by chance, of
 * which its word alone counts. Who has an address, or twenty, stays silent on nearly all of them. Pure. docs/probes.md, P11.
 */
import { cidrRange, size, toAddress } from '../../api/range.ts';
import { embedded } from '../wiring/ipv6.ts';
import { type Ask, type Asked, MOST_QUESTIONS, type Outcome, type Seen, type Suspect } from './ask.ts';
import { answeredForAllBy, type Heeded, type Verdict, verdicts } from './finding.ts';

/** The second call, and what came of it. */
export interface Trial {
  readonly ask: Ask & { readonly suspect: Suspect };
  readonly outcome: Outcome;
}

const DECOYS = 12;
/** With fewer in the subnet nothing can be told. */
const LEAST_DECOYS = 3;
/** An answer may be lost, of three questions each. */
const LOST = 1;

/**
 * Who is to be tried, for which addresses and with which decoys; undefined: nobody.
 * @param random in [0, 1)
 */
export function suspectIn(ask: Ask, outcome: Outcome, { pool }: Pick<Seen, 'pool'>, random: () => number): Trial['ask'] | undefined {
  if ('failed' in outcome) return undefined;
  const byMac = new Map<string, Asked[]>();
  for (const [address, verdict] of verdicts(ask, outcome)) {
    const mac = strangerIn(verdict, address);
    if (mac !== undefined) byMac.set(mac, [...(byMac.get(mac) ?? []), address]);
  }
  const [most] = [...byMac].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined) return undefined;
  const [mac, addresses] = most;
  const decoys = decoysOf(
    ask,
    pool.intranet?.vlans.find(({ id }) => id === ask.vlan),
    random,
  );
  if (decoys.length < LEAST_DECOYS) return undefined;
  const each = ask.gatewayIPv6 === undefined ? 1 : 2;
  const room = Math.floor(MOST_QUESTIONS / each) - 1 - decoys.length;
  return { ...ask, addresses: addresses.slice(0, room), suspect: { mac, decoys } };
}

type Vlan = NonNullable<Seen['pool']['intranet']>['vlans'][number];

/**
 * Of the whole subnet, one in each twelfth of it, from somewhere on: who answers for the pods' addresses alone may have been given them.
 */
function decoysOf(ask: Ask, vlan: Vlan | undefined, random: () => number): Suspect['decoys'] {
  if (vlan === undefined) return [];
  const subnet = cidrRange(vlan.subnet);
  // Neither its first address nor its last is a host's.
  const count = size(subnet) - 2;
  const step = Math.max(1, Math.floor(count / DECOYS));
  const start = Math.floor(random() * count);
  const not = new Set([ask.gateway, ...ask.addresses.map(({ ip }) => ip)]);
  const found: string[] = [];
  for (let part = 0; part < Math.min(DECOYS, count); part++) {
    const ips = Array.from({ length: step }, (_, i) => toAddress(subnet.first + 1 + ((start + part * step + i) % count)));
    found.push(...ips.filter((ip) => !not.has(ip)).slice(0, 1));
  }
  const { ipv6Prefix } = vlan;
  return found.map((ip) => (ipv6Prefix === undefined ? { ip } : { ip, ipv6: embedded(ipv6Prefix, ip) }));
}

/** What is to be said of each address, once its answerer has been tried. */
export function judged(ask: Ask, outcome: Heeded, trial: Trial | undefined): Map<Asked, Verdict> {
  const first = verdicts(ask, outcome);
  if (trial === undefined) return first;
  const { mac } = trial.ask.suspect;
  const tried = 'failed' in trial.outcome ? undefined : trialOf(ask, outcome, trial.ask, trial.outcome);
  return new Map(
    [...first].map(([address, verdict]): [Asked, Verdict] => {
      const who = strangerIn(verdict, address);
      if (who === undefined) return [address, verdict];
      // Another's turn comes when this one's addresses are done with: one is tried at a time, and nothing is taken out of use before.
      return [address, who === mac && tried !== undefined ? tried(address, verdict) : 'again'];
    }),
  );
}

/** Who answers for it; but not its own MAC, that of an older sandbox: nobody else is given that. */
function strangerIn(verdict: Verdict, { mac }: Asked): string | undefined {
  return verdict === 'again' || verdict.conflict === mac ? undefined : verdict.conflict;
}

function trialOf(ask: Ask, { answered }: Heeded, tried: Trial['ask'], outcome: Heeded): (address: Asked, first: Verdict) => Verdict {
  const { mac } = tried.suspect;
  const all = familiesOf(tried.suspect, outcome);
  const second = verdicts(tried, outcome);
  return (address, first) => {
    const { ip, ipv6 } = address;
    const has = answered.some((one) => one.mac === mac && ((one.ip === ip && !all.ipv4) || (one.ip === ipv6 && !all.ipv6)));
    if (has) return first;
    // None: more than one call takes.
    const then = second.get(address) ?? 'again';
    return then === 'again' || then.conflict !== undefined ? then : answeredForAllBy(mac, ask, ip);
  };
}

/** Whether it answers for every address, by ARP and by neighbour discovery. */
function familiesOf({ decoys }: Suspect, { answered }: Heeded): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const heard = new Set(answered.map(({ ip }) => ip));
  const isAll = (ips: readonly string[]) =>
    ips.length >= LEAST_DECOYS && ips.filter((ip) => !heard.has(ip)).length <= (ips.length > LEAST_DECOYS ? LOST : 0);
  return { ipv4: isAll(decoys.map(({ ip }) => ip)), ipv6: isAll(decoys.flatMap(({ ipv6 }) => ipv6 ?? [])) };
}
