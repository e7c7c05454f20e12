/** The image, as far as it can be had without an engine: what the Dockerfile copies, put together and run as its user. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, constants, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundle } from './tools/bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Comments left out, lines that end in a backslash joined. */
function instructions(): Instruction[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: /^\S+/.exec(line)?.[0] ?? '', rest: line.replace(/^\S+\s+/, '') }));
}
const all = instructions();
const only = (name: string) => {
  const found = all.filter((one) => one.name === name);
  expect(found).toHaveLength(1);
  return found[0]!.rest;
};

interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
  readonly mode?: number;
}
const copies: Copy[] = all
  .filter(({ name }) => name === 'COPY')
  .map(({ rest }) => {
    const words = rest.split(/\s+/);
    const mode = /^--chmod=(\d+)$/.exec(words[0]!)?.[1];
    const paths = mode === undefined ? words : words.slice(1);
    return { sources: paths.slice(0, -1), target: paths.at(-1)!, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) };
  });

/** What was built here before a test may be stale or missing: the bundle is made anew, elsewhere. */
const top = mkdtempSync(join(tmpdir(), 'gala-image-'));
const fresh = join(top, 'fresh/build/bin');
const image = join(top, 'image');
const here = (source: string) => (source.startsWith('build/bin') ? fresh : join(ROOT, source));

beforeAll(async () => {
  await bundle(fresh);
  for (const { sources, target, mode } of copies)
    for (const source of sources) {
      // As COPY has it: what ends in a slash is a folder, and of a folder its content is copied.
      const isFolder = statSync(here(source)).isDirectory();
      const to = join(image, target.endsWith('/') && !isFolder ? join(target, basename(source)) : target);
      mkdirSync(join(to, '..'), { recursive: true });
      cpSync(here(source), to, { recursive: true });
      if (mode !== undefined) chmodSync(to, mode);
    }
  // What the base image brings.
  mkdirSync(join(image, 'usr/local/bin'), { recursive: true });
  copyFileSync(process.execPath, join(image, 'usr/local/bin/node'), constants.COPYFILE_FICLONE);
  chmodSync(top, 0o755);
}, 60_000);
afterAll(() => rmSync(top, { recursive: true }));

/** The entrypoint with arguments, found by the image's PATH, as its user where this one may become another. */
function gala(...args: string[]): SpawnSyncReturns<string> {
  const path = /^PATH=(.*)$/.exec(only('ENV'))?.[1] ?? '';
  const [program = ''] = JSON.parse(only('ENTRYPOINT'));
  // /usr/bin/env, which the first line of the entrypoint names, is this machine's.
  const env = { PATH: `${path.replaceAll(/(^|:)\//g, `$1${image}/`)}` };
  const [uid = 0, gid = 0] = only('USER').split(':').map(Number);
  const user = process.getuid?.() === 0 ? { uid, gid } : {};
  const found =
    path
      .split(':')
      .map((folder) => join(image, folder, program))
      .find((file) => existsSync(file)) ?? program;
  return spawnSync(found, args, { cwd: '/', env, encoding: 'utf8', ...user });
}

test('its Node is the one that the tests run on', () => {
  expect(only('ARG')).toBe(`BASE=node:${devDependencies.node}-slim`);
  expect(only('FROM')).toBe('$BASE');
});

test('nothing is run while it is built: what is copied is all there is', () => {
  const known = ['ARG', 'COPY', 'ENTRYPOINT', 'ENV', 'FROM', 'LABEL', 'USER', 'WORKDIR'];
  expect([...new Set(all.map(({ name }) => name))].sort()).toEqual(known);
});

test('what is sent to whoever builds it is what is copied, and no more', () => {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const sources = copies.flatMap(({ sources }) => sources.map((source) => source.replace(/\/$/, '')));
  expect(lines[0]).toBe('*');
  expect(lines.slice(1).sort()).toEqual(sources.map((source) => `!${source}`).sort());
});

test('gala runs in it as nonroot, from any folder, and knows its version', () => {
  expect(gala('--version')).toMatchObject({ status: 0, stderr: '', stdout: `${version}\n` });
  expect(gala('--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('Usage: gala') });
});

test('bad input ends with 2 there too', () => {
  expect(gala('nonsense')).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown command 'nonsense'") });
});
