/**
 * Leaked: links of Gala's in network namespaces that neither the journal nor the runtime knows: both have lost them, and they answer for
 * an address of nobody. Looked for where the runtime mounts its namespaces, once a round; taken away after the patience that the round
 * has with sandboxes (MISSING_MS), and until then their addresses are not given back. The namespace itself stays: it is the runtime's.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kube/clock.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Link } from '../wiring/plan.ts';
import type { Line } from '../wiring/step.ts';
import { homeless, type Slot } from '../wiring/unplan.ts';
import type { Cri } from './cri.ts';
import type { Journal } from './journal.ts';
import type { Kernel } from './kernel.ts';
import { MISSING_MS } from './next-for-round.ts';

export interface Leaked {
  run(): Promise<void>;
  /** Whether a link with that MAC was there when it was last looked, or may be there, as long as it was not. */
  has(mac: string): boolean;
}

export interface LeakedOptions {
  /** Where the runtime mounts namespaces, each under a name of its own. */
  readonly folder: string;
  readonly kernel: Pick<Kernel, 'has' | 'podLinks' | 'run'>;
  readonly journal: Pick<Journal, 'values'>;
  readonly cri: Pick<Cri, 'sandboxes' | 'netnsOf'>;
  /** ENIs of this node. */
  readonly slots: () => readonly Slot[];
  readonly clock: Clock;
  readonly log: Log;
  readonly onStep?: (step: 'leaked') => void;
}

export function leaked(options: LeakedOptions): Leaked {
  const { folder, kernel, journal, cri, slots, clock, log, onStep = () => {} } = options;
  /** By inode of the namespace: what is mounted has a name, and may have two. */
  const since = new Map<number, number>();
  /** Undefined: it was not looked yet since the agent began. By inode. */
  let there: ReadonlyMap<number, readonly Link[]> | undefined;

  /** Those that the journal does not know. */
  function unknown(): Map<number, string> {
    const all = new Map(namesIn(folder).flatMap((name) => inodeOf(join(folder, name))));
    for (const { sandbox } of journal.values()) for (const [inode] of inodeOf(sandbox.netns)) all.delete(inode);
    // The host's own, which this runs in, may have a name there too (`ip netns attach`).
    all.delete(statSync('/proc/self/ns/net').ino);
    return all;
  }

  const inodeOf = (path: string): [number, string][] => (kernel.has(path) ? [[statSync(path).ino, path]] : []);

  async function run(): Promise<void> {
    const all = unknown();
    for (const inode of since.keys()) if (!all.has(inode)) since.delete(inode);
    const found = new Map<number, readonly Link[]>();
    for (const [inode, path] of all) {
      const links = await linksOf(inode, path);
      if (links.length === 0) since.delete(inode);
      else found.set(inode, links);
      if (links.length > 0 && !since.has(inode)) since.set(inode, clock.now());
    }
    there = found;
    const due = [...found].filter(([inode]) => clock.now() - since.get(inode)! >= MISSING_MS);
    if (due.length === 0) return;
    const known = await runtimes();
    for (const [inode, links] of due) {
      // It is taken up again, or taken down by the runtime.
      if (known.has(inode)) continue;
      const path = all.get(inode)!;
      log.warn('links in a network namespace of nobody are taken away', { path, links: links.map(({ name, mac }) => `${name} ${mac}`) });
      await taken(path, homeless(links, slots()));
    }
  }

  /** One that can't be looked into, because it goes at this moment or for long, has what it had. */
  async function linksOf(inode: number, path: string): Promise<readonly Link[]> {
    try {
      return (await kernel.podLinks(path)).filter(isGalas);
    } catch (error) {
      log.debug('a network namespace was not looked into', { path, because: reasonOf(error) });
      return there?.get(inode) ?? [];
    }
  }

  /** Inodes of the namespaces of all sandboxes. Rejects when the runtime does not answer: then nothing is of nobody. */
  async function runtimes(): Promise<ReadonlySet<number>> {
    const inodes = new Set<number>();
    for (const id of (await cri.sandboxes()).keys()) for (const [inode] of inodeOf((await cri.netnsOf(id)) ?? '')) inodes.add(inode);
    return inodes;
  }

  async function taken(path: string, lines: readonly Line[]): Promise<void> {
    try {
      await kernel.run(lines, path);
      onStep('leaked');
    } catch (error) {
      log.warn('a link in a network namespace of nobody is still there', { path, because: reasonOf(error) });
    }
  }

  const isGalas = (link: Link): boolean => homeless([link], slots()).length > 0;

  const has = (mac: string): boolean => there === undefined || [...there.values()].some((links) => links.some((link) => link.mac === mac));

  return { run, has };
}

/** None where there never was one. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
