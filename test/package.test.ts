/** The published package, as somebody else gets it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blocks, pages } from './docs/pages.ts';

const ROOT = join(import.meta.dirname, '..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const EXAMPLE = join(ROOT, 'examples/own-concern');
const folder = mkdtempSync(join(tmpdir(), 'gala-package-'));
const project = join(folder, 'project');
const installed = join(project, 'node_modules/cdk8s-gala');

const install = (name: string) => {
  mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
};

/** What docs/synth.md has people type in an empty project. */
const LINES = (blocks(pages().find(({ path }) => path === 'docs/synth.md')!, 'sh')[0] ?? '').split('\n').filter(Boolean);

/** An empty project with the packed package; beside it only what package.json says it needs. */
beforeAll(() => {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  // Optional peers are left out: nothing but types may need them.
  const needed = Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  for (const name of needed) install(name);
  cpSync(EXAMPLE, project, { recursive: true });
  // package.json comes of the lines that docs/synth.md tells, but for the one that installs.
  for (const line of LINES.filter((line) => !line.startsWith('npm i '))) execFileSync('sh', ['-c', line], { cwd: project, stdio: 'pipe' });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of a folder by path. */
function filesOf(top: string): Record<string, string> {
  const paths = readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(top, path), 'utf8')]));
}

test('its own cluster and its own concern come out byte for byte as from the source', () => {
  const [packed, source] = [join(folder, 'packed'), join(folder, 'source')];
  execFileSync(NODE, ['main.ts'], { cwd: project, env: { ...process.env, CDK8S_OUTDIR: packed }, stdio: 'pipe' });
  execFileSync(NODE, ['-C', 'gala-source', join(EXAMPLE, 'main.ts')], {
    cwd: EXAMPLE,
    env: { ...process.env, CDK8S_OUTDIR: source },
    stdio: 'pipe',
  });
  expect(Object.keys(filesOf(packed))).toContain('edge/90-ddos.yaml');
  expect(filesOf(packed)).toEqual(filesOf(source));
});

test('what docs/synth.md has people install is enough for cdk8s, its gate plugin and a test', () => {
  const [, named = ''] = /^npm i -D (.*) \S+\.tgz$/.exec(LINES.at(-1) ?? '') ?? [];
  expect(named.split(' ')).toEqual(['node@24', 'cdk8s-cli', 'cdk8s', 'constructs', 'jest']);
  // npm puts what jest brings beside it; bin links it makes itself.
  for (const name of ['cdk8s-cli', 'jest', '@jest/globals']) install(name);
  mkdirSync(join(project, 'node_modules/.bin'));
  symlinkSync(NODE, join(project, 'node_modules/.bin/node'));
  const env = { ...process.env, CDK8S_CHECK_UPGRADE: 'false', CI: 'true' };
  const cdk8s = spawnSync(NODE, [join(project, 'node_modules/cdk8s-cli/bin/cdk8s'), 'synth'], { cwd: project, env, encoding: 'utf8' });
  expect(cdk8s).toMatchObject({ status: 0, stdout: expect.stringMatching(/1, of which 1 as the receipt has them/) });
  const tests = spawnSync('npm', ['test'], { cwd: project, env, encoding: 'utf8' });
  expect(tests).toMatchObject({ status: 0, stderr: expect.stringMatching(/^Tests: +2 passed, 2 total$/m) });
});

test('every export is there with its types', () => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string; default: string }>;
  };
  for (const target of Object.values(exports))
    for (const path of typeof target === 'string' ? [target] : [target.types, target.default])
      expect(existsSync(join(installed, path)) ? '' : path).toBe('');
});

test('its types say what its source says: a wrong option of the project’s own concern does not compile', () => {
  install('@kubernetes/client-node');
  const options = {
    noEmit: true,
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
  const compile = (...flags: string[]) => {
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project, ...flags], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => /^(?!node_modules\/(?!cdk8s-gala))\S+\(\d+,\d+\): error/.test(line));
  };
  expect(compile()).toEqual([]);
  // Its declarations by themselves, too; what those of other packages lack is not ours to mend.
  expect(compile('--skipLibCheck', 'false')).toEqual([]);
  const wrong = readFileSync(join(project, 'edge.ts'), 'utf8').replace("mode: 'drop'", "mode: 'dorp'");
  writeFileSync(join(project, 'edge.ts'), wrong);
  expect(compile()).toEqual([expect.stringContaining('edge.ts')]);
});

test('gala runs from the package', () => {
  const bin = join(installed, JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).bin.gala);
  const images = execFileSync(NODE, [bin, 'images', '--dist', join(folder, 'packed'), '-o', 'json'], {
    cwd: dirname(folder),
    encoding: 'utf8',
  });
  expect(execFileSync(NODE, [bin, '--version'], { encoding: 'utf8' })).toBe(
    `${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}\n`,
  );
  expect(JSON.parse(images)).toContainEqual(expect.objectContaining({ clusters: ['edge'], to: expect.stringContaining('kube-scheduler') }));
});

test('gala answers about a definition of the project, also one that makes a concern of its own', () => {
  const bin = join(installed, JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).bin.gala);
  const stock = (definition: string) =>
    execFileSync(NODE, [bin, 'stock', '-f', join(ROOT, 'examples/feed.yaml'), '--definition', definition], {
      cwd: project,
      encoding: 'utf8',
    });
  // edge.ts imports the concern, which needs all of the package; plain.ts needs what definitions are written with.
  writeFileSync(join(project, 'plain.ts'), readFileSync(join(EXAMPLE, 'edge.ts'), 'utf8').replace(/^import '\.\/ddos.*\n/m, ''));
  expect(stock('edge.ts')).toMatch(/^120 fit\. limited by cpu; /);
  expect(stock('plain')).toBe(stock('edge'));
});
