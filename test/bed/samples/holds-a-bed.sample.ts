/** Run, and killed, by control-plane.bed.test.ts. */
import { expect, test } from '@jest/globals';
import { startControlPlane } from '../control-plane.ts';

test('a run that is killed while it holds a bed', async () => {
  const bed = await startControlPlane();
  process.stderr.write(`HOLDS ${bed.folder}\n`);
  await new Promise((resolve) => setTimeout(resolve, 50_000));
  expect('this line').toBe('never reached');
});
