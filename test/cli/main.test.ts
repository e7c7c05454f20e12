/** `gala` itself: its version, its help, and what it says to arguments that it doesn't know. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aDist } from './a-dist.ts';
import { gala } from './gala.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

test.each(['--version', '-V'])('%s is the package’s', async (flag) => {
  expect(await gala(flag)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('help is no failure and names every command', async () => {
  const { code, out } = await gala('--help');
  expect(code).toBe(0);
  expect(out).toMatch(/images .*diff /s);
});

test.each([
  { name: 'no command', args: [], says: 'Usage: gala' },
  { name: 'a mistyped command', args: ['imagse'], says: 'Did you mean images?' },
  { name: 'an unknown option', args: ['images', '--outptu', 'json'], says: 'Did you mean --output?' },
  { name: 'an unknown format', args: ['images', '-o', 'xml'], says: 'Allowed choices are text, json, yaml' },
  { name: 'diff without a cluster', args: ['diff', '--against', 'x'], says: "missing required argument 'cluster'" },
  { name: 'diff without an earlier synth', args: ['diff', 'hello'], says: "required option '--against <folder>'" },
  { name: 'diff of two clusters', args: ['diff', 'hello', 'hello', '--against', 'x'], says: 'too many arguments' },
])('$name is bad input: exit code 2, and nothing on stdout', async ({ args, says }) => {
  expect(await gala(...args)).toEqual({ code: 2, out: '', err: expect.stringContaining(says) });
});

/** The command as a shell starts it. */
const bin = (flags: string[], args: string[]) =>
  spawnSync(join(ROOT, 'node_modules/.bin/node'), [...flags, join(ROOT, 'lib/cli/gala.js'), ...args], { encoding: 'utf8' });

test('the command answers with the exit code of what it did', () => {
  const dist = aDist();
  expect(bin([], ['images', 'hello', '--dist', dist])).toMatchObject({ status: 0, stderr: '' });
  expect(bin([], ['images', 'helo', '--dist', dist])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("Did you mean 'hello'?"),
  });
});

test('a reader that has had enough ends it quietly', () => {
  const node = join(ROOT, 'node_modules/.bin/node');
  const { stdout, stderr } = spawnSync('sh', ['-c', `'${node}' '${join(ROOT, 'lib/cli/gala.js')}' --help | head -n 1`], {
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'Usage: gala [options] [command]\n', stderr: '' });
});

test('a Node that does not strip types is told which one is needed', () => {
  expect(bin(['--no-experimental-strip-types'], ['images'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^gala: this is Node \S+; .*22\.18 or newer\. .*npx gala.*\n$/),
  });
});
