/** The bundle, file by file: a clash of names in what esbuild puts on top dies only when the file is read. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { bundle, packagesIn } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const top = mkdtempSync(join(tmpdir(), 'gala-bundle-'));
const bin = join(top, 'build/bin');
let metafile: Metafile;

/** Nothing but the bundle and package.json: no node_modules to fall back to. */
beforeAll(async () => {
  mkdirSync(bin, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(top, 'package.json'));
  metafile = await bundle(bin);
});
afterAll(() => rmSync(top, { recursive: true }));

const run = (code: string) =>
  execFileSync(NODE, ['--input-type=module', '-e', code], { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const gala = (...args: string[]) =>
  run(`const { run } = await import(${JSON.stringify(pathToFileURL(join(bin, 'gala.js')))});
       process.exitCode = await run(${JSON.stringify(args)});`);

/** What is read when a command is asked for, by the modules it was made of: its own file, gala.js, and what they import at once. */
function readBy(source: string): string[] {
  const files = Object.entries(metafile.outputs);
  const start = files.filter(([, { entryPoint }]) => entryPoint === source || entryPoint === 'lib/cli/main.ts').map(([path]) => path);
  const read = new Set(start);
  for (const path of read)
    for (const { kind, path: other } of metafile.outputs[path]?.imports ?? []) if (kind !== 'dynamic-import') read.add(other);
  return [...read].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
}

test('every file of it can be read on its own', () => {
  const files = readdirSync(bin).filter((name) => name.endsWith('.js'));
  expect(files.length).toBeGreaterThan(3);
  const urls = files.map((name) => pathToFileURL(join(bin, name)).href);
  expect(run(`for (const url of ${JSON.stringify(urls)}) await import(url); console.log('all read')`)).toContain('all read');
});

test('every command of it answers what it takes', () => {
  const commands = [...gala('--help').matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
  expect(commands).toEqual(expect.arrayContaining(['images', 'diff']));
  for (const name of commands) expect(gala(name, '--help')).toContain(`Usage: gala ${name}`);
});

test('help reads no schemas, no client, no metrics', () => {
  const read = readBy('lib/cli/main.ts');
  expect(read).toContain('lib/cli/main.ts');
  expect(read.filter((path) => !/^(node_modules\/commander|lib\/cli|lib\/kube\/log\.ts)/.test(path))).toEqual([]);
});

test('no command reads what makes metrics, nor the Kubernetes client, before it wants it', () => {
  const entries = Object.values(metafile.outputs).flatMap(({ entryPoint }) => entryPoint ?? []);
  const commands = entries.filter((path) => /^lib\/(?!kube)/.test(path));
  expect(commands.length).toBeGreaterThan(2);
  for (const source of commands) expect(readBy(source).filter((path) => /client-node|prom-client/.test(path))).toEqual([]);
  expect(entries.map((path) => basename(path))).toContain('kubeconfig.ts');
});

test('what is read of a package when it is wanted has the names that it has in Node', async () => {
  const wanted = Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) => {
    const name = /^named:(.*)$/.exec(entryPoint ?? '')?.[1];
    return name === undefined ? [] : [{ name, url: pathToFileURL(join(bin, basename(path))).href }];
  });
  expect(wanted.map(({ name }) => name)).toEqual(expect.arrayContaining(['prom-client', 'yaml']));
  for (const { name, url } of wanted) {
    const inNode = Object.keys(await import(name)).filter((key) => key !== 'default' && !key.includes('module.exports'));
    const missing = run(`const it = await import('${url}');
      console.log(JSON.stringify(${JSON.stringify(inNode)}.filter((key) => it[key] === undefined)));`);
    expect({ name, missing }).toEqual({ name, missing: '[]\n' });
  }
});

test('whoever gets it gets the licence of each package that is in it', () => {
  const packages = packagesIn(metafile);
  expect(packages).toContain('node_modules/commander');
  const texts = readFileSync(join(bin, 'LICENSES.txt'), 'utf8').split('-'.repeat(80));
  expect(texts).toHaveLength(packages.length);
  // The name, its version, its licence in a word, and then its text; the Unlicense asks for none.
  const lacking = texts.map((text) => text.trim()).filter((text) => !/^\S+ \S+ (\(Unlicense\)|\([^)]+\)\n\n[\s\S]{100,})/.test(text));
  expect(lacking).toEqual([]);
});
