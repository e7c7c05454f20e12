/**
 * The kernel of this node: runs lines of a plan, and says which links there are. Decides nothing. Every program gets its arguments
 * as a list; what is text for a shell is made of words that stand for themselves (step.ts, isWord).
 *
 * What is to be done in a pod's namespace, one part after the other, is done by one shell in there: starting a program is what takes
 * time in wiring a pod.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Seen } from '../wiring/check.ts';
import type { Link } from '../wiring/plan.ts';
import { type Batch, batches, HOST_NETNS, type Line } from '../wiring/step.ts';

export interface Kernel {
  /** Links of the host. */
  hostLinks(): Link[];
  /** Links of a namespace. */
  podLinks(netns: string): Promise<Link[]>;
  /** Does them in their order; rejects at the first that fails, with what its program said. */
  run(lines: readonly Line[], netns: string): Promise<void>;
  /** @param netns undefined: the host's */
  seen(netns?: string): Promise<Seen>;
  /** Whether the namespace is there. */
  has(netns: string): boolean;
}

export interface KernelOptions {
  /** Where `/proc/sys` of the host can be written: a container's own is read-only. @default '/proc/sys' */
  readonly procSys?: string;
  /** @default '/sys/class/net' */
  readonly sysClassNet?: string;
}

/** The kernel lets one change links at a time (rtnl_lock); more would only wait there. */
const AT_ONCE = 4;
/** A program of iproute2 takes milliseconds. */
const DEADLINE_MS = 20_000;

export function kernel({ procSys = '/proc/sys', sysClassNet = '/sys/class/net' }: KernelOptions = {}): Kernel {
  const limit = pLimit(AT_ONCE);
  // As seen from a pod's network namespace too: that changes no process ids.
  const own = `/proc/${process.pid}/ns/net`;
  const script = (argv: readonly string[], text: string) => limit(() => ran(argv, text));

  async function run(all: readonly Line[], netns: string): Promise<void> {
    const lines = existsSync(join(procSys, 'net/ipv6')) ? all : all.filter((line) => !isIPv6Off(line));
    if (lines.length === 0) return;
    const parts = batches(lines);
    const enters = parts.some(({ where }) => where === 'pod');
    // From inside the pod's namespace the host's is entered for what is to be done there: one start of a shell for everything.
    const text = parts.map((batch) => spelt(batch, procSys, enters ? `nsenter --net=${own} ` : '')).join('\n');
    await script(enters ? ['nsenter', `--net=${netns}`, 'sh'] : ['sh'], `set -e\n${text}\n`.replaceAll(HOST_NETNS, own));
  }

  return {
    run,
    hostLinks: () => readdirSync(sysClassNet).flatMap((name) => linkOf(sysClassNet, name)),
    async podLinks(netns) {
      const all = JSON.parse((await script(['nsenter', `--net=${netns}`, 'ip', '-j', 'link'], '')) || '[]') as IpLink[];
      return all.map(({ ifname, address = '', flags }) => ({ name: ifname, mac: address, carrier: flags.includes('LOWER_UP') }));
    },
    async seen(netns) {
      const text = LOOKS.map((one) => `${one}; echo ${END}`).join('\n');
      const parts = (await script(netns === undefined ? ['sh'] : ['nsenter', `--net=${netns}`, 'sh'], `${text}\n`)).split(`${END}\n`);
      const [links, routes, routes6, neighbours, qdiscs] = parts.map((part) => JSON.parse(part.trim() || '[]'));
      return { links, routes: [...routes, ...routes6], neighbours, qdiscs };
    },
    has: (netns) => netns !== '' && isNamespace(netns),
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
  readonly address?: string;
  readonly flags: readonly string[];
}

const LOOKS = ['ip -j addr', 'ip -j route', 'ip -j -6 route', 'ip -j neigh', 'tc -j qdisc'];
const END = '=====';

/** Names of vethNames (plan.ts). */
export const isVeth = (name: string): boolean => /^gala[0-9a-f]{11}$/.test(name);

/** Not by a program: for a node with 250 pods that would be most of what it prints. */
function linkOf(folder: string, name: string): Link[] {
  const read = (file: string) => {
    try {
      return readFileSync(join(folder, name, file), 'utf8').trim();
    } catch {
      // carrier of a link that is down answers EINVAL; a link may also have gone meanwhile, and bonding_masters is none.
      return '';
    }
  };
  // Of the veths, hundreds, the name says it all.
  if (isVeth(name)) return [{ name, mac: '', carrier: true }];
  const mac = read('address');
  return mac === '' ? [] : [{ name, mac, carrier: read('carrier') === '1' }];
}

function spelt({ where, tool, lines }: Batch, procSys: string, onHost: string): string {
  if (tool !== 'sysctl') return `${where === 'host' ? onHost : ''}${tool} -batch - <<'${END}'\n${lines.join('\n')}\n${END}`;
  return lines.map((line) => line.replace(/^([^=]*)=(.*)$/, (_, key: string, value: string) => setting(procSys, key, value))).join('\n');
}

const setting = (procSys: string, key: string, value: string): string => `echo ${value} > ${procSys}/${key.replaceAll('.', '/')}`;

/** @returns stdout */
function ran(argv: readonly string[], stdin: string): Promise<string> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL', stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    child.on('error', (cause) => reject(new Error(`${argv.join(' ')}: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const why = Buffer.concat(err).toString().trim() || (signal === null ? `exit code ${code}` : `ended by ${signal}`);
      reject(new Error(`${argv.join(' ')}: ${why}${stdin === '' ? '' : `\n${stdin.trimEnd()}`}`));
    });
    // A program that ended before it read everything has said why.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}
