import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readDefinition } from '../../lib/cli/definition.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'gala-definition-'));
afterAll(() => rmSync(folder, { recursive: true }));

const refusal = (asked: string, root = ROOT) =>
  readDefinition(asked, root).then(
    () => 'it was read',
    (error: Error) => error.message,
  );

test.each([
  ['its file', 'bj-a', 'bj-a'],
  ['its own name, where the file is called otherwise', 'prod-2', 'prod-2'],
  ['a path', 'clusters/hello.ts', 'hello'],
])('a definition is found by %s', async (_by, asked, name) => {
  expect((await readDefinition(asked, ROOT)).name).toBe(name);
});

test('a mistyped name is told those that there are', async () => {
  expect(await refusal('bja')).toBe(
    "--definition: no cluster 'bja'; there are bj-a, bj-b, cloud-a, hello, hybrid-a, prod-2, prod-3. Did you mean 'bj-a'?",
  );
});

test('a path that leads nowhere is named', async () => {
  expect(await refusal('clusters/nope.ts')).toBe(
    'clusters/nope.ts: nope.ts does not exist; a definition is a file that loads. Correct the file.',
  );
});

const YAML = `name: y
kubernetes: '1.37'
apiServer: https://10.8.9.10:6443
pools:
  web:
    shape: intranet
    racks: { r1: 'y-[01-02]' }
    trunk: bond0
    vlans: { 100: { subnet: 10.100.0.0/22, gateway: 10.100.0.1, addresses: 10.100.0.128-10.100.3.127 } }
`;
const write = (name: string, text: string) => {
  mkdirSync(join(folder, 'clusters'), { recursive: true });
  writeFileSync(join(folder, 'clusters', name), text);
};

test('all problems of a definition are told at once, as synth tells them', async () => {
  write('wrong.yaml', YAML.replace('100:', '5000:').replace('bond0', "'bond 0'"));
  const lines = (await refusal('wrong', folder)).split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^clusters\/wrong\.yaml: pools\.web\.trunk: /);
  expect(lines[1]).toBe(
    "clusters/wrong.yaml: pools.web.vlans.5000: VLAN id is 5000; an 802.1Q id is 1 to 4094. Use the id that the racks' switches trunk.",
  );
});

test('options of somebody’s own concern are synth’s to check', async () => {
  write('own.yaml', `${YAML}ddos: { mode: drop }\n`);
  expect((await readDefinition('own', folder)).pools.map(({ name }) => name)).toEqual(['web']);
});

test('a slip in a key of Gala’s own is told', async () => {
  write('slip.yaml', YAML.replace('pools:', 'poolss:'));
  expect(await refusal('slip', folder)).toContain('clusters/slip.yaml: poolss: poolss is no known key; known here are name, kubernetes');
});

/** As the command does: jest loads modules by itself, and would not notice. */
const inNode = (asked: string) => {
  const read = `import { readDefinition } from '${join(ROOT, 'lib/cli/definition.ts')}';
    const { name } = await readDefinition('${asked}');
    const cdk8s = process.moduleLoadList.length > 0 && Object.keys(process.getBuiltinModule('node:module')._cache).some((path) => path.includes('/node_modules/cdk8s/'));
    console.log(JSON.stringify({ name, cdk8s }));`;
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/node'), ['--input-type=module', '-e', read], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { ...JSON.parse(stdout || '{}'), stderr };
};

test('a definition is read without cdk8s', () => {
  expect(inNode('bj-a')).toEqual({ name: 'bj-a', cdk8s: false, stderr: '' });
});

test('one that also makes a concern is read with it', () => {
  expect(inNode('examples/own-concern/edge.ts')).toEqual({ name: 'edge', cdk8s: true, stderr: '' });
});
