/** gala-wire, and what asks it: whole answers, the first failure, and nobody left at work when the one that asked is killed. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Task, wire } from '../../../lib/network/agent/wire.ts';
import { compiledShim } from '../a-shim.ts';

let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-wire-'));
  compiledShim(folder);
  program = join(folder, 'stage/shim/gala-wire');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (line: string, stdin?: string): Task => ({ do: 'run', argv: line.split(' '), ...(stdin === undefined ? {} : { stdin }) });

test('what programs print comes whole and in its order, whatever its size', async () => {
  const large = 'é'.repeat(300_000);
  expect(await wire(program)([run('cat', large), run('echo end')])).toBe(`${large}end\n`);
});

test('jobs side by side get their own answers', async () => {
  const ask = wire(program);
  const all = Array.from({ length: 20 }, (_, at) => String(at));
  expect(await Promise.all(all.map((text) => ask([run('cat', text)])))).toEqual(all);
});

test('the first that fails ends its job, is named with what it said, and the next job is done', async () => {
  const ask = wire(program);
  await expect(ask([run('ls /nowhere/at/all'), { do: 'set', path: join(folder, 'never'), value: '1' }])).rejects.toThrow(
    /\/nowhere\/at\/all.*No such file/,
  );
  await expect(ask([run('false')])).rejects.toThrow('false: exit code 1');
  await expect(ask([run('no-such-program')])).rejects.toThrow('no-such-program: No such file or directory');
  await expect(ask([{ do: 'netns', path: '/nowhere' }, run('true')])).rejects.toThrow('network namespace /nowhere: No such file');
  await expect(ask([{ do: 'set', path: '/nowhere', value: '1' }])).rejects.toThrow('/nowhere = 1: No such file');
  expect(await ask([run('echo on')])).toBe('on\n');
});

test('a program that is not there is an error that names it', async () => {
  await expect(wire('/nowhere/gala-wire')([run('true')])).rejects.toThrow(/^\/nowhere\/gala-wire: .*ENOENT/);
});

test('one that is killed fails its job, and the next job has another', async () => {
  const ask = wire(program);
  // The parent of the program that it runs.
  await expect(ask([run('sh', 'kill -KILL $PPID')])).rejects.toThrow('ended by SIGKILL');
  expect(await ask([run('echo on')])).toBe('on\n');
});

test('one that does not end when it is killed fails its job, is told of until it has ended, and keeps no turn', async () => {
  // What holds its output lives on: as one that stands in the kernel, it is killed and has not ended.
  const standing = join(folder, 'standing');
  writeFileSync(standing, '#!/bin/sh\nsleep 4 &\nwait\n', { mode: 0o755 });
  const ask = wire(standing, { deadlineMs: 100, killedMs: 100 });
  expect(ask.stuck()).toBeUndefined();
  const asked = (jobs: number) => Promise.allSettled(Array.from({ length: jobs }, () => ask([run('true')])));
  const late = { status: 'rejected', reason: { message: expect.stringMatching(/within 100 ms, and not when it was killed: process \d+/) } };
  expect(await asked(4)).toMatchObject(Array(4).fill(late));
  const atOnce = { status: 'rejected', reason: { message: expect.stringMatching(/stands in the kernel .* Cordon the node/) } };
  expect(await asked(2)).toMatchObject(Array(2).fill(atOnce));
  expect(ask.stuck()).toMatch(/was killed and does not end: \d+, \d+, \d+, \d+\./);
  while (ask.stuck() !== undefined) await new Promise((resolve) => setTimeout(resolve, 100));
}, 30_000);

test('when the one that asked is killed, nothing that it began runs on', async () => {
  const mark = `3600.${process.pid}`;
  const source = join(import.meta.dirname, '../../../lib/network/agent/wire.ts');
  const text = `import { wire } from ${JSON.stringify(source)};
    await wire(${JSON.stringify(program)})([{ do: 'run', argv: ['sleep', '${mark}'] }]);`;
  const asks = spawn(process.execPath, ['-C', 'gala-source', '--input-type=module', '-e', text], { stdio: 'inherit' });
  await until(() => running(mark));
  asks.kill('SIGKILL');
  await until(() => !running(mark));
}, 60_000);

test('what it can not read ends it with a sentence', () => {
  expect(spawnSync(program, { input: 'nonsense\n', encoding: 'utf8' })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^gala-wire: 'nonsense' of 1 words is none of netns <path>/),
  });
});

const running = (mark: string): boolean => readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && commandOf(pid) === `sleep\0${mark}\0`);

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
