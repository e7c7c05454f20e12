/**
 * The root of Gala's image, put together without an engine: what the Dockerfile copies, at the places it names, with the bundle
 * made anew, and with the CNI shim, which is compiled as the Dockerfile's first stage does it. What was built in this clone before
 * may be stale or missing.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = 'build/bin';

export interface Instruction {
  readonly name: string;
  readonly rest: string;
  /** `shim`; empty: the image itself, or before any stage. */
  readonly stage: string;
}

/** Comments left out, lines that end in a backslash joined. */
export function instructions(): Instruction[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ');
  let stage = '';
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const name = /^\S+/.exec(line)?.[0] ?? '';
      const rest = line.replace(/^\S+\s+/, '');
      if (name === 'FROM') stage = / AS (\S+)$/.exec(rest)?.[1] ?? '';
      return { name, rest, stage };
    });
}

export interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
  readonly mode?: number;
  /** The stage whose files they are. @default the clone's */
  readonly from?: string;
}

export function copies(stage = ''): Copy[] {
  return instructions()
    .filter((one) => one.name === 'COPY' && one.stage === stage)
    .map(({ rest }) => {
      const words = rest.split(/\s+/);
      const flag = (name: string) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
      const paths = words.filter((word) => !word.startsWith('--'));
      const [mode, from] = [flag('chmod'), flag('from')];
      return {
        ...{ sources: paths.slice(0, -1), target: paths.at(-1)! },
        ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
        ...(from === undefined ? {} : { from }),
      };
    });
}

/** What the image sets for its programs. */
export function environment(): Record<string, string> {
  const lines = instructions().flatMap(({ name, rest }) => (name === 'ENV' ? [rest] : []));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/**
 * A stage before the image, with the compiler of this machine in place of its base's.
 * @param folder becomes `/` of the stage
 * @param flags more of them, at the end of each of its commands
 * @throws {Error} with what the compiler said
 */
export function stageRoot(stage: string, folder: string, flags = ''): void {
  const all = instructions().filter((one) => one.stage === stage);
  for (const copy of copies(stage)) copied(copy, ROOT, folder);
  const place = join(folder, all.find(({ name }) => name === 'WORKDIR')?.rest ?? '/');
  for (const { rest } of all.filter(({ name }) => name === 'RUN')) {
    const ended = spawnSync('sh', ['-c', `${rest} ${flags}`], { cwd: place, encoding: 'utf8' });
    if (ended.status !== 0)
      throw new Error(`${rest}: ${ended.stderr}\nIt needs a C compiler and a C library to link statically: apt-get install gcc libc6-dev`);
  }
}

/** @returns what it became: files, or one folder */
function copied({ sources, target, mode }: Copy, from: string, folder: string, here = (source: string) => join(from, source)): string[] {
  return sources.map((source) => {
    // As COPY has it: what ends in a slash is a folder, and of a folder its content is copied.
    const isFolder = statSync(here(source)).isDirectory();
    const to = join(folder, target.endsWith('/') && !isFolder ? join(target, basename(source)) : target);
    mkdirSync(join(to, '..'), { recursive: true });
    cpSync(here(source), to, { recursive: true });
    if (mode !== undefined) chmodSync(to, mode);
    return to;
  });
}

/**
 * @param folder becomes `/` of the image, without what its base brings
 * @returns the file that runs as `gala`, by a Node that is on the PATH
 */
export async function imageRoot(folder: string): Promise<string> {
  const beside = (name: string) => join(folder, '..', `${basename(folder)}-${name}`);
  await bundle(beside('bundle'));
  const here = (source: string) => (source.replace(/\/$/, '') === BUNDLE ? beside('bundle') : join(ROOT, source));
  const stages = new Set(copies().flatMap(({ from }) => from ?? []));
  for (const stage of stages) stageRoot(stage, beside(stage));
  const files = copies().flatMap((copy) =>
    copy.from === undefined ? copied(copy, ROOT, folder, here) : copied(copy, beside(copy.from), folder),
  );
  return files.find((file) => file.endsWith('/lib/cli/gala')) ?? '';
}
