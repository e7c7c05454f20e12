import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Diagnosis } from './doctor.ts';
import { neededBy } from './needed-by.ts';
import { bed, environment } from './samples/a-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'gala-doctor-'));
const bin = join(folder, 'bin');
const env = environment({ GALA_BED_BIN: bin, XDG_CACHE_HOME: join(folder, 'cache') });

beforeAll(() => {
  mkdirSync(bin);
  writeFileSync(join(bin, 'kwok'), '#!/bin/sh\n', { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('doctor', () => {
  test('says of each part where it is from, and of a missing one where it belongs; the exit code says whether all are here', async () => {
    const { code, stdout } = await bed(['doctor', '-o', 'json'], env);
    const diagnoses: Diagnosis[] = JSON.parse(stdout);
    const of = (name: string) => diagnoses.find(({ part }) => part === name);
    expect(of('kwok')).toMatchObject({ version: '0.8.0', from: 'GALA_BED_BIN', at: join(bin, 'kwok') });
    expect(of('kwok')?.neededBy).toContain('test/bed/trial.bed.test.ts');
    expect(of('etcd')).toMatchObject({ version: '3.7.0', from: 'missing', at: join(folder, 'cache/gala/bed/3.7.0') });
    expect(code).toBe(4);
  });

  test('shows a person the same as a table, and what to do', async () => {
    // A machine without the Debian packages, but for the one that is found by its path.
    const { stdout } = await bed(['doctor'], { ...env, PATH: bin });
    expect(stdout).toMatch(/^PART +VERSION +FROM +AT +TESTS$/m);
    expect(stdout).toMatch(/^kwok +0\.8\.0 +GALA_BED_BIN /m);
    expect(stdout).toMatch(/^runc +any +missing +Install with `apt-get install runc`\./m);
    expect(stdout).toMatch(/\d\d of \d\d missing: .*apt-get install user-mode-linux uml-utilities .*npm run bed -- fetch/);
  });
});

test('what tests need is read from their source', () => {
  const tests = join(folder, 'tests');
  mkdirSync(tests);
  writeFileSync(join(tests, 'one.bed.test.ts'), "describeBed('a thing', ['kwok', 'kubelet-types'], () => {});");
  writeFileSync(join(tests, 'two.test.ts'), "describe('another', () => {});");
  expect([...neededBy(tests).keys()]).toEqual(['kwok', 'kubelet-types-1.35', 'kubelet-types-1.36', 'kubelet-types-1.37']);
});

describe('bad input', () => {
  test.each([
    [['fetch', 'kwak'], /'kwak'.*no such part\. There are etcd, .*kwok/],
    [['up', '--hosts', 'many'], /'many' is no number of hosts: 0 to 5000/],
    [['up', '--hosts', '5001'], /'5001' is no number of hosts: 0 to 5000/],
    [['up', '--nodes', '9'], /'9' is no number of nodes: 1 to 8/],
    [['up', '--nodes', '0'], /'0' is no number of nodes: 1 to 8/],
    [['up', '--nodes', '2', '--hosts', '5'], /Give --hosts or --nodes/],
    [['doctor', '-o', 'xml'], /xml.*Allowed choices are table, json/],
    [['dance'], /unknown command 'dance'/],
  ])('%j is refused with exit code 2 and what is allowed', async (args, message) => {
    const { code, stderr } = await bed(args, env);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

test('a part that cannot be had is told at once, with what was tried, and nothing half done is left in the cache', async () => {
  const nothing = environment({ XDG_CACHE_HOME: join(folder, 'empty'), GOMODCACHE: join(folder, 'modules'), GOPROXY: 'off' });
  mkdirSync(join(folder, 'empty/gala/bed/0.36.6/.build-of-a-killed-run'), { recursive: true });
  const { code, stdout } = await bed(['fetch', 'kubelet-types-1.36'], nothing);
  expect(stdout).toMatch(/^kubelet-types-1\.36: not had: build: /m);
  expect(code).toBe(4);
  expect(readdirSync(join(folder, 'empty/gala/bed/0.36.6'))).toEqual([]);
});

test('a part of Python that pip cannot get is told with its reason, and leaves no environment behind', async () => {
  const nothing = environment({ XDG_CACHE_HOME: join(folder, 'no-index'), PIP_NO_INDEX: '1' });
  const { code, stdout } = await bed(['fetch', 'moto'], nothing, 110);
  expect(stdout).toMatch(/^moto: not had: pip: .*No matching distribution/m);
  expect(code).toBe(4);
  expect(readdirSync(join(folder, 'no-index/gala/bed/5.2.5'))).toEqual([]);
});
