import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { command, find, folderOf, PARTS, partNamed, partsOf, remedy } from './parts.ts';

let folder: string;
const before = { ...process.env };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-parts-'));
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
  process.env.PATH = join(folder, 'path');
  delete process.env.GALA_BED_BIN;
});
afterEach(() => {
  process.env = { ...before };
  rmSync(folder, { recursive: true });
});

function aProgram(file: string, mode = 0o755): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, mode);
  return file;
}
const inBin = (name: string) => aProgram(join(folder, 'bin', name));
const inCache = (part: Parameters<typeof find>[0], name: string = part) => aProgram(join(folderOf(partNamed(part)), name));

describe('where a part is found', () => {
  test('nowhere on a new machine, and using it names the part, its version and the remedy', () => {
    // One has its place outside the PATH, on every machine.
    const elsewhere = PARTS.filter(({ name }) => !partNamed(name).program?.startsWith('/'));
    expect(elsewhere.map(({ name }) => find(name)).filter(Boolean)).toEqual([]);
    expect(() => command('kwok')).toThrow(/kwok 0\.8\.0 is not on this machine.*npm run bed -- fetch.*GALA_BED_BIN/);
  });

  test('in GALA_BED_BIN before the cache', () => {
    const cached = inCache('kwok');
    expect(find('kwok')).toEqual({ command: [cached], from: 'cache' });
    process.env.GALA_BED_BIN = join(folder, 'bin');
    expect(find('kwok')?.from).toBe('cache');
    const given = inBin('kwok');
    expect(find('kwok')).toEqual({ command: [given], from: 'GALA_BED_BIN' });
  });

  test('in the program that carries several parts, told which one to be; a program of its own comes first', () => {
    const kube = inCache('kubelet', 'kube');
    expect(find('kubelet')?.command).toEqual([kube, 'kubelet']);
    expect(find('etcd')?.command).toEqual([kube, 'etcd']);
    expect(find('kwok')).toBeUndefined();
    const etcd = inCache('etcd');
    expect(find('etcd')?.command).toEqual([etcd]);
  });

  test('on the PATH, where a Debian package brings it; without, the remedy is to install that', () => {
    expect(() => command('gcc')).toThrow(/gcc any is not on this machine. Install with `apt-get install gcc libc6-dev`\.$/);
    const own = aProgram(join(folder, 'path', 'gcc'));
    expect(find('gcc')).toEqual({ command: [own], from: 'this machine' });
    expect(remedy(['runc', 'ctr', 'xfsprogs'])).toMatch(
      /^Install with `apt-get install runc xfsprogs`\. Get it with `npm run bed -- fetch`/,
    );
  });

  test('not in a file that cannot be run', () => {
    aProgram(join(folder, 'bin', 'kwok'), 0o644);
    process.env.GALA_BED_BIN = join(folder, 'bin');
    expect(find('kwok')).toBeUndefined();
  });

  test('not in the folder of another version', () => {
    aProgram(join(folderOf({ version: '0.7.0' }), 'kwok'));
    expect(find('kwok')).toBeUndefined();
  });
});

test('a group stands for its parts, each once', () => {
  expect(partsOf(['control-plane', 'etcd', 'kwok'])).toEqual([
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubectl',
    'kwok',
  ]);
});
