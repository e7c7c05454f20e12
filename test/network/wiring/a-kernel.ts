/**
 * A small kernel: what lines do to two namespaces, strictly: what is made twice or taken away when it isn't there is an error. It knows
 * the words that steps use and no others.
 */
import type { Line, Where } from '../../../lib/network/wiring/step.ts';

export class Kernel {
  /** `link eth0`, `route 0.0.0.0/0 via … @eth0`: what stands on a link ends with its name, and goes with it. */
  readonly has: Record<Where, Set<string>> = { host: new Set(), pod: new Set() };
  readonly sysctls: string[] = [];
  /** Of links that were given one. */
  readonly macs = new Map<string, string>();
  /** Ends of veths, of either namespace. */
  private readonly peers = new Map<string, string>();

  constructor(links: Record<Where, readonly string[]>) {
    for (const where of ['host', 'pod'] as const) for (const link of links[where]) this.has[where].add(`link ${link}`);
  }

  run(lines: readonly Line[]): void {
    for (const line of lines) this.one(line);
  }

  /** The other end of a veth. */
  peerOf(name: string): string | undefined {
    return this.peers.get(name);
  }

  private one({ where, tool, line }: Line): void {
    const words = line.split(' ');
    const after = (word: string) => words[words.indexOf(word) + 1]!;
    const dev = words.includes('dev') ? after('dev') : '';
    if (tool === 'sysctl') this.sysctls.push(line);
    else if (line.startsWith('link add')) this.make(where, words, after);
    else if (line.startsWith('link del')) this.removeLink(where, dev);
    else if (line.startsWith('link set') && words.includes('netns')) this.move(where, dev, after('name'));
    else if (line.startsWith('link set')) this.mustHave(where, `link ${dev}`);
    else {
      if (dev !== '') this.mustHave(where, `link ${dev}`);
      if (line.includes('redirect dev')) this.mustHave(where, `link ${words.at(-1)}`);
      const [kind, verb, ...rest] = words;
      const what = thing(kind!, rest, dev);
      if (verb === 'replace') this.has[where].add(what);
      else this.remove(where, what);
    }
  }

  private make(where: Where, words: readonly string[], after: (word: string) => string): void {
    if (words.includes('link') && words.indexOf('link', 1) > 0) this.mustHave(where, `link ${words[words.indexOf('link', 1) + 1]}`);
    const isVeth = words.includes('peer');
    const name = after('name');
    const to: Where = words.includes('netns') && !isVeth ? 'pod' : where;
    this.mustNotHave(to, `link ${name}`);
    this.has[to].add(`link ${name}`);
    if (words.includes('address')) this.macs.set(name, after('address'));
    if (!isVeth) return;
    const peer = words[words.indexOf('peer') + 2]!;
    this.mustNotHave('pod', `link ${peer}`);
    this.has.pod.add(`link ${peer}`);
    this.peers.set(name, peer);
  }

  private removeLink(where: Where, name: string): void {
    this.remove(where, `link ${name}`);
    for (const one of this.has[where]) if (one.endsWith(`@${name}`)) this.has[where].delete(one);
    const peer = this.peers.get(name);
    this.peers.delete(name);
    if (peer !== undefined) this.removeLink('pod', peer);
  }

  private move(where: Where, name: string, as: string): void {
    const to = where === 'host' ? 'pod' : 'host';
    this.removeLink(where, name);
    this.mustNotHave(to, `link ${as}`);
    this.has[to].add(`link ${as}`);
  }

  private mustHave(where: Where, what: string): void {
    if (!this.has[where].has(what)) throw new Error(`${where} has no ${what}: ${[...this.has[where]].join(', ')}`);
  }

  private mustNotHave(where: Where, what: string): void {
    if (this.has[where].has(what)) throw new Error(`${where} has ${what} already`);
  }

  private remove(where: Where, what: string): void {
    this.mustHave(where, what);
    this.has[where].delete(what);
  }
}

/** An object under the name that `del` finds it by. */
function thing(kind: string, rest: readonly string[], dev: string): string {
  switch (kind) {
    case 'addr':
    case 'neigh':
      return `${kind} ${rest[0]} @${dev}`;
    case 'route':
      return `route ${rest.filter((word) => word !== 'dev' && word !== dev).join(' ')} @${dev}`;
    case 'qdisc':
      return `qdisc ${rest.includes('ingress') ? 'ingress' : 'root'} @${dev}`;
    default:
      return `filter @${dev}`;
  }
}
