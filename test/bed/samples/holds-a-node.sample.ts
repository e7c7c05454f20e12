/** Run, and killed, by nodes.bed.test.ts. */
import { expect, test } from '@jest/globals';
import { startControlPlane } from '../control-plane.ts';
import { startNodes } from '../nodes.ts';

test('a run that is killed while it holds a node', async () => {
  const bed = await startControlPlane({ nodes: true, without: ['kube-controller-manager', 'kube-scheduler'] });
  await startNodes(bed, { names: ['node-1'], images: [], until: 'registered' });
  process.stderr.write(`HOLDS ${bed.folder}\n`);
  await new Promise((resolve) => setTimeout(resolve, 50_000));
  expect('this line').toBe('never reached');
});
