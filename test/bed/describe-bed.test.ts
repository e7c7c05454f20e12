import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { powerless } from './describe-bed.ts';
import { PARTS } from './parts.ts';
import { ended, environment, jestOn } from './samples/a-run.ts';

/** A machine with every part but kwok, which it cannot get. */
const folder = mkdtempSync(join(tmpdir(), 'gala-describe-'));
const bin = join(folder, 'bin');
mkdirSync(bin);
for (const { name } of PARTS) if (name !== 'kwok') writeFileSync(join(bin, name), '#!/bin/sh\n', { mode: 0o755 });
const machine = { XDG_CACHE_HOME: folder, GALA_BED_BIN: bin, GOPROXY: 'off', GOMODCACHE: join(folder, 'modules') };
afterAll(() => rmSync(folder, { recursive: true }));

describe('tests whose part is missing', () => {
  test('are skipped, with a line that names the tests, the part and the remedy', async () => {
    const { code, stdout, stderr } = await ended(jestOn('needs-kwok', environment(machine)));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ numPendingTests: 2, numPassedTests: 0, numFailedTests: 0 });
    expect(stderr).toMatch(/^SKIPPED hosts that come and go: kwok 0\.8\.0 is not on this machine\. Get it with `npm run bed -- fetch`/m);
  });

  test('fail where the bed is required', async () => {
    const { code, stdout } = await ended(jestOn('needs-kwok', environment({ ...machine, GALA_BED: 'required' })));
    expect(code).toBe(1);
    const results = JSON.parse(stdout);
    expect(results).toMatchObject({ numPassedTests: 0, numFailedTests: 1 });
    expect(results.testResults[0].message).toMatch(/GALA_BED=required, and kwok 0\.8\.0 is not on this machine/);
  });
});

test('nodes take root, and nothing else does', () => {
  expect(powerless(['control-plane', 'nodes'], 1000)).toMatch(/run as root/);
  expect([powerless(['control-plane', 'nodes'], 0), powerless(['control-plane', 'kwok'], 1000)]).toEqual([undefined, undefined]);
});
