/** However a test ends, nothing of its bed goes on, and jest comes to its end. */
import { expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from './control-plane.ts';
import { describeBed } from './describe-bed.ts';
import { alive, folders, processId } from './records.ts';
import { ended, environment, jestOn } from './samples/a-run.ts';

const WAITS = ['wait', '--for=create', 'configmap/never', '--timeout=10m'];
const options = { without: ['kube-controller-manager', 'kube-scheduler'] } as const;

async function withBed(act: (bed: Bed) => Promise<void>): Promise<void> {
  const bed = await startControlPlane(options);
  try {
    await act(bed);
  } finally {
    await bed.stop();
  }
}

describeBed('a bed that is stopped', ['control-plane'], () => {
  test('ends a kubectl that is still running, and says which', () =>
    withBed(async (bed) => {
      const waiting = bed.kubectl(WAITS);
      const refused = expect(waiting).rejects.toThrow(
        /^kubectl wait --for=create configmap\/never .*: was still running when the bed was stopped/,
      );
      await bed.stop();
      await refused;
    }));

  test('starts nothing more', () =>
    withBed(async (bed) => {
      await bed.stop();
      await expect(bed.kubectl(['version'])).rejects.toThrow('the bed has been stopped');
      await expect(bed.request('GET', '/version')).rejects.toThrow('the client is closed');
      expect(() => bed.run('kwok', [])).toThrow();
    }));
});

describeBed('a kubectl that takes longer than it may', ['control-plane'], () => {
  test('is killed, and the error names it and the limit', () =>
    withBed(async (bed) => {
      const message = /^kubectl wait --for=create configmap\/never --timeout=10m: did not end within 1 s and was killed/;
      await expect(bed.kubectl(WAITS, { seconds: 1 })).rejects.toThrow(message);
    }));
});

describeBed('a test run whose hooks and tests run out of time', ['control-plane'], () => {
  test('ends by itself and leaves no process and no folder', async () => {
    const run = jestOn('leaves-children', environment({ GALA_BED_BIN: process.env.GALA_BED_BIN ?? '' }));
    const self = processId(run.pid ?? 0);
    const { code, stdout, stderr } = await ended(run);
    expect({ code, self: self && alive(self) }).toEqual({ code: 1, self: false });
    expect(JSON.parse(stdout)).toMatchObject({ numFailedTests: 2, numPassedTests: 0 });
    expect(stderr).toMatch(/^HOLDS /m);
    expect(folders().filter((folder) => folder.includes(`/${run.pid}-`))).toEqual([]);
  });
});
