/** Run by given-up.bed.test.ts: hooks and tests that run out of time while a bed and a kubectl are under way. */
import { beforeAll, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../control-plane.ts';
import { describeBed } from '../describe-bed.ts';

const AT_ONCE_MS = 300;
const options = { without: ['kube-controller-manager', 'kube-scheduler'] } as const;

describeBed('a start that is given up', ['control-plane'], () => {
  beforeAll(async () => {
    await startControlPlane(options);
  }, AT_ONCE_MS);

  test('fails its tests', () => expect(true).toBe(true));
});

describeBed('a kubectl that nobody waits for', ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane(options);
  });

  test(
    'waits for what never comes',
    async () => {
      process.stderr.write(`HOLDS ${bed.folder}\n`);
      await bed.kubectl(['wait', '--for=create', 'configmap/never', '--timeout=10m']);
      expect('this line').toBe('never reached');
    },
    AT_ONCE_MS,
  );
});
