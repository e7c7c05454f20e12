/**
 * Ask: which addresses are asked for together on a link, in the words of gala-probe (lib/network/shim/probe.c), and what it answers.
 * Pure.
 */
import type { IPLock } from '../../api/kinds.ts';
import { embedded } from '../wiring/ipv6.ts';
import { type Here, onVlan, type Place } from '../wiring/place.ts';
import { isRefusal } from '../wiring/refusal.ts';

/** An IPLock, as far as it is decided by. */
export type ProbedLock = Pick<IPLock, 'spec' | 'status'> & { readonly metadata: { readonly name: string; readonly uid: string } };

/** What is known of this node. */
export interface Seen extends Pick<Here, 'node' | 'rack' | 'network' | 'pool'> {
  /** Those of the node, in whatever phase. */
  readonly locks: Iterable<ProbedLock>;
}

/** An address, and for whom it is asked. */
export interface Asked {
  readonly ip: string;
  /** Its twin: the prefix of the VLAN and the IPv4 address. */
  readonly ipv6?: string;
  /** What it has once it is wired. */
  readonly mac: string;
  readonly holder: string;
}

/** One call of gala-probe. */
export interface Ask {
  readonly trunk: string;
  readonly vlan: number;
  /** `bond0.110` */
  readonly link: string;
  readonly gateway: string;
  readonly gatewayIPv6?: string;
  readonly addresses: readonly Asked[];
  readonly suspect?: Suspect;
}

/** One who answers for an address, and may be answering for every one (suspect.ts). Of the addresses its word does not count. */
export interface Suspect {
  readonly mac: string;
  /** Others of the subnet, of which its word alone counts. */
  readonly decoys: readonly { readonly ip: string; readonly ipv6?: string }[];
}

export interface Answer {
  readonly ip: string;
  readonly mac: string;
}

/** What gala-probe prints, each address in one of them; or why it could not ask. */
export type Outcome =
  | { readonly answered: readonly Answer[]; readonly probing: readonly Answer[]; readonly silent: readonly string[] }
  | { readonly failed: string };

/** QUESTIONS_MAX of probe.c. */
export const MOST_QUESTIONS = 256;

/**
 * For whom an address is locked: as long as this stays what was found out stays true. The pod is not part of it: it comes to a
 * slot that was asked for before.
 */
export const holderOf = ({ metadata: { uid }, spec: { lock } }: ProbedLock): string =>
  `${uid} ${lock === undefined ? '' : `${lock.namespace}/${lock.name}`}`;

/** An address of a VLAN, with where it is asked for. */
export interface Located extends Omit<Ask, 'addresses'> {
  readonly address: Asked;
}

/** @returns or why it can't be asked for, for people */
export function located(lock: ProbedLock, seen: Seen): Located | string {
  const ip = lock.metadata.name;
  const place = onVlan(seen, ip, lock.spec.mac);
  if (isRefusal(place)) return place.details;
  const { gateway, vlan } = place as Place & { readonly vlan: NonNullable<Place['vlan']> };
  if (ip === gateway)
    return `${ip} is the gateway of VLAN ${vlan.id}; no pod can have it. Delete the pod, and take it out of vlans.${vlan.id}.addresses.`;
  const prefix = seen.pool.intranet?.vlans.find(({ id }) => id === vlan.id)?.ipv6Prefix;
  const twin = (name: string, of: string) => (prefix === undefined ? {} : { [name]: embedded(prefix, of) });
  return {
    ...{ trunk: vlan.trunk, vlan: vlan.id, link: `${vlan.trunk}.${vlan.id}`, gateway, ...twin('gatewayIPv6', gateway) },
    address: { ip, ...twin('ipv6', ip), mac: lock.spec.mac, holder: holderOf(lock) },
  };
}

/** Of all that stand on one link, as many as one call takes. */
export function together(all: readonly [Located, ...Located[]]): Ask {
  const [{ address: first, ...where }] = all;
  const each = first.ipv6 === undefined ? 1 : 2;
  const most = Math.floor(MOST_QUESTIONS / each) - 1;
  return { ...where, addresses: all.slice(0, most).map(({ address }) => address) };
}

const both = (ip: string, ipv6: string | undefined): string[] => (ipv6 === undefined ? [ip] : [ip, ipv6]);

/** The arguments after link and time. */
export function questionsOf({ gateway, gatewayIPv6, addresses, suspect }: Ask): string[] {
  const free = (all: Ask['addresses'] | Suspect['decoys'], option: string) =>
    all.flatMap(({ ip, ipv6 }) => both(ip, ipv6)).map((ip) => `free:${ip}${option}`);
  // The gateway first: its answer comes while the others are asked for.
  return [
    ...both(gateway, gatewayIPv6).map((ip) => `answers:${ip}`),
    ...(suspect === undefined ? [] : free(suspect.decoys, `,only:${suspect.mac}`)),
    ...free(addresses, suspect === undefined ? '' : `,not:${suspect.mac}`),
  ];
}
