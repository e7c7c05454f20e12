/** The image, as far as it can be had without an engine: what the Dockerfile copies, put together and run as its user. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { copies, environment, imageRoot, instructions } from './tools/image-root.ts';

const ROOT = join(import.meta.dirname, '..');
const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const all = instructions();
const only = (name: string) => {
  const found = all.filter((one) => one.name === name);
  expect(found).toHaveLength(1);
  return found[0]!.rest;
};

const top = mkdtempSync(join(tmpdir(), 'gala-image-'));
const image = join(top, 'image');

beforeAll(async () => {
  await imageRoot(image);
  // What the base image brings.
  mkdirSync(join(image, 'usr/local/bin'), { recursive: true });
  copyFileSync(process.execPath, join(image, 'usr/local/bin/node'), constants.COPYFILE_FICLONE);
  chmodSync(top, 0o755);
}, 60_000);
afterAll(() => rmSync(top, { recursive: true }));

/** The entrypoint with arguments, found by the image's PATH, as its user where this one may become another. */
function gala(...args: string[]): SpawnSyncReturns<string> {
  const { PATH: path = '', ...more } = environment();
  const [program = ''] = JSON.parse(only('ENTRYPOINT'));
  // /usr/bin/env, which the first line of the entrypoint names, is this machine's.
  const env = { ...more, PATH: `${path.replaceAll(/(^|:)\//g, `$1${image}/`)}` };
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
  const bases = all.filter(({ name }) => name === 'ARG' || name === 'FROM').map(({ rest }) => rest);
  expect(bases).toEqual([`BASE=node:${devDependencies.node}-slim`, `TOOLS=node:${devDependencies.node}`, '$TOOLS AS shim', '$BASE']);
});

test('one thing is run in it while it is built: iproute2 is installed; all else is what is copied', () => {
  const ran = all.filter(({ name, stage }) => name === 'RUN' && stage === '').map(({ rest }) => rest);
  expect(ran).toEqual([expect.stringMatching(/^apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf \S+$/)]);
  const known = ['ARG', 'COPY', 'ENTRYPOINT', 'ENV', 'FROM', 'LABEL', 'RUN', 'USER', 'WORKDIR'];
  const its = all.filter(({ stage }) => stage === '').map(({ name }) => name);
  expect([...new Set(its)].sort()).toEqual(known);
});

test('the stage before it compiles the CNI shim and what gala cni runs, and does nothing else', () => {
  const ran = all.filter(({ name, stage }) => name === 'RUN' && stage === 'shim');
  const compiles = { name: 'RUN', stage: 'shim', rest: expect.stringMatching(/^gcc [^;&|]+$/) };
  expect(ran).toEqual([compiles, compiles, compiles]);
  const program = (name: string) => ({ sources: [`/shim/${name}`], target: `/opt/gala/cni/${name}`, mode: 0o755, from: 'shim' });
  expect(copies().filter(({ from }) => from === 'shim')).toEqual([program('gala'), program('gala-probe'), program('gala-wire')]);
});

test('what is sent to whoever builds it is what is copied, and no more', () => {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const own = [...copies(), ...copies('shim')].filter(({ from }) => from === undefined);
  const sources = own.flatMap(({ sources }) => sources.map((source) => source.replace(/\/$/, '')));
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

test('the CNI shim in it needs nothing of the host that it is brought to', () => {
  const shim = join(image, 'opt/gala/cni/gala');
  expect(spawnSync(shim, { input: '', env: { CNI_COMMAND: 'VERSION' }, encoding: 'utf8' })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('"supportedVersions"'),
  });
  expect(isStatic(shim)).toBe(true);
});

test('so is the probe, and it says what it takes', () => {
  const probe = join(image, 'opt/gala/cni/gala-probe');
  expect(spawnSync(probe, [], { encoding: 'utf8' })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('usage: gala-probe <link> <waitMs>'),
  });
  expect(isStatic(probe)).toBe(true);
});

test('so is what starts ip and tc, which ends with its stdin', () => {
  const wire = join(image, 'opt/gala/cni/gala-wire');
  expect(spawnSync(wire, { input: 'end\n', encoding: 'utf8' })).toMatchObject({ status: 0, stdout: 'ok 0\n' });
  expect(isStatic(wire)).toBe(true);
});

/** Of a program that needs a C library the kernel is told its loader's path in a segment of its own: PT_INTERP, 3. */
const isStatic = (program: string) => !segments(readFileSync(program)).includes(3);

/** The kinds of an executable's segments: ELF-64, little-endian (elf(5)). */
function segments(file: Buffer): number[] {
  const [at, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, i) => file.readUInt32LE(at + i * size));
}
