/**
 * Steps: what is done to wire a pod, each with the line that does it and the lines that take it back. Pure; a plan is an ordered
 * list of them, and `batches` is how the shell runs one: as few `ip -batch` and `tc -batch` as its order allows.
 *
 * Lines may run twice: whoever crashed between doing and noting does it again. `replace` where iproute2 has it; a link that is
 * there already has no step (plan.ts).
 */
export type Where = 'host' | 'pod';

export interface Line {
  readonly where: Where;
  /** `sysctl`: `key=value`, written below /proc/sys of that namespace. */
  readonly tool: 'ip' | 'tc' | 'sysctl';
  readonly line: string;
}

export type Step =
  /** In the pod's namespace, before there is a link: a link takes its settings from `default` when it comes (inetdev_init). */
  | { readonly do: 'sysctl'; readonly key: string; readonly value: string }
  | { readonly do: 'vlan'; readonly trunk: string; readonly id: number; readonly link: string }
  /** Made in the pod's namespace at once: the host never has a link of that name. */
  | { readonly do: 'macvlan'; readonly on: string; readonly link: string; readonly mac: string; readonly netns: string }
  /** A whole device, which loses its addresses and its name on the way. */
  | { readonly do: 'move'; readonly device: string; readonly link: string; readonly netns: string }
  | {
      readonly do: 'veth';
      readonly host: string;
      readonly hostMac: string;
      readonly pod: string;
      readonly podMac: string;
      readonly netns: string;
    }
  | { readonly do: 'ifb'; readonly link: string }
  | { readonly do: 'mtu'; readonly where: Where; readonly link: string; readonly bytes: number }
  | { readonly do: 'up'; readonly where: Where; readonly link: string }
  | { readonly do: 'address'; readonly link: string; readonly address: string }
  | {
      readonly do: 'route';
      readonly where: Where;
      readonly to: string;
      readonly link: string;
      readonly via?: string;
      readonly src?: string;
      /** The next hop lies in no network of the link. */
      readonly onlink?: true;
    }
  | { readonly do: 'unreachable'; readonly to: string }
  | { readonly do: 'neighbour'; readonly where: Where; readonly ip: string; readonly mac: string; readonly link: string }
  | { readonly do: 'redirect'; readonly from: string; readonly to: string }
  | { readonly do: 'shape'; readonly link: string; readonly bitsPerSecond: number };

/** Stands for the host's network namespace in a line; whoever runs it puts in what its own is called there. */
export const HOST_NETNS = '/proc/1/ns/net';

/**
 * Interface index of every pod's MacVlan, in the pod's namespace, where they are counted from 1. Whoever has CAP_NET_ADMIN there may give
 * a link another name and another MAC, but not another index: by it the link is found again. As large as the host's own counter never gets:
 * kernels before 6.14 look for it among the host's links (rtnl_newlink), where the link is asked for, and answer EEXIST.
 */
export const OWN_INDEX = 0x67_00_00_00;

/**
 * tbf lets a packet wait so long, and drops what would wait longer. The bandwidth plugin of CNI has 25 ms (latencyInMillis), which at
 * 10 Mbit/s is less than one GSO packet of 64 KiB: its end was dropped, and TCP waited for its timer (8.5 Mbit/s in half of the runs;
 * with this 9.6).
 */
const LATENCY = '50ms';
/** Large enough for a whole GSO packet at the rates that are asked for most: what is larger is cut up first. */
const LEAST_BURST_BYTES = 32 * 1024;
/** tc-tbf(8): at least rate / HZ, or the rate isn't reached. 100 is the least HZ that a kernel of a distribution has. */
const HZ = 100;

/** Of tc a 32-bit number of bytes. */
const MOST_BURST_BYTES = 2 ** 32 - 1;

const burstOf = (bitsPerSecond: number): number =>
  Math.min(MOST_BURST_BYTES, Math.max(LEAST_BURST_BYTES, Math.ceil(bitsPerSecond / 8 / HZ)));

/** What does it. */
export function linesOf(step: Step): Line[] {
  switch (step.do) {
    case 'sysctl':
      return [{ where: 'pod', tool: 'sysctl', line: `${word(step.key)}=${word(step.value)}` }];
    case 'vlan':
      return [ip('host', 'link add link', step.trunk, 'name', step.link, 'type vlan id', step.id)];
    case 'macvlan':
      return [
        ip(
          ...(['host', 'link add link', step.on, 'name', step.link, 'index', OWN_INDEX, 'address', step.mac] as const),
          ...['netns', step.netns, 'type macvlan mode bridge'],
        ),
      ];
    case 'move':
      return [ip('host', 'link set dev', step.device, 'netns', step.netns, 'name', step.link)];
    case 'veth':
      return [
        ip(
          ...(['host', 'link add name', step.host, 'address', step.hostMac, 'type veth'] as const),
          ...['peer name', step.pod, 'address', step.podMac, 'netns', step.netns],
        ),
      ];
    case 'ifb':
      return [ip('pod', 'link add name', step.link, 'type ifb')];
    case 'mtu':
      return [ip(step.where, 'link set dev', step.link, 'mtu', step.bytes)];
    case 'up':
      return [ip(step.where, 'link set dev', step.link, 'up')];
    case 'address':
      // Probed when it was locked, so that nothing waits for duplicate address detection now.
      return [ip('pod', 'addr replace', step.address, 'dev', step.link, ...(isIPv6(step.address) ? ['nodad'] : []))];
    case 'route':
      return [ip(step.where, 'route replace', ...routeWords(step))];
    case 'unreachable':
      return [ip('pod', 'route replace unreachable', step.to)];
    case 'neighbour':
      return [ip(step.where, 'neigh replace', step.ip, 'lladdr', step.mac, 'dev', step.link, 'nud permanent')];
    case 'redirect':
      return [
        tc('qdisc replace dev', step.from, 'handle ffff: ingress'),
        // u32 and not matchall: kernels that are built small have it (NET_CLS_U32).
        tc(
          ...['filter replace dev', step.from, 'parent ffff: handle 800::1 protocol all prio 1 u32 match u32 0 0'],
          ...['action mirred egress redirect dev', step.to],
        ),
      ];
    case 'shape': {
      const { link, bitsPerSecond } = step;
      return [
        tc(
          'qdisc replace dev',
          link,
          'root handle 1: tbf rate',
          `${bitsPerSecond}bit`,
          'burst',
          burstOf(bitsPerSecond),
          'latency',
          LATENCY,
        ),
      ];
    }
    default:
      return step satisfies never;
  }
}

/** What takes it back; nothing where the step leaves nothing that is the pod's own, or where an earlier step's undo takes it along. */
export function undoOf(step: Step): Line[] {
  switch (step.do) {
    case 'sysctl': // the namespace's, and goes with it
    case 'vlan': // every pod's of that VLAN on the host: another may be on it by now
    case 'mtu': // the link's, and goes with it
    case 'up':
      return [];
    case 'macvlan':
      return [ip('pod', 'link del dev', step.link)];
    case 'move':
      return [ip('pod', 'link set dev', step.link, 'netns', HOST_NETNS, 'name', step.device)];
    case 'veth':
      // One end takes the other along, and the host has its end whatever becomes of the pod's namespace.
      return [ip('host', 'link del dev', step.host)];
    case 'ifb':
      return [ip('pod', 'link del dev', step.link)];
    case 'address':
      return [ip('pod', 'addr del', step.address, 'dev', step.link)];
    case 'route':
      return [ip(step.where, 'route del', ...routeWords(step))];
    case 'unreachable':
      return [ip('pod', 'route del unreachable', step.to)];
    case 'neighbour':
      return [ip(step.where, 'neigh del', step.ip, 'dev', step.link)];
    case 'redirect':
      return [tc('qdisc del dev', step.from, 'ingress')];
    case 'shape':
      return [tc('qdisc del dev', step.link, 'root')];
    default:
      return step satisfies never;
  }
}

const routeWords = ({ to, via, link, src, onlink }: Extract<Step, { do: 'route' }>): string[] => [
  to,
  ...(via === undefined ? [] : ['via', via]),
  ...['dev', link],
  ...(onlink === true ? ['onlink'] : []),
  ...(src === undefined ? [] : ['src', src]),
];

const ip = (where: Where, ...words: readonly (string | number)[]): Line => ({ where, tool: 'ip', line: joined(words) });
const tc = (...words: readonly (string | number)[]): Line => ({ where: 'pod', tool: 'tc', line: joined(words) });
const joined = (words: readonly (string | number)[]): string =>
  words
    .flatMap((text) => String(text).split(' '))
    .map(word)
    .join(' ');

export const isIPv6 = (address: string): boolean => address.includes(':');

/**
 * Whether a text stands for itself in a line of a batch: iproute2 ends a word at a blank, a line at `#`, and knows quotes and the
 * backslash (lib/utils.c, getcmdline and makeargs). None of these is needed, so none is let in, nor what would look like an option.
 */
export const isWord = (text: string): boolean => /^[A-Za-z0-9_./:=][A-Za-z0-9_./:=@+-]*$/.test(text);

/** @throws {Error} for what `plan` should have refused */
function word(text: string): string {
  if (!isWord(text)) throw new Error(`'${text}' is no word of a batch line`);
  return text;
}

export interface Batch {
  readonly where: Where;
  readonly tool: Line['tool'];
  readonly lines: readonly string[];
}

/** Lines in their order, those of the same tool in the same namespace in one batch. */
export function batches(lines: readonly Line[]): Batch[] {
  const all: { where: Where; tool: Line['tool']; lines: string[] }[] = [];
  for (const { where, tool, line } of lines) {
    const last = all.at(-1);
    if (last?.where === where && last.tool === tool) last.lines.push(line);
    else all.push({ where, tool, lines: [line] });
  }
  return all;
}

/** What takes the steps back that were done, the last one first. */
export const undone = (done: readonly Step[]): Line[] => done.toReversed().flatMap(undoOf);
