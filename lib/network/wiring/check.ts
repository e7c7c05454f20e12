/**
 * Check: what of a pod's wiring is not as its steps left it. Pure; CHECK refuses with it, and the agent's own round puts it right.
 * Settings are not looked at, since links have taken them by then, nor filters, which iproute2 tells for one link at a time.
 */
import type { Step, Where } from './step.ts';

/** Of a namespace, as `ip -j` and `tc -j` print it. What else they print is not asked. */
export interface Seen {
  /** `ip -j addr` */
  readonly links: readonly {
    readonly ifname: string;
    readonly address?: string;
    readonly mtu: number;
    readonly flags: readonly string[];
    readonly addr_info: readonly { readonly local?: string; readonly prefixlen?: number }[];
  }[];
  /** `ip -j route` and `ip -j -6 route` */
  readonly routes: readonly {
    readonly type?: string;
    readonly dst: string;
    readonly gateway?: string;
    readonly dev?: string;
    readonly prefsrc?: string;
  }[];
  /** `ip -j neigh` */
  readonly neighbours: readonly {
    readonly dst: string;
    readonly dev: string;
    readonly lladdr?: string;
    readonly state: readonly string[];
  }[];
  /** `tc -j qdisc` */
  readonly qdiscs: readonly {
    readonly kind: string;
    readonly dev: string;
    readonly root?: boolean;
    readonly options?: { readonly rate?: number };
  }[];
}

/** @returns a sentence for each; none: all is well */
export function deviations(steps: readonly Step[], seen: Readonly<Record<Where, Seen>>): string[] {
  return steps.flatMap((step) => deviationsOf(step, seen));
}

function deviationsOf(step: Step, seen: Readonly<Record<Where, Seen>>): string[] {
  switch (step.do) {
    case 'sysctl':
      return [];
    case 'vlan':
      return hasLink(seen, 'host', step.link);
    case 'macvlan':
      return hasLink(seen, 'pod', step.link, step.mac);
    case 'move':
    case 'ifb':
      return hasLink(seen, 'pod', step.link);
    case 'veth':
      return [...hasLink(seen, 'host', step.host, step.hostMac), ...hasLink(seen, 'pod', step.pod, step.podMac)];
    case 'mtu': {
      const mtu = linkOf(seen[step.where], step.link)?.mtu;
      return mtu === undefined || mtu === step.bytes ? [] : [`${step.where}: ${step.link} has MTU ${mtu}, not ${step.bytes}`];
    }
    case 'up': {
      const flags = linkOf(seen[step.where], step.link)?.flags;
      return flags === undefined || flags.includes('UP') ? [] : [`${step.where}: ${step.link} is down`];
    }
    case 'address': {
      const info = linkOf(seen.pod, step.link)?.addr_info ?? [];
      const isThere = info.some(({ local = '', prefixlen }) => same(`${local}/${prefixlen}`, step.address));
      return isThere ? [] : [`pod: ${step.link} has no address ${step.address}`];
    }
    case 'route':
      return hasRoute(seen, step);
    case 'unreachable':
      return seen.pod.routes.some(({ type, dst }) => type === 'unreachable' && same(dst, step.to)) ? [] : [`pod: ${step.to} is reachable`];
    case 'neighbour': {
      const isThere = seen[step.where].neighbours.some(
        ({ dst, dev, lladdr, state }) => same(dst, step.ip) && dev === step.link && lladdr === step.mac && state.includes('PERMANENT'),
      );
      return isThere ? [] : [`${step.where}: ${step.link} has no neighbour ${step.ip} with MAC ${step.mac}`];
    }
    case 'redirect':
      return seen.pod.qdiscs.some(({ kind, dev }) => kind === 'ingress' && dev === step.from)
        ? []
        : [`pod: what comes in on ${step.from} is not limited`];
    case 'shape': {
      const { link, bitsPerSecond } = step;
      const found = seen.pod.qdiscs.find(({ kind, dev, root }) => kind === 'tbf' && dev === link && root === true);
      if (found === undefined) return [`pod: ${link} has no limit, not ${bitsPerSecond} bit/s`];
      // tc tells bytes a second, and cuts off what is less than one.
      const rate = found.options?.rate ?? 0;
      return rate === Math.floor(bitsPerSecond / 8) ? [] : [`pod: ${link} has a limit of ${rate * 8} bit/s, not ${bitsPerSecond}`];
    }
    default:
      return step satisfies never;
  }
}

const linkOf = ({ links }: Seen, name: string) => links.find(({ ifname }) => ifname === name);

function hasLink(seen: Readonly<Record<Where, Seen>>, where: Where, name: string, mac?: string): string[] {
  const link = linkOf(seen[where], name);
  if (link === undefined) return [`${where}: there is no link ${name}`];
  return mac === undefined || link.address === mac ? [] : [`${where}: ${name} has MAC ${link.address}, not ${mac}`];
}

function hasRoute(seen: Readonly<Record<Where, Seen>>, { where, to, via, link, src }: Extract<Step, { do: 'route' }>): string[] {
  const isThere = seen[where].routes.some(
    ({ dst, gateway, dev, prefsrc }) =>
      same(dst === 'default' ? (gateway?.includes(':') ? '::/0' : '0.0.0.0/0') : dst, to) &&
      dev === link &&
      (via === undefined ? gateway === undefined : gateway !== undefined && same(gateway, via)) &&
      (src === undefined || (prefsrc !== undefined && same(prefsrc, src))),
  );
  return isThere ? [] : [`${where}: there is no route to ${to}${via === undefined ? '' : ` via ${via}`} on ${link}`];
}

/** Whether two spellings are of one address or network: iproute2 leaves out the prefix of a whole address, and shortens IPv6. */
const same = (a: string, b: string): boolean => spelt(a) === spelt(b);

function spelt(text: string): string {
  const [address = '', prefix] = text.split('/');
  if (!address.includes(':')) return `${address}/${prefix ?? 32}`;
  // The URL standard writes IPv6 as RFC 5952 does, dotted ends included.
  return `${new URL(`http://[${address}]/`).hostname}/${prefix ?? 128}`;
}
