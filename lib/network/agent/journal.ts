/**
 * The journal: what is wired, or is being wired, on this node. A file each, on tmpfs: links die with the boot, and their notes with
 * them. It is written before anything is done, as a whole or not at all (rename), so that whoever comes after a crash finds every
 * address that may be on a link.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../kube/log.ts';
import type { Bandwidth } from '../wiring/bandwidth.ts';
import type { Step } from '../wiring/step.ts';
import type { PodName, Sandbox } from './call.ts';

/** One link of one sandbox. */
export interface Attachment {
  readonly version: 1;
  readonly sandbox: Sandbox;
  readonly pod: PodName;
  /** Of the network configuration: GC is asked for one of them. */
  readonly network: string;
  readonly ip: string;
  readonly mac: string;
  /** An ENI: how it is found again, and what it is called on the host. */
  readonly eni?: { readonly mac: string; readonly device: string };
  /** What it is shaped to. */
  readonly bandwidth: Bandwidth;
  readonly steps: readonly Step[];
  /** `wiring`: some of the steps may be missing. */
  readonly state: 'wiring' | 'wired';
}

export interface Journal {
  get(key: string): Attachment | undefined;
  values(): Iterable<Attachment>;
  /** Throws when it is not written. */
  put(attachment: Attachment): void;
  remove(key: string): void;
  readonly size: number;
}

/** The name of its file, without `.json`; what the shim calls a tombstone too. */
export const keyOf = ({ containerId, ifname }: Pick<Sandbox, 'containerId' | 'ifname'>): string => `${containerId}-${ifname}`;

/**
 * Reads what is there. What can't be read is put aside, as `<name>.unreadable`: its links are found by their names (unplan.ts).
 * @param folder made where it is missing, root's alone
 */
export function openJournal(folder: string, log: Log): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const all = new Map<string, Attachment>();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    // What a crash left of a file that was being written says nothing that is true yet.
    if (name.endsWith('.tmp')) rmSync(path, { force: true });
    if (!name.endsWith('.json')) continue;
    const attachment = readable(path);
    if (attachment === undefined) {
      log.error('a note of the journal can not be read and is put aside', { path });
      renameSync(path, `${path}.unreadable`);
    } else all.set(keyOf(attachment.sandbox), attachment);
  }
  const pathOf = (key: string) => join(folder, `${key}.json`);
  return {
    get: (key) => all.get(key),
    values: () => all.values(),
    put(attachment) {
      const key = keyOf(attachment.sandbox);
      const path = pathOf(key);
      writeFileSync(`${path}.tmp`, JSON.stringify(attachment), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
      all.set(key, attachment);
    },
    remove(key) {
      if (all.has(key) && existsSync(pathOf(key))) unlinkSync(pathOf(key));
      all.delete(key);
    },
    get size() {
      return all.size;
    },
  };
}

function readable(path: string): Attachment | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Attachment;
    const isWhole =
      value.version === 1 &&
      typeof value.sandbox?.containerId === 'string' &&
      typeof value.pod?.uid === 'string' &&
      Array.isArray(value.steps);
    return isWhole ? value : undefined;
  } catch {
    return undefined;
  }
}
