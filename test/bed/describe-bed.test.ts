import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ended, environment, jestOn } from './samples/a-run.ts';

const empty = mkdtempSync(join(tmpdir(), 'gala-describe-'));
afterAll(() => rmSync(empty, { recursive: true }));

describe('tests whose part is missing', () => {
  test('are skipped, with a line that names the tests, the part and the remedy', async () => {
    const { code, stdout, stderr } = await ended(jestOn('needs-kwok', environment({ XDG_CACHE_HOME: empty })));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ numPendingTests: 2, numPassedTests: 0, numFailedTests: 0 });
    expect(stderr).toMatch(/^SKIPPED hosts that come and go: kwok 0\.8\.0 is not on this machine\. Get it with `npm run bed -- fetch`/m);
  });

  test('fail where the bed is required', async () => {
    const { code, stdout } = await ended(
      jestOn('needs-kwok', environment({ XDG_CACHE_HOME: empty, GALA_BED: 'required', GOPROXY: 'off' })),
    );
    expect(code).toBe(1);
    const results = JSON.parse(stdout);
    expect(results).toMatchObject({ numPassedTests: 0, numFailedTests: 1 });
    expect(results.testResults[0].message).toMatch(/GALA_BED=required, and kwok 0\.8\.0 is not on this machine/);
  });
});
