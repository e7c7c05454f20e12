/**
 * Plan: a pod's address as an ordered list of steps, or why it is not wired. Pure; the agent applies a plan and journals it, CHECK
 * compares with it, and DEL goes back by what was journalled.
 *
 * Both modes get the same: the address and its routes on the pod's own link, and an unnumbered veth to the node. A MacVlan can not
 * reach the link it stands on, and an ENI only reaches its subnet, so kubelet probes, node-local services and, where there is
 * kube-proxy, Services go over the veth. Its neighbours are written down on both sides: nobody asks by ARP, and so neither side
 * answers for an address on the wrong link.
 */
import { createHash } from 'node:crypto';
import { cidrRange, toNumber, within } from '../../api/range.ts';
import { bandwidthOf, IFB, inflow, shaping } from './bandwidth.ts';
import { embedded } from './ipv6.ts';
import { type Here, type Place, placeOf } from './place.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { isWord, type Step } from './step.ts';

export interface Link {
  readonly name: string;
  readonly mac: string;
  /** Whether something is plugged in at the other end. */
  readonly carrier: boolean;
  /** Of a pod's. */
  readonly index?: number;
  /** What it came with, where that is not what it has now. */
  readonly permanentMac?: string;
}

export interface Ask extends Here {
  readonly pod: Here['pod'] & { readonly annotations: Readonly<Record<string, string>> };
  readonly sandbox: { readonly containerId: string; readonly ifname: string; readonly netns: string };
  /** The node's own address: what probes come from. */
  readonly nodeIP: string;
  /** Its IPv6 address, where it has one. */
  readonly nodeIPv6?: string;
  /** Links as they are now. */
  readonly links: { readonly host: readonly Link[]; readonly pod: readonly Link[] };
  readonly options: Options;
}

export interface Options {
  /** @default what the trunk or the ENI has */
  readonly mtu?: number;
  /** Static routes of the definition; by the gateway where `via` is left out. */
  readonly routes?: readonly { readonly to: string; readonly via?: string }[];
  /** Networks that are reached over the veth: the service range, NodeLocal DNSCache. */
  readonly throughNode?: readonly string[];
  /** A /96 whose last 32 bits are the IPv4 address (RFC 6052, 2.2). @default IPv4 only */
  readonly ipv6Prefix?: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly place: Place;
  readonly ipv6?: string;
}

/** The pod's end of the veth. */
export const VETH = 'gala-node';

/** EC2's instance metadata service: a pod that asked it would be the node. */
const METADATA = ['169.254.169.254/32'];
const METADATA_IPV6 = ['fd00:ec2::254/128'];

export function plan(ask: Ask): Plan | Refusal {
  const bad = environment(ask);
  if (bad !== undefined) return bad;
  const place = placeOf(ask);
  if (isRefusal(place)) return place;
  const bandwidth = bandwidthOf(ask.pod.annotations);
  if (isRefusal(bandwidth)) return bandwidth;
  const link = ownLink(ask, place);
  if (!Array.isArray(link)) return link;
  const ipv6 = ask.options.ipv6Prefix === undefined ? undefined : embedded(ask.options.ipv6Prefix, place.ip);
  const names = vethNames(ask.sandbox.containerId, ask.sandbox.ifname);
  const steps = [
    ...settings(ipv6 !== undefined),
    // On the host, …
    ...link,
    ...vethOnHost(ask, place, ipv6, names),
    // … in the pod's namespace, …
    ...addresses(ask, place, ipv6),
    ...routes(ask, place, ipv6),
    ...vethInPod(ask, place, ipv6, names),
    ...(place.vlan === undefined ? metadata(ipv6 !== undefined) : []),
    ...inflow(
      bandwidth,
      ask.links.pod.some(({ name }) => name === IFB),
    ),
    // … and there with tc.
    ...shaping(ask.sandbox.ifname, bandwidth),
  ];
  return { steps, place, ...(ipv6 === undefined ? {} : { ipv6 }) };
}

/** The shim has looked at the form of both; here they become words of a line. */
function environment({ sandbox: { ifname, netns } }: Ask): Refusal | undefined {
  const name = JSON.stringify(ifname);
  if (!isWord(ifname) || ifname.length > 15 || /[/:]/.test(ifname) || ifname === '.' || ifname === '..')
    return refuse(
      'BadEnvironment',
      `CNI_IFNAME is ${name}; a letter, digit or _, then letters, digits, _, ., - and @, at most 15, are allowed. Give it eth0.`,
    );
  if ([VETH, IFB, 'lo'].includes(ifname))
    return refuse('BadEnvironment', `CNI_IFNAME is ${name}, which is a link of another use in the pod. Give it eth0.`);
  if (!isWord(netns) || !netns.startsWith('/'))
    return refuse(
      'BadEnvironment',
      `CNI_NETNS is ${JSON.stringify(netns)}; an absolute path of letters, digits, _, ., -, : and / is allowed. Containerd's is /var/run/netns/cni-….`,
    );
  return undefined;
}

/** Read by each link as it comes into the namespace. */
function settings(isDual: boolean): Step[] {
  const set = (key: string, value: string): Step => ({ do: 'sysctl', key: `net.${key}`, value });
  return [
    // A gratuitous ARP when the link goes up: neighbours with an old entry learn the MAC, switches the port (ip-sysctl, arp_notify).
    set('ipv4.conf.default.arp_notify', '1'),
    // An address is answered for on its own link only, and not on the veth.
    set('ipv4.conf.default.arp_ignore', '1'),
    set('ipv4.conf.default.arp_announce', '2'),
    ...(isDual
      ? [
          set('ipv6.conf.default.disable_ipv6', '0'),
          set('ipv6.conf.default.ndisc_notify', '1'),
          // Routes and addresses are given: no router of the VLAN adds its own.
          set('ipv6.conf.default.accept_ra', '0'),
        ]
      : [set('ipv6.conf.default.disable_ipv6', '1')]),
  ];
}

/** The pod's own link, made or moved. */
function ownLink({ links, sandbox: { ifname, netns } }: Ask, { mac, vlan, ip }: Place): Step[] | Refusal {
  const there = links.pod.find(({ name }) => name === ifname);
  if (there !== undefined && there.mac !== mac)
    return refuse(
      'InterfaceTaken',
      `${ifname} of the pod has MAC ${there.mac}; that of ${ip} is ${mac}. The runtime calls DEL before it calls ADD again.`,
    );
  if (vlan === undefined) {
    const device = links.host.find((one) => one.mac === mac);
    if (there !== undefined) return [];
    if (device === undefined || !isWord(device.name))
      return refuse('NoLink', `no link of the host has MAC ${mac}, that of the ENI of ${ip}. See: ip link, and gala cloud status.`);
    return [{ do: 'move', device: device.name, link: ifname, netns }];
  }
  const trunk = links.host.find(({ name }) => name === vlan.trunk);
  if (trunk === undefined)
    return refuse(
      'NoLink',
      `the host has no link ${vlan.trunk}, the trunk of VLAN ${vlan.id}. It has ${links.host.map(({ name }) => name).join(', ')}. Name the right one as trunk of the pool.`,
    );
  if (!trunk.carrier)
    return refuse(
      'Unplugged',
      `${vlan.trunk}, the trunk of VLAN ${vlan.id}, has no carrier. Look at its cable and at the switch's port; the pod start is tried again.`,
    );
  const on = `${vlan.trunk}.${vlan.id}`;
  return [
    ...(links.host.some(({ name }) => name === on) ? [] : [{ do: 'vlan', trunk: vlan.trunk, id: vlan.id, link: on } as const]),
    { do: 'up', where: 'host', link: on },
    ...(there === undefined ? [{ do: 'macvlan', on, link: ifname, mac, netns } as const] : []),
  ];
}

function addresses({ sandbox: { ifname }, options }: Ask, { ip, prefix }: Place, ipv6: string | undefined): Step[] {
  return [
    ...(options.mtu === undefined ? [] : [{ do: 'mtu', where: 'pod', link: ifname, bytes: options.mtu } as const]),
    { do: 'address', link: ifname, address: `${ip}/${prefix}` },
    ...(ipv6 === undefined ? [] : [{ do: 'address', link: ifname, address: `${ipv6}/${96 + prefix}` } as const]),
    // Last: what is sent when it goes up names the addresses that it has.
    { do: 'up', where: 'pod', link: ifname },
  ];
}

function routes({ sandbox: { ifname }, options }: Ask, { ip, prefix, gateway }: Place, ipv6: string | undefined): Step[] {
  const net = cidrRange(`${ip}/${prefix}`);
  const by = (to: string, via: string): Step => ({
    ...{ do: 'route', where: 'pod', to, via, link: ifname },
    ...(via.includes(':') || within(net, toNumber(via)) ? {} : { onlink: true }),
  });
  return [
    by('0.0.0.0/0', gateway),
    ...(ipv6 === undefined ? [] : [by('::/0', embedded(options.ipv6Prefix!, gateway))]),
    ...(options.routes ?? []).map(({ to, via }) => by(to, via ?? gateway)),
  ];
}

interface Names {
  readonly host: string;
  readonly hostMac: string;
  readonly podMac: string;
}

/** Of the veth: the same for a container each time, so that what was made can be found without a journal. */
export function vethNames(containerId: string, ifname: string): Names {
  const hash = createHash('sha256').update(`${containerId}/${ifname}`).digest('hex');
  const tail = hash.slice(0, 8).match(/../g)!.join(':');
  // 02: locally administered and unicast (IEEE 802). The second octet keeps them apart from the pods' own, 02:67.
  return { host: `gala${hash.slice(0, 11)}`, hostMac: `02:68:${tail}`, podMac: `02:69:${tail}` };
}

function vethOnHost({ links, sandbox: { netns }, nodeIP, options }: Ask, { ip }: Place, ipv6: string | undefined, names: Names): Step[] {
  const { host, hostMac, podMac } = names;
  const isThere = links.host.some(({ name }) => name === host);
  return [
    ...(isThere ? [] : [{ do: 'veth', host, hostMac, pod: VETH, podMac, netns } as const]),
    ...(options.mtu === undefined ? [] : [{ do: 'mtu', where: 'host', link: host, bytes: options.mtu } as const]),
    { do: 'up', where: 'host', link: host },
    { do: 'neighbour', where: 'host', ip, mac: podMac, link: host },
    { do: 'route', where: 'host', to: `${ip}/32`, link: host, src: nodeIP },
    ...(ipv6 === undefined
      ? []
      : ([
          { do: 'neighbour', where: 'host', ip: ipv6, mac: podMac, link: host },
          { do: 'route', where: 'host', to: `${ipv6}/128`, link: host },
        ] as const)),
  ];
}

function vethInPod({ nodeIP, nodeIPv6, options }: Ask, { ip }: Place, ipv6: string | undefined, { hostMac }: Names): Step[] {
  return [
    ...(options.mtu === undefined ? [] : [{ do: 'mtu', where: 'pod', link: VETH, bytes: options.mtu } as const]),
    { do: 'up', where: 'pod', link: VETH },
    { do: 'neighbour', where: 'pod', ip: nodeIP, mac: hostMac, link: VETH },
    { do: 'route', where: 'pod', to: `${nodeIP}/32`, link: VETH, src: ip },
    ...(ipv6 === undefined || nodeIPv6 === undefined
      ? []
      : ([
          { do: 'neighbour', where: 'pod', ip: nodeIPv6, mac: hostMac, link: VETH },
          { do: 'route', where: 'pod', to: `${nodeIPv6}/128`, link: VETH, src: ipv6 },
        ] as const)),
    ...(options.throughNode ?? []).map((to): Step => ({ do: 'route', where: 'pod', to, via: nodeIP, link: VETH, src: ip, onlink: true })),
  ];
}

const metadata = (isDual: boolean): Step[] => [...METADATA, ...(isDual ? METADATA_IPV6 : [])].map((to) => ({ do: 'unreachable', to }));
