import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { alone } from './lock.ts';
import { alive, newFolder, note, type ProcessId, processId, read, runFolder, sweep } from './records.ts';

const before = { ...process.env };
let cache: string;
let started: ChildProcess[];

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'gala-records-'));
  process.env.XDG_CACHE_HOME = cache;
  started = [];
});
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  process.env = { ...before };
  rmSync(cache, { recursive: true });
});

function aProcess(): ProcessId {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  started.push(child);
  return processId(child.pid ?? 0) as ProcessId;
}

/** A process that has ended: the pid is real, the start time is nobody's. */
const gone = (): ProcessId => ({ pid: process.pid, startTime: '1' });

function aRecord(owner: ProcessId, processes: ProcessId[]): string {
  const folder = join(runFolder(), 'a-bed');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bed.json'), JSON.stringify({ owner, processes }));
  return folder;
}

const ends = (child: ChildProcess) => new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));

test('what a crashed run left is ended and removed', async () => {
  const left = aProcess();
  const folder = aRecord(gone(), [left]);
  const end = ends(started[0] as ChildProcess);
  expect(sweep()).toBe(1);
  expect(await end).toBe('SIGKILL');
  expect(existsSync(folder)).toBe(false);
});

test('a bed whose owner lives is left alone', () => {
  const owner = aProcess();
  const part = aProcess();
  const folder = aRecord(owner, [part]);
  expect(sweep()).toBe(0);
  expect([alive(owner), alive(part), existsSync(folder)]).toEqual([true, true, true]);
});

test('a process that has got the pid of one of ours is left alone', () => {
  const stranger = aProcess();
  aRecord(gone(), [{ pid: stranger.pid, startTime: '1' }]);
  expect(sweep()).toBe(1);
  expect(alive(stranger)).toBe(true);
});

test('a folder is its user’s alone, and records its owner before anything is started', () => {
  const folder = newFolder();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(read(folder)).toEqual({ owner: processId(process.pid), processes: [] });
  const part = aProcess();
  note(folder, [part.pid]);
  expect(read(folder)?.processes).toEqual([part]);
});

test('parts are got by one at a time', async () => {
  let inside = 0;
  let most = 0;
  const one = () =>
    alone(
      () => {},
      async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 200));
        inside--;
      },
    );
  await Promise.all([one(), one(), one()]);
  expect({ inside, most }).toEqual({ inside: 0, most: 1 });
});
