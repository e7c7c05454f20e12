/** Host files: what a change to them restarts on the hosts, once somebody rolls them out. They never reach the API. */
import { parse } from 'yaml';
import type { HostFile } from '../read-synth.ts';
import { DRAIN_FIRST, drains } from './host-drains.ts';
import { leafText, leaves } from './leaves.ts';

/** A pool's files of one kind, changed. */
export interface HostChange {
  readonly pool: string;
  readonly part: Part;
  readonly files: readonly string[];
  readonly what: string;
}
type Part = 'kubelet' | 'containerd' | 'sysctl' | 'swap' | 'user data' | 'files' | keyof typeof DRAIN_FIRST;

/** What follows from a change to each part. `files`: inventories, notes and the like restart nothing. */
export const CONSEQUENCE: Readonly<Record<Part, string>> = {
  kubelet: 'kubelet restart; you roll them out; running pods keep the limits they have',
  containerd: 'containerd restart; you roll them out; containers run on, pods that start wait for it',
  sysctl: 'sysctl -p; you roll them out; no restart',
  swap: 'swapoff and swapon, host by host, drained first; you roll them out',
  'user data': 'instances launched from now on; running ones stay as they are',
  files: 'no restart',
  ...DRAIN_FIRST,
};

export function hostChanges(before: readonly HostFile[], after: readonly HostFile[]): HostChange[] {
  const [old, now] = [byName(before), byName(after)];
  const changed = [...new Set([...now.keys(), ...old.keys()])].filter((file) => old.get(file) !== now.get(file));
  const part = (file: string): Part => (sameButComments(old.get(file), now.get(file)) ? 'files' : partOf(file));
  const groups = Map.groupBy(changed, (file) => `${poolOf(file)}\n${part(file)}`);
  const grouped = [...groups.values()].map((files) => {
    const [file = ''] = files;
    const texts = files.map((name) => fileChange(name, old.get(name), now.get(name)));
    return {
      pool: poolOf(file),
      part: part(file),
      files,
      what: texts.length > 2 ? `${texts[0]} and ${texts.length - 1} more files` : texts.join('; '),
    };
  });
  // What needs a drained host is said once more, each change by itself: never one of several files.
  return [...grouped, ...drains(old, now)];
}

function byName(files: readonly HostFile[]): Map<string, string> {
  return new Map(files.map(({ file, text }) => [file, text]));
}

/** Nothing that reads the file would notice. */
function sameButComments(before: string | undefined, after: string | undefined): boolean {
  return before !== undefined && after !== undefined && withoutComments(before) === withoutComments(after);
}

/** `#!/bin/sh` and `#cloud-config` are no comments: somebody reads them. */
function withoutComments(content: string): string {
  return content
    .split('\n')
    .filter((line) => !/^\s*([#;](?!!|cloud-config)|$)/.test(line))
    .join('\n');
}

/** `hosts/web/etc/…` → `web` */
function poolOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function partOf(file: string): Part {
  const inside = file.split('/').slice(2).join('/');
  if (inside.startsWith('user-data/')) return 'user data';
  if (/(^|\/)containerd\//.test(inside)) return 'containerd';
  if (/kubelet/.test(inside)) return 'kubelet';
  if (/(^|\/)sysctl/.test(inside)) return 'sysctl';
  if (/swap|zram/.test(inside)) return 'swap';
  return 'files';
}

function fileChange(file: string, before: string | undefined, after: string | undefined): string {
  const name = file.split('/').at(-1) ?? file;
  if (before === undefined) return `${name} added`;
  if (after === undefined) return `${name} removed`;
  if (sameButComments(before, after)) return `comments of ${name}`;
  const settings = settingChanges(before, after);
  if (settings.length === 0) return `${name} changed`;
  return settings.length > 2 ? `${settings.slice(0, 2).join(', ')} and ${settings.length - 2} more` : settings.join(', ');
}

/** `swapBehavior NoSwap → LimitedSwap` of a YAML or JSON file, or of lines `key = value`. */
function settingChanges(before: string, after: string): string[] {
  const [old, now] = [settings(before), settings(after)];
  return old === undefined || now === undefined ? [] : leaves(old, now).map(leafText);
}

function settings(content: string): unknown {
  const assigned = content.split('\n').flatMap((line) => {
    const match = /^\s*([\w./-]+)\s*=\s*(.*)$/.exec(line);
    return match === null ? [] : [[match[1] as string, match[2]] as const];
  });
  if (assigned.length > 0) return Object.fromEntries(assigned);
  try {
    const value: unknown = parse(content);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
