/**
 * The kernel of this node: runs lines of a plan, and says which links there are. Decides nothing. Every program gets its arguments
 * as a list, and every word stands for itself (step.ts, isWord); what starts them is gala-wire (wire.ts), and no shell.
 */
import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Seen } from '../wiring/check.ts';
import type { Link } from '../wiring/plan.ts';
import { type Batch, batches, HOST_NETNS, type Line } from '../wiring/step.ts';
import { PROGRAM, type Task, wire } from './wire.ts';

export interface Kernel {
  /** Links of the host. */
  hostLinks(): Link[];
  /** Links of a namespace, with what of them a pod can't change. @param netns undefined: the host's */
  podLinks(netns?: string): Promise<Link[]>;
  /** Does them in their order; rejects at the first that fails, with what its program said. */
  run(lines: readonly Line[], netns: string): Promise<void>;
  /** @param netns undefined: the host's */
  seen(netns?: string): Promise<Seen>;
  /** Whether the namespace is there. */
  has(netns: string): boolean;
  /** What of its programs stands in the kernel, for people; undefined: nothing. */
  stuck?(): string | undefined;
  /** When it was mounted there, on the wall clock; 0: it is not there. */
  bornMs(netns: string): number;
}

export interface KernelOptions {
  /** gala-wire. @default the image's */
  readonly program?: string;
  /** Where `/proc/sys` of the host can be written: a container's own is read-only. @default '/proc/sys' */
  readonly procSys?: string;
  /** @default '/sys/class/net' */
  readonly sysClassNet?: string;
}

export function kernel({ program = PROGRAM, procSys = '/proc/sys', sysClassNet = '/sys/class/net' }: KernelOptions = {}): Kernel {
  const ask = wire(program);
  // As seen from a pod's network namespace too: that changes no process ids.
  const own = `/proc/${process.pid}/ns/net`;

  async function run(all: readonly Line[], netns: string): Promise<void> {
    const lines = existsSync(join(procSys, 'net/ipv6')) ? all : all.filter((line) => !isIPv6Off(line));
    if (lines.length === 0) return;
    await ask(batches(lines).flatMap((batch) => [{ do: 'netns', path: batch.where === 'host' ? own : netns } as const, ...tasksOf(batch)]));
  }

  function tasksOf({ tool, lines }: Batch): Task[] {
    if (tool !== 'sysctl') return [{ do: 'run', argv: [tool, '-batch', '-'], stdin: `${lines.join('\n')}\n`.replaceAll(HOST_NETNS, own) }];
    return lines.map((line) => {
      const [key = '', value = ''] = line.split('=');
      return { do: 'set', path: `${procSys}/${key.replaceAll('.', '/')}`, value };
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: what iproute2 prints; Seen has what is read of it
  async function json(netns: string, command: string): Promise<any> {
    const text = await ask([
      { do: 'netns', path: netns },
      { do: 'run', argv: command.split(' ') },
    ]);
    return JSON.parse(text.trim() || '[]');
  }

  return {
    run,
    stuck: ask.stuck,
    hostLinks: () => readdirSync(sysClassNet).flatMap((name) => linkOf(sysClassNet, name)),
    async podLinks(netns = own) {
      const all = (await json(netns, 'ip -j link')) as IpLink[];
      return all.map(({ ifname, ifindex, address = '', permaddr, flags }) => ({
        ...{ name: ifname, mac: address, carrier: flags.includes('LOWER_UP'), index: ifindex },
        ...(permaddr === undefined ? {} : { permanentMac: permaddr }),
      }));
    },
    async seen(netns = own) {
      // One after the other: side by side they would take the turns of pods that start.
      const [links, routes] = [await json(netns, 'ip -j addr'), await json(netns, 'ip -j route')];
      const [routes6, neighbours] = [await json(netns, 'ip -j -6 route'), await json(netns, 'ip -j neigh')];
      return { links, routes: [...routes, ...routes6], neighbours, qdiscs: await json(netns, 'tc -j qdisc') };
    },
    has: (netns) => netns !== '' && isNamespace(netns),
    // Its inode is made when it is first opened, and the mount keeps it (fs/nsfs.c).
    bornMs: (netns) => (netns !== '' && isNamespace(netns) ? statSync(netns).ctimeMs : 0),
  };
}

/** linux/magic.h, NSFS_MAGIC. What is left of a namespace that is gone is an empty file. */
const NSFS = 0x6e736673;

function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS;
  } catch {
    return false;
  }
}

/** What needs no doing on a host that was booted without IPv6 (ipv6.disable=1): it has none of its settings (net/ipv6, inet6_init). */
const isIPv6Off = ({ tool, line }: Line): boolean => tool === 'sysctl' && /^net\.ipv6\..*\.disable_ipv6=1$/.test(line);

interface IpLink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly address?: string;
  /** Only where it has another one now. */
  readonly permaddr?: string;
  readonly flags: readonly string[];
}

/** Names of vethNames (plan.ts). */
export const isVeth = (name: string): boolean => /^gala[0-9a-f]{11}$/.test(name);

/** Not by a program: for a node with 250 pods that would be most of what it prints. */
function linkOf(folder: string, name: string): Link[] {
  const read = (file: string) => {
    try {
      return readFileSync(join(folder, name, file), 'utf8').trim();
    } catch {
      // A link may have gone meanwhile, and bonding_masters is none.
      return '';
    }
  };
  // Of the veths, hundreds, the name says it all.
  if (isVeth(name)) return [{ name, mac: '', carrier: true }];
  const mac = read('address');
  return mac === '' ? [] : [{ name, mac, carrier: !PLUGGED_OUT.includes(read('operstate')) }];
}

/**
 * RFC 2863, 3.1.14, as the kernel spells it; `unknown` is that of a link whose driver tells nothing. Not the file `carrier`: that one tries for
 * the lock of all links (net-sysfs.c, carrier_show: rtnl_trylock, else restart_syscall), in vain as long as pods are being wired.
 */
const PLUGGED_OUT = ['down', 'lowerlayerdown', 'notpresent', ''];
