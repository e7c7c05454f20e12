/**
 * The way back: what DEL does when there is no journal, or beside it. Pure. All of it is named after the container, so a DEL needs
 * neither lock nor API, may come twice, and may come when the pod's namespace is gone.
 */

import { type Link, vethNames } from './plan.ts';
import { isWord, type Line, OWN_INDEX, undoOf, type Where } from './step.ts';

export interface Sandbox {
  readonly containerId: string;
  readonly ifname: string;
  /** Undefined: the namespace is gone, and what was in it. */
  readonly netns?: string;
}

/** Of every MAC that Gala derives from an address. */
const DERIVED = '02:67:';

export interface Left {
  /** Links of the host, and those of the pod's namespace while there is one. */
  readonly links: { readonly host: readonly Link[]; readonly pod: readonly Link[] };
  /** What the pod's own link had, where that is known: a link of somebody else under its name stays. */
  readonly mac?: string;
  /** An ENI that the pod had, and its name on the host; undefined: MacVlan, or it had none. */
  readonly eni?: { readonly mac: string; readonly device: string };
}

/** @returns lines for what is still there; none when nothing is */
export function unplan({ containerId, ifname, netns = '' }: Sandbox, { links, mac, eni }: Left): Line[] {
  const { host, hostMac, podMac } = vethNames(containerId, ifname);
  return [
    // Traffic first: the address must be silent before anybody else has it.
    ...ownLines(links.pod.find(isOwn({ ifname, mac, eni })), eni, netns),
    ...(links.host.some(({ name }) => name === host) ? undoOf({ do: 'veth', host, hostMac, pod: '', podMac, netns }) : []),
    ...fallen(links.host, eni),
  ];
}

/** The pod may have given it another name and another MAC; one that was wired before links had an index of their own is known by both. */
const isOwn =
  ({ ifname, mac, eni }: Pick<Left, 'mac' | 'eni'> & Pick<Sandbox, 'ifname'>) =>
  (link: Link): boolean =>
    isEni(link, eni) ||
    link.index === OWN_INDEX ||
    (link.name === ifname && (mac === undefined ? link.mac.startsWith(DERIVED) : link.mac === mac));

const isEni = ({ mac, permanentMac = mac }: Link, eni: Left['eni']): boolean => eni !== undefined && permanentMac === eni.mac;

function ownLines(own: Link | undefined, eni: Left['eni'], netns: string): Line[] {
  if (own === undefined) return [];
  const link = wordOf(own);
  if (eni === undefined || !isEni(own, eni)) return undoOf({ do: 'macvlan', on: '', link, mac: own.mac, netns });
  return [...asItCame('pod', link, own), ...undoOf({ do: 'move', device: eni.device, link, netns })];
}

/** An ENI of the node, as its NodeNetwork says. */
export interface Slot {
  readonly mac: string;
  readonly networkCardIndex?: number;
  readonly deviceIndex: number;
}

/**
 * The way back without container or journal: of a namespace's links, those that are Gala's. An ENI goes to the host under a name that no
 * other has; it is found there by its MAC.
 */
export function homeless(links: readonly Link[], slots: readonly Slot[]): Line[] {
  return links.flatMap((link) => {
    const slot = slots.find(({ mac }) => mac === (link.permanentMac ?? link.mac));
    if (slot === undefined) return link.index === OWN_INDEX || link.mac.startsWith(DERIVED) ? ownLines(link, undefined, '') : [];
    return ownLines(link, { mac: slot.mac, device: `gala-eni${slot.networkCardIndex ?? 0}-${slot.deviceIndex}` }, '');
  });
}

/** Its own MAC is all that EC2 lets through, and what it is found by. A driver may refuse to change that of a link that is up. */
const asItCame = (where: Where, link: string, { permanentMac }: Link): Line[] =>
  permanentMac === undefined ? [] : [set(where, link, 'down'), set(where, link, `address ${permanentMac}`)];

/** iproute2 reads `if1728053248` as an index where no link is called so (lib/ll_map.c, ll_idx_a2n); a pod's own names may have quotes in them. */
export const wordOf = ({ name, index }: Link): string => (isWord(name) || index === undefined ? name : `if${index}`);

const set = (where: Where, link: string, what: string): Line => ({ where, tool: 'ip', line: `link set dev ${link} ${what}` });

/**
 * A device whose namespace dies falls back to the first one, under the name that it had, or `dev<n>` where that is taken
 * (default_device_exit_net). It gets its own name again, and is down: no address of it may be answered for.
 */
function fallen(host: readonly Link[], eni: Left['eni']): Line[] {
  const device = host.find((link) => isEni(link, eni));
  if (device === undefined || eni === undefined) return [];
  const link = wordOf(device);
  if ((device.name === eni.device && device.permanentMac === undefined) || !isWord(link)) return [];
  return [
    set('host', link, 'down'),
    ...asItCame('host', link, device).slice(1),
    ...(device.name === eni.device ? [] : [set('host', link, `name ${eni.device}`)]),
  ];
}
