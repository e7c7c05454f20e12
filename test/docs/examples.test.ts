/** Every example in README and docs that is a whole module compiles, against the sources, by the project's own settings. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseCluster } from '../../lib/api/parse.ts';
import { blocks, pages, ROOT } from './pages.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-examples-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** `cdk8s-gala/testing` → its source, as package.json says. */
function sources(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { 'gala-source'?: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, { 'gala-source': source }]) =>
      source === undefined ? [] : [[join('cdk8s-gala', name), [join(ROOT, source)]] as const],
    ),
  );
}

/**
 * Writes a page's modules side by side. A first line `// clusters/hello.ts` names the file, so that another block of the
 * page can import it.
 */
function write(page: string, modules: readonly string[]): string[] {
  return modules.map((code, i) => {
    const name = /^\/\/ ([\w./-]+\.ts)\b/.exec(code)?.[1] ?? `example-${i}.ts`;
    const file = join(folder, page.replaceAll('/', '-'), name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
    return file;
  });
}

/** What the compiler says to these files; empty when it has nothing to say. */
function compile(files: readonly string[]): string {
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = { paths: sources(), typeRoots: [join(ROOT, 'node_modules/@types')] };
  writeFileSync(config, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files }));
  try {
    return execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', config], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const isModule = (code: string) => /^import .*['"]cdk8s-gala(\/\w+)?['"];$/m.test(code);

test('every ts block that imports from cdk8s-gala compiles', () => {
  const files = pages().flatMap((page) => write(page.path, blocks(page, 'ts').filter(isModule)));
  expect(files.length).toBeGreaterThan(8);
  expect(compile(files)).toBe('');
});

test('an example with a rack that is not there does not', () => {
  const [hello = ''] = blocks(pages().find(({ path }) => path === 'docs/definitions.md')!, 'ts');
  const [file = ''] = write('wrong', [hello.replace('{ subnet:', "{ racks: ['r99'], subnet:")]);
  expect(compile([file])).toContain('r99');
});

const page = (path: string) => pages().find((page) => page.path === path)!;
/** Definitions begin with their name; other YAML is of other tools. */
const isDefinition = (yaml: string) => /^name: /m.test(yaml) && /^apiServer: /m.test(yaml);

test('every YAML definition in docs/definitions.md is without a problem, and both shapes of pools are there', () => {
  const definitions = blocks(page('docs/definitions.md'), 'yaml').filter(isDefinition);
  const parsed = definitions.map((yaml) => parseCluster(parse(yaml)));
  expect(parsed.flatMap(({ problems }) => problems)).toEqual([]);
  const shapes = parsed.flatMap(({ cluster }) => cluster?.pools.map(({ shape }) => shape) ?? []);
  expect([...new Set(shapes)].sort()).toEqual(['ec2', 'intranet']);
});

test('a YAML definition with a wrong value has a problem', () => {
  const [hello = ''] = blocks(page('docs/definitions.md'), 'yaml').filter(isDefinition);
  expect(parseCluster(parse(hello.replace('trunk: bond0', 'trunk: 0'))).problems).toHaveLength(1);
});

test('files of examples/own-concern stand on the pages as they are', () => {
  const example = (file: string) => readFileSync(join(ROOT, 'examples/own-concern', file), 'utf8');
  expect(blocks(page('docs/synth.md'), 'yaml')).toContain(`# cdk8s.yaml\n${example('cdk8s.yaml')}`);
  expect(blocks(page('docs/concerns.md'), 'json')).toContain(example('jest.config.json'));
  expect(blocks(page('docs/concerns.md'), 'ts').join('')).toContain(`// edge.test.ts\n${example('edge.test.ts')}`);
});
