/**
 * Reads a synth folder back: its manifests as objects, its host files as text.
 * YAML is read as kubectl reads it (1.1: `yes` is true), and a syntax error is a problem with its line, not a crash.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../api/manifest.ts';
import type { GateInput } from './finding.ts';

/** A file for hosts, never applied to the API. */
export interface HostFile {
  /** `hosts/web/etc/kubernetes/kubelet.conf.d/20-gala-swap.conf` */
  readonly file: string;
  readonly text: string;
}

export interface SyntaxProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface Synth {
  /** `file` is relative to the folder. */
  readonly objects: readonly GateInput[];
  readonly hosts: readonly HostFile[];
  readonly problems: readonly SyntaxProblem[];
}

/**
 * Reads a cluster's folder: `dist/bj-a`.
 * @throws {Error} when the folder can't be read
 */
export function readSynth(folder: string): Synth {
  const objects: GateInput[] = [];
  const problems: SyntaxProblem[] = [];
  for (const file of manifestFiles(folder)) {
    const read = readManifest(file, readFileSync(join(folder, file), 'utf8'));
    objects.push(...read.objects);
    problems.push(...read.problems);
  }
  const hosts = filesIn(folder)
    .filter((file) => file.startsWith('hosts/'))
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));
  return { objects, hosts, problems };
}

/** The objects of one manifest. Documents without content are left out. */
export function readManifest(file: string, text: string): Pick<Synth, 'objects' | 'problems'> {
  const objects: GateInput[] = [];
  const problems: SyntaxProblem[] = [];
  for (const document of parseAllDocuments(text, { version: '1.1', customTags: (tags) => tags.filter((tag) => !isTime(tag)) })) {
    if (!('errors' in document)) continue;
    for (const error of document.errors)
      problems.push({ file, line: error.linePos?.[0].line ?? 1, message: error.message.split('\n')[0] ?? error.code });
    if (document.errors.length > 0) continue;
    try {
      const object: unknown = document.toJS({ maxAliasCount: 1000 });
      if (object !== null && object !== undefined) objects.push({ file, object: object as KubeObject });
    } catch (error) {
      // Aliases are resolved last: an unknown one, or a bomb of them, shows only here.
      problems.push({ file, line: 1, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { objects, problems };
}

/** Times stay text, as the API server's own reader leaves them; 12:30 is no number of base 60. */
function isTime(tag: unknown): boolean {
  const { tag: name, format } = tag as { tag?: string; format?: string };
  return name === 'tag:yaml.org,2002:timestamp' || format === 'TIME';
}

/** Manifests of a cluster's folder, sorted, with / between names: every .yaml that is not for hosts. */
export function manifestFiles(folder: string): string[] {
  return filesIn(folder).filter((file) => file.endsWith('.yaml') && !file.startsWith('hosts/'));
}

function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .flatMap((entry) => {
      const path = posix.join(below, entry.name);
      return entry.isDirectory() ? filesIn(folder, path) : [path];
    })
    .sort();
}
