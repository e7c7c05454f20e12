/**
 * The root of Gala's image, put together without an engine: what the Dockerfile copies, at the places it names, with the bundle
 * made anew. What was built in this clone before may be stale or missing.
 */
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = 'build/bin';

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Comments left out, lines that end in a backslash joined. */
export function instructions(): Instruction[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: /^\S+/.exec(line)?.[0] ?? '', rest: line.replace(/^\S+\s+/, '') }));
}

export interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
  readonly mode?: number;
}

export function copies(): Copy[] {
  return instructions()
    .filter(({ name }) => name === 'COPY')
    .map(({ rest }) => {
      const words = rest.split(/\s+/);
      const mode = /^--chmod=(\d+)$/.exec(words[0]!)?.[1];
      const paths = mode === undefined ? words : words.slice(1);
      return { sources: paths.slice(0, -1), target: paths.at(-1)!, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) };
    });
}

/** What the image sets for its programs. */
export function environment(): Record<string, string> {
  const lines = instructions().flatMap(({ name, rest }) => (name === 'ENV' ? [rest] : []));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/**
 * @param folder becomes `/` of the image, without what its base brings
 * @returns the file that runs as `gala`, by a Node that is on the PATH
 */
export async function imageRoot(folder: string): Promise<string> {
  const fresh = join(folder, '..', `${basename(folder)}-bundle`);
  await bundle(fresh);
  const here = (source: string) => (source.replace(/\/$/, '') === BUNDLE ? fresh : join(ROOT, source));
  let entry = '';
  for (const { sources, target, mode } of copies())
    for (const source of sources) {
      // As COPY has it: what ends in a slash is a folder, and of a folder its content is copied.
      const isFolder = statSync(here(source)).isDirectory();
      const to = join(folder, target.endsWith('/') && !isFolder ? join(target, basename(source)) : target);
      mkdirSync(join(to, '..'), { recursive: true });
      cpSync(here(source), to, { recursive: true });
      if (mode !== undefined) chmodSync(to, mode);
      if (basename(to) === 'gala') entry = to;
    }
  return entry;
}
