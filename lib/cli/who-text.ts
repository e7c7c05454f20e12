/** Who has an address, as data and as text. Pure. */
import type { IPLock } from '../api/kinds.ts';
import { PROBED, WIRED } from '../api/network.ts';
import { POD_ANNOTATION } from '../api/scheduling.ts';
import { type Said, said } from './address-book.ts';
import { type Place, placeText } from './address-place.ts';
import { ageOf } from './amount.ts';
import { twinOf } from './ip-text.ts';

export interface PodSeen {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node?: string;
  /** Number of its slot, or `loose`. */
  readonly slot?: string;
  readonly lock?: string;
  /** Of its status; another CNI's where Gala does not own the network. */
  readonly podIP?: string;
  readonly startedAt?: string;
}

export interface IPLockSeen {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly time?: string }[];
  };
  readonly spec: IPLock['spec'];
  readonly status?: IPLock['status'];
}

/** What was found out about an address. */
export interface Clues {
  readonly address: string;
  readonly place?: Place;
  readonly ipLock?: IPLockSeen;
  /** The pod that has it, by the IPLock or by its status. */
  readonly pod?: PodSeen;
  /** The node whose own address it is. */
  readonly node?: string;
}

/** What `-o json` prints. */
export interface Who {
  readonly address: string;
  /** The IPLock's phase; without one `Free`, a `Pod` of another CNI, a `Node` itself, or `Unknown`: no address of Gala's. */
  readonly state: IPLock['spec']['phase'] | 'Free' | 'Pod' | 'Node' | 'Unknown';
  readonly place?: Place;
  /** The IPv6 address that its pod has beside it, where the VLAN has a prefix. */
  readonly ipv6?: string;
  readonly node?: string;
  readonly mac?: string;
  /** `<namespace>/<name>` */
  readonly owner?: string;
  readonly lock?: string;
  readonly slot?: string;
  /** `<namespace>/<name>`; of a pod that is gone the name is still known. */
  readonly pod?: { readonly name: string; readonly uid?: string; readonly there: boolean; readonly startedAt?: string };
  /** Whether the agent of its node says that a link has it; Bound is written before there is one. */
  readonly wired?: Said;
  /** What the agent found when it looked for the address on the wire: that nobody else answers, or who does. */
  readonly probed?: Said;
  /** When its IPLock was last written: since then it is what it is. RFC 3339. */
  readonly since?: string;
  /** When its IPLock was made: since then it is taken. */
  readonly takenAt?: string;
}

export function whoHas({ address, place, ipLock, pod, node }: Clues): Who {
  const prefix = place?.is === 'vlan' ? place.ipv6Prefix : undefined;
  const found = { address, ...(place && { place }), ...(prefix && { ipv6: twinOf(prefix, address) }) };
  if (ipLock === undefined) {
    if (node !== undefined) return { ...found, state: 'Node', node };
    if (pod !== undefined) return { ...found, state: 'Pod', ...ofPod(pod) };
    return { ...found, state: place === undefined || (place.is === 'vlan' && !place.listed) ? 'Unknown' : 'Free' };
  }
  const { metadata, spec } = ipLock;
  const { lock } = spec;
  const since = lastWrite(ipLock);
  const wired = said(ipLock.status, WIRED);
  const probed = said(ipLock.status, PROBED);
  return {
    ...found,
    state: spec.phase,
    ...{ node: spec.node, mac: spec.mac, owner: spec.owner },
    ...(lock && { lock: `${lock.namespace}/${lock.name}` }),
    ...podNamed(ipLock, pod),
    ...(wired && { wired }),
    ...(probed && { probed }),
    ...(since === undefined ? {} : { since }),
    ...(metadata.creationTimestamp === undefined ? {} : { takenAt: metadata.creationTimestamp }),
  };
}

function ofPod({ namespace, name, uid, node, startedAt, slot, lock }: PodSeen): Pick<Who, 'pod' | 'node' | 'slot' | 'lock'> {
  return {
    pod: { name: `${namespace}/${name}`, uid, there: true, ...(startedAt && { startedAt }) },
    ...(node && { node }),
    ...(slot && { slot }),
    ...(lock && { lock: `${namespace}/${lock}` }),
  };
}

/** Pods carry their slot; of one that is gone the IPLock still says the name. */
function podNamed({ metadata, spec }: IPLockSeen, pod: PodSeen | undefined): Pick<Who, 'pod' | 'slot'> {
  if (spec.podUID === undefined) return {};
  if (pod?.uid === spec.podUID) {
    const { pod: named, slot } = ofPod(pod);
    return { ...(named && { pod: named }), ...(slot && { slot }) };
  }
  const name = metadata.annotations?.[POD_ANNOTATION];
  const namespace = spec.owner.split('/')[0];
  return { pod: { name: name === undefined ? `a pod of ${namespace}` : `${namespace}/${name}`, uid: spec.podUID, there: false } };
}

function lastWrite({ metadata }: IPLockSeen): string | undefined {
  return (metadata.managedFields ?? [])
    .flatMap(({ time }) => time ?? [])
    .sort()
    .at(-1);
}

/** @param nowMs Unix milliseconds */
export function whoText(who: Who, nowMs: number): string {
  const { address, place, ipv6, node, mac, owner, lock, slot, pod, wired, probed, since, takenAt } = who;
  const ago = (time: string | undefined) => (time === undefined ? '' : `, ${ageOf(nowMs - Date.parse(time))}`);
  const rows: [string, string | undefined][] = [
    ['state', `${sentenceOf(who)}${ago(since)}`],
    [
      'pod',
      pod &&
        `${pod.name}${pod.there ? (pod.startedAt === undefined ? '' : `, started ${ageOf(nowMs - Date.parse(pod.startedAt))} ago`) : ', which is gone'}`,
    ],
    ['node', node],
    ['MAC', mac],
    ['IPv6', ipv6],
    ['wired', wired && `${WIRED_AS[wired.status]}${ago(wired.since)}`],
    ['probed', probed && `${probed.reason}${ago(probed.since)}${probed.status === 'True' || !probed.message ? '' : `: ${probed.message}`}`],
    ['owner', owner],
    ['lock', lock && `${lock}${slot === undefined ? '' : `, slot ${slot}`}`],
    ['taken', takenAt && `since ${takenAt}${ago(takenAt)}`],
  ];
  const told = rows.filter(([, text]) => text !== undefined);
  const wide = Math.max(...told.map(([title]) => title.length));
  const lines = told.map(([title, text]) => `  ${title.padEnd(wide)}   ${text}`);
  return [`${address}${place === undefined ? '' : `   ${placeText(place)}`}`, ...lines].join('\n');
}

const WIRED_AS = { True: 'yes', False: 'no longer', Unknown: 'its node may have it, and has not said so yet' } as const;

function sentenceOf({ address, state, place, pod, wired }: Who): string {
  switch (state) {
    case 'Free':
      return 'Free: no IPLock of this name';
    case 'Locked':
      return pod === undefined ? 'Locked: for a pod to come' : 'Locked: its pod has it, and no agent has said that it is wired';
    case 'Bound':
      return wired?.status === 'False' ? 'Bound: its pod was wired, and is no longer' : 'Bound: wired in its pod';
    case 'Held':
      return "Held: for its owner's next pod; nobody else gets it";
    case 'Quarantined':
      return `Quarantined: another machine answers for it, and no pod gets it; find that one, then gala ips free ${address}`;
    case 'Pod':
      return "a pod's, given by another CNI";
    case 'Node':
      return "the node's own";
    case 'Unknown':
      return place === undefined
        ? 'Unknown: in no VLAN or ENI of a pool, on no node and no pod'
        : 'not for pods: the definition leaves it to the network team';
    default:
      return state satisfies never;
  }
}
