/**
 * The way back: what DEL does when there is no journal, or beside it. Pure. All of it is named after the container, so a DEL needs
 * neither lock nor API, may come twice, and may come when the pod's namespace is gone.
 */

import { type Link, vethNames } from './plan.ts';
import { isWord, type Line, type Step, undoOf } from './step.ts';

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
  const isOwn = (link: Link) => (mac === undefined ? link.mac === eni?.mac || link.mac.startsWith(DERIVED) : link.mac === mac);
  const own = isWord(ifname) ? links.pod.find((link) => link.name === ifname && isOwn(link)) : undefined;
  return [
    // Traffic first: the address must be silent before anybody else has it.
    ...(own === undefined
      ? []
      : own.mac === eni?.mac
        ? undoOf({ do: 'move', device: eni.device, link: ifname, netns })
        : undoOf(made(own, netns))),
    ...(links.host.some(({ name }) => name === host) ? undoOf({ do: 'veth', host, hostMac, pod: '', podMac, netns }) : []),
    ...fallen(links.host, eni),
  ];
}

const made = ({ name, mac }: Link, netns: string): Step => ({ do: 'macvlan', on: '', link: name, mac, netns });

/**
 * A device whose namespace dies falls back to the first one, under the name that it had, or `dev<n>` where that is taken
 * (default_device_exit_net). It gets its own name again, and is down: no address of it may be answered for.
 */
function fallen(host: readonly Link[], eni: Left['eni']): Line[] {
  const device = host.find(({ mac }) => mac === eni?.mac);
  if (device === undefined || eni === undefined || device.name === eni.device || !isWord(device.name)) return [];
  return [
    { where: 'host', tool: 'ip', line: `link set dev ${device.name} down` },
    { where: 'host', tool: 'ip', line: `link set dev ${device.name} name ${eni.device}` },
  ];
}
