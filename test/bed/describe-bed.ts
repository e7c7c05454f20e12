/**
 * Tests that need real parts. Where a part is missing they are skipped with a line that says so, or fail where the bed is
 * required: a test that nobody notices is not running protects nobody.
 */
import { afterAll, describe, test } from '@jest/globals';
import { endAll } from './holding.ts';
import { find, type Need, type PartName, partNamed, partsOf, remedy, required } from './parts.ts';

/**
 * `describe`, for tests that need parts of the bed. Beds that the file's own hooks did not stop, because starting them failed
 * or took too long, end with the file: jest would wait for their processes for ever.
 * @param needs literal names of parts or groups (parts.ts): `npm run bed -- doctor` reads them from the source
 * @example describeBed('the API server takes every object', ['control-plane'], () => { … })
 */
export function describeBed(name: string, needs: readonly Need[], tests: () => void): void {
  const missing = partsOf(needs).filter((part) => !find(part));
  const why = missing.length > 0 ? lacking(missing) : powerless(needs, process.getuid?.());
  if (why === undefined) {
    afterAll(endAll);
    describe(name, tests);
  } else if (required()) {
    describe(name, () => {
      test(`has what it needs: ${missing.join(', ') || 'root'}`, () => {
        throw new Error(`GALA_BED=required, and ${why}`);
      });
    });
  } else {
    process.stderr.write(`SKIPPED ${name}: ${why}\n`);
    describe.skip(name, tests);
  }
}

/** Why this user cannot have what is needed, though all its parts are here. */
export function powerless(needs: readonly Need[], uid: number | undefined): string | undefined {
  return needs.includes('nodes') && uid !== 0 ? 'nodes are plugged into a network namespace and mount disks: run as root.' : undefined;
}

const lacking = (missing: readonly PartName[]) =>
  `${missing.map((part) => `${part} ${partNamed(part).version}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} not on this machine. ${remedy(missing)}`;
