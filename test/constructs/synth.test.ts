import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { problemLine } from '../../constructs/check.ts';
import { Staging } from '../../constructs/staging.ts';
import { type SynthProps, synth } from '../../constructs/synth.ts';
import { findingLine } from '../../lib/gate/finding.ts';
import { aDefinition, aRackedPool, aVlan } from '../api/a-definition.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gala-synth-'));
  mkdirSync(join(root, 'clusters'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(root, 'clusters', name), text);
const run = (props: Partial<SynthProps> = {}) => synth({ definitions: join(root, 'clusters'), out: join(root, 'dist'), root, ...props });
const lines = async (props?: Partial<SynthProps>) => {
  const { problems, findings, written } = await run(props);
  expect(written).toBe(false);
  return [...problems.map(problemLine), ...findings.map(findingLine)];
};
/** An app of this folder's clusters, to run in a process of its own. */
function main(folder: string): string {
  const file = join(folder, 'main.mjs');
  writeFileSync(
    file,
    `import { synthMain } from '${join(import.meta.dirname, '../../constructs/synth.ts')}'; process.exitCode = await synthMain({ definitions: 'clusters' });`,
  );
  return file;
}
const clusters = () => (existsSync(join(root, 'dist')) ? readdirSync(join(root, 'dist')).filter((name) => !name.startsWith('.')) : []);
const left = () => (existsSync(join(root, 'dist')) ? readdirSync(join(root, 'dist')) : []);
/** A definition as YAML, with names and ranges of its own. */
const yaml = (name: string, vlan = 110) =>
  stringify(
    aDefinition({
      name,
      pools: {
        web: aRackedPool({
          racks: { r1: `${name}-[1-4]` },
          vlans: { [vlan]: aVlan({ subnet: `10.${vlan}.0.0/24`, gateway: `10.${vlan}.0.1`, addresses: `10.${vlan}.0.64/26` }) },
        }),
      },
    }),
  );

test('YAML, JSON and TypeScript of one definition come out byte for byte the same', async () => {
  const definition = aDefinition();
  const of = async (name: string, text: string) => {
    rmSync(join(root, 'clusters'), { recursive: true });
    mkdirSync(join(root, 'clusters'));
    write(name, text);
    expect((await run()).written).toBe(true);
    return readdirSync(join(root, 'dist/one'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]);
  };
  const fromYaml = await of('one.yaml', stringify(definition));
  expect(await of('one.json', JSON.stringify({ $schema: '../imports/schemas/cluster.json', ...definition }))).toEqual(fromYaml);
  expect(await of('one.mjs', `export default ${JSON.stringify(definition)};`)).toEqual(fromYaml);
});

describe('bad input gets one clear message each, and leaves what was there', () => {
  beforeEach(async () => {
    write('good.yaml', yaml('good'));
    expect((await run()).written).toBe(true);
  });
  afterEach(() => {
    expect(left().filter((name) => name !== '.gala-gate.json')).toEqual(['good']);
  });

  test('a file that does not exist', async () =>
    expect(await lines({ definitions: [join(root, 'clusters/none.yaml')] })).toEqual([
      'clusters/none.yaml: none.yaml does not exist; a definition is a file that loads. Correct the file.',
    ]));

  test('YAML that cannot be read, with its line', async () => {
    write('bad.yaml', 'name: bad\npools: [\n');
    expect(await lines()).toEqual([expect.stringMatching(/^clusters\/bad\.yaml: cannot be read: .* at line 3/)]);
  });

  test('a key given twice in YAML', async () => {
    write('bad.yaml', `${yaml('bad', 120)}name: other\n`);
    expect(await lines()).toEqual([expect.stringContaining('Map keys must be unique')]);
  });

  test('JSON that cannot be read', async () => {
    write('bad.json', '{');
    expect(await lines()).toEqual([expect.stringContaining('clusters/bad.json: cannot be read')]);
  });

  test('a key given twice in JSON', async () => {
    write('bad.json', '{"name": "bad", "name": "other"}');
    expect(await lines()).toEqual([expect.stringContaining('Map keys must be unique')]);
  });

  test('a key that would vanish in JavaScript', async () => {
    write('bad.json', '{"name": "bad", "pools": {"__proto__": {}}}');
    expect(await lines()).toEqual([expect.stringContaining('has a key __proto__')]);
  });

  test('a link that leads nowhere', async () => {
    symlinkSync(join(root, 'gone.yaml'), join(root, 'clusters/bad.yaml'));
    expect(await lines()).toEqual([expect.stringContaining('bad.yaml does not exist')]);
  });

  test('a YAML bomb of aliases', async () => {
    write(
      'bad.yaml',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f'].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdef'[i]}`).join()}]`).join('\n')}\n`,
    );
    expect(await lines()).toEqual([expect.stringContaining('Excessive alias count')]);
  });

  test('an empty file', async () => {
    write('bad.yaml', '');
    expect(await lines()).toEqual([expect.stringContaining('is empty')]);
  });

  test('a definition that throws', async () => {
    write('bad.mjs', "throw new Error('no such hall');");
    expect(await lines()).toEqual([expect.stringContaining('bad.mjs: throws while it is loaded at line 1: no such hall')]);
  });

  test('a syntax error, with its line', () => {
    write('bad.ts', "export default {\n  name: 'bad',\n  pools: {{\n};\n");
    // By itself: the tests' own loader reads TypeScript in another way.
    const { stderr, status } = spawnSync(process.execPath, [main(root)], { cwd: root, encoding: 'utf8' });
    expect(stderr).toContain('clusters/bad.ts: throws while it is loaded at line 3: Unexpected token');
    expect(status).toBe(2);
  });

  test('a patch without its target', async () =>
    expect(await lines({ adapt: (platform) => void platform.patch('Deployment/none', () => {}) })).toEqual([
      expect.stringContaining('clusters/good.yaml: patch: Deployment/none is not rendered for good'),
    ]));

  test('a module without a default export', async () => {
    write('bad.mjs', 'export const web = 1;');
    expect(await lines()).toEqual([expect.stringContaining('Write export default defineCluster({ … }).')]);
  });

  test('a definition of the wrong type', async () => {
    write('bad.json', '[]');
    expect(await lines()).toEqual([expect.stringContaining('clusters/bad.json: the definition is []')]);
  });

  test('no definition at all', async () => {
    mkdirSync(join(root, 'empty'));
    expect(await lines({ definitions: join(root, 'empty') })).toEqual([expect.stringContaining('empty: there is no cluster definition')]);
  });

  test('one wrong definition among right ones', async () => {
    write('bad.yaml', yaml('bad', 120).replace('10.120.0.1', '10.120.0.0'));
    expect(await lines()).toEqual([expect.stringContaining('pools.web.vlans.120.gateway: gateway is 10.120.0.0, the network address')]);
  });

  test('a host in two clusters', async () => {
    write('twin.yaml', yaml('twin', 120).replace('twin-[1-4]', 'good-4'));
    expect(await lines()).toEqual([
      expect.stringContaining('clusters/twin.yaml: pools.web.racks.r1: host good-4 stands in clusters/good.yaml: pools.web.racks.r1 too'),
    ]);
  });

  test('an address in two clusters', async () => {
    write('twin.yaml', yaml('twin', 110));
    expect(await lines()).toEqual([expect.stringContaining('addresses 10.110.0.64/26 overlap 10.110.0.64/26 of clusters/good.yaml')]);
  });

  test('one name for two clusters', async () => {
    write('twin.yaml', yaml('good', 120).replace('good-[1-4]', 'twin-[1-4]'));
    expect(await lines()).toEqual([expect.stringContaining('clusters/twin.yaml: name: name is good, as in clusters/good.yaml')]);
  });

  test('an object that the gate refuses', async () =>
    expect(
      await lines({
        adapt: (platform) =>
          void platform.patch('Deployment/gala-system/gala-scheduler', (object) => {
            object.spec.replcas = 1;
          }),
      }),
    ).toEqual([expect.stringContaining('good/50-scheduling.yaml: Deployment/gala-system/gala-scheduler: spec.replcas')]));

  test('a warning, when warnings count', async () => {
    write(
      'good.yaml',
      yaml('good').replace('macsPerPort: 128', 'macsPerPort: 4').replace('trunk: bond0', 'trunk: bond0\n    macsPerPort: 4'),
    );
    expect(await lines({ strict: true })).toEqual([expect.stringContaining('warning: clusters/good.yaml: pools.web.macsPerPort')]);
  });
});

test('a cluster that is no longer defined goes, and that is said; a folder that is nobody’s stays', async () => {
  write('a.yaml', yaml('a'));
  write('b.yaml', yaml('b', 120));
  await run();
  mkdirSync(join(root, 'dist/mine'));
  writeFileSync(join(root, 'dist/mine/SUMMARY.md'), '# a book');
  rmSync(join(root, 'clusters/b.yaml'));
  expect((await run()).lines).toContainEqual(expect.stringMatching(/^b +is no longer defined: removed$/));
  expect(clusters().sort()).toEqual(['a', 'mine']);
});

test('a synth of one definition leaves the clusters of others', async () => {
  write('a.yaml', yaml('a'));
  write('b.yaml', yaml('b', 120));
  await run();
  await run({ definitions: [join(root, 'clusters/a.yaml')] });
  expect(clusters().sort()).toEqual(['a', 'b']);
  rmSync(join(root, 'clusters/b.yaml'));
  await run();
  expect(clusters()).toEqual(['a']);
});

test('a folder that no synth wrote is never replaced', async () => {
  write('a.yaml', yaml('a'));
  mkdirSync(join(root, 'dist/a'), { recursive: true });
  writeFileSync(join(root, 'dist/a/letters.txt'), 'dear');
  await expect(run()).rejects.toThrow(`${join(root, 'dist/a')}: is there, and no synth wrote it`);
  expect(readFileSync(join(root, 'dist/a/letters.txt'), 'utf8')).toBe('dear');
  expect(left()).toEqual(['a']);
});

test('of several synths at once into one folder one writes, the others say so and change nothing', async () => {
  write('a.yaml', yaml('a'));
  write('b.yaml', yaml('b', 120));
  const code = () =>
    new Promise<number | null>((done) => spawn(process.execPath, [main(root)], { cwd: root, stdio: 'ignore' }).on('exit', done));
  const codes = await Promise.all([code(), code(), code(), code()]);
  expect(codes).toContain(0);
  expect(codes.filter((it) => it !== 0 && it !== 4)).toEqual([]);
  expect(left().sort()).toEqual(['.gala-gate.json', 'a', 'b']);
}, 60_000);

test('the lock of a synth that was killed is taken over', async () => {
  write('a.yaml', yaml('a'));
  mkdirSync(join(root, 'dist'));
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  writeFileSync(join(root, 'dist/.synth.lock'), String(pid));
  expect((await run()).written).toBe(true);
});

describe('after a crash, the next synth finds each cluster whole', () => {
  beforeEach(async () => {
    write('a.yaml', yaml('a'));
    write('b.yaml', yaml('b', 120));
    await run();
  });
  const whole = () => Object.fromEntries(clusters().map((name) => [name, readdirSync(join(root, 'dist', name)).length]));

  test('while it wrote: what was there stays, what was begun goes', async () => {
    const before = whole();
    cpSync(join(root, 'dist/a/10-crds.yaml'), join(root, 'dist/.staging/a/10-crds.yaml'));
    await (await Staging.in(join(root, 'dist'))).clear();
    expect(whole()).toEqual(before);
    expect(left()).not.toContain('.staging');
  });

  test('while it moved: what was set aside and not replaced comes back', async () => {
    const before = whole();
    mkdirSync(join(root, 'dist/.replaced'));
    cpSync(join(root, 'dist/a'), join(root, 'dist/.replaced/a'), { recursive: true });
    renameSync(join(root, 'dist/b'), join(root, 'dist/.replaced/b'));
    await (await Staging.in(join(root, 'dist'))).clear();
    expect(whole()).toEqual(before);
    expect(left()).not.toContain('.replaced');
  });
});
